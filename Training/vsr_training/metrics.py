"""Fidelity on the luma of BT.601, as the field measures it: H×W×3 bytes, border left out."""

import numpy as np
import torch
import torch.nn.functional as F

# BT.601's luma of red, green and blue.
LUMA = torch.tensor([0.299, 0.587, 0.114])


def luma(image):
    """Y of YCbCr in 16…235, from RGB bytes, unrounded as in MATLAB's and BasicSR's measure."""
    return image.astype(np.float64) @ np.array([65.481, 128.553, 24.966]) / 255 + 16


def inner(image, border):
    return image[border:-border, border:-border]


def psnr_y(image, truth, border=4):
    error = inner(luma(image) - luma(truth), border)
    return float(10 * np.log10(255**2 / max(np.mean(error**2), 1e-10)))


def gaussian_line(size=11, sigma=1.5):
    axis = torch.arange(size, dtype=torch.float64) - size // 2
    line = torch.exp(-(axis**2) / (2 * sigma**2))
    return line / line.sum()


def ssim_y(image, truth, border=4):
    """Wang's SSIM with an 11×11 Gaussian window, valid positions only."""
    a, b = (torch.from_numpy(inner(luma(i), border))[None, None] for i in (image, truth))
    return float(ssim(a, b, span=255))


def ssim(a, b, span):
    """The mean SSIM of planes N×1×H×W whose values lie within `span`."""
    line = gaussian_line().to(a)

    def blur(planes):
        return F.conv2d(F.conv2d(planes, line[None, None, None]), line[None, None, :, None])

    c1, c2 = (0.01 * span) ** 2, (0.03 * span) ** 2
    mean_a, mean_b = blur(a), blur(b)
    variance_a, variance_b = blur(a * a) - mean_a**2, blur(b * b) - mean_b**2
    covariance = blur(a * b) - mean_a * mean_b
    likeness = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    likeness /= (mean_a**2 + mean_b**2 + c1) * (variance_a + variance_b + c2)
    return likeness.mean()


def colour_shift(image, truth):
    """The largest difference of a channel's mean, in code values."""
    difference = image.astype(np.float64).mean((0, 1)) - truth.astype(np.float64).mean((0, 1))
    return float(np.abs(difference).max())
