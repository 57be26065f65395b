"""What the trainer asks of every method besides its loss."""


class Method:
    # A second network that answers without learning, for methods that have one.
    frozen = None

    def begin(self, average):
        """Called before the first iteration of the stage, with the averaged network so far."""
