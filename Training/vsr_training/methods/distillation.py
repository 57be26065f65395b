"""TAD-SR: one step of a ResShift teacher, by score distillation and a time-aware discriminator."""

import copy

import torch
import torch.nn.functional as F

from ..networks.discriminator import Discriminator
from ..resshift import ResShift
from .batch import gaussian, random_times
from .method import Method

DISCRIMINATOR_RATE = 5e-5


class Distillation(Method):
    """The student goes on from the teacher's weights and always starts at the last step.

        L = L_reg + hsd L_HSD + gan L_G

    and what the configuration adds to the paper's terms, with the teacher's result as target.
    `steps` and `first`, the square root of the first eta, are those of the `diffusion` stage.
    The paper's `hsd` of 1 belongs to latents, where kappa is 2; in pixels it is half of that, and
    so is `hsd`. `as_released` repeats the released code, which draws the noise of the score
    distillation and of the discriminator from [0, 1) and not from a Gaussian, and scales the
    latents that the teacher's score is asked for twice.
    """

    kinds = ("compact", "tadsr")
    compares_pixels = False

    def __init__(
        self, network, losses, total, steps=15, first=0.02, hsd=0.5, gan=0.02, as_released=False
    ):
        super().__init__(network, losses, total)
        self.diffusion = ResShift.of_stage(steps, first, network)
        # High frequencies are decided at small times: the first fifth of the steps.
        self.small_times = max(1, steps // 5)
        self.hsd, self.gan, self.as_released = hsd, gan, as_released
        device = next(network.parameters()).device
        self.discriminator = Discriminator(network.feature_channels).to(device)
        self.optimizer = torch.optim.AdamW(
            self.discriminator.parameters(), lr=DISCRIMINATOR_RATE, weight_decay=0
        )

    def begin(self, average):
        self.frozen = copy.deepcopy(average)
        self.network.load_state_dict(average.state_dict())

    def state(self):
        if not self.frozen:
            return {}
        return {
            **super().state(),
            "discriminator": self.discriminator.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }

    def load(self, state):
        super().load(state)
        self.discriminator.load_state_dict(state["discriminator"])
        self.optimizer.load_state_dict(state["optimizer"])

    def __call__(self, batch, iteration, generator):
        last = torch.tensor(self.diffusion.steps - 1, device=batch.device)
        start = self.diffusion.point(
            batch.truth, batch.bicubic, gaussian(batch.truth, generator), last
        )
        student = self.diffusion.predicted(self.network, start, last, batch)
        teacher = self.diffusion.sampled(self.frozen, start, batch)
        return {
            "regression": F.mse_loss(student, teacher),
            "score": self.hsd * self.score(student, teacher, batch, generator),
            "adversarial": self.gan * self.adversarial(student, batch, generator),
            **self.losses.beside_pixels(student, teacher, batch.bicubic, generator),
        }

    def noise(self, batch, generator):
        if self.as_released:
            return torch.rand(batch.truth.shape, generator=generator).to(batch.device)
        return gaussian(batch.truth, generator)

    def score(self, student, teacher, batch, generator):
        """mean(g * student): the teacher's noise for the student minus that for its own result."""
        t = random_times(self.small_times, batch, generator)
        noise = self.noise(batch, generator)
        with torch.no_grad():
            g = self.answer(student, noise, t, batch) - self.answer(teacher, noise, t, batch)
        return (g * student).mean()

    def answer(self, x0, noise, t, batch):
        """The noise that the teacher sees in a picture put at time t."""
        z = self.diffusion.point(x0, batch.bicubic, noise, t)
        seen = self.frozen.scaled(z, self.diffusion.sigma(t)) if self.as_released else z
        prediction = self.diffusion.predicted(self.frozen, seen, t, batch)
        return self.diffusion.noise(z, prediction, batch.bicubic, t)

    def adversarial(self, student, batch, generator):
        """One step of the discriminator (hinge loss), then the student's -mean D."""
        t = random_times(self.diffusion.steps - 1, batch, generator)
        noise, time = self.noise(batch, generator), self.frozen.time(self.diffusion.sigma(t))
        real, fake = (self.features(x0, noise, t, batch) for x0 in (batch.truth, student))
        detached = [feature.detach() for feature in fake]
        self.descend(
            F.relu(1 - self.discriminator(real, time)).mean()
            + F.relu(1 + self.discriminator(detached, time)).mean()
        )
        return -self.discriminator(fake, time).mean()

    def features(self, x0, noise, t, batch):
        z = self.diffusion.point(x0, batch.bicubic, noise, t)
        return self.frozen.features(z, self.diffusion.sigma(t), batch.lr)

    def descend(self, loss):
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
