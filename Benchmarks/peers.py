"""Real-ESRGAN's compact networks in `vsr bench` and in OpenVINO and ONNX Runtime, in turns.

python peers.py VSR NCNN_FOLDER PICTURE...: the folder holds the networks in ncnn's format; the pictures
calibrate int8. 320×180 to 1280×720, two threads each, the best of all rounds.
"""

import json
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import openvino
from onnx import TensorProto, helper, numpy_helper

NETWORKS = {"realesr-general-x4v3": "RealESRGAN_General_x4_v3", "realesr-animevideov3": "realesr-animevideov3-x4"}
WIDTH, HEIGHT, SCALE, THREADS, ROUNDS = 320, 180, 4, 2, 3
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


def onnx_model(tensors):
    nodes, constants, x = [], [], "x"
    count = sum(values.ndim == 4 for values in tensors.values())
    for i in range(count):
        weight, bias = tensors[f"body.{2 * i}.weight"], tensors[f"body.{2 * i}.bias"]
        constants += [numpy_helper.from_array(weight, f"w{i}"), numpy_helper.from_array(bias, f"b{i}")]
        nodes.append(helper.make_node("Conv", [x, f"w{i}", f"b{i}"], [f"c{i}"], pads=[1, 1, 1, 1]))
        x = f"c{i}"
        if i < count - 1:
            slopes = tensors[f"body.{2 * i + 1}.weight"].reshape(-1, 1, 1)
            constants.append(numpy_helper.from_array(slopes, f"s{i}"))
            nodes.append(helper.make_node("PRelu", [x, f"s{i}"], [f"p{i}"]))
            x = f"p{i}"
    constants.append(numpy_helper.from_array(np.array([1, 1, SCALE, SCALE], np.float32), "scales"))
    nodes += [
        helper.make_node("DepthToSpace", [x], ["large"], blocksize=SCALE, mode="CRD"),
        helper.make_node(
            "Resize", ["x", "", "scales"], ["nearest"], mode="nearest", nearest_mode="floor",
            coordinate_transformation_mode="asymmetric",
        ),
        helper.make_node("Add", ["large", "nearest"], ["y"]),
    ]
    sizes = [1, 3, HEIGHT, WIDTH], [1, 3, SCALE * HEIGHT, SCALE * WIDTH]
    x, y = (helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in zip("xy", sizes))
    graph = helper.make_graph(nodes, "network", [x], [y], constants)
    opset = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()


def with_openvino(model, precision):
    options = {
        "INFERENCE_NUM_THREADS": THREADS,
        "INFERENCE_PRECISION_HINT": precision,
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": "1",
    }
    core = openvino.Core()
    request = core.compile_model(core.read_model(model), "CPU", options).create_infer_request()
    return lambda picture: request.infer({0: picture})


def with_onnxruntime(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    network = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return lambda picture: network.run(None, {"x": picture})


def timed(run):
    """Seconds per frame, the best of five."""
    picture = np.random.default_rng(0).random((1, 3, HEIGHT, WIDTH), np.float32)
    run(picture)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        run(picture)
        times.append(time.perf_counter() - start)
    return min(times)


def vsr_seconds(vsr, model, precision):
    arguments = ["--precision", precision, "--threads", str(THREADS), "--video-size", f"{WIDTH}x{HEIGHT}"]
    command = [vsr, "bench", "-m", model, *arguments, "--frames", "0", "--seconds", "1.5", "--json"]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return 1 / json.loads(output)["engine_fps"]


def measure(vsr, model, peers):
    best = {}
    for _ in range(ROUNDS):
        results = {name: timed(run) for name, run in peers.items()}
        results |= {f"vsr {p}": vsr_seconds(vsr, model, p) for p in ("fp32", "bf16", "int8")}
        best = {name: min(seconds, best.get(name, seconds)) for name, seconds in results.items()}
    return best


def main(vsr, folder, pictures):
    with tempfile.TemporaryDirectory() as scratch:
        for name, stem in NETWORKS.items():
            tensors = read_ncnn(Path(folder) / stem)
            plain, model = Path(scratch) / f"{name}.safetensors", Path(scratch) / f"{name}-int8.safetensors"
            write_safetensors(tensors, plain)
            command = [vsr, "models", "quantize", plain, "--calibrate", *pictures, "-o", model]
            print(subprocess.run(command, check=True, capture_output=True, text=True).stderr.strip())
            network = onnx_model(tensors)
            peers = {f"OpenVINO {p}": with_openvino(network, p) for p in ("f32", "bf16")}
            peers["ONNX Runtime f32"] = with_onnxruntime(network)
            best = measure(vsr, model, peers)
            print(f"{name}, seconds per frame of {WIDTH}x{HEIGHT}, and OpenVINO bf16's time as a multiple")
            for peer, seconds in best.items():
                print(f"  {peer:18} {seconds:.4f}  {best['OpenVINO bf16'] / seconds:.2f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
