"""Weights as the product loads them: safetensors with the network's sizes as metadata."""

from inspect import signature
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from .inference import as_batch, one_step, padded, start
from .networks import KINDS, build
from .spaces import Pixels
from .weights import fill


def save(network, path, **facts):
    """Writes the weights; `facts` say what they were trained on, how, and for how long."""
    weights = {name: weight.contiguous() for name, weight in network.state_dict().items()}
    metadata = {**network.sizes, "sigma": 1.0, "range": "[-1,1] RGB", "format": "pt", **facts}
    write(weights, path, {key: str(value) for key, value in metadata.items()})


def write(tensors, path, metadata=None):
    """The old file stays until the new one is whole."""
    new = Path(f"{path}.new")
    save_file(tensors, new, metadata)
    new.rename(path)


def load(path):
    """The network of a file, ready for inference."""
    with safe_open(path, "pt") as file:
        metadata = file.metadata() or {}
    if metadata.get("network") not in KINDS:
        raise ValueError(f"'{path}' does not say what network it holds")
    network = build(metadata["network"], **sizes(metadata))
    # Beside the weights there may be the same in 8 bits, for the engine.
    weights = {n: w for n, w in load_file(path).items() if not n.startswith("int8.")}
    fill(network, weights, path)
    return network.eval()


def sizes(metadata):
    """The arguments of the network's initializer, as far as the file names them."""
    arguments = signature(KINDS[metadata["network"]]).parameters
    return {name: number(metadata[name]) for name in arguments if name in metadata}


def number(text):
    return int(text) if text.isdigit() else float(text)


def from_checkpoint(run, path):
    """The averaged network of a training run's checkpoint, and the facts to save with it."""
    state = torch.load(path, map_location="cpu", weights_only=True)
    network = build(**run.network).eval()
    fill(network, state["ema"], path)
    last, _ = run.stage_at(min(state["iteration"], run.iterations) - 1)
    methods = [stage.summary for stage in run.stages[: last + 1]]
    if run.start:
        methods.insert(0, f"start from {Path(run.start).parent.name}")
    facts = {
        "data": run.description,
        "method": ", then ".join(methods),
        "iterations": state["iteration"],
        "hours": round(state["seconds"] / 3600, 2),
    }
    return network, facts


def move_towards(network, path, share):
    """Moves the weights a share of the way to a file's: of those between a run's start and its end
    some keep what either is better at (Wortsman et al., "Robust fine-tuning of zero-shot models").
    """
    other = load(path)
    if other.sizes != network.sizes:
        raise ValueError(f"'{path}' holds a network of another kind or size")
    others = other.state_dict()
    for name, weight in network.state_dict().items():
        # The rest are tables of positions.
        if weight.is_floating_point():
            weight.lerp_(others[name], share)


def save_example(network, image, path, space=Pixels()):
    """One input with its noise and output, against which other implementations are tested."""
    lr = as_batch(padded(image, network.multiple))
    bicubic, noise = start(lr, network.scale, space)
    output = one_step(network, lr, bicubic, noise, space)
    tensors = {"lr": lr, "bicubic": bicubic, "noise": noise, "output": output}
    write({name: tensor.contiguous() for name, tensor in tensors.items()}, path)
