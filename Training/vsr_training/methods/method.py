"""What the trainer asks of every method besides its loss."""

from inspect import signature


class Method:
    """One stage of training: `losses` compares pictures, `total` is the stage's iterations."""

    # Names of the networks that it can train: those along CTMSR's path of pictures.
    kinds = ("compact", "ctmsr")
    # Whether it has the pixel term of a stage's losses.
    compares_pixels = True
    # A second network that answers without learning, for methods that have one.
    frozen = None

    def __init__(self, network, losses, total):
        self.network, self.losses, self.total = network, losses, total

    @classmethod
    def option_names(cls):
        """What a stage's `options` may hold."""
        makers = [signature(kind.__init__) for kind in cls.__mro__[:-1]]
        parameters = [p for maker in makers for p in maker.parameters.values()]
        return {p.name for p in parameters if p.default is not p.empty}

    def begin(self, average):
        """Called before the first iteration of the stage, with the averaged network so far."""

    def state(self):
        """What a checkpoint must hold besides the network; nothing before `begin`."""
        return {"frozen": self.frozen.state_dict()} if self.frozen else {}

    def load(self, state):
        self.frozen.load_state_dict(state["frozen"])
