"""Real-ESRGAN's compact networks: read from ncnn's files, written for every other library."""

import json
import struct

import numpy as np
import torch
import torch.nn.functional as F
from onnx import TensorProto, helper, numpy_helper
from torch import nn

SCALE = 4
HALF = 0x01306B47  # ncnn's mark of weights in half precision


def read_ncnn(stem):
    """The tensors under Real-ESRGAN's own names: convolutions and slopes are one sequence."""
    data, at, tensors = stem.with_suffix(".bin").read_bytes(), 0, {}

    def take(kind, count):
        nonlocal at
        values = np.frombuffer(data, kind, count, at).astype(np.float32)
        at += (values.size * np.dtype(kind).itemsize + 3) // 4 * 4
        return values

    for line in stem.with_suffix(".param").read_text().splitlines()[2:]:
        words = line.split()
        numbers = dict(word.split("=") for word in words if "=" in word)
        name = f"body.{sum(key.endswith('.weight') for key in tensors)}"
        if words[:1] == ["Convolution"]:
            outputs, side = int(numbers["0"]), int(numbers["1"])
            mark = struct.unpack_from("<I", data, at)[0]
            at += 4
            kind = "<f2" if mark == HALF else "<f4"
            weights = take(kind, int(numbers["6"])).reshape(outputs, -1, side, side)
            tensors[f"{name}.weight"], tensors[f"{name}.bias"] = weights, take("<f4", outputs)
        elif words[:1] == ["PReLU"]:
            tensors[f"{name}.weight"] = take("<f4", int(numbers["0"]))
    return tensors


def write_safetensors(tensors, path):
    header, offset = {}, 0
    for name, values in tensors.items():
        end = offset + values.nbytes
        header[name] = {"dtype": "F32", "shape": values.shape, "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    data = b"".join(values.tobytes() for values in tensors.values())
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def layers(tensors):
    """Weights and biases of every convolution, with the slopes that follow, or none after the last."""
    count = sum(values.ndim == 4 for values in tensors.values())
    for i in range(count):
        weight, bias = tensors[f"body.{2 * i}.weight"], tensors[f"body.{2 * i}.bias"]
        yield weight, bias, tensors.get(f"body.{2 * i + 1}.weight")


def onnx_model(tensors, width, height, bytes_in_and_out=False):
    """From N×3×H×W floats to the same four times as large, or from N×H×W×3 bytes to such."""
    nodes, constants, x = [], [], "x"

    def constant(name, values):
        constants.append(numpy_helper.from_array(np.asarray(values, np.float32), name))
        return name

    def node(kind, inputs, result, **attributes):
        nodes.append(helper.make_node(kind, inputs, [result], **attributes))
        return result

    if bytes_in_and_out:
        x = node("Cast", [x], "floats", to=TensorProto.FLOAT)
        x = node("Div", [x, constant("white", 255)], "unit")
        x = node("Transpose", [x], "planes", perm=[0, 3, 1, 2])
    first = x
    for i, (weight, bias, slopes) in enumerate(layers(tensors)):
        inputs = [x, constant(f"w{i}", weight), constant(f"b{i}", bias)]
        x = node("Conv", inputs, f"c{i}", pads=[1, 1, 1, 1])
        if slopes is not None:
            x = node("PRelu", [x, constant(f"s{i}", slopes.reshape(-1, 1, 1))], f"p{i}")
    x = node("DepthToSpace", [x], "large", blocksize=SCALE, mode="CRD")
    nearest = node(
        "Resize", [first, "", constant("scales", [1, 1, SCALE, SCALE])], "nearest", mode="nearest",
        nearest_mode="floor", coordinate_transformation_mode="asymmetric",
    )
    x = node("Add", [x, nearest], "sum" if bytes_in_and_out else "y")
    if bytes_in_and_out:
        x = node("Transpose", [x], "pixels", perm=[0, 2, 3, 1])
        x = node("Round", [node("Mul", [x, "white"], "scaled")], "rounded")
        x = node("Clip", [x, constant("low", 0), "white"], "clipped")
        node("Cast", [x], "y", to=TensorProto.UINT8)
    return serialized(nodes, constants, (width, height), bytes_in_and_out)


def serialized(nodes, constants, size, bytes_in_and_out):
    kind = TensorProto.UINT8 if bytes_in_and_out else TensorProto.FLOAT
    ends = []
    for name, scale in (("x", 1), ("y", SCALE)):
        width, height = (scale * side for side in size)
        shape = [1, height, width, 3] if bytes_in_and_out else [1, 3, height, width]
        ends.append(helper.make_tensor_value_info(name, kind, shape))
    graph = helper.make_graph(nodes, "network", ends[:1], ends[1:], constants)
    opset = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()


class TorchNetwork(nn.Module):
    def __init__(self, tensors):
        super().__init__()
        self.body = nn.Sequential()
        for weight, bias, slopes in layers(tensors):
            convolution = nn.Conv2d(weight.shape[1], weight.shape[0], 3, padding=1)
            convolution.weight.data, convolution.bias.data = torch.tensor(weight), torch.tensor(bias)
            self.body.append(convolution)
            if slopes is not None:
                self.body.append(nn.PReLU(len(slopes)))
                self.body[-1].weight.data = torch.tensor(slopes)

    def forward(self, x):
        return F.pixel_shuffle(self.body(x), SCALE) + F.interpolate(x, scale_factor=SCALE)
