"""Builds the packs: ground truth first, then one pack of low resolution for every setting."""

import zlib
from itertools import groupby
from pathlib import Path

import torch

from . import images
from .degradation import from_bytes, to_bytes
from .pack import Pack, PackWriter
from .settings import SETTINGS
from .video import CELL_COUNT, CELL_SIDE, Pan, degraded_pans

# One resize mode and one noise kind serve a batch, as in the original pipeline.
BATCH = 4
HELD_OUT_SHARE = 50


def is_held_out(name):
    """Whether a crop serves validation: decided by its source, so that no photo is in both sets.

    The last two numbers of a crop's name are its position in the source.
    """
    source = name.rsplit("_", 2)[0]
    return zlib.crc32(source.encode()) % HELD_OUT_SHARE == 0


def ground_truth(folder, root, multiple=8):
    """Writes `train` and `held-out` with all pictures of the folder."""
    with PackWriter(root / "train") as train, PackWriter(root / "held-out") as held_out:
        for path in images.listing(folder):
            writer = held_out if is_held_out(path.stem) else train
            writer.append(images.cropped(images.read(path), multiple), path.stem)


def runs_of_equal_size(pack):
    """Lists of positions whose pictures can share a batch."""
    def size(position):
        return pack[position].shape

    for _, group in groupby(sorted(range(len(pack)), key=size), key=size):
        group = list(group)
        yield from (group[i : i + BATCH] for i in range(0, len(group), BATCH))


def stills(setting, scale, seed, truth, writer):
    """Appends one degraded version of every picture."""
    generator = torch.Generator().manual_seed(seed)
    for positions in runs_of_equal_size(truth):
        batch = from_bytes([truth[position] for position in positions])
        for position, small in zip(positions, to_bytes(SETTINGS[setting](generator, batch, scale))):
            writer.append(small, truth.entries[position].name)


def pans(scale, seed, truth, writer):
    """Appends three frames of a pan over every picture that is large enough."""
    generator = torch.Generator().manual_seed(seed)
    large = [p for p in range(len(truth)) if min(truth[p].shape[:2]) >= CELL_SIDE * scale]
    order = [large[i] for i in torch.randperm(len(large), generator=generator)]
    for first in range(0, len(order) - CELL_COUNT + 1, CELL_COUNT):
        chosen = order[first : first + CELL_COUNT]
        moving = [Pan(generator, truth[p], truth.entries[p].name, scale) for p in chosen]
        for small, pan, (top, left) in degraded_pans(generator, moving):
            writer.append(small, pan.name, top, left)


def low_resolution(root, setting, scale, passes, seed=0):
    """Writes the pack `<setting>-x<scale>`: every picture, degraded anew in every pass."""
    truth = Pack(Path(root) / "train")
    with PackWriter(Path(root) / f"{setting}-x{scale}") as writer:
        for number in range(passes):
            arguments = (scale, 1000 * seed + number, truth, writer)
            pans(*arguments) if setting == "video" else stills(setting, *arguments)
