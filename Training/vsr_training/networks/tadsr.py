"""TAD-SR's step from picture to picture: ResShift's U-Net between an encoder and a decoder.

    z_y = encode(bicubic),  z_T = z_y + 1.98 noise
    out = decode( unet( z_T / sqrt(1.98² + 1), t = 14, lr ) )
"""

import torch
from torch import nn

from .resshift_unet import ResShiftUNet
from .vqgan import VQGAN

TIME = 14
# kappa sqrt(eta_T) of 15 steps
DEVIATION = 2 * 0.99


class TADSR(nn.Module):
    scale = 4

    def __init__(self, unet=None, autoencoder=None):
        super().__init__()
        self.unet = ResShiftUNet() if unet is None else unet
        self.autoencoder = VQGAN() if autoencoder is None else autoencoder

    def latent(self, bicubic, lr, noise):
        """The clean latent; `noise` and `lr` have its size, `bicubic` is four times larger."""
        noisy = self.autoencoder.encode(bicubic) + DEVIATION * noise
        t = torch.full((len(lr),), float(TIME), device=lr.device)
        return self.unet(noisy / (DEVIATION**2 + 1) ** 0.5, t, lr)

    def forward(self, bicubic, lr, noise):
        return self.autoencoder.decode(self.latent(bicubic, lr, noise))
