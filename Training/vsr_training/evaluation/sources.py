"""What is enlarged: pictures and clips that nobody trained on, and how they are degraded."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Callable

import numpy as np
from PIL import Image

from ..data import images
from ..data.degradation import downscaled
from ..data.reference import REFERENCES, noisy
from ..data.video import Codec, run, through_codec
from .cache import digest

FOLDERS = {
    "Set5": "Set5/HR",
    "Set14": "Set14/HR_selfex_x4",
    "Kodak24": "Kodak24",
    "CID22": "CID22",
}
CLIPS = "clips"
STILL = "still clips"
STILL_SET = "CID22"
STILL_FRAMES = 8
STILL_NOISE = 4.0
# A frugal stream, as sites serve it; and one fine enough not to repeat the first frame.
FRUGAL = Codec("libx264", ("-preset", "medium", "-crf", "30"))
FINE = Codec("libx264", ("-preset", "fast", "-crf", "18"))


@dataclass(frozen=True)
class Source:
    """A picture or clip by name; `read` gives its ground truth, a list of frames, and `identity`
    changes with its file."""

    set: str
    name: str
    degradations: tuple
    identity: str
    read: Callable
    frame_count: int = 1

    def key(self, degradation, scale):
        """Names one measurement in the cache."""
        name = f"{self.set}/{self.name} {self.identity}"
        return f"{name} {degradation} x{scale} {self.frame_count} frames"


def pictures(root, name, scale, count=None):
    """A set's pictures, or the first few."""
    paths = images.listing(Path(root) / FOLDERS[name])[:count]
    kinds = tuple(REFERENCES)
    return [
        Source(name, path.name, kinds, digest(path), partial(picture, path, scale))
        for path in paths
    ]


def all_pictures(root, names, scale, count=None):
    return [source for name in names for source in pictures(root, name, scale, count)]


def picture(path, scale):
    return [images.cropped(images.read(path), scale)]


def clips(root, scale, frames):
    """The beginnings of a folder's clips."""
    kinds, paths = (*REFERENCES, "H.264"), sorted(Path(root).iterdir())
    if not paths:
        raise ValueError(f"no clips in '{root}'")
    return [
        Source(
            CLIPS, path.name, kinds, digest(path), partial(clip, path, scale, frames), frames
        )
        for path in paths
    ]


def clip(path, scale, frame_count):
    """Frames whose reduction has even sides, as H.264 wants them."""
    quiet = ["ffmpeg", "-v", "error", "-nostdin", "-i", str(path)]
    target = ["-frames:v", str(frame_count), "-c:v", "ppm", "-f", "image2pipe", "-"]
    frames = split(run([*quiet, *target], b""))
    return [images.cropped(frame, 2 * scale) for frame in frames]


def split(stream):
    """The pictures of a stream of PPM files, all of one size."""
    *lines, _ = stream.split(b"\n", 3)
    width, height = map(int, lines[1].split())
    header = sum(len(line) + 1 for line in lines)
    whole = np.frombuffer(stream, np.uint8).reshape(-1, header + height * width * 3)
    return list(whole[:, header:].reshape(-1, height, width, 3))


def still_clips(root, scale, count):
    """Pictures filmed for a while by a camera that does not move."""
    sources = pictures(root, STILL_SET, 2 * scale, count)
    return [
        Source(STILL, s.name, ("noise, H.264",), s.identity, partial(still, s.read), STILL_FRAMES)
        for s in sources
    ]


def still(read):
    return read() * STILL_FRAMES


def degraded(truths, degradation, scale):
    """The low resolution of every frame."""
    if degradation in REFERENCES:
        return [REFERENCES[degradation](t, scale, seed) for seed, t in enumerate(truths)]
    small = [downscaled(truth, scale, Image.Resampling.BICUBIC) for truth in truths]
    if degradation == "H.264":
        return list(through_codec(np.stack(small), FRUGAL))
    filmed = [noisy(frame, STILL_NOISE, seed) for seed, frame in enumerate(small)]
    return list(through_codec(np.stack(filmed), FINE))
