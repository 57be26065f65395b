"""Plain one-step regression: from the start of the path to the ground truth."""

import torch

from ..trajectory import point
from .batch import gaussian
from .method import Method


class Regression(Method):
    def __call__(self, batch, iteration, generator):
        start = torch.ones(1, device=batch.device)
        x = point(batch.truth, batch.bicubic, gaussian(batch.truth, generator), 1.0)
        prediction = self.network(x, start, batch.lr, batch.bicubic)
        return self.losses(prediction, batch.truth, batch.bicubic, generator)
