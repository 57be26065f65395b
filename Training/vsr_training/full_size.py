"""Networks of full size with random weights under which every part of them matters.

Each comes with a file as its authors save weights and with the inputs of one picture, so that the
program can be compared with PyTorch without anybody's weights.
"""

import runpy
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from .inference import start
from .networks.ctmsr import CTMSR
from .networks.tadsr import TADSR
from .noise_field import noise

FIXTURES = Path(__file__).parents[2] / "Tests/EngineTests/Fixtures/make-networks.py"
# The least difference between the squared distances of the two codes that are nearest to a latent.
MARGIN = 1e-3


@dataclass
class Example:
    """`states` are the files by the program's options; outputs lie between `lowest` and 1."""

    network: nn.Module
    inputs: tuple
    states: dict
    lowest: float = -1

    def save(self, folder):
        """Writes the files and returns the options that name them."""
        options = []
        for option, state in self.states.items():
            path = Path(folder) / f"{option.strip('-')}.pth"
            torch.save(state, path)
            options += [option, str(path)]
        return options

    @torch.no_grad()
    def output(self):
        """The picture in 0…1, not clipped."""
        return (self.network(*self.inputs).float() - self.lowest) / (1 - self.lowest)


def ctmsr(lr):
    """`lr` of every network is one picture in [-1, 1]; its sides are multiples of 64."""
    network = randomized(CTMSR())
    bicubic, _ = start(lr, network.scale)
    inputs = (bicubic + noise(*bicubic.shape[2:]), torch.ones(1), lr)
    calibrate(network.conv_last, network, inputs, spread=0.3)
    state = {f"model.{name}": tensor for name, tensor in network.state_dict().items()}
    return Example(network, inputs, {"--model": {"params_ema": state}})


def tadsr(lr):
    network = randomized(TADSR())
    bicubic, _ = start(lr, network.scale)
    inputs = (bicubic, lr, noise(*lr.shape[2:]))
    with torch.no_grad():
        latent = network.latent(*inputs)
    separate(network.autoencoder.quantize, latent)
    decode = network.autoencoder.decode
    calibrate(network.autoencoder.decoder.conv_out, decode, (latent,), spread=0.3)
    files = {"--model": network.unet, "--autoencoder": network.autoencoder}
    states = {option: module.state_dict() for option, module in files.items()}
    return Example(network, inputs, states)


def srvgg(lr):
    network = randomized(fixtures().SRVGG(), gain=1.37)
    return regression(network, network.body[-1], lr, center=0.0, key="params")


def rrdb(lr):
    network = randomized(fixtures().RRDBNet(), gain=1.37)
    return regression(network, network.conv_last, lr, center=0.5, key="params_ema")


def span(lr):
    network = randomized(fixtures().SPAN())
    return regression(network, network.upsampler[0], lr, center=0.5, key="params_ema")


def regression(network, last, lr, center, key):
    """A network from pictures in 0…1 to pictures in 0…1."""
    inputs = ((lr + 1) / 2,)
    calibrate(last, network, inputs, spread=0.1, center=center)
    return Example(network, inputs, {"--model": {key: network.state_dict()}}, lowest=0)


def fixtures():
    """The published networks as the fixtures of the engine's tests define them."""
    return type("fixtures", (), runpy.run_path(str(FIXTURES)))


EXAMPLES = {"CTMSR": ctmsr, "TAD-SR": tadsr, "SRVGG": srvgg, "RRDB": rrdb, "SPAN": span}


@torch.no_grad()
def randomized(network, gain=1.0, seed=0):
    """Weights that keep activations near one; biases and norms that are not the neutral ones."""
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        for name, weight in module.named_parameters(recurse=False):
            weight.normal_(generator=generator)
            if isinstance(module, nn.PReLU):
                weight.mul_(0.1).add_(0.25)
            elif name == "bias":
                weight.mul_(0.1)
            elif isinstance(module, nn.GroupNorm):
                weight.mul_(0.1).add_(1)
            elif isinstance(module, (nn.Conv2d, nn.Linear)):
                weight.mul_(gain * weight[0].numel() ** -0.5)
    return network.eval()


@torch.no_grad()
def calibrate(last, network, inputs, spread, center=0.0):
    """Makes the last layer's output lie around `center`, so that little of a picture is clipped."""

    def scale(layer, _, output):
        factor = spread / output.std()
        layer.weight.mul_(factor)
        layer.bias.copy_((layer.bias - output.mean()) * factor + center)

    handle = last.register_forward_hook(scale)
    network(*inputs)
    handle.remove()


@torch.no_grad()
def separate(codebook, latent):
    """Moves codes away until no position of the latent has two that are about equally near."""
    codes = codebook.embedding.weight
    while True:
        nearest = codebook.distances(latent)[0].topk(2, largest=False)
        near = nearest.values[:, 1] - nearest.values[:, 0] < MARGIN
        if not near.any():
            return
        codes[nearest.indices[near, 1]] += 100
