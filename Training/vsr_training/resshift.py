"""ResShift's diffusion between ground truth and bicubic enlargement, or between their latents.

    z_t = x0 + eta_t (Y - x0) + kappa sqrt(eta_t) noise,  t = 0 … T - 1
    sqrt(eta_t) = s (0.99 / s)^((t / (T - 1))^0.3)

Networks are told the noise level sigma_t = kappa sqrt(eta_t). In pixels their preconditioning stands
where the latent model scales its input, and kappa = 1 / 0.99 makes the last step the start of
inference: Y + noise.
"""

from dataclasses import dataclass

import torch

LAST = 0.99
POWER = 0.3
PIXEL_KAPPA = 1 / LAST
LATENT_KAPPA = 2.0


@dataclass(frozen=True)
class ResShift:
    steps: int = 15
    first: float = 0.02
    kappa: float = PIXEL_KAPPA

    @classmethod
    def of_stage(cls, steps, first, network):
        """A stage's diffusion; it is the network's own where that counts steps."""
        diffusion = cls(steps, first, network.kappa)
        own = getattr(network, "diffusion", diffusion)
        if own != diffusion:
            theirs = f"steps {steps} and first {first}"
            raise ValueError(f"a stage has {theirs}, its network {own.steps} and {own.first}")
        return diffusion

    @property
    def eta(self):
        progress = (torch.arange(self.steps) / (self.steps - 1)) ** POWER
        return (self.first * (LAST / self.first) ** progress) ** 2

    def at(self, t):
        """eta at integer times, shaped to multiply a batch of pictures."""
        return self.eta.to(t.device)[t].reshape(-1, 1, 1, 1)

    def point(self, x0, bicubic, noise, t):
        eta = self.at(t)
        return x0 + eta * (bicubic - x0) + self.kappa * eta.sqrt() * noise

    def sigma(self, t):
        return self.kappa * self.at(t).reshape(-1).sqrt()

    def predicted(self, network, z, t, batch):
        """The network's x0 for a point at time t."""
        return network(z, self.sigma(t), batch.lr, batch.bicubic)

    def noise(self, z, x0, bicubic, t):
        """The noise that would lead from x0 to z."""
        eta = self.at(t)
        return (z - x0 - eta * (bicubic - x0)) / (self.kappa * eta.sqrt())

    @torch.no_grad()
    def sampled(self, network, z, batch):
        """The deterministic run from the last step: z_{t-1} = k x0 + m z_t + j Y."""
        times = torch.arange(self.steps, device=z.device)
        for t in reversed(range(1, self.steps)):
            x0 = self.predicted(network, z, times[t], batch)
            eta, before = self.eta[t], self.eta[t - 1]
            m = (before / eta).sqrt()
            j = before - (before * eta).sqrt()
            z = (1 - m - j) * x0 + m * z + j * batch.bicubic
        return self.predicted(network, z, times[0], batch)
