"""The networks, each a file that reads like its paper's figure."""

from .compact import Compact
from .ctmsr import CTMSR

KINDS = {"compact": Compact, "ctmsr": CTMSR}


def build(kind="compact", **sizes):
    """The network of a configuration's table."""
    return KINDS[kind](**sizes)
