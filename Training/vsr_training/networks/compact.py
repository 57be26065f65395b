"""The compact family: a stack of 3×3 convolutions at the resolution of the input.

    u = concat( pixel_unshuffle(x, scale), lr )
    h = prelu( head(u) + e_0 ),  g = h
    h = prelu( body_i(h) + e_{i+1} );  every fourth: h = h + g,  g = h
    F = pixel_shuffle( tail(h), scale )
    f = c_skip x + c_out (F + bicubic)

The embedding e depends on sigma alone: at a fixed sigma it folds into the convolutions' biases.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

from ..resshift import PIXEL_KAPPA
from ..trajectory import c_noise, frequencies, preconditioning
from .convolution import conv3x3

FREQUENCY_COUNT = 8
EMBEDDING_WIDTH = 64


class Compact(nn.Module):
    """`multiple`, as of every network: what the sides of an input are multiples of."""

    kappa, multiple = PIXEL_KAPPA, 1

    def __init__(self, features=48, body=12, scale=4, residual_every=4, sigma_data=0.5):
        super().__init__()
        self.scale, self.residual_every, self.sigma_data = scale, residual_every, sigma_data
        pixels = 3 * scale**2
        self.head = conv3x3(pixels + 3, features)
        self.body = nn.ModuleList(conv3x3(features, features) for _ in range(body))
        self.act = nn.ModuleList(nn.PReLU(features) for _ in range(body + 1))
        self.tail = conv3x3(features, pixels)
        self.emb = nn.Sequential(
            nn.Linear(2 * FREQUENCY_COUNT, EMBEDDING_WIDTH),
            nn.SiLU(),
            nn.Linear(EMBEDDING_WIDTH, (body + 1) * features),
        )
        self.register_buffer("frequencies", frequencies(FREQUENCY_COUNT, 100), False)
        self.initialize()

    @torch.no_grad()
    def initialize(self):
        """Variance-keeping layers; the untrained network is the bicubic enlargement.

        At t = 1 nearly all of x is noise, so the head begins with eyes for the input alone:
        after 500 iterations that is further than PyTorch's own start is after 3 000.
        """
        for convolution in [self.head, *self.body]:
            nn.init.kaiming_normal_(convolution.weight, a=0.25)
            nn.init.zeros_(convolution.bias)
        self.head.weight[:, :-3] = 0
        self.head.weight[:, -3:] *= 3
        for convolution in self.body[self.residual_every - 1 :: self.residual_every]:
            convolution.weight *= 0.5
        self.emb[2].weight *= 0.1
        nn.init.zeros_(self.tail.weight)
        for layer in (self.tail, self.emb[2]):
            nn.init.zeros_(layer.bias)

    def embedding(self, sigma):
        """One row per layer, each a column of biases: (body + 1) × N × features × 1 × 1."""
        angles = self.time(sigma)[:, None] * self.frequencies
        rows = self.emb(torch.cat([angles.cos(), angles.sin()], dim=1))
        rows = rows.unflatten(1, (len(self.act), -1))
        return rows.transpose(0, 1)[..., None, None]

    def features(self, x, sigma, lr):
        """What the body has made of its input after every fourth layer; last, after all of them.

        `sigma` has one value per picture, or one for all.
        """
        e = self.embedding(sigma)
        u = torch.cat([F.pixel_unshuffle(x, self.scale), lr], dim=1)
        h = g = self.act[0](self.head(u) + e[0])
        states = []
        for i, convolution in enumerate(self.body, start=1):
            h = self.act[i](convolution(h) + e[i])
            if i % self.residual_every == 0:
                h = g = h + g
            if i % self.residual_every == 0 or i == len(self.body):
                states.append(h)
        return states

    def forward(self, x, sigma, lr, bicubic):
        residual = F.pixel_shuffle(self.tail(self.features(x, sigma, lr)[-1]), self.scale)
        c_skip, c_out = preconditioning(sigma[:, None, None, None], self.sigma_data)
        return c_skip * x + c_out * (residual.float() + bicubic)

    @property
    def feature_channels(self):
        count = math.ceil(len(self.body) / self.residual_every)
        return [self.head.out_channels] * count

    def time(self, sigma):
        """The noise level as the embedding sees it."""
        return 8 * c_noise(sigma)

    def scaled(self, x, sigma):
        """`x` itself: the preconditioning is part of `forward`."""
        return x

    @property
    def macs_per_pixel(self):
        """Multiplications per pixel of the input: every weight of a convolution once."""
        return sum(layer.weight.numel() for layer in [self.head, *self.body, self.tail])

    @property
    def sizes(self):
        """What a file must say so that this network can be built again."""
        return {
            "network": "compact",
            "features": self.head.out_channels,
            "body": len(self.body),
            "scale": self.scale,
            "residual_every": self.residual_every,
            "sigma_data": self.sigma_data,
        }
