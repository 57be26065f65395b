"""From ground truth to low resolution: four settings for still pictures.

All take and give batches N×3×H×W in [0, 1]. Two more are in
`reference.py`; what real video does is in `video.py`.
"""

import io

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from ..metrics import LUMA
from .kernels import chance, choice, random_blurs, random_final_sincs, uniform

RESIZE_MODES = ["area", "bilinear", "bicubic"]
DOWNSCALERS = [
    Image.Resampling.BICUBIC,
    Image.Resampling.BILINEAR,
    Image.Resampling.BOX,
    Image.Resampling.LANCZOS,
]


def to_bytes(batch):
    """N×3×H×W in [0, 1] to a list of H×W×3 bytes."""
    return list((batch.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).numpy())


def from_bytes(images):
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 255


def blurred(batch, kernels):
    """Every picture with its own kernel, mirrored at the border."""
    count, channels, height, width = batch.shape
    margin = kernels.shape[-1] // 2
    # One group per picture: its three channels are the batch of that group.
    planes = F.pad(batch, [margin] * 4, mode="reflect").transpose(0, 1)
    return F.conv2d(planes, kernels[:, None], groups=count).transpose(0, 1)


def resized(generator, batch, size):
    mode = choice(generator, RESIZE_MODES)
    corners = {} if mode == "area" else {"align_corners": False}
    return F.interpolate(batch, size=size, mode=mode, **corners)


def gaussian_noise(generator, batch, sigma_range, grey_probability):
    noisy = []
    for image in batch:
        shape = (1, *image.shape[1:]) if chance(generator, grey_probability) else image.shape
        sigma = uniform(generator, *sigma_range) / 255
        noisy.append(image + sigma * torch.randn(shape, generator=generator))
    return torch.stack(noisy).clamp(0, 1)


def poisson_noise(generator, batch, scale_range, grey_probability):
    """Shot noise whose strength follows the number of levels that the picture uses."""
    noisy = []
    for image in batch:
        source = image
        if chance(generator, grey_probability):
            source = (image * LUMA[:, None, None]).sum(0, keepdim=True)
        levels = (source * 255).round().unique().numel()
        values = 2.0 ** np.ceil(np.log2(max(levels, 2)))
        noise = torch.poisson(source.clamp(0, 1) * values, generator=generator) / values - source
        noisy.append(image + uniform(generator, *scale_range) * noise)
    return torch.stack(noisy).clamp(0, 1)


def noised(generator, batch, sigma_range, scale_range):
    if chance(generator, 0.5):
        return gaussian_noise(generator, batch, sigma_range, 0.4)
    return poisson_noise(generator, batch, scale_range, 0.4)


def through_jpeg(image, quality, subsampling=2):
    """The bytes after one JPEG; subsampling 0 keeps colour whole, 2 halves it both ways."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality, subsampling=subsampling)
    return np.asarray(Image.open(file))


def jpeg_compressed(generator, batch, quality_range):
    return from_bytes(
        [
            through_jpeg(image, int(uniform(generator, *quality_range)))
            for image in to_bytes(batch)
        ]
    )


def downscaled(image, scale, resampling):
    """An H×W×3 picture made smaller, with a filter that widens as the scale grows."""
    height, width = image.shape[:2]
    size = (width // scale, height // scale)
    return np.asarray(Image.fromarray(image).resize(size, resampling))


def scale_factor(generator, probabilities, up, down):
    """Enlarge, reduce or keep with the three probabilities."""
    ranges = [(1.0, up), (down, 1.0), (1.0, 1.0)]
    return uniform(generator, *choice(generator, ranges, probabilities))


def clean(generator, batch, scale):
    """Only made smaller; bicubic half of the time."""
    images = []
    for image in to_bytes(batch):
        bicubic = chance(generator, 0.5)
        resampling = DOWNSCALERS[0] if bicubic else choice(generator, DOWNSCALERS)
        images.append(downscaled(image, scale, resampling))
    return from_bytes(images)


def mild(generator, batch, scale):
    """A little blur, any downscaler, light noise, and the JPEG of a decent camera or site."""
    return photographed(generator, batch, scale, blur=(0.2, 1.4), noise=(0.5, 5), quality=(55, 95))


def medium(generator, batch, scale):
    """The same with the blur, noise and JPEG of a small camera or of an old site."""
    return photographed(generator, batch, scale, blur=(0.6, 2.6), noise=(2, 12), quality=(25, 75))


def photographed(generator, batch, scale, blur, noise, quality):
    if chance(generator, 0.7):
        batch = blurred(batch, random_blurs(generator, len(batch), range(3, 12, 2), blur))
    images = [downscaled(i, scale, choice(generator, DOWNSCALERS)) for i in to_bytes(batch)]
    batch = from_bytes(images)
    if chance(generator, 0.6):
        batch = gaussian_noise(generator, batch, noise, 0.4)
    images = to_bytes(batch)
    if chance(generator, 0.7):
        colour = choice(generator, [0, 2])
        images = [through_jpeg(i, int(uniform(generator, *quality)), colour) for i in images]
    return from_bytes(images)


def strong(generator, batch, scale):
    """Real-ESRGAN's second-order pipeline, as CTMSR and ResShift use it."""
    small = [side // scale for side in batch.shape[2:]]
    batch = first_order(generator, batch)
    if chance(generator, 0.5):
        batch = second_order(generator, batch, small)
    sincs = random_final_sincs(generator, len(batch), range(3, 14, 2))
    if chance(generator, 0.5):
        batch = blurred(resized(generator, batch, small), sincs)
        return jpeg_compressed(generator, batch, (30, 95))
    batch = jpeg_compressed(generator, batch, (30, 95))
    return blurred(resized(generator, batch, small), sincs).clamp(0, 1)


def first_order(generator, batch):
    batch = blurred(batch, random_blurs(generator, len(batch), range(3, 20, 2), (0.2, 3.0)))
    factor = scale_factor(generator, [0.2, 0.7, 0.1], up=1.5, down=0.15)
    batch = resized(generator, batch, [int(side * factor) for side in batch.shape[2:]])
    batch = noised(generator, batch, sigma_range=(1, 30), scale_range=(0.05, 3.0))
    return jpeg_compressed(generator, batch, (30, 95))


def second_order(generator, batch, small):
    if chance(generator, 0.8):
        batch = blurred(batch, random_blurs(generator, len(batch), range(3, 14, 2), (0.2, 1.5)))
    factor = scale_factor(generator, [0.3, 0.4, 0.3], up=1.2, down=0.3)
    batch = resized(generator, batch, [int(side * factor) for side in small])
    return noised(generator, batch, sigma_range=(1, 25), scale_range=(0.05, 2.5))
