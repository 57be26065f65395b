"""Makes tiny networks with random weights, and what PyTorch computes with them.

For every network: NAME.pth as its authors publish weights, and NAME-io.safetensors with an input and
the output, both (1, 3, height, width) in 0...1. The sizes of published models are checked on the way.

    python make-networks.py      # needs torch and safetensors
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

FOLDER = Path(__file__).parent


class SRVGG(nn.Module):
    """The compact network of Real-ESRGAN: a trunk of 3x3 convolutions with PReLU, added to nearest."""

    def __init__(self, features=64, layers=32, scale=4):
        super().__init__()
        body = [nn.Conv2d(3, features, 3, padding=1), nn.PReLU(features)]
        for _ in range(layers):
            body += [nn.Conv2d(features, features, 3, padding=1), nn.PReLU(features)]
        self.body = nn.ModuleList(body + [nn.Conv2d(features, 3 * scale**2, 3, padding=1)])
        self.scale = scale

    def forward(self, x):
        h = x
        for layer in self.body:
            h = layer(h)
        return F.pixel_shuffle(h, self.scale) + F.interpolate(x, scale_factor=self.scale)


class DenseBlock(nn.Module):
    """Five convolutions, each of which sees the results of all before."""

    def __init__(self, features, growth):
        super().__init__()
        for i in range(4):
            setattr(self, f"conv{i + 1}", nn.Conv2d(features + i * growth, growth, 3, padding=1))
        self.conv5 = nn.Conv2d(features + 4 * growth, features, 3, padding=1)

    def forward(self, x):
        seen = [x]
        for i in range(4):
            layer = getattr(self, f"conv{i + 1}")
            seen.append(F.leaky_relu(layer(torch.cat(seen, 1)), 0.2))
        return x + 0.2 * self.conv5(torch.cat(seen, 1))


class RRDB(nn.Module):
    """Three dense blocks with a residual around them."""

    def __init__(self, features, growth):
        super().__init__()
        self.rdb1 = DenseBlock(features, growth)
        self.rdb2 = DenseBlock(features, growth)
        self.rdb3 = DenseBlock(features, growth)

    def forward(self, x):
        return x + 0.2 * self.rdb3(self.rdb2(self.rdb1(x)))


class RRDBNet(nn.Module):
    """ESRGAN's network: residual dense blocks at the low resolution, then two enlargements by two.

    For x2 and x1 the input is first unshuffled by 2 or 4.
    """

    def __init__(self, features=64, growth=32, blocks=23, scale=4):
        super().__init__()
        self.unshuffle = 4 // scale
        self.conv_first = nn.Conv2d(3 * self.unshuffle**2, features, 3, padding=1)
        self.body = nn.Sequential(*[RRDB(features, growth) for _ in range(blocks)])
        self.conv_body = nn.Conv2d(features, features, 3, padding=1)
        self.conv_up1 = nn.Conv2d(features, features, 3, padding=1)
        self.conv_up2 = nn.Conv2d(features, features, 3, padding=1)
        self.conv_hr = nn.Conv2d(features, features, 3, padding=1)
        self.conv_last = nn.Conv2d(features, 3, 3, padding=1)

    def forward(self, x):
        h = self.conv_first(F.pixel_unshuffle(x, self.unshuffle))
        h = h + self.conv_body(self.body(h))
        for layer in (self.conv_up1, self.conv_up2):
            h = F.leaky_relu(layer(F.interpolate(h, scale_factor=2)), 0.2)
        return self.conv_last(F.leaky_relu(self.conv_hr(h), 0.2))


def esrgan_names(state):
    """The names that the first ESRGAN gave to the same weights (x4)."""
    heads = {"conv_first": "model.0", "conv_up1": "model.3", "conv_up2": "model.6"}
    heads |= {"conv_hr": "model.8", "conv_last": "model.10"}
    blocks = 1 + max(int(name.split(".")[1]) for name in state if name.startswith("body."))
    renamed = {}
    for name, value in state.items():
        parts = name.split(".")
        if parts[0] == "body":
            head = f"model.1.sub.{parts[1]}.{parts[2].upper()}.{parts[3]}.0"
        elif parts[0] == "conv_body":
            head = f"model.1.sub.{blocks}"
        else:
            head = heads[parts[0]]
        renamed[f"{head}.{parts[-1]}"] = value
    return renamed


class Branches(nn.Module):
    """SPAN's convolution while training: 1x1, 3x3, 1x1 in a row, beside one of 1x1.

    `eval_conv` is what its authors' code overwrites with the sum; random here, as nobody may use it.
    """

    def __init__(self, inputs, outputs, gain=2):
        super().__init__()
        self.sk = nn.Conv2d(inputs, outputs, 1)
        self.conv = nn.Sequential(
            nn.Conv2d(inputs, inputs * gain, 1),
            nn.Conv2d(inputs * gain, outputs * gain, 3),
            nn.Conv2d(outputs * gain, outputs, 1),
        )
        self.eval_conv = nn.Conv2d(inputs, outputs, 3, padding=1)

    def forward(self, x):
        return self.conv(F.pad(x, (1, 1, 1, 1))) + self.sk(x)


class AttentionBlock(nn.Module):
    """Three convolutions whose result is its own attention: (h + x) * (sigmoid(h) - 1/2)."""

    def __init__(self, features):
        super().__init__()
        self.c1_r = Branches(features, features)
        self.c2_r = Branches(features, features)
        self.c3_r = Branches(features, features)

    def forward(self, x):
        first = F.silu(self.c1_r(x))
        h = self.c3_r(F.silu(self.c2_r(first)))
        return (h + x) * (torch.sigmoid(h) - 0.5), first


class SPAN(nn.Module):
    """The Swift Parameter-free Attention Network."""

    def __init__(self, features=48, scale=4):
        super().__init__()
        self.conv_1 = Branches(3, features)
        for i in range(6):
            setattr(self, f"block_{i + 1}", AttentionBlock(features))
        self.conv_cat = nn.Conv2d(4 * features, features, 1)
        self.conv_2 = Branches(features, features)
        self.upsampler = nn.Sequential(
            nn.Conv2d(features, 3 * scale**2, 3, padding=1), nn.PixelShuffle(scale)
        )

    def forward(self, x):
        mean = torch.tensor([0.4488, 0.4371, 0.4040]).reshape(1, 3, 1, 1)
        start = self.conv_1((x - mean) * 255)
        h, results = start, []
        for i in range(6):
            h, first = getattr(self, f"block_{i + 1}")(h)
            results.append((h, first))
        end = self.conv_2(h)
        return self.upsampler(self.conv_cat(torch.cat([start, end, results[0][0], results[5][1]], 1)))


def parameters(network):
    return sum(p.numel() for p in network.parameters())


def save(name, network, height=8, width=10, key=None, rename=None):
    network.eval()
    state = rename(network.state_dict()) if rename else network.state_dict()
    torch.save({key: state} if key else state, FOLDER / f"{name}.pth")
    picture = torch.rand(1, 3, height, width)
    with torch.no_grad():
        output = network(picture)
    save_file({"input": picture, "output": output}, FOLDER / f"{name}-io.safetensors")
    print(name, parameters(network), "range", output.min().item(), output.max().item())


if __name__ == "__main__":
    torch.manual_seed(2)
    assert parameters(SRVGG()) == 1_213_296  # realesr-general-x4v3
    assert parameters(SRVGG(layers=16)) == 621_424  # realesr-animevideov3
    assert parameters(RRDBNet()) == 16_697_987  # RealESRGAN_x4plus
    merged = SPAN()
    for module in merged.modules():
        if isinstance(module, Branches):
            del module.sk, module.conv
    assert parameters(merged) == 426_288  # SPAN with 48 features, x4

    save("srvgg-x4", SRVGG(6, 3, 4), 7, 9, key="params")
    save("srvgg-x2", SRVGG(6, 2, 2), 5, 8, key="params")
    save("rrdb-x4", RRDBNet(4, 2, 2, 4), 7, 6, key="params_ema")
    save("rrdb-x2", RRDBNet(3, 2, 1, 2), 8, 10, key="params_ema")
    save("rrdb-x1", RRDBNet(3, 2, 1, 1), 12, 16)
    save("esrgan-x4", RRDBNet(3, 2, 1, 4), 6, 7, rename=esrgan_names)
    save("span-x4", SPAN(3, 4), 8, 7, key="params_ema")
