"""Small invented pictures, packs of them, and a VGG16 with random weights: tests need no data."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from vsr_training.configuration import parsed
from vsr_training.data import build
from vsr_training.data.pack import PackWriter
from vsr_training.perceptual import BLOCKS, VGG16

# Pictures this small are slower on more threads.
torch.set_num_threads(1)

SHARED = Path(__file__).parents[2] / ".." / "shared"


@pytest.fixture(scope="package")
def shared():
    """The folder with weights, peers and test pictures; its absence is an error where CI is set."""
    if not SHARED.exists():
        missing = f"no folder {SHARED.resolve()}, which holds what others do not let us pass on"
        assert "CI" not in os.environ, missing
        pytest.skip(missing)
    return SHARED


def picture(seed, side=128):
    """Random coloured rectangles over a slope: edges and flat parts."""
    random = np.random.default_rng(seed)
    image = np.linspace(0, 120, side)[:, None, None] + np.zeros((side, side, 3))
    for _ in range(24):
        top, left = random.integers(0, side, 2)
        height, width = random.integers(4, side // 2, 2)
        image[top : top + height, left : left + width] = random.integers(0, 256, 3)
    return image.astype(np.uint8)


@pytest.fixture(scope="package")
def packs(tmp_path_factory):
    root = tmp_path_factory.mktemp("packs")
    for name, seeds in {"train": range(4), "held-out": range(4, 6)}.items():
        with PackWriter(root / name) as writer:
            for seed in seeds:
                writer.append(picture(seed, 256), f"picture{seed}")
    build.low_resolution(root, "clean", scale=4, passes=1)
    return root


@pytest.fixture(scope="package")
def vgg(tmp_path_factory):
    path = tmp_path_factory.mktemp("vgg") / "vgg16.safetensors"
    torch.manual_seed(0)
    weights, inputs = {}, 3
    for block, depth in enumerate(BLOCKS, start=1):
        for layer in range(1, depth + 1):
            weights[f"conv{block}_{layer}.weight"] = torch.randn(8, inputs, 3, 3) / inputs**0.5 / 3
            weights[f"conv{block}_{layer}.bias"] = torch.zeros(8)
            inputs = 8
    save_file(weights, path)
    return VGG16(path)


def tiny_run(*stages):
    return parsed(
        {
            "network": {"features": 16, "body": 4, "scale": 4},
            "mixture": {"clean": 1.0},
            "batch": 4,
            "patch": 16,
            "perceptual_crop": 32,
            "ema": 0.9,
            "stage": list(stages),
        }
    )


def stage(method, iterations, **changes):
    loss = {"pixel": 1.0, "colour": 0.5, "perceptual": 0.1}
    rates = {"rate": 4e-3, "final_rate": 1e-3, "warm_up": 5}
    return {"method": method, "iterations": iterations, "loss": loss, **rates, **changes}
