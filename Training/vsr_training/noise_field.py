"""The product's noise: the same numbers for a seed and a position as `vsr --seed`.

Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011) with the position
as counter, then Box and Muller's two normal numbers from two uniform ones.
"""

import numpy as np
import torch

MULTIPLIERS = np.array([0xD2511F53, 0xCD9E8D57], np.uint64)
WEYL = np.array([0x9E3779B9, 0xBB67AE85], np.uint64)
LOW, HIGH = np.uint64(0xFFFFFFFF), np.uint64(32)


def philox(counter, key):
    """Four words per counter; `counter` is four arrays of words and `key` two words."""
    c, key = [np.asarray(word, np.uint64) for word in counter], np.array(key, np.uint64)
    for _ in range(10):
        p0, p1 = MULTIPLIERS[0] * c[0], MULTIPLIERS[1] * c[2]
        c = [(p1 >> HIGH) ^ c[1] ^ key[0], p1 & LOW, (p0 >> HIGH) ^ c[3] ^ key[1], p0 & LOW]
        key = (key + WEYL) & LOW
    return c


def normal_pair(a, b):
    radius = np.sqrt(-2 * np.log((a.astype(np.float32) + 1) * np.float32(2**-32)))
    angle = b.astype(np.float32) * np.float32(2 * np.pi * 2**-32)
    return radius * np.cos(angle), radius * np.sin(angle)


def noise(height, width, seed=0):
    """1×3×H×W of the canvas from its top left corner."""
    y, x = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    zero = np.zeros_like(x)
    words = philox((x, y, zero, zero), (seed & 0xFFFFFFFF, seed >> 32))
    red, green = normal_pair(*words[:2])
    blue, _ = normal_pair(*words[2:])
    return torch.from_numpy(np.stack([red, green, blue])[None])
