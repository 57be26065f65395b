"""Makes torch-*.pth as PyTorch writes them, and torch-*.safetensors with what PyTorch reads from them.

    python make-torch-files.py      # needs torch and safetensors
"""

from collections import OrderedDict
from pathlib import Path

import torch
from safetensors.torch import save_file

FOLDER = Path(__file__).parent
torch.manual_seed(1)


def save(name, checkpoint, expected, **options):
    """Writes a checkpoint, and beside it the tensors that a reader must find, as float32."""
    torch.save(checkpoint, FOLDER / f"torch-{name}.pth", **options)
    floats = {key: value.detach().float().contiguous().clone() for key, value in expected.items()}
    save_file(floats, FOLDER / f"torch-{name}.safetensors")


def types():
    """Every type of weights, and integers, which are kept but are no weights."""
    tensors = {
        "single": torch.randn(2, 3, 5),
        "half": torch.randn(7).half(),
        "brain": torch.randn(4, 2).bfloat16(),
        "double": torch.randn(3).double(),
        "scalar": torch.tensor(2.5),
        "empty": torch.zeros(0, 3),
    }
    integers = {
        "relative_position_index": torch.arange(6).reshape(2, 3),
        "int": torch.arange(2, dtype=torch.int32),
        "short": torch.arange(2, dtype=torch.int16),
        "char": torch.arange(2, dtype=torch.int8),
        "byte": torch.arange(2, dtype=torch.uint8),
        "flags": torch.tensor([True, False]),
    }
    return OrderedDict(**tensors, **integers), tensors


def views():
    """Tensors that are not row-major, and tensors that share memory."""
    base = torch.randn(6, 4)
    image = torch.randn(2, 3, 4, 5).contiguous(memory_format=torch.channels_last)
    tensors = {
        "whole": base,
        "transposed": base.t(),
        "rows": base[1:3],
        "columns": base[:, 1::2],
        "expanded": base[0].expand(3, 4),
        "channels_last": image,
        "one": base[5:, 3:],
        "parameter": torch.nn.Parameter(torch.randn(3, 2).t()),
    }
    return dict(tensors), tensors


def nested():
    """A checkpoint of a training run, averaged weights beside the last ones."""
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    averaged = {key: value + 1 for key, value in model.state_dict().items()}
    checkpoint = {
        "epoch": 3,
        "rate": 1e-4,
        "note": "naïve",
        "big": 2**40,
        "negative": -7,
        "nothing": None,
        "list": [1, 2, (3, True)],
        "params": model.state_dict(),
        "params_ema": {f"module._orig_mod.{key}": value for key, value in averaged.items()},
        "optimizer": {"state": {0: {"step": torch.tensor(1.0)}}, "groups": [{"betas": (0.9, 0.99)}]},
    }
    return checkpoint, {k: v for k, v in averaged.items() if v.is_floating_point()}


if __name__ == "__main__":
    save("types", *types())
    save("views", *views())
    save("nested", *nested())
    save("protocol-4", *nested(), pickle_protocol=4)
    state = torch.nn.Conv2d(3, 4, 3).state_dict()
    save("state-dict", {"state_dict": state}, state)
    torch.save(state, FOLDER / "torch-legacy.pth", _use_new_zipfile_serialization=False)
