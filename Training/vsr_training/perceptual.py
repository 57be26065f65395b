"""Distance between pictures in the features of VGG16, after LPIPS without its learned weights.

The weights are Oxford's own: they take BGR from 0 to 255 minus the means of ImageNet.
"""

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn

MEANS = (103.939, 116.779, 123.68)
BLOCKS = (2, 2, 3, 3, 3)


class VGG16(nn.Module):
    """The last activations of the first `block_count` blocks."""

    # Pixels a side: it halves four times.
    smallest = 16

    def __init__(self, path, block_count=5):
        super().__init__()
        weights = load_file(path)
        self.blocks = nn.ModuleList()
        for block, depth in enumerate(BLOCKS[:block_count], start=1):
            names = [f"conv{block}_{layer}" for layer in range(1, depth + 1)]
            self.blocks.append(nn.ModuleList(convolution(weights, name) for name in names))
        self.register_buffer("means", torch.tensor(MEANS)[:, None, None])
        self.requires_grad_(False).eval()
        # Seven times faster than planes in bf16 on the CPU.
        self.to(memory_format=torch.channels_last)

    def forward(self, rgb):
        h = (rgb.flip(1) + 1) * 127.5 - self.means
        features = []
        for number, block in enumerate(self.blocks):
            h = F.max_pool2d(h, 2) if number > 0 else h
            for layer in block:
                h = F.relu(layer(h))
            features.append(h)
        return features


def convolution(weights, name):
    weight, bias = weights[f"{name}.weight"].float(), weights[f"{name}.bias"].float()
    layer = nn.Conv2d(weight.shape[1], weight.shape[0], 3, padding=1)
    layer.load_state_dict({"weight": weight, "bias": bias})
    return layer


def unit(features):
    """Every position's channels as a vector of length one."""
    return F.normalize(features.float(), dim=1, eps=1e-3)


def distance(features, others):
    """Squared distance of unit vectors, summed over channels; mean over positions and blocks."""
    blocks = [
        (unit(f) - unit(o)).square().sum(1).mean((1, 2)) for f, o in zip(features, others)
    ]
    return torch.stack(blocks).mean(0)
