"""Every peer as a function from a picture, N×3×H×W floats from 0 to 1, to the enlarged one."""

import ncnn
import nncf
import numpy as np
import onnxruntime
import openvino
import torch

from machine import has_bf16

from .networks import TorchNetwork, onnx_model

THREADS = 2
# What OpenVINO computes in beside int8.
BESIDE_INT8 = "bf16" if has_bf16() else "f32"


def engines(stem, tensors, width, height, pictures):
    """All peers by name, as functions from N×3×H×W floats to the same four times as large.

    `pictures`, H×W×3 bytes, are what OpenVINO's own quantiser (NNCF) calibrates with.
    """
    model = onnx_model(tensors, width, height)
    samples = [as_floats(picture) for picture in pictures]
    peers = {
        "OpenVINO fp32": with_openvino(read(model), "f32"),
        "OpenVINO bf16": with_openvino(read(model), "bf16"),
        "OpenVINO int8": with_openvino(quantized(model, samples), BESIDE_INT8),
        "ncnn fp32": with_ncnn(stem, half=False),
        "ncnn bf16": with_ncnn(stem, half=True),
        "ONNX Runtime fp32": with_onnxruntime(model),
        "PyTorch fp32": with_torch(tensors, torch.float32),
        "PyTorch bf16": with_torch(tensors, torch.bfloat16),
    }
    return possible(peers)


def frame_engines(stem, tensors, width, height, pictures):
    """The peers of whole runs, as functions from H×W×3 bytes to such."""
    model = onnx_model(tensors, width, height, bytes_in_and_out=True)
    samples = [picture[None] for picture in pictures]
    networks = {
        "OpenVINO fp32": with_openvino(read(model), "f32"),
        "OpenVINO bf16": with_openvino(read(model), "bf16"),
        "OpenVINO int8": with_openvino(quantized(model, samples), BESIDE_INT8),
    }
    peers = {name: lambda frame, run=run: run(frame[None])[0] for name, run in possible(networks).items()}
    enlarge = with_ncnn(stem, half=False)
    return peers | {"ncnn fp32": lambda frame: as_bytes(enlarge(as_floats(frame)))}


def possible(peers):
    """Those that this CPU computes as they say."""
    return {name: run for name, run in peers.items() if has_bf16() or "bf16" not in name}


def as_floats(picture):
    return np.ascontiguousarray(picture.transpose(2, 0, 1)[None], np.float32) / 255


def as_bytes(output):
    return (output[0].transpose(1, 2, 0) * 255).round().clip(0, 255).astype(np.uint8)


def read(model):
    return openvino.Core().read_model(model)


def quantized(model, samples):
    return nncf.quantize(read(model), nncf.Dataset(samples), subset_size=len(samples))


def with_openvino(network, precision):
    options = {
        "INFERENCE_NUM_THREADS": THREADS,
        "INFERENCE_PRECISION_HINT": precision,
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": "1",
    }
    request = openvino.Core().compile_model(network, "CPU", options).create_infer_request()
    return lambda picture: next(iter(request.infer({0: picture}).values()))


def with_ncnn(stem, half):
    network = ncnn.Net()
    network.opt.num_threads = THREADS
    network.opt.use_bf16_storage = half
    network.load_param(str(stem.with_suffix(".param")))
    network.load_model(str(stem.with_suffix(".bin")))

    def run(picture):
        extractor = network.create_extractor()
        extractor.input("data", ncnn.Mat(picture[0]))
        return np.array(extractor.extract("output")[1])[None]

    return run


def with_onnxruntime(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    network = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return lambda picture: network.run(None, {"x": picture})[0]


def with_torch(tensors, kind):
    torch.set_num_threads(THREADS)
    network = TorchNetwork(tensors).to(kind, memory_format=torch.channels_last).eval()

    @torch.inference_mode()
    def run(picture):
        x = torch.from_numpy(picture).to(kind, memory_format=torch.channels_last)
        return network(x).float().numpy()

    return run
