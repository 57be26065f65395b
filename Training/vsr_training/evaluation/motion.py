"""Flicker: what changes between neighbouring frames once the motion is taken out.

The motion is the ground truth's, whole pixels per block; so even the ground truth has some of it.
"""

from statistics import mean

import numpy as np
import torch
import torch.nn.functional as F

from ..metrics import luma

BLOCK = 8
REACH = 12  # pixels per frame, each way


class Motion:
    """Where every block of a clip's frames was in the frame before."""

    def __init__(self, truths):
        planes = [luma(truth) for truth in truths]
        self.origins = [origins(*pair) for pair in zip(planes, planes[1:])]
        self.own_flicker = self.flicker(truths)

    def flicker(self, frames):
        """Mean absolute difference of luma along the motion, in code values."""
        planes = [luma(frame) for frame in frames]
        return mean(
            float(np.abs(after - before[origin]).mean())
            for before, after, origin in zip(planes, planes[1:], self.origins)
        )


def origins(before, after):
    """Row and column in `before` of every sample of `after`, by the best match of its block."""
    height, width = after.shape
    steps = sorted(
        ((dy, dx) for dy in range(-REACH, REACH + 1) for dx in range(-REACH, REACH + 1)),
        key=lambda step: step[0] ** 2 + step[1] ** 2,
    )
    costs = torch.stack([cost(before, after, step) for step in steps])
    # The first of equals, which is the shortest.
    best = np.array(steps)[costs.min(0).indices.numpy()]
    best = best.repeat(BLOCK, axis=0).repeat(BLOCK, axis=1)[:height, :width]
    rows = (np.arange(height)[:, None] + best[..., 0]).clip(0, height - 1)
    columns = (np.arange(width) + best[..., 1]).clip(0, width - 1)
    return rows, columns


def cost(before, after, step):
    """Mean absolute difference of every block after a step; the border repeats itself."""
    height, width = after.shape
    rows = (np.arange(height) + step[0]).clip(0, height - 1)
    columns = (np.arange(width) + step[1]).clip(0, width - 1)
    difference = np.abs(after - before[rows][:, columns]).astype(np.float32)
    plane = torch.from_numpy(difference)[None, None]
    return F.avg_pool2d(plane, BLOCK, ceil_mode=True)[0, 0]
