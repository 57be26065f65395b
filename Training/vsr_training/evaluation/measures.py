"""All that is measured about one enlarged picture or clip."""

from functools import cached_property
from statistics import mean

import torch

from .. import metrics, perceptual
from ..inference import as_batch
from .grid import grid
from .motion import Motion
from .ssimulacra2 import ssimulacra2
from .vmaf import vmaf

# Metric, heading, decimals; the arrow says which way is better.
COLUMNS = [
    ("psnr_y", "PSNR-Y ↑", 2),
    ("ssim_y", "SSIM-Y ↑", 4),
    ("ssimulacra2", "SSIMULACRA2 ↑", 2),
    ("vgg", "VGG16 ↓", 4),
    ("niqe", "NIQE ↓", 2),
    ("vmaf", "VMAF ↑", 1),
    ("vmaf_neg", "VMAF-NEG ↑", 1),
    ("flicker", "flicker", 3),
    ("grid", "grid", 2),
    ("colour_shift", "colour shift ↓", 2),
]
# Of a clip, every so many frames for what looks at single frames.
FRAME_STEP = 4


class Instruments:
    """What measuring needs beside the pictures; `identity` changes with the files it is from."""

    def __init__(self, vgg, niqe, scale, identity):
        self.vgg, self.niqe, self.scale, self.identity = vgg, niqe, scale, identity

    @torch.no_grad()
    def seen(self, image):
        return self.vgg(as_batch(image))


class Measures:
    """Metrics against one ground truth, a list of frames, that is looked at once."""

    def __init__(self, truths, instruments):
        self.truths, self.instruments = truths, instruments

    @cached_property
    def features(self):
        return [self.instruments.seen(truth) for truth in self.truths[::FRAME_STEP]]

    @cached_property
    def motion(self):
        return Motion(self.truths)

    def __call__(self, frames, bicubic):
        chosen = zip(*(clip[::FRAME_STEP] for clip in (frames, self.truths, bicubic)))
        rows = [self.frame(*three, f) for three, f in zip(chosen, self.features)]
        means = {key: mean(row[key] for row in rows) for key in rows[0]}
        shift = max(row["colour_shift"] for row in rows)
        return {**means, "colour_shift": shift, **vmaf(frames, self.truths), **self.over(frames)}

    def frame(self, image, truth, bicubic, features):
        """The colour shift is against bicubic's mean colour: what the model adds, not what noise
        and clipping took away before it."""
        return {
            "psnr_y": metrics.psnr_y(image, truth),
            "ssim_y": metrics.ssim_y(image, truth),
            "ssimulacra2": ssimulacra2(image, truth),
            "vgg": float(perceptual.distance(self.instruments.seen(image), features)),
            "niqe": self.instruments.niqe(image),
            "grid": grid(image, self.instruments.scale),
            "colour_shift": metrics.colour_shift(image, bicubic),
        }

    def over(self, frames):
        """What only clips have; the ground truth's own flicker stands beside."""
        if len(frames) == 1:
            return {"flicker": None, "own_flicker": None}
        flicker = self.motion.flicker(frames)
        return {"flicker": flicker, "own_flicker": self.motion.own_flicker}
