"""How much of the input's grid shows: enlarging writes every block of pixels in one go.

Energy of the luma at one cycle per `scale` pixels, across and down, divided by that of the
frequencies beside it. A photo has about 1, bicubic less, a checkerboard more.
"""

import numpy as np

from ..metrics import luma

# Bins of the spectrum that count as the peak, and those beside it.
PEAK, GAP, BESIDE = 1, 4, 14


def grid(image, scale):
    plane = luma(image)
    return float(np.mean([prominence(lines, scale) for lines in (plane, plane.T)]))


def prominence(lines, scale):
    length = lines.shape[1]
    window = np.hanning(length)
    spectrum = np.fft.rfft((lines - lines.mean()) * window, axis=1)
    power, peak = np.square(np.abs(spectrum)).mean(0), length // scale
    beside = [power[peak - BESIDE : peak - GAP + 1], power[peak + GAP : peak + BESIDE + 1]]
    return power[peak - PEAK : peak + PEAK + 1].mean() / max(np.concatenate(beside).mean(), 1e-9)
