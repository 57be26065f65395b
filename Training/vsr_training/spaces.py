"""Where a network works: on pictures themselves, or on what an autoencoder makes of them."""

import torch

from .methods.batch import Batch
from .networks import vqgan
from .networks.tadsr import DEVIATION


class Pixels:
    """Pictures themselves; inference starts with noise of this deviation on the enlarged input."""

    deviation = 1.0

    def encode(self, picture):
        return picture

    def decode(self, picture):
        return picture

    def encoded(self, batch):
        return batch


class Latents:
    """What an autoencoder makes of pictures, before it is quantised; it learns nothing here."""

    deviation = DEVIATION

    def __init__(self, autoencoder):
        self.autoencoder = autoencoder.eval().requires_grad_(False)

    @torch.no_grad()
    def encode(self, picture):
        return self.autoencoder.encode(picture)

    @torch.no_grad()
    def decode(self, latent):
        return self.autoencoder.decode(latent)

    def encoded(self, batch):
        """The input stays a picture: it has the latents' size."""
        return Batch(batch.lr, self.encode(batch.bicubic), self.encode(batch.truth))


def space(autoencoder, device="cpu"):
    """Latents by the autoencoder of a file, or pixels where none is given."""
    return Latents(vqgan.load(autoencoder).to(device)) if autoencoder else Pixels()
