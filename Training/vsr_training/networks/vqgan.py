"""The autoencoder with a codebook of latent diffusion, VQGAN f4: pictures to latents and back.

    encoder: conv_in, levels of residual blocks with halvings between them, middle, norm, conv_out
    decoder: nearest code, conv_in, middle, levels with doublings between them, norm, conv_out
    middle:  residual block, attention over all pixels, residual block

Modules keep the names of the published checkpoint.
"""

import torch
import torch.nn.functional as F
from torch import nn

from ..weights import fill, read
from .convolution import Doubling, conv3x3

WIDTHS = (1, 2, 4)


def norm(channels):
    return nn.GroupNorm(32, channels, eps=1e-6)


class ResidualBlock(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.norm1, self.conv1 = norm(inputs), conv3x3(inputs, outputs)
        self.norm2, self.conv2 = norm(outputs), conv3x3(outputs, outputs)
        if inputs != outputs:
            self.nin_shortcut = nn.Conv2d(inputs, outputs, 1)

    def forward(self, h):
        r = self.conv1(F.silu(self.norm1(h)))
        r = self.conv2(F.silu(self.norm2(r)))
        return r + (self.nin_shortcut(h) if hasattr(self, "nin_shortcut") else h)


class AttentionBlock(nn.Module):
    """One head over all positions of the picture."""

    def __init__(self, channels):
        super().__init__()
        self.norm = norm(channels)
        self.q, self.k = nn.Conv2d(channels, channels, 1), nn.Conv2d(channels, channels, 1)
        self.v, self.proj_out = nn.Conv2d(channels, channels, 1), nn.Conv2d(channels, channels, 1)

    def forward(self, h):
        normal = self.norm(h)
        # N × 1 head × positions × channels
        q, k, v = (f(normal).flatten(2).mT[:, None] for f in (self.q, self.k, self.v))
        mixed = F.scaled_dot_product_attention(q, k, v)
        return h + self.proj_out(mixed[:, 0].mT.reshape(h.shape))


class Halving(nn.Module):
    """A convolution over every second pixel, after a row and a column of zeros at the far ends."""

    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2)

    def forward(self, h):
        return self.conv(F.pad(h, (0, 1, 0, 1)))


class Middle(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.block_1 = ResidualBlock(channels, channels)
        self.attn_1 = AttentionBlock(channels)
        self.block_2 = ResidualBlock(channels, channels)

    def forward(self, h):
        return self.block_2(self.attn_1(self.block_1(h)))


class Level(nn.Module):
    def __init__(self, inputs, outputs, blocks):
        super().__init__()
        widths = [inputs] + [outputs] * blocks
        self.block = nn.ModuleList(map(ResidualBlock, widths, widths[1:]))

    def forward(self, h):
        for block in self.block:
            h = block(h)
        if hasattr(self, "downsample"):
            h = self.downsample(h)
        return self.upsample(h) if hasattr(self, "upsample") else h


class Encoder(nn.Module):
    def __init__(self, channels, blocks, latent):
        super().__init__()
        widths = [channels * width for width in WIDTHS]
        self.conv_in = conv3x3(3, channels)
        self.down = nn.ModuleList(
            Level(inputs, outputs, blocks) for inputs, outputs in zip([channels] + widths, widths)
        )
        for level, width in zip(self.down[:-1], widths):
            level.downsample = Halving(width)
        self.mid = Middle(widths[-1])
        self.norm_out, self.conv_out = norm(widths[-1]), conv3x3(widths[-1], latent)

    def forward(self, h):
        h = self.conv_in(h)
        for level in self.down:
            h = level(h)
        return self.conv_out(F.silu(self.norm_out(self.mid(h))))


class Decoder(nn.Module):
    def __init__(self, channels, blocks, latent):
        super().__init__()
        widths = [channels * width for width in WIDTHS]
        self.conv_in = conv3x3(latent, widths[-1])
        self.mid = Middle(widths[-1])
        # Numbered as the encoder's levels, and run from the last one.
        self.up = nn.ModuleList(
            Level(inputs, outputs, blocks + 1)
            for inputs, outputs in zip(widths[1:] + widths[-1:], widths)
        )
        for level, width in zip(self.up[1:], widths[1:]):
            level.upsample = Doubling(width)
        self.norm_out, self.conv_out = norm(channels), conv3x3(channels, 3)

    def forward(self, h):
        h = self.mid(self.conv_in(h))
        for level in reversed(self.up):
            h = level(h)
        return self.conv_out(F.silu(self.norm_out(h)))


class Codebook(nn.Module):
    def __init__(self, codes, latent):
        super().__init__()
        self.embedding = nn.Embedding(codes, latent)

    def forward(self, z):
        codes = self.embedding.weight
        return codes[self.distances(z).argmin(2)].permute(0, 2, 1).reshape(z.shape)

    def distances(self, z):
        """N × positions × codes, squared and less what is the same for all codes of a position."""
        codes = self.embedding.weight
        return codes.square().sum(1) - 2 * z.flatten(2).mT @ codes.T


class VQGAN(nn.Module):
    def __init__(self, channels=128, blocks=2, codes=8192, latent=3):
        super().__init__()
        self.encoder = Encoder(channels, blocks, latent)
        self.decoder = Decoder(channels, blocks, latent)
        self.quantize = Codebook(codes, latent)
        self.quant_conv = nn.Conv2d(latent, latent, 1)
        self.post_quant_conv = nn.Conv2d(latent, latent, 1)

    def encode(self, picture):
        """The latent before it is quantised; sides shrink four times."""
        return self.quant_conv(self.encoder(picture))

    def decode(self, latent):
        return self.decoder(self.post_quant_conv(self.quantize(latent)))


def load(path):
    """The autoencoder of a file, whose tensors tell its sizes."""
    state = read(path)
    if "quantize.embedding.weight" not in state:
        raise ValueError(f"'{path}' holds no autoencoder")
    codes, latent = state["quantize.embedding.weight"].shape
    channels = state["encoder.conv_in.weight"].shape[0]
    first = {name.split(".")[4] for name in state if name.startswith("encoder.down.0.block.")}
    network = VQGAN(channels, len(first), codes, latent)
    fill(network, state, path)
    return network
