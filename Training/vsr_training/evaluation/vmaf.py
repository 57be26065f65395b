"""VMAF and VMAF-NEG by libvmaf, in the ffmpeg program of the wheel imageio-ffmpeg."""

import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from ..metrics import luma

# Name in our tables: libvmaf's name. NEG takes no credit for sharpening.
MODELS = {"vmaf": "vmaf_v0.6.1", "vmaf_neg": "vmaf_v0.6.1neg"}


def vmaf(frames, truths):
    """The mean over the frames, by both models; a still picture is a clip of one frame."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("frames", "truths")]
        for path, clip in zip(paths, (frames, truths)):
            path.write_bytes(b"".join(map(planes, clip)))
        scores = Path(folder) / "scores.json"
        subprocess.run(command(paths, frames[0].shape, scores), check=True)
        means = json.loads(scores.read_text())["pooled_metrics"]
    return {name: means[name]["mean"] for name in MODELS}


def planes(frame):
    """yuv420p without colour: VMAF looks at luma only."""
    height, width = frame.shape[:2]
    return luma(frame).round().astype(np.uint8).tobytes() + b"\x80" * (height * width // 2)


def command(paths, shape, scores):
    # Imported late: only the evaluation needs the wheel.
    import imageio_ffmpeg

    size = f"{shape[1]}x{shape[0]}"
    raw = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", size, "-r", "25"]
    inputs = [word for path in paths for word in (*raw, "-i", str(path))]
    models = "|".join(rf"version={version}\:name={name}" for name, version in MODELS.items())
    graph = f"libvmaf=model='{models}':log_fmt=json:log_path={scores}:n_threads=1"
    program = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", *inputs]
    return [*program, "-lavfi", graph, "-f", "null", "-"]
