"""Consistency training along the residual-shifting path (CTMSR, Eq. 10)."""

import torch

from ..data.kernels import below, chance
from ..trajectory import grid, point, point_count
from .batch import gaussian
from .method import Method


class Consistency(Method):
    """Neighbouring points of one path, with one noise, must lead to one picture.

    The further point's prediction is drawn to what the nearer point's gives without gradient;
    at the clean end that is the ground truth itself. With probability `anchor` the target is
    the ground truth at any point: small networks diverge without. With probability
    `from_start` the further point is t = 1, where inference always is; else any.
    """

    def __init__(self, network, losses, total, intervals=(4, 3), anchor=0.5, from_start=0.0):
        super().__init__(network, losses, total)
        self.intervals, self.anchor, self.from_start = intervals, anchor, from_start

    def __call__(self, batch, iteration, generator):
        prediction, target = self.pair(batch, iteration, generator)
        return self.losses(prediction, target, batch.bicubic, generator)

    def pair(self, batch, iteration, generator):
        """The prediction at t_m and its target at t_n, n = m - 1; one n for the whole batch."""
        times = grid(point_count(iteration, self.total, *self.intervals)).to(batch.device)
        n = below(len(times) - 1, generator)
        if chance(generator, self.from_start):
            n = len(times) - 2
        anchored = n == 0 or chance(generator, self.anchor)
        noise = gaussian(batch.truth, generator)
        target = batch.truth if anchored else self.target(batch, noise, times[n])
        return self.at(batch, noise, times[n + 1]), target

    @torch.no_grad()
    def target(self, batch, noise, t):
        return self.at(batch, noise, t)

    def at(self, batch, noise, t):
        x = point(batch.truth, batch.bicubic, noise, t)
        return self.network(x, t.reshape(1), batch.lr, batch.bicubic)
