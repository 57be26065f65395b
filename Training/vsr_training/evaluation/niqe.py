"""NIQE: how far the statistics of a picture's blocks lie from those of undistorted photos.

A. Mittal, R. Soundararajan, A. Bovik, "Making a completely blind image quality analyzer", 2013;
blocks of 96×96 of the luma and of its half, 18 features of each.
"""

import numpy as np
from PIL import Image
from scipy.ndimage import correlate
from scipy.special import gamma

from ..metrics import luma

BLOCK = 96
MARGIN = 4  # pixels of the half; more than the filter reaches
# Neighbours whose products are looked at: right, below, and both diagonals.
NEIGHBOURS = ((0, 1), (1, 0), (1, 1), (1, -1))
SHAPES = np.arange(0.2, 10.001, 0.001)
# E|x|² / E[x²] of a generalized Gaussian; grows with its shape.
RATIOS = gamma(2 / SHAPES) ** 2 / (gamma(1 / SHAPES) * gamma(3 / SHAPES))


class NIQE:
    """Distance to the pristine model in a file: mean, covariance and a 7×7 window."""

    def __init__(self, path):
        model = np.load(path)
        self.mean, self.covariance = model["mu_pris_param"][0], model["cov_pris_param"]
        self.window = model["gaussian_window"]

    def __call__(self, image):
        grey = trimmed(luma(image).round())
        halves = zip((grey, halved(grey)), (BLOCK, BLOCK // 2))
        features = np.concatenate([self.features(*half) for half in halves], axis=1)
        whole = features[~np.isnan(features).any(axis=1)]
        offset = self.mean - np.nanmean(features, axis=0)
        shared = (self.covariance + np.cov(whole, rowvar=False)) / 2
        return float(np.sqrt(offset @ np.linalg.pinv(shared) @ offset))

    def features(self, grey, side):
        """One row of 18 for every block."""
        planes = blocks(self.normalized(grey), side)
        shape, left, right = fitted(planes)
        columns = [shape, (left + right) / 2]
        for step in NEIGHBOURS:
            columns += product_features(planes * np.roll(planes, step, axis=(1, 2)))
        return np.stack(columns, axis=1)

    def normalized(self, grey):
        """Local mean away, local deviation one."""
        mean = correlate(grey, self.window, mode="nearest")
        variance = correlate(grey**2, self.window, mode="nearest") - mean**2
        return (grey - mean) / (np.sqrt(np.abs(variance)) + 1)


def trimmed(grey):
    """The largest top left part made of whole blocks."""
    height, width = (side - side % BLOCK for side in grey.shape)
    if not height or not width:
        raise ValueError(f"NIQE needs {BLOCK}×{BLOCK} pixels, not {grey.shape}")
    return grey[:height, :width]


def halved(grey):
    """Bicubic with a filter that widens, mirrored at the border, as MATLAB's."""
    padded = np.pad(grey, 2 * MARGIN, "symmetric").astype(np.float32)
    size = (padded.shape[1] // 2, padded.shape[0] // 2)
    small = Image.fromarray(padded).resize(size, Image.Resampling.BICUBIC)
    return np.asarray(small, np.float64)[MARGIN:-MARGIN, MARGIN:-MARGIN]


def blocks(plane, side):
    rows, columns = (length // side for length in plane.shape)
    parts = plane.reshape(rows, side, columns, side).transpose(0, 2, 1, 3)
    return parts.reshape(-1, side, side)


def product_features(products):
    shape, left, right = fitted(products)
    return [shape, (right - left) * gamma(2 / shape) / gamma(1 / shape), left, right]


def fitted(planes):
    """Shape and both scales of every block's asymmetric generalized Gaussian, by moments."""
    left, right = deviation(planes, planes < 0), deviation(planes, planes > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        skew = left / right
        ratio = np.abs(planes).mean((1, 2)) ** 2 / (planes**2).mean((1, 2))
        ratio *= (skew**3 + 1) * (skew + 1) / (skew**2 + 1) ** 2
    shape = SHAPES[np.abs(RATIOS - ratio[:, None]).argmin(1)]
    width = np.sqrt(gamma(1 / shape) / gamma(3 / shape))
    return shape, left * width, right * width


def deviation(planes, chosen):
    """Root of the mean square of the chosen samples of every block."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.sqrt((planes**2 * chosen).sum((1, 2)) / chosen.sum((1, 2)))
