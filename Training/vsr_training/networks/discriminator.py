"""TAD-SR's time-aware discriminator: one head per level of the teacher's features."""

import math

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

LOGIT_CHANNELS = 64
TIME_WIDTH = 160


def group_norm(channels):
    """GroupNorm of up to 32 groups, at least two channels in each."""
    return nn.GroupNorm(math.gcd(32, channels), channels)


def block(channels, kernel):
    """Spectral-norm convolution along the sequence, circular; GroupNorm; leaky ReLU."""
    convolution = nn.Conv1d(
        channels, channels, kernel, padding=kernel // 2, padding_mode="circular"
    )
    return nn.Sequential(
        spectral_norm(convolution), nn.GroupNorm(4, channels), nn.LeakyReLU(0.2)
    )


class Head(nn.Module):
    """Logits for every position of one level, whose scale and shift depend on time."""

    def __init__(self, channels):
        super().__init__()
        self.modulation = nn.Linear(TIME_WIDTH, 2 * channels)
        self.norm = group_norm(channels)
        self.out = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)
        self.near, self.far = block(channels, 1), block(channels, 9)
        self.cls = spectral_norm(nn.Conv1d(channels, LOGIT_CHANNELS, 1))

    def forward(self, feature, time):
        scale, shift = self.modulation(F.silu(time))[..., None, None].chunk(2, dim=1)
        h = self.out(F.silu(self.norm(feature) * (1 + scale) + shift))
        h = self.near(h.flatten(2))
        h = (self.far(h) + h) / math.sqrt(2)
        return self.cls(h).flatten(1)


class Discriminator(nn.Module):
    """One head for each of the teacher's features, by their channels."""

    def __init__(self, channels):
        super().__init__()
        self.heads = nn.ModuleList(map(Head, channels))

    def forward(self, features, time):
        """The mean logit per picture, in float: small, and its norms need the digits."""
        with torch.autocast(time.device.type, enabled=False):
            time = embedded(time)
            # channels_last would crash in this head's backward on the CPU (torch 2.13).
            planes = [feature.float().contiguous() for feature in features]
            logits = [head(plane, time) for head, plane in zip(self.heads, planes)]
            return torch.cat(logits, dim=1).mean(1)


def embedded(time):
    """[cos, sin] of the time at 80 frequencies."""
    k = torch.arange(TIME_WIDTH // 2, device=time.device)
    angles = time[:, None] * 10_000.0 ** (-k / (TIME_WIDTH // 2))
    return torch.cat([angles.cos(), angles.sin()], dim=1)
