"""What a measurement was made on and with."""

import os
import platform
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def machine():
    cpu = next(
        line.partition(": ")[2]
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    )
    return f"{cpu}, {os.cpu_count()} processors; {platform.platform()}"


def has_bf16():
    """Whether the CPU multiplies bfloat16 itself."""
    return "avx512_bf16" in Path("/proc/cpuinfo").read_text()


def commit():
    command = ["git", "-C", ROOT, "describe", "--always", "--dirty", "--abbrev=12"]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip() or "unknown"
