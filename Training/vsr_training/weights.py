"""Weights by name from a file: safetensors, or what `torch.save` wrote."""

import torch
from safetensors.torch import load_file

NESTED = ("params_ema", "params", "state_dict")
WRAPPERS = ("module.", "_orig_mod.", "model.")


def read(path):
    """As the authors save them, perhaps inside another dictionary or with prefixes; without the
    filters of CTMSR's halvings, which are constants."""
    if str(path).endswith(".safetensors"):
        return load_file(path)
    state = torch.load(path, map_location="cpu", weights_only=True)
    state = next((state[key] for key in NESTED if key in state), state)
    weights = {stripped(name): weight for name, weight in state.items()}
    return {name: weight for name, weight in weights.items() if not name.endswith("resample_filter")}


def fill(network, weights, path):
    """Puts the weights of a file into a network; another network's are the user's mistake."""
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise ValueError(f"'{path}' holds the weights of another network") from error


def stripped(name):
    for wrapper in WRAPPERS:
        name = name.removeprefix(wrapper)
    return name
