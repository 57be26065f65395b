"""Pictures in files and in memory: H×W×3 uint8 RGB arrays."""

from pathlib import Path

import numpy as np
from PIL import Image

SUFFIXES = {".png", ".webp", ".jpg", ".jpeg", ".ppm", ".bmp"}


def read(path):
    """The picture in the file as RGB; transparency is dropped."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def listing(folder):
    """All picture files below the folder, in the order of their names; one at least."""
    paths = sorted(path for path in Path(folder).rglob("*") if path.suffix.lower() in SUFFIXES)
    if not paths:
        raise ValueError(f"no pictures below '{folder}'")
    return paths


def cropped(image, multiple):
    """The largest top left part whose sides are multiples of a number."""
    height, width = (side - side % multiple for side in image.shape[:2])
    return image[:height, :width]
