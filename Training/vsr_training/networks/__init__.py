"""The networks, each a file that reads like its paper's figure."""

from .compact import Compact
from .ctmsr import CTMSR
from .latent_unet import LatentUNet

KINDS = {"compact": Compact, "ctmsr": CTMSR, "tadsr": LatentUNet}


def build(kind="compact", **sizes):
    """The network of a configuration's table."""
    return KINDS[kind](**sizes)
