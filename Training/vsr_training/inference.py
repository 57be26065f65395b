"""One call of a network on a whole picture, as the product does it."""

import numpy as np
import torch

from .data.degradation import to_bytes
from .methods.batch import enlarged, gaussian, normalized
from .spaces import Pixels

NOISE_SEED = 0


def as_batch(image):
    """H×W×3 bytes to 1×3×H×W in [-1, 1]."""
    return normalized(torch.from_numpy(np.array(image)).permute(2, 0, 1)[None])


def as_image(batch):
    return to_bytes((batch + 1) / 2)[0]


def padded(image, multiple):
    """Continued by its mirror to the right and below, as the product does it."""
    missing = [(0, -side % multiple) for side in image.shape[:2]]
    return np.pad(image, [*missing, (0, 0)], mode="reflect")


def start(lr, scale, space=Pixels()):
    """What the network is given at t = 1: the bicubic enlargement, and the noise on it."""
    bicubic = space.encode(enlarged(lr, [side * scale for side in lr.shape[2:]]))
    return bicubic, gaussian(bicubic, torch.Generator().manual_seed(NOISE_SEED))


def enlarged_bicubic(image, scale):
    return as_image(start(as_batch(image), scale)[0])


@torch.no_grad()
def one_step(network, lr, bicubic, noise, space=Pixels()):
    """The picture, from what `start` gives."""
    sigma = torch.full((1,), space.deviation, device=lr.device)
    return space.decode(network(bicubic + space.deviation * noise, sigma, lr, bicubic))


def upscaled(network, image, space=Pixels()):
    device = next(network.parameters()).device
    lr = as_batch(padded(image, network.multiple)).to(device)
    output = one_step(network, lr, *start(lr, network.scale, space), space)
    height, width = (side * network.scale for side in image.shape[:2])
    return as_image(output.cpu())[:height, :width]
