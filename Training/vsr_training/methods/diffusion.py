"""Training of a ResShift teacher: predict the ground truth from any time of the diffusion."""

import torch.nn.functional as F

from ..resshift import ResShift
from .batch import gaussian, random_times
from .method import Method


class Diffusion(Method):
    kinds = ("compact", "tadsr")

    def __init__(self, network, losses, total, steps=15, first=0.02):
        super().__init__(network, losses, total)
        self.diffusion = ResShift.of_stage(steps, first, network)

    def __call__(self, batch, iteration, generator):
        t = random_times(self.diffusion.steps, batch, generator)
        noise = gaussian(batch.truth, generator)
        z = self.diffusion.point(batch.truth, batch.bicubic, noise, t)
        prediction = self.diffusion.predicted(self.network, z, t, batch)
        pixel = self.losses.weights.pixel * F.mse_loss(prediction, batch.truth)
        pictures = (prediction, batch.truth, batch.bicubic)
        return {"pixel": pixel, **self.losses.beside_pixels(*pictures, generator)}
