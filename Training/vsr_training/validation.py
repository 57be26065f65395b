"""How good the current weights are on pictures that training never sees."""

from statistics import mean

import torch

from . import metrics, perceptual
from .data.pack import Pack
from .data.reference import REFERENCES
from .inference import as_batch, enlarged_bicubic, upscaled
from .spaces import Pixels

SIDE = 256
COUNT = 12
SMALLEST = perceptual.VGG16.smallest


class Validation:
    """PSNR-Y and VGG distance on the middle of held-out pictures, beside bicubic's."""

    def __init__(self, folder, scale, vgg):
        self.vgg, self.device = vgg, vgg.means.device
        self.truths = [middle(image) for image in spread(visible(folder), COUNT)]
        self.features = [self.seen(truth) for truth in self.truths]
        self.inputs = {
            name: [reference(truth, scale) for truth in self.truths]
            for name, reference in REFERENCES.items()
        }
        self.bicubic = self.measured(lambda image: enlarged_bicubic(image, scale))

    def __call__(self, network, space=Pixels()):
        """Metrics per degradation, and one score: decibels gained over bicubic, plus tenths of
        VGG distance lost, the mean over the degradations."""
        results = self.measured(lambda image: upscaled(network, image, space))
        gains = [
            r["psnr_y"] - b["psnr_y"] + 10 * (1 - r["vgg"] / b["vgg"])
            for r, b in zip(results.values(), self.bicubic.values())
        ]
        return {"score": round(mean(gains), 4), **results}

    def measured(self, upscale):
        return {name: self.row([upscale(i) for i in self.inputs[name]]) for name in self.inputs}

    def row(self, images):
        pairs = list(zip(images, self.truths))
        return {
            "psnr_y": round(mean(metrics.psnr_y(*pair) for pair in pairs), 4),
            "vgg": round(mean(map(self.distance, images, self.features)), 5),
            "colour_shift": round(max(metrics.colour_shift(*pair) for pair in pairs), 3),
        }

    def distance(self, image, features):
        return float(perceptual.distance(self.seen(image), features))

    @torch.no_grad()
    def seen(self, image):
        return self.vgg(as_batch(image).to(self.device))


def visible(folder):
    """The pictures of a pack that VGG16 can see."""
    pictures = [image for image in Pack(folder) if min(image.shape[:2]) >= SMALLEST]
    if not pictures:
        raise ValueError(f"no picture in '{folder}' has {SMALLEST} pixels a side")
    return pictures


def spread(pictures, count):
    """As many pictures as there are, evenly from all."""
    count = min(count, len(pictures))
    return [pictures[i * len(pictures) // count] for i in range(count)]


def middle(image):
    top, left = (max(0, length - SIDE) // 2 for length in image.shape[:2])
    return image[top : top + SIDE, left : left + SIDE]
