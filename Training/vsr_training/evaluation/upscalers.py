"""Everything that enlarges a picture, as a name and a function from bytes to bytes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import numpy as np
from PIL import Image

from .. import export
from ..inference import enlarged_bicubic, upscaled
from ..networks import LatentUNet
from .cache import digest

# Peers whose file names do not say otherwise enlarge four times.
PEER_SCALE = 4


@dataclass(frozen=True)
class Upscaler:
    """`identity` changes with everything that its pictures depend on."""

    name: str
    identity: str
    enlarge: Callable
    ours: bool = False


def filters(scale):
    return [
        Upscaler("bicubic", f"x{scale}", lambda image: enlarged_bicubic(image, scale)),
        Upscaler("Lanczos", f"x{scale}", lambda image: lanczos(image, scale)),
    ]


def lanczos(image, scale):
    height, width = image.shape[:2]
    size = (width * scale, height * scale)
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.LANCZOS))


def model(path, scale):
    network, path = export.load(path), Path(path)
    if network.scale != scale:
        raise ValueError(f"'{path}' enlarges {network.scale} times and not {scale}")
    if isinstance(network, LatentUNet):
        raise ValueError(f"'{path}' makes latents; only networks that make pictures are measured")

    def enlarge(image):
        return upscaled(network, image)

    return Upscaler(model_name(path), digest(path), enlarge, ours=True)


def model_name(path):
    """Bundled models lie in folders of their names."""
    return path.parent.name if path.stem in ("model", "weights") else path.stem


def peers(folder, scale, threads):
    """The ncnn models of a folder that enlarge by `scale`."""
    paths = sorted(Path(folder).glob("*.param"))
    return [peer(p, threads) for p in paths if scale_of(p.stem) == scale]


def scale_of(name):
    return next((scale for scale in (2, 3) if name.endswith(f"x{scale}")), PEER_SCALE)


def peer(path, threads):
    # Only the comparison needs it; training does without.
    import ncnn

    net = ncnn.Net()
    net.opt.num_threads = threads
    net.load_param(str(path))
    net.load_model(str(path.with_suffix(".bin")))

    def enlarge(image):
        extractor = net.create_extractor()
        planes = np.ascontiguousarray(image.transpose(2, 0, 1), np.float32) / 255
        extractor.input("data", ncnn.Mat(planes))
        output = np.array(extractor.extract("output")[1]).transpose(1, 2, 0)
        return (output * 255).round().clip(0, 255).astype(np.uint8)

    return Upscaler(path.stem, digest(path, path.with_suffix(".bin")), enlarge)
