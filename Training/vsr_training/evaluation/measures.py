"""All that is measured about one enlarged picture."""

import io
from statistics import mean

import torch
from PIL import Image

from .. import metrics, perceptual
from ..inference import as_batch

# Metric, heading, decimals, and which way is better.
COLUMNS = [
    ("psnr_y", "PSNR-Y ↑", 2),
    ("ssim_y", "SSIM-Y ↑", 4),
    ("ssimulacra2", "SSIMULACRA2 ↑", 1),
    ("vgg", "VGG16 ↓", 4),
    ("colour_shift", "colour shift ↓", 2),
]


class Measures:
    """Metrics against one ground truth, whose features are computed once.

    The colour shift is against bicubic's mean colour: what the model adds, not what noise and
    clipping took away before it.
    """

    def __init__(self, truth, vgg):
        self.truth, self.vgg = truth, vgg
        self.features = self.seen(truth)

    def __call__(self, image, bicubic):
        return {
            "psnr_y": metrics.psnr_y(image, self.truth),
            "ssim_y": metrics.ssim_y(image, self.truth),
            "ssimulacra2": ssimulacra2(image, self.truth),
            "vgg": float(perceptual.distance(self.seen(image), self.features)),
            "colour_shift": metrics.colour_shift(image, bicubic),
        }

    @torch.no_grad()
    def seen(self, image):
        return self.vgg(as_batch(image))


def ssimulacra2(image, truth):
    # Imported late: it brings SciPy along, which training does without.
    from ssimulacra2 import compute_ssimulacra2

    return float(compute_ssimulacra2(as_file(truth), as_file(image)))


def as_file(image):
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PPM")
    file.seek(0)
    return file


def averaged(rows):
    """Mean of every metric; of the colour shift the worst."""
    table = {key: mean(row[key] for row in rows) for key, _, _ in COLUMNS}
    return {**table, "colour_shift": max(row["colour_shift"] for row in rows)}
