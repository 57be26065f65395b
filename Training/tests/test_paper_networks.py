"""The papers' networks against the authors' code: names and sizes, and results at small sizes."""

import ast

import pytest
import torch
from safetensors.torch import load_file

from vsr_training.methods.batch import enlarged
from vsr_training.networks.ctmsr import CTMSR
from vsr_training.networks.resshift_unet import ResShiftUNet
from vsr_training.networks.tadsr import TADSR
from vsr_training.networks.vqgan import VQGAN
from vsr_training.weights import read

FULL_SIZES = {
    "ctmsr": (CTMSR, 171_518_529),
    "unet": (ResShiftUNet, 118_593_583),
    "vq": (VQGAN, 55_322_782),
}


def described(path):
    """Shapes by name from lines such as `conv.bias [64]`; parameters first, then buffers."""
    parameters, _, buffers = path.read_text().partition("# buffers\n")
    return [
        {
            name.removeprefix("model."): ast.literal_eval(shape[: shape.index("]") + 1])
            for name, shape in (line.split(" ", 1) for line in part.splitlines())
        }
        for part in (parameters, buffers)
    ]


def shapes(named):
    return {name: list(tensor.shape) for name, tensor in named}


@pytest.mark.parametrize("name", FULL_SIZES)
def test_full_network_has_the_published_names(shared, name):
    make, count = FULL_SIZES[name]
    with torch.device("meta"):
        network = make()
    parameters, buffers = described(shared / f"fixtures/keys/{name}_keys.txt")
    assert shapes(network.named_parameters()) == parameters
    # CTMSR's files also hold a constant filter per change of resolution.
    filters = {name: shape for name, shape in buffers.items() if name.endswith("_filter")}
    kept = {n: b for n, b in network.named_buffers() if n in network.state_dict()}
    assert shapes(kept.items()) | filters == buffers
    assert sum(weight.numel() for weight in network.parameters()) == count


def tiny_ctmsr(folder):
    network = CTMSR(channels=32, blocks=1, swin_width=32, swin_heads=2).eval()
    network.load_state_dict(read(folder / "ctmsr.pth"))
    return network


def tiny_tadsr(folder):
    unet = ResShiftUNet(channels=32, blocks=1, swin_width=32, swin_heads=1)
    unet.load_state_dict(torch.load(folder / "unet.pth", weights_only=True))
    autoencoder = VQGAN(channels=32, blocks=1, codes=512)
    autoencoder.load_state_dict(torch.load(folder / "autoencoder.pth", weights_only=True))
    return TADSR(unet, autoencoder).eval()


def bicubic(lr):
    return enlarged(lr, [side * 4 for side in lr.shape[2:]])


@pytest.mark.parametrize("example", ["io", "io-64x128"])
@torch.no_grad()
def test_ctmsr_is_the_authors_network(shared, example):
    folder = shared / "fixtures/ctmsr-tiny"
    io = load_file(folder / f"{example}.safetensors")
    x = bicubic(io["lq"]) + io["noise"]
    output = tiny_ctmsr(folder)(x, torch.ones(1), io["lq"])
    assert (output - io["output"]).abs().max() < 1e-4


@pytest.mark.parametrize("example", ["io", "io-64x128"])
@torch.no_grad()
def test_tadsr_is_the_authors_network(shared, example):
    folder = shared / "fixtures/tadsr-tiny"
    network, io = tiny_tadsr(folder), load_file(folder / f"{example}.safetensors")
    latent = network.latent(bicubic(io["lq"]), io["lq"], io["noise"])
    assert (latent - io["latent_sr"]).abs().max() < 1e-4
    # From the authors' latent: where two codes are equally near, the last bit decides.
    output = network.autoencoder.decode(io["latent_sr"])
    assert (output - io["output"]).abs().max() < 1e-4


@torch.no_grad()
def test_the_stored_masks_are_ours(shared):
    state = torch.load(shared / "fixtures/tadsr-tiny/unet.pth", weights_only=True)
    unet = ResShiftUNet(channels=32, blocks=1, swin_width=32, swin_heads=1)
    masks = {name: mask for name, mask in unet.named_buffers() if name.endswith("attn_mask")}
    assert len(masks) == 6
    for name, mask in masks.items():
        assert torch.equal(mask, state[name])
