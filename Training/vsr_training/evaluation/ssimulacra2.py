"""SSIMULACRA2 as libjxl's tool computes it (version 2.1), borders included.

    six scales, halved in linear light; in each, XYB stretched to about 0…1 and blurred, sigma 1.5
    three maps per channel: SSIM without its luminance denominator, new edges, lost edges
    two norms per map, the mean and the fourth; a weighted sum of all 108, bent into 100 at best

The wheel `ssimulacra2` gives the weights; its own score differs, mostly by its borders.
"""

import numpy as np
from scipy.ndimage import correlate1d

SCALES = 6
SMALLEST = 8
C2 = 0.0009
SIGMA = 1.5
BIAS = np.float32(0.0037930732552754493)
ABSORBANCE = np.array(
    [
        [0.30, 0.622, 0.078],
        [0.23, 0.692, 0.078],
        [0.24342268924547819, 0.20476744424496821, 0.55180986650955360],
    ],
    np.float32,
)


def ssimulacra2(image, truth):
    # Imported late: it is slow, and tells the wheel's module from this one.
    from ssimulacra2.ssimulacra2 import weights

    a, b = linear(truth), linear(image)
    norms = []
    for scale in range(SCALES):
        if scale:
            a, b = halved(a), halved(b)
        norms.append(scale_norms(positive_xyb(a), positive_xyb(b)))
        if min(a.shape[1:]) < SMALLEST:
            break
    # Channels outermost, then scales, then the two norms of the three maps.
    ordered = np.stack(norms, axis=1).ravel()
    return bent(ordered @ weights[: len(ordered)])


def linear(image):
    """H×W×3 bytes of sRGB as 3×H×W of linear light, in single precision as in libjxl."""
    levels = np.arange(256) / 255
    table = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    return table.astype(np.float32)[image.transpose(2, 0, 1)]


def halved(planes):
    """Means of 2×2, the last row or column twice where it has no neighbour."""
    height, width = planes.shape[1:]
    planes = np.pad(planes, [(0, 0), (0, height % 2), (0, width % 2)], "edge")
    rows = planes[:, ::2] + planes[:, 1::2]
    return (rows[..., ::2] + rows[..., 1::2]) / 4


def positive_xyb(rgb):
    """Cube roots of the cones' responses, as differences that are about 0…1."""
    cones = np.einsum("cd,dhw->chw", ABSORBANCE, rgb) + BIAS
    long, medium, short = np.cbrt(cones.clip(min=0)) - np.cbrt(BIAS)
    x, y = (long - medium) / 2, (long + medium) / 2
    return np.stack([14 * x + 0.42, y + 0.01, short - y + 0.55])


def scale_norms(a, b):
    """Channels × norms × maps."""
    mean_a, mean_b, square_a, square_b, product = map(blurred, (a, b, a * a, b * b, a * b))
    covariance = product - mean_a * mean_b
    variances = square_a - mean_a**2 + square_b - mean_b**2
    likeness = (1 - (mean_a - mean_b) ** 2) * (2 * covariance + C2) / (variances + C2)
    edges = (1 + np.abs(b - mean_b)) / (1 + np.abs(a - mean_a)) - 1
    maps = np.stack([1 - likeness, edges, -edges]).clip(min=0)
    fourths = np.square(np.square(maps)).mean((2, 3)) ** 0.25
    return np.stack([maps.mean((2, 3)), fourths]).transpose(2, 0, 1)


def blurred(planes):
    """Zeros outside, as the recursive filter has them."""
    line = gaussian()
    across = correlate1d(planes, line, axis=2, mode="constant")
    return correlate1d(across, line, axis=1, mode="constant")


def gaussian():
    """A sum of three truncated cosines.

    D. Charalampidis, "Recursive implementation of the Gaussian filter using truncated cosine
    functions", 2016; equations 33 to 52.
    """
    radius = round(3.2795 * SIGMA + 0.2546)
    order = np.array([1, 3, 5])
    omega, sign = order * np.pi / (2 * radius), np.array([1, -1, 1])
    p = sign / np.tan(omega / 2)
    r = sign * p**2 / np.sin(omega)
    rho = np.exp(-0.5 * (SIGMA * omega) ** 2) / radius
    zeta = np.cross(p, r) / (p[0] * r[1] - r[0] * p[1])
    sides = [1, radius**2 - SIGMA**2, zeta @ rho]
    beta = np.linalg.solve(np.stack([p, r, zeta]), sides)
    places = np.arange(1 - radius, radius)
    return beta @ np.cos(np.outer(omega, places))


def bent(total):
    total *= 0.9562382616834844
    total = np.polyval([6.248496625763138e-05, -0.020884521182843837, 2.326765642916932, 0], total)
    return float(100 - 10 * max(total, 0) ** 0.6276336467831387)
