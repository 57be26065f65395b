"""Real-ESRGAN's compact networks in vsr and in other libraries, in turns on this machine.

python -m peers VSR NCNN_FOLDER CLIP RESULT PICTURE...: the folder holds the networks in ncnn's format,
the pictures calibrate int8. Engines turn one picture of 320×180 into 1280×720; whole runs decode CLIP,
upscale and encode with x264. Two threads each, the best of all rounds. Writes RESULT.txt and RESULT.svg.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from machine import commit, has_bf16, machine

from . import whole_runs
from .chart import chart
from .engines import THREADS, engines, frame_engines
from .networks import read_ncnn, write_safetensors

NETWORKS = {"realesr-general-x4v3": "RealESRGAN_General_x4_v3", "realesr-animevideov3": "realesr-animevideov3-x4"}
WHOLE_RUN = "realesr-animevideov3"
PRECISIONS = ("fp32", "bf16", "int8") if has_bf16() else ("fp32", "int8")
REFERENCE = "OpenVINO bf16" if has_bf16() else "OpenVINO fp32"
WIDTH, HEIGHT, RATE, SECONDS, ROUNDS = 320, 180, 25, 12, 3
ENGINE_SECONDS = 1.5


def patch(path):
    """The upper left of a picture, repeated where it is smaller than the frame."""
    picture = np.asarray(Image.open(path).convert("RGB"))
    repeats = (-(-HEIGHT // picture.shape[0]), -(-WIDTH // picture.shape[1]), 1)
    return np.tile(picture, repeats)[:HEIGHT, :WIDTH]


def peer_rate(run):
    """Frames per second after the first, over as long as `vsr bench` measures."""
    picture = np.random.default_rng(0).random((1, 3, HEIGHT, WIDTH), np.float32)
    run(picture)
    start, count = time.perf_counter(), 0
    while time.perf_counter() - start < ENGINE_SECONDS:
        run(picture)
        count += 1
    return count / (time.perf_counter() - start)


def engine_rate(vsr, model, precision):
    arguments = ["--precision", precision, "--threads", str(THREADS), "--video-size", f"{WIDTH}x{HEIGHT}"]
    command = [vsr, "bench", "-m", model, *arguments, "--frames", "0", "--seconds", str(ENGINE_SECONDS), "--json"]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(output)["engine_fps"]


def best(measure):
    """The highest rate of every name over the rounds."""
    rounds = [measure() for _ in range(ROUNDS)]
    return {name: max(rates[name] for rates in rounds) for name in rounds[0]}


def engine_rates(vsr, model, peers):
    rates = {name: peer_rate(run) for name, run in peers.items()}
    return rates | {f"vsr {p}": engine_rate(vsr, model, p) for p in PRECISIONS}


def whole_rates(vsr, clip, model, peers, folder):
    rates, count = {}, 0
    for name, enlarge in peers.items():
        rates[name], count = whole_runs.peer_rate(clip, (WIDTH, HEIGHT), RATE, enlarge, folder / "peer.mp4")
    for name, weights in {"vsr fast": "fast", f"vsr {WHOLE_RUN} int8": model}.items():
        rates[name] = whole_runs.vsr_rate(vsr, clip, weights, count, folder / "vsr.mp4")
    return rates


def table(title, rates, reference):
    rows = [f"{title}: frames per second, and as a multiple of {reference}"]
    rows += [f"  {name:27} {rate:7.2f}  {rate / rates[reference]:.2f}" for name, rate in rates.items()]
    return "\n".join(rows)


def networks(vsr, folder, pictures, scratch):
    """Of every network its name, files and tensors, and the file that vsr has quantized."""
    for name, stem in NETWORKS.items():
        stem = Path(folder) / stem
        tensors = read_ncnn(stem)
        plain, model = scratch / f"{name}.safetensors", scratch / f"{name}-int8.safetensors"
        write_safetensors(tensors, plain)
        command = [vsr, "models", "quantize", plain, "--calibrate", *pictures, "-o", model]
        print(subprocess.run(command, check=True, capture_output=True, text=True).stderr.strip(), flush=True)
        yield name, stem, tensors, model


def measured(vsr, folder, source, pictures, scratch):
    """Titles, rates, and what the others are a multiple of, one measurement after the other."""
    patches = [patch(path) for path in pictures]
    clip = scratch / "clip.mp4"
    whole_runs.clip_of(source, WIDTH, HEIGHT, RATE, SECONDS, clip)
    for name, stem, tensors, model in networks(vsr, folder, pictures, scratch):
        peers = engines(stem, tensors, WIDTH, HEIGHT, patches)
        title = f"{name}, engine alone, {WIDTH}×{HEIGHT} ×4"
        yield title, best(lambda: engine_rates(vsr, model, peers)), REFERENCE
        if name == WHOLE_RUN:
            peers = frame_engines(stem, tensors, WIDTH, HEIGHT, patches)
            title = f"{name} and fast, decode to x264, {WIDTH}×{HEIGHT} ×4"
            yield title, best(lambda: whole_rates(vsr, clip, model, peers, scratch)), REFERENCE


def main(vsr, folder, source, result, *pictures):
    load = os.getloadavg()[0]
    report = [f"{machine()}\nvsr {commit()}; {THREADS} threads each; load average at the start {load:.1f}"]
    print(report[0], flush=True)
    groups = {}
    with tempfile.TemporaryDirectory() as scratch:
        for title, rates, reference in measured(vsr, folder, source, pictures, Path(scratch)):
            report.append(table(title, rates, reference))
            print(f"\n{report[-1]}", flush=True)
            groups[f"{title}: frames per second"] = rates
    Path(f"{result}.txt").write_text("\n\n".join(report) + "\n")
    Path(f"{result}.svg").write_text(chart(groups))


if __name__ == "__main__":
    main(*sys.argv[1:])
