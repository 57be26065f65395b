"""One blur, one noise and one JPEG: the three fixed degradations that models are measured on, which
give the same bytes on every run, and two settings to train on, of any strength around theirs."""

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from .degradation import blurred, downscaled, from_bytes, through_jpeg, to_bytes
from .kernels import bell, below, uniform


@dataclass(frozen=True)
class Reference:
    """Gaussian blur in pixels of the ground truth, noise in code values, JPEG quality."""

    blur: float = 0.0
    noise: float = 0.0
    jpeg: float = 0.0

    def __call__(self, image, scale, seed=0):
        if self.blur:
            kernel = bell("gaussian", 15, (self.blur, self.blur), 0.0, 1.0)
            image = to_bytes(blurred(from_bytes([image]), kernel[None]))[0]
        small = downscaled(image, scale, Image.Resampling.BICUBIC)
        if self.noise:
            small = noisy(small, self.noise, seed)
        return through_jpeg(small, int(self.jpeg)) if self.jpeg else small


def noisy(image, sigma, seed=0):
    noise = torch.randn(image.shape, generator=torch.Generator().manual_seed(seed)).numpy()
    return (image + sigma * noise).round().clip(0, 255).astype(np.uint8)


REFERENCES = {
    "bicubic": Reference(),
    "mild": Reference(blur=0.8, noise=2, jpeg=80),
    "strong": Reference(blur=1.8, noise=6, jpeg=45),
}


def camera(generator, batch, scale):
    """From a sharp picture to a camera worse than the strong reference, every picture its own."""
    return of_any_strength(generator, batch, scale, blur=(0.3, 2.5), noise=(0, 9), jpeg=(35, 95))


def worn(generator, batch, scale):
    """The worse part of these, around the strong reference."""
    return of_any_strength(generator, batch, scale, blur=(1.2, 2.4), noise=(3, 9), jpeg=(35, 65))


def of_any_strength(generator, batch, scale, **ranges):
    """Every picture with strengths of its own from the ranges."""
    images = []
    for image in to_bytes(batch):
        strengths = {name: uniform(generator, *limits) for name, limits in ranges.items()}
        images.append(Reference(**strengths)(image, scale, below(2**31, generator)))
    return from_bytes(images)
