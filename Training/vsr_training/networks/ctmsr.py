"""CTMSR's full network: EDM's U-Net on the grid of the input, with window attention.

    e = silu( map_layer1( silu( map_layer0( [sin, cos](c_noise(sigma)) ) ) ) )
    h = concat( pixel_unshuffle(x, 4), lr )
    encoder: every module's output goes onto a stack
    decoder: every block but the first two takes its input beside the top of the stack
    F = conv_last( two times: nearest x2, convolution, leaky relu )
    f = c_skip x + c_out F

Modules keep the names of the published checkpoint: 64x64 and so on whatever the picture's size.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

from ..trajectory import c_noise, frequencies, preconditioning
from .swin import SwinLayer

WIDTHS = (1, 2, 2, 2)
RESOLUTION = 64
SCALE = 4


def conv3x3(inputs, outputs, gain=1.0):
    """Xavier-uniform weights, no bias at first; `gain` near 0 makes a block begin as its skip."""
    layer = nn.Conv2d(inputs, outputs, 3, padding=1)
    nn.init.xavier_uniform_(layer.weight, gain=gain)
    nn.init.zeros_(layer.bias)
    return layer


def group_norm(channels):
    return nn.GroupNorm(min(32, channels // 4), channels, eps=1e-6)


class UNetBlock(nn.Module):
    def __init__(self, inputs, outputs, embedding, resample=None, attention=None, dropout=0.13):
        super().__init__()
        self.resample, self.dropout = resample or nn.Identity(), dropout
        self.norm0 = group_norm(inputs)
        self.conv0 = conv3x3(inputs, outputs)
        self.affine = nn.Linear(embedding, outputs)
        self.norm1 = group_norm(outputs)
        self.conv1 = conv3x3(outputs, outputs, gain=1e-5)
        projects = inputs != outputs or resample is not None
        self.skip = nn.Conv2d(inputs, outputs, 1) if projects else nn.Identity()
        self.swin_layer = SwinLayer(outputs, *attention) if attention else None

    def forward(self, h, e):
        r = self.conv0(self.resample(F.silu(self.norm0(h))))
        r = F.silu(self.norm1(r + self.affine(e)[..., None, None]))
        r = self.conv1(F.dropout(r, self.dropout, self.training))
        h = (r + self.skip(self.resample(h))) * math.sqrt(0.5)
        return h if self.swin_layer is None else self.swin_layer(h) * math.sqrt(0.5)


class CTMSR(nn.Module):
    scale, multiple = SCALE, RESOLUTION

    def __init__(self, channels=192, blocks=4, swin_width=192, swin_heads=6, dropout=0.13):
        super().__init__()
        self.embedding = 4 * channels
        self.attention, self.dropout = (swin_width, swin_heads), dropout
        self.sizes = {
            "network": "ctmsr",
            "channels": channels,
            "blocks": blocks,
            "swin_width": swin_width,
            "swin_heads": swin_heads,
            "scale": SCALE,
        }
        self.map_layer0 = nn.Linear(channels, self.embedding)
        self.map_layer1 = nn.Linear(self.embedding, self.embedding)
        self.register_buffer("frequencies", frequencies(channels // 2, 10_000), False)
        widths = [channels * width for width in WIDTHS]
        self.enc, skips = self.encoder(widths, blocks)
        self.dec = self.decoder(widths, blocks, skips)
        self.conv_up1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv_up2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv_last = nn.Conv2d(channels, 3, 3, padding=1)

    def block(self, inputs, outputs, **options):
        return UNetBlock(inputs, outputs, self.embedding, dropout=self.dropout, **options)

    def encoder(self, widths, blocks):
        """The modules by name, and the width of each one's output."""
        modules, skips = nn.ModuleDict(), [widths[0]]
        modules[f"{level_name(0)}_conv"] = conv3x3(3 * SCALE**2 + 3, widths[0])
        for level, width in enumerate(widths):
            name = level_name(level)
            if level > 0:
                # The box filter: a mean of 2×2.
                down = self.block(skips[-1], skips[-1], resample=nn.AvgPool2d(2))
                modules[f"{name}_down"] = down
                skips.append(skips[-1])
            for number in range(blocks):
                block = self.block(skips[-1], width, attention=self.attention)
                modules[f"{name}_block{number}"] = block
                skips.append(width)
        return modules, skips

    def decoder(self, widths, blocks, skips):
        modules, skips, inputs = nn.ModuleDict(), list(skips), widths[-1]
        for level, width in reversed(list(enumerate(widths))):
            name = level_name(level)
            if level == len(widths) - 1:
                modules[f"{name}_in0"] = self.block(inputs, inputs, attention=self.attention)
                modules[f"{name}_in1"] = self.block(inputs, inputs)
            else:
                modules[f"{name}_up"] = self.block(inputs, inputs, resample=nn.Upsample(None, 2))
            for number in range(blocks + 1):
                attention = self.attention if number == blocks else None
                block = self.block(inputs + skips.pop(), width, attention=attention)
                modules[f"{name}_block{number}"], inputs = block, width
        modules[f"{level_name(0)}_aux_norm"] = group_norm(inputs)
        modules[f"{level_name(0)}_aux_conv"] = conv3x3(inputs, inputs, gain=1e-5)
        return modules

    def embedded(self, sigma):
        angles = c_noise(sigma)[:, None] * self.frequencies
        e = torch.cat([angles.sin(), angles.cos()], dim=1)
        return F.silu(self.map_layer1(F.silu(self.map_layer0(e))))

    def trunk(self, x, sigma, lr):
        """F without the preconditioning; sides of `lr` are multiples of 64."""
        e, skips = self.embedded(sigma), []
        h = torch.cat([F.pixel_unshuffle(x, SCALE), lr], dim=1)
        for module in self.enc.values():
            h = module(h, e) if isinstance(module, UNetBlock) else module(h)
            skips.append(h)
        for name, module in self.dec.items():
            if "block" in name:
                h = torch.cat([h, skips.pop()], dim=1)
            if isinstance(module, UNetBlock):
                h = module(h, e)
        return self.head(h)

    def head(self, h):
        name = f"{level_name(0)}_aux"
        h = self.dec[f"{name}_conv"](F.silu(self.dec[f"{name}_norm"](h)))
        for convolution in (self.conv_up1, self.conv_up2):
            h = F.leaky_relu(convolution(F.interpolate(h, scale_factor=2)), 0.2)
        return self.conv_last(h)

    def forward(self, x, sigma, lr, bicubic=None):
        """`bicubic` is there so that all networks are called alike; this one has no such skip."""
        c_skip, c_out = preconditioning(sigma[:, None, None, None])
        return c_skip * x + c_out * self.trunk(x, sigma, lr).float()


def level_name(level):
    side = RESOLUTION >> level
    return f"{side}x{side}"
