"""One batch as the methods see it."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F


@dataclass(frozen=True)
class Batch:
    """Pictures in [-1, 1]: the input, its bicubic enlargement, the ground truth."""

    lr: torch.Tensor
    bicubic: torch.Tensor
    truth: torch.Tensor

    @property
    def device(self):
        return self.lr.device

    @classmethod
    def from_bytes(cls, lr, truth, device="cpu"):
        lr, truth = normalized(lr.to(device)), normalized(truth.to(device))
        return cls(lr, enlarged(lr, truth.shape[2:]), truth)


def normalized(pixels):
    return (pixels.float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)


def enlarged(lr, size):
    """Bicubic as inference has it: of the 8-bit input, neither clamped nor rounded."""
    return F.interpolate(lr, size=tuple(size), mode="bicubic", align_corners=False)


def gaussian(like, generator):
    """Drawn on the CPU, so that a run's numbers do not depend on where it trains."""
    noise = torch.randn(like.shape, generator=generator)
    return noise.to(like.device).contiguous(memory_format=torch.channels_last)


def random_times(limit, batch, generator):
    """One integer time below the limit for every picture."""
    return torch.randint(limit, (len(batch.lr),), generator=generator).to(batch.device)
