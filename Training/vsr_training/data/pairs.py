"""Random patches of low resolution with their ground truth."""

from pathlib import Path

import numpy as np
import torch

from .kernels import below, choice
from .pack import Pack


class Pairs:
    """Draws batches from the packs below `root`; `mixture` gives each setting its share."""

    def __init__(self, root, scale, mixture, patch):
        self.truth = Pack(Path(root) / "train")
        self.position = {entry.name: i for i, entry in enumerate(self.truth.entries)}
        self.packs = {name: Pack(Path(root) / f"{name}-x{scale}") for name in mixture}
        self.shares = list(mixture.values())
        self.scale, self.patch = scale, patch
        for name, pack in self.packs.items():
            for entry in pack.entries:
                self.check(entry, f"{name}-x{scale}")

    def check(self, entry, pack):
        """Once and here, for a batch would find out at any iteration."""
        if entry.name not in self.position:
            raise ValueError(f"'{entry.name}' in {pack} has no ground truth in train")
        if min(entry.height, entry.width) < self.patch:
            size = f"{entry.width}×{entry.height}"
            raise ValueError(f"'{entry.name}' in {pack}, {size}, is no patch of {self.patch}")

    def batch(self, count, generator):
        """Bytes N×3×H×W: the input and the ground truth."""
        pairs = [self.pair(generator) for _ in range(count)]
        lr, truth = (np.stack(side).transpose(0, 3, 1, 2) for side in zip(*pairs))
        return torch.from_numpy(lr), torch.from_numpy(truth)

    def pair(self, generator):
        pack = self.packs[choice(generator, list(self.packs), self.shares)]
        index = below(len(pack), generator)
        small, entry = pack[index], pack.entries[index]
        top, left = (below(side - self.patch + 1, generator) for side in small.shape[:2])
        truth = self.truth[self.position[entry.name]]
        corner = entry.top + top * self.scale, entry.left + left * self.scale
        flip = below(8, generator)
        return (
            flipped(window(small, (top, left), self.patch), flip),
            flipped(window(truth, corner, self.patch * self.scale), flip),
        )


def window(image, corner, side):
    top, left = corner
    return image[top : top + side, left : left + side]


def flipped(image, number):
    """One of the square's eight symmetries."""
    image = image[::-1] if number & 1 else image
    image = image[:, ::-1] if number & 2 else image
    return image.transpose(1, 0, 2) if number & 4 else image
