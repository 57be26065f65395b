"""What the trainer asks of every method besides its loss."""


class Method:
    """One stage of training: `losses` compares pictures, `total` is the stage's iterations."""

    # A second network that answers without learning, for methods that have one.
    frozen = None

    def __init__(self, network, losses, total):
        self.network, self.losses, self.total = network, losses, total

    def begin(self, average):
        """Called before the first iteration of the stage, with the averaged network so far."""

    def state(self):
        """What a checkpoint must hold besides the network; nothing before `begin`."""
        return {"frozen": self.frozen.state_dict()} if self.frozen else {}

    def load(self, state):
        self.frozen.load_state_dict(state["frozen"])
