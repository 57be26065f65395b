"""Distribution trajectory matching on top of consistency training (CTMSR, Eq. 11 to 16)."""

import copy

import torch

from ..trajectory import grid, point
from .batch import gaussian
from .consistency import Consistency

# Index 1 of the four-point grid: what the released settings always draw.
TIME = grid(4)[1]


class TrajectoryMatching(Consistency):
    """Draws predictions to where a frozen network sees no difference to real pictures.

    The same noise is put on the ground truth and on the prediction; the frozen network's answers
    differ by g, and the prediction y is moved towards y - g. Only y itself has a gradient.
    """

    def __init__(self, network, losses, total, weight=0.8, refresh=1000, **options):
        super().__init__(network, losses, total, **options)
        self.weight, self.refresh = weight, refresh

    def begin(self, average):
        """The frozen network starts as the average of the stage before."""
        self.frozen = copy.deepcopy(average)

    def renew(self, student):
        self.frozen.load_state_dict(student.state_dict())

    def __call__(self, batch, iteration, generator):
        if iteration > 0 and iteration % self.refresh == 0:
            self.renew(self.network)
        prediction, target = self.pair(batch, iteration, generator)
        terms = self.losses(prediction, target, batch.bicubic, generator)
        moved = prediction.detach() - self.difference(prediction.detach(), batch, generator)
        windows = self.losses.windows(prediction, moved, generator)
        weights = self.weights(prediction.detach(), batch)[: self.losses.count]
        distances = weights * self.losses.distance(*windows)
        return {**terms, "matching": self.weight * distances.mean()}

    def weights(self, prediction, batch):
        """One over the mean absolute error, per picture."""
        return 1 / (prediction - batch.truth).abs().mean((1, 2, 3)).clamp(min=1e-3)

    @torch.no_grad()
    def difference(self, prediction, batch, generator):
        """g: the frozen network's answer on the fake path minus that on the real one."""
        noise, t = gaussian(batch.truth, generator), TIME.to(batch.device)
        fake, real = (
            self.frozen(
                point(clean, batch.bicubic, noise, t), t.reshape(1), batch.lr, batch.bicubic
            )
            for clean in (prediction, batch.truth)
        )
        return fake - real
