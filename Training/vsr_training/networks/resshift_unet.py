"""ResShift's U-Net over latents, which TAD-SR and SinSR share: a noisy latent to the clean one.

    e = linear( silu( linear( [cos, sin](t) ) ) )
    h = concat( latent, lr )
    input blocks: every block's output goes onto a stack
    output blocks: every block takes its input beside the top of the stack
    z = conv( silu( norm(h) ) )

Modules keep the names of the published checkpoints, which number the layers of a block.
"""

import math

import torch
from torch import nn

from .convolution import Doubling, conv3x3
from .swin import WINDOW, Projection, SwinBlock

WIDTHS = (1, 2, 2, 4)
BUILT_SIDE = 64


def norm(channels):
    return nn.GroupNorm(32, channels)


class ResidualBlock(nn.Module):
    """The time scales and shifts what comes out of the second norm."""

    def __init__(self, inputs, outputs, embedding):
        super().__init__()
        self.in_layers = nn.Sequential(norm(inputs), nn.SiLU(), conv3x3(inputs, outputs))
        self.emb_layers = nn.Sequential(nn.SiLU(), nn.Linear(embedding, 2 * outputs))
        self.out_layers = nn.Sequential(
            norm(outputs), nn.SiLU(), nn.Identity(), conv3x3(outputs, outputs)
        )
        projects = inputs != outputs
        self.skip_connection = nn.Conv2d(inputs, outputs, 1) if projects else nn.Identity()

    def forward(self, h, e):
        scale, shift = self.emb_layers(e)[..., None, None].chunk(2, dim=1)
        r = self.out_layers[0](self.in_layers(h)) * (1 + scale) + shift
        return self.skip_connection(h) + self.out_layers[1:](r)


class SwinLayer(nn.Module):
    """Two blocks between 1×1 projections, without a skip around them.

    The second block's windows are shifted, except where the published network, which is built for
    latents of 64×64, has a single window.
    """

    def __init__(self, channels, width, heads, side):
        super().__init__()
        shift = WINDOW // 2 if side > WINDOW else 0
        self.patch_embed = Projection(channels, width)
        blocks = [SwinBlock(width, heads), SwinBlock(width, heads, shift, side)]
        self.blocks = nn.Sequential(*blocks)
        self.patch_unembed = Projection(width, channels)

    def forward(self, h):
        return self.patch_unembed(self.blocks(self.patch_embed(h)))


class Down(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.op = conv3x3(channels, channels, stride=2)

    def forward(self, h):
        return self.op(h)


class Block(nn.Sequential):
    """Layers in a row, of which the residual ones are told the time."""

    def forward(self, h, e):
        for layer in self:
            h = layer(h, e) if isinstance(layer, ResidualBlock) else layer(h)
        return h


class ResShiftUNet(nn.Module):
    def __init__(self, channels=160, blocks=2, swin_width=192, swin_heads=6, latent=3):
        super().__init__()
        self.channels, self.embedding = channels, 4 * channels
        self.time_embed = nn.Sequential(
            nn.Linear(channels, self.embedding),
            nn.SiLU(),
            nn.Linear(self.embedding, self.embedding),
        )
        self.attention = (swin_width, swin_heads)
        widths = [channels * width for width in WIDTHS]
        self.input_blocks, skips = self.inputs(widths, blocks, latent)
        self.middle_block = Block(
            self.residual(widths[-1], widths[-1]),
            self.swin(widths[-1], len(widths) - 1),
            self.residual(widths[-1], widths[-1]),
        )
        self.output_blocks = self.outputs(widths, blocks, skips)
        self.out = nn.Sequential(norm(channels), nn.SiLU(), conv3x3(channels, latent))

    def residual(self, inputs, outputs):
        return ResidualBlock(inputs, outputs, self.embedding)

    def swin(self, channels, level):
        return SwinLayer(channels, *self.attention, BUILT_SIDE >> level)

    def inputs(self, widths, blocks, latent):
        """The blocks, and the width of each one's output; the first of a level has attention."""
        modules, skips = nn.ModuleList([Block(conv3x3(latent + 3, widths[0]))]), [widths[0]]
        for level, width in enumerate(widths):
            if level > 0:
                modules.append(Block(Down(skips[-1])))
                skips.append(skips[-1])
            for number in range(blocks):
                attention = [self.swin(width, level)] if number == 0 else []
                modules.append(Block(self.residual(skips[-1], width), *attention))
                skips.append(width)
        return modules, skips

    def outputs(self, widths, blocks, skips):
        modules, skips, inputs = nn.ModuleList(), list(skips), widths[-1]
        for level, width in reversed(list(enumerate(widths))):
            for number in range(blocks + 1):
                layers = [self.residual(inputs + skips.pop(), width)]
                if number == 0:
                    layers.append(self.swin(width, level))
                if number == blocks and level > 0:
                    layers.append(Doubling(width))
                modules.append(Block(*layers))
                inputs = width
        return modules

    def embedded(self, t):
        count = self.channels // 2
        rates = torch.exp(-math.log(10_000) * torch.arange(count) / count).to(t.device)
        angles = t[:, None] * rates
        waves = torch.cat([angles.cos(), angles.sin()], dim=1)
        return self.time_embed(waves.to(self.time_embed[0].weight.dtype))

    def forward(self, latent, t, lr):
        """Latents and `lr` are N×3×H×W with sides that are multiples of 64; `t` is of N numbers."""
        e, skips = self.embedded(t), []
        h = torch.cat([latent, lr], dim=1)
        for block in self.input_blocks:
            h = block(h, e)
            skips.append(h)
        h = self.middle_block(h, e)
        for block in self.output_blocks:
            h = block(torch.cat([h, skips.pop()], dim=1), e)
        return self.out(h)
