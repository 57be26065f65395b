import pytest
import torch

from vsr_training import export
from vsr_training.networks import build
from vsr_training.transplant import transplant


@pytest.fixture
def old(tmp_path):
    """A network of which every weight counts, and its file."""
    torch.manual_seed(3)
    network = build(features=8, body=4, scale=4).eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    export.save(network, tmp_path / "weights.safetensors")
    return network, tmp_path / "weights.safetensors"


def output(network, t=1.0):
    generator = torch.Generator().manual_seed(0)
    lr = torch.randn(1, 3, 12, 12, generator=generator)
    side = 12 * network.scale
    x, bicubic = (torch.randn(1, 3, side, side, generator=generator) for _ in range(2))
    return network(x, torch.tensor([t]), lr, bicubic)


def test_equal_sizes_are_a_copy(old):
    network, path = old
    new = build(features=8, body=4, scale=4)
    transplant(path, new)
    pairs = zip(new.state_dict().values(), network.state_dict().values())
    assert all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("t", [0.25, 1.0])
def test_wider_and_deeper_gives_the_same_picture(old, t):
    network, path = old
    new = build(features=12, body=12, scale=4)
    transplant(path, new)
    assert torch.allclose(output(new, t), output(network, t), atol=1e-5)


def test_all_that_is_new_learns(old):
    new = build(features=12, body=8, scale=4)
    transplant(old[1], new)
    output(new).square().mean().backward()
    assert new.tail.weight.grad[:, 8:].abs().min() > 0
    assert new.body[0].weight.grad[:8, 8:].abs().min() > 0
    assert new.body[7].weight.grad.abs().max() > 0


def test_another_scale_averages_the_pixels_of_a_block(old):
    network, path = old
    new = build(features=8, body=4, scale=2)
    transplant(path, new)
    assert torch.equal(new.body[3].weight, network.body[3].weight)
    assert torch.equal(new.head.weight[:, -3:], network.head.weight[:, -3:])
    # Of each block of 4 × 4, the first 2 × 2 pixels: 0, 1, 4 and 5.
    mean = network.tail.bias[[0, 1, 4, 5]].mean()
    assert torch.allclose(new.tail.bias[0], mean)
    sums = [w.detach()[:, :-3].sum(1) for w in (new.head.weight, network.head.weight)]
    assert torch.allclose(*sums, atol=1e-5)


@pytest.mark.parametrize("body", [0, 6])
def test_broken_groups_are_refused(old, body):
    with pytest.raises(ValueError, match="whole groups"):
        transplant(old[1], build(features=8, body=body, scale=4))


@pytest.mark.parametrize(
    "sizes, message",
    [
        ({"residual_every": 2}, "residual_every 4 and the network 2"),
        ({"sigma_data": 0.25}, "sigma_data 0.5 and the network 0.25"),
        ({"features": 6}, "more features than 6"),
    ],
)
def test_networks_that_cannot_go_on_are_refused(old, sizes, message):
    with pytest.raises(ValueError, match=message):
        transplant(old[1], build(**{"features": 8, "body": 4, "scale": 4, **sizes}))


def test_networks_of_different_kinds_are_refused(old, tmp_path):
    full = build("ctmsr", channels=32, blocks=1, swin_width=32, swin_heads=2)
    with pytest.raises(ValueError, match="another network"):
        transplant(old[1], full)
    export.save(full, tmp_path / "full.safetensors")
    with pytest.raises(ValueError, match="cannot start from 'ctmsr'"):
        transplant(tmp_path / "full.safetensors", old[0])
