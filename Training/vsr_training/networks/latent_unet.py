"""ResShift's U-Net as the methods call a network: by the noise level of its latent.

    f = unet( z / sqrt(sigma² + 1), t(sigma), lr )
"""

import torch

from ..resshift import LATENT_KAPPA, ResShift
from .resshift_unet import Down, ResShiftUNet


class LatentUNet(ResShiftUNet):
    """Teacher and student of TAD-SR; the names of its weights are those of the authors' files."""

    kappa, scale, multiple = LATENT_KAPPA, 4, 64

    def __init__(
        self, channels=160, blocks=2, swin_width=192, swin_heads=6, steps=15, first=0.02
    ):
        super().__init__(channels, blocks, swin_width, swin_heads)
        self.sizes = {
            "network": "tadsr",
            "channels": channels,
            "blocks": blocks,
            "swin_width": swin_width,
            "swin_heads": swin_heads,
            "steps": steps,
            "first": first,
            "scale": self.scale,
        }
        self.diffusion = ResShift(steps, first, self.kappa)
        levels = self.diffusion.sigma(torch.arange(steps))
        self.register_buffer("levels", levels, False)

    def time(self, sigma):
        """The step of the schedule whose noise level this is."""
        return (sigma[:, None] - self.levels).abs().argmin(1).float()

    def scaled(self, z, sigma):
        """A latent of variance one, whatever its noise level."""
        return z / (sigma[:, None, None, None] ** 2 + 1).sqrt()

    def forward(self, z, sigma, lr, bicubic=None):
        """`bicubic` is there so that all networks are called alike."""
        sigma = sigma.expand(len(z))
        return super().forward(self.scaled(z, sigma), self.time(sigma), lr)

    def features(self, z, sigma, lr):
        """What leaves the halvings, the last input block, and the middle."""
        sigma = sigma.expand(len(z))
        e, states = self.embedded(self.time(sigma)), []
        h = torch.cat([self.scaled(z, sigma), lr], dim=1)
        for block in self.input_blocks:
            h = block(h, e)
            if isinstance(block[0], Down):
                states.append(h)
        return [*states, h, self.middle_block(h, e)]

    @property
    def feature_channels(self):
        halvings = [
            block[0].op.out_channels for block in self.input_blocks if isinstance(block[0], Down)
        ]
        deepest = self.middle_block[0].out_layers[3].out_channels
        return [*halvings, deepest, deepest]
