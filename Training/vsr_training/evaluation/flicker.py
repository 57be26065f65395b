"""How much a still scene moves after it was filmed with noise, compressed, and enlarged."""

from statistics import mean

import numpy as np
from PIL import Image

from ..data import images
from ..data.degradation import downscaled
from ..data.video import Codec, through_codec
from ..metrics import luma

# Fine enough that x264 does not simply repeat the first frame.
CODEC = Codec("libx264", ("-preset", "fast", "-crf", "18"))
FRAME_COUNT = 8
NOISE = 4.0


def still_clip(truth, scale):
    """One picture as a clip: fresh noise in every frame, then H.264."""
    small = downscaled(truth, scale, Image.Resampling.BICUBIC)
    small = images.cropped(small, 2).astype(np.float32)
    noise = np.random.default_rng(0).standard_normal((FRAME_COUNT, *small.shape), np.float32)
    frames = (small + NOISE * noise).round().clip(0, 255).astype(np.uint8)
    return through_codec(frames, CODEC)


def flicker(upscaler, clip):
    """Mean absolute difference of luma between neighbouring frames, in code values."""
    frames = [luma(upscaler.enlarge(frame)) for frame in clip]
    return mean(float(np.abs(a - b).mean()) for a, b in zip(frames, frames[1:]))
