"""What a prediction is compared with, and by how much each comparison counts."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from . import metrics, perceptual
from .data.kernels import below

COLOUR_CELL = 32  # ground truth pixels; one mean colour per cell


def charbonnier(prediction, target):
    """Eq. 10's pixel term: sqrt(d² + 1e-12), in effect the absolute difference."""
    return ((prediction - target) ** 2 + 1e-12).sqrt().mean()


def colour(prediction, bicubic):
    """Difference of mean colours to the input's over large cells.

    Not to the ground truth's: noise and compression shift the mean of dark and light pictures, and
    a network that guesses it back tints those in which nothing was shifted.
    """
    return F.avg_pool2d(prediction - bicubic, COLOUR_CELL).abs().mean()


def grid(prediction, target, scale):
    """What the pixels of a block have against each other on the mean of a large cell.

    Enlarging writes `scale` × `scale` pixels in one go, and a network that is praised for texture
    likes to write the same small pattern everywhere.
    """
    phases = F.pixel_unshuffle(prediction - target, scale)
    means = F.avg_pool2d(phases, COLOUR_CELL // scale).unflatten(1, (-1, scale * scale))
    return (means - means.mean(2, keepdim=True)).abs().mean()


def structure(prediction, target):
    """What the luma lacks to an SSIM of 1, the mean of full, half and quarter size.

    In full precision: variances are small differences of large numbers.
    """
    with torch.autocast(prediction.device.type, enabled=False):
        a, b = luma(prediction), luma(target)
        sizes = [(F.avg_pool2d(a, n), F.avg_pool2d(b, n)) for n in (1, 2, 4)]
        return torch.stack([1 - metrics.ssim(*pair, span=1) for pair in sizes]).mean()


def luma(image):
    """N×3×H×W in [-1, 1] to N×1×H×W in [0, 1]."""
    return (image.float().movedim(1, 3) @ metrics.LUMA.to(image.device))[:, None] / 2 + 0.5


@dataclass(frozen=True)
class Weights:
    pixel: float = 1.0
    colour: float = 0.0
    grid: float = 0.0
    structure: float = 0.0
    perceptual: float = 0.0


class Losses:
    """The weighted terms between a prediction and its target, and to the input it came from.

    The perceptual term looks at one window of `crop` pixels of the first `count` pictures, since
    VGG16 costs many times what a compact network does. Its last block has one position per 16
    pixels, so a small window is nearly all border.
    """

    def __init__(self, weights, vgg=None, crop=96, count=2, scale=4):
        self.weights, self.vgg, self.crop, self.count = weights, vgg, crop, count
        self.scale = scale

    def __call__(self, prediction, target, bicubic, generator):
        pixel = self.weights.pixel * charbonnier(prediction, target)
        return {"pixel": pixel, **self.beside_pixels(prediction, target, bicubic, generator)}

    def beside_pixels(self, prediction, target, bicubic, generator):
        """The terms for methods that have a pixel term of their own."""
        terms = {}
        if self.weights.colour:
            terms["colour"] = self.weights.colour * colour(prediction, bicubic)
        if self.weights.grid:
            terms["grid"] = self.weights.grid * grid(prediction, target, self.scale)
        if self.weights.structure:
            terms["structure"] = self.weights.structure * structure(prediction, target)
        if self.weights.perceptual:
            windows = self.windows(prediction, target, generator)
            terms["perceptual"] = self.weights.perceptual * self.distance(*windows).mean()
        return terms

    def windows(self, prediction, target, generator):
        top, left = (
            below(side - self.crop + 1, generator) for side in prediction.shape[2:]
        )
        rows, columns = slice(top, top + self.crop), slice(left, left + self.crop)
        place = (slice(self.count), slice(None), rows, columns)
        return prediction[place], target[place]

    def distance(self, prediction, target):
        with torch.no_grad():
            wanted = self.vgg(target)
        return perceptual.distance(self.vgg(prediction), wanted)
