#!/usr/bin/env python3
"""Measures the papers' networks at full size against PyTorch on the same machine in the same run.

    papers.py path/to/vsr [--rounds 3] [--seconds 4] [--network CTMSR]

One picture of 64×64, random weights, two threads. Prints by how much vsr has more pictures per second
and takes less processor time than PyTorch in the layout of memory that is faster for the network, then the
same ratios to PyTorch as the authors' code runs it, then the figures; a ratio below what is required ends it
with 1.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import monotonic, process_time

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "Training"))

import torch  # noqa: E402

from machine import commit, has_bf16, machine  # noqa: E402
from vsr_training.full_size import EXAMPLES  # noqa: E402

THREADS = 2
SIDE = 64
PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16}
# How the authors' code runs, and what a user may ask PyTorch for.
LAYOUTS = (torch.contiguous_format, torch.channels_last)
REQUIRED = {
    ("CTMSR", "fp32"): 1.2,
    ("CTMSR", "bf16"): 1.5,
    ("TAD-SR", "fp32"): 1.3,
    ("TAD-SR", "bf16"): 1.5,
}


class Program:
    """vsr's engine: every worker has a picture of its own."""

    def __init__(self, binary, weights, precision, seconds):
        self.command = [binary, "bench", "--json", "--frames", "0", "--seconds", str(seconds)]
        self.command += ["--video-size", f"{SIDE}x{SIDE}", "--threads", str(THREADS)]
        self.command += ["--precision", precision, *weights]

    def figures(self):
        """Pictures per second, and seconds of processor time per picture."""
        run = subprocess.run(self.command, check=True, capture_output=True, text=True)
        figures = json.loads(run.stdout)
        return figures["engine_fps"], figures["engine_processor_seconds_per_frame"]


class PyTorch:
    """One picture after the other, in one layout of memory."""

    def __init__(self, example, precision, seconds):
        self.network = example.network.to(PRECISIONS[precision])
        self.inputs = [tensor.to(PRECISIONS[precision]) for tensor in example.inputs]
        self.seconds = seconds

    def arrange(self, layout):
        def arranged(tensor):
            return tensor.to(memory_format=layout) if tensor.dim() == 4 else tensor

        self.network.to(memory_format=layout)
        self.inputs = [arranged(tensor) for tensor in self.inputs]
        self.run()  # warms up

    @torch.inference_mode()
    def run(self):
        start = monotonic()
        self.network(*self.inputs)
        return monotonic() - start

    def cost(self):
        """Processor time per picture on one thread, where no thread spins while it waits."""
        torch.set_num_threads(1)
        start = process_time()
        self.run()
        spent = process_time() - start
        torch.set_num_threads(THREADS)
        return spent

    def figures(self, layout):
        """Pictures per second, and seconds of processor time per picture."""
        self.arrange(layout)
        cost = self.cost()
        self.run()  # warms up again, as the program does
        times, start = [], monotonic()
        while not times or monotonic() - start < self.seconds:
            times.append(self.run())
        return 1 / median(times), cost


def measure(name, precision, binary, options):
    """Prints a row and returns whether both ratios to PyTorch's faster layout are as required."""
    example = EXAMPLES[name](torch.rand(1, 3, SIDE, SIDE) * 2 - 1)
    with tempfile.TemporaryDirectory() as folder:
        program = Program(binary, example.save(folder), precision, options.seconds)
        example.states.clear()
        peer = PyTorch(example, precision, options.seconds)
        rounds = [
            (program.figures(), *(peer.figures(layout) for layout in LAYOUTS))
            for _ in range(options.rounds)
        ]
    published, best = 1, 1 + max(range(2), key=lambda i: median(run[1 + i][0] for run in rounds))
    faster, cheaper = (ratios(rounds, best, figure) for figure in (0, 1))
    required = REQUIRED[name, precision]
    rates, costs = ([median(run[i][figure] for run in rounds) for i in range(3)] for figure in (0, 1))
    print(
        f"{name:<7} {precision}  {spread(faster)}  {spread(cheaper)}  {required:8.1f}"
        f"  {median(ratios(rounds, published, 0)):5.2f} {median(ratios(rounds, published, 1)):5.2f}"
        f"  {rates[0]:6.3f} {rates[1]:6.3f} {rates[2]:6.3f}"
        f"  {costs[0]:6.2f} {costs[1]:6.2f} {costs[2]:6.2f}  {os.getloadavg()[0]:4.1f}",
        flush=True,
    )
    return min(median(faster), median(cheaper)) >= required


def ratios(rounds, layout, figure):
    """How many times better vsr's figure is: more pictures per second, or fewer seconds."""
    return sorted((run[0][figure] / run[layout][figure]) ** (1 if figure == 0 else -1) for run in rounds)


def spread(ratios):
    return f"{median(ratios):5.2f} ({ratios[0]:.2f}…{ratios[-1]:.2f})"


HEADER = """
                 ratio of           ratio of                      as published    pictures/s             processor s
network          rates              processor time   required      rate  time     vsr PyTorch   last     vsr PyTorch   last  load
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--network", choices=sorted({name for name, _ in REQUIRED}), help="only one")
    options = parser.parse_args()

    torch.set_num_threads(THREADS)
    print(f"{machine()}\nvsr {commit()}, PyTorch {torch.__version__}; {THREADS} threads each")
    print(f"load average at the start {os.getloadavg()[0]:.1f}; median (and range) of {options.rounds} rounds\n")
    print(HEADER.strip("\n"))
    chosen = [key for key in REQUIRED if options.network in (None, key[0])]
    if not has_bf16():
        print("no bf16: this CPU has no instructions for it", flush=True)
        chosen = [key for key in chosen if key[1] != "bf16"]
    met = [measure(*key, options.binary, options) for key in chosen]
    if not all(met):
        sys.exit("papers: a ratio is below what is required")


if __name__ == "__main__":
    main()
