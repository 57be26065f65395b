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


def source_of(name):
    """The photo of a crop, whose last two numbers are its position there."""
    return name.rsplit("_", 2)[0]


def is_held_out(name):
    """Whether a crop serves validation: decided by its source, so that no photo is in both sets."""
    return zlib.crc32(source_of(name).encode()) % HELD_OUT_SHARE == 0


def held_out_sources(names):
    """The sources that serve validation: the first one where no other does."""
    sources = {source_of(name) for name in names}
    chosen = {source_of(name) for name in names if is_held_out(name)} or {source_of(names[0])}
    if chosen == sources:
        raise ValueError("pictures of more than one source are needed: to train and to validate")
    return chosen


def refuse_equal_names(paths):
    """Inputs find their ground truth by its name."""
    known = {}
    for path in paths:
        if path.stem in known:
            raise ValueError(f"two pictures of one name: '{known[path.stem]}' and '{path}'")
        known[path.stem] = path


def ground_truth(folder, root, multiple=8):
    """Writes `train` and `held-out` with all pictures of the folder."""
    paths = images.listing(folder)
    refuse_equal_names(paths)
    kept = held_out_sources([path.stem for path in paths])
    with PackWriter(root / "train") as train, PackWriter(root / "held-out") as held_out:
        for path in paths:
            writer = held_out if source_of(path.stem) in kept else train
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
    side = CELL_SIDE * scale
    large = [p for p in range(len(truth)) if min(truth[p].shape[:2]) >= side]
    if len(large) < CELL_COUNT:
        raise ValueError(f"video needs {CELL_COUNT} pictures of {side}×{side}, not {len(large)}")
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
