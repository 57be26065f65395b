"""The 3×3 convolution that most layers are, and the one that doubles a picture's sides."""

import torch.nn.functional as F
from torch import nn


def conv3x3(inputs, outputs, **options):
    return nn.Conv2d(inputs, outputs, 3, padding=1, **options)


class Doubling(nn.Module):
    """Every pixel four times, then a convolution."""

    def __init__(self, channels):
        super().__init__()
        self.conv = conv3x3(channels, channels)

    def forward(self, h):
        return self.conv(F.interpolate(h, scale_factor=2))
