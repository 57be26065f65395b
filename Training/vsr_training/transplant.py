"""Weights of a trained network as the start of another one.

A compact network may be put into one that is wider, deeper or of another scale.
At equal scale the new network computes the same picture: nothing that was there before hears new
channels, and appended groups of layers end in zero. It is the start of a run, not a result.
"""

import torch
import torch.nn.functional as F

from . import export
from .networks import Compact
from .weights import fill, read


@torch.no_grad()
def transplant(path, network):
    """Fills `network` from a weights file; its own random start stays where nothing is known."""
    if not isinstance(network, Compact):
        return fill(network, read(path), path)
    old = export.load(path)
    refuse_strangers(network, old)
    appended = len(network.body) - len(old.body)
    if appended < 0 or appended % network.residual_every or len(old.body) % old.residual_every:
        raise ValueError("layers come in whole groups, and none are taken away")
    copy_head(network, old)
    for new, known in zip(network.body, old.body):
        copy_layer(new, known)
    for last in network.body[len(old.body) :][network.residual_every - 1 :: network.residual_every]:
        last.weight.zero_()
    copy_tail(network, old)
    for new, known in zip(network.act, old.act):
        new.weight[: len(known.weight)] = known.weight
    copy_embedding(network, old)


def refuse_strangers(network, old):
    """Those that cannot begin with the old network's picture."""
    if not isinstance(old, Compact):
        raise ValueError(f"a compact network cannot start from '{old.sizes['network']}'")
    for name in ("residual_every", "sigma_data"):
        known, wanted = old.sizes[name], network.sizes[name]
        if known != wanted:
            raise ValueError(f"the start has {name} {known} and the network {wanted}")
    if old.sizes["features"] > network.sizes["features"]:
        raise ValueError(f"the start has more features than {network.sizes['features']}")


def copy_layer(new, old):
    """The first channels are the old ones; they do not hear the others, which hear them."""
    outputs, inputs = old.weight.shape[:2]
    new.weight[:outputs] = 0
    new.weight[:outputs, :inputs] = old.weight
    new.bias[:outputs] = old.bias


def copy_head(new, old):
    """Columns of the unshuffled pixels first, then of the input."""
    outputs = old.head.out_channels
    pixels = resized(old.head.weight[:, :-3].transpose(0, 1), old.scale, new.scale)
    # Fewer pixels say as much as the many did.
    pixels = pixels.transpose(0, 1) * (old.scale / new.scale) ** 2
    new.head.weight[:outputs] = torch.cat([pixels, old.head.weight[:, -3:]], 1)
    new.head.bias[:outputs] = old.head.bias


def copy_tail(new, old):
    inputs = old.tail.in_channels
    new.tail.weight.zero_()
    new.tail.weight[:, :inputs] = resized(old.tail.weight, old.scale, new.scale)
    new.tail.bias.copy_(resized(old.tail.bias[:, None], old.scale, new.scale)[:, 0])


def resized(rows, scale, wanted):
    """Rows for each colour's `scale` × `scale` pixels, averaged to `wanted` × `wanted`."""
    blocks = rows.reshape(3, scale, scale, -1).permute(0, 3, 1, 2)
    blocks = F.adaptive_avg_pool2d(blocks, wanted).permute(0, 2, 3, 1)
    return blocks.reshape(3 * wanted**2, *rows.shape[1:])


def copy_embedding(network, old):
    """Its last layer has one row per layer and channel; appended groups get none."""
    network.emb[0].load_state_dict(old.emb[0].state_dict())
    new, known = network.emb[2], old.emb[2]
    layers, channels = len(old.act), old.head.out_channels
    for name in ("weight", "bias"):
        rows = getattr(new, name).unflatten(0, (len(network.act), -1))
        rows[layers:] = 0
        rows[:layers, :channels] = getattr(known, name).unflatten(0, (layers, channels))
