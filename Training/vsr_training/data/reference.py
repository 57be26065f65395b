"""The three fixed degradations that models are measured on; the same bytes on every run."""

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from .degradation import blurred, downscaled, from_bytes, through_jpeg, to_bytes
from .kernels import bell


@dataclass(frozen=True)
class Reference:
    """Gaussian blur in pixels of the ground truth, noise in code values, JPEG quality."""

    blur: float = 0.0
    noise: float = 0.0
    jpeg: int = 0

    def __call__(self, image, scale, seed=0):
        if self.blur:
            kernel = bell("gaussian", 15, (self.blur, self.blur), 0.0, 1.0)
            image = to_bytes(blurred(from_bytes([image]), kernel[None]))[0]
        small = downscaled(image, scale, Image.Resampling.BICUBIC)
        if self.noise:
            small = noisy(small, self.noise, seed)
        return through_jpeg(small, self.jpeg) if self.jpeg else small


def noisy(image, sigma, seed=0):
    noise = torch.randn(image.shape, generator=torch.Generator().manual_seed(seed)).numpy()
    return (image + sigma * noise).round().clip(0, 255).astype(np.uint8)


REFERENCES = {
    "bicubic": Reference(),
    "mild": Reference(blur=0.8, noise=2, jpeg=80),
    "strong": Reference(blur=1.8, noise=6, jpeg=45),
}
