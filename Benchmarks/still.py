#!/usr/bin/env python3
"""Measures how much faster clips are of which little changes.

    still.py path/to/vsr clip [--size 320x180] [--frames 250] [--rounds 2]

Makes three lossless clips of one: everything moves; a slide-show, in which nine of ten frames repeat; and its
first frame with a cursor that moves all the time. vsr enlarges them in turns, start and x264 included. Prints the
best frames per second of each and its multiple of the first's.
"""

import argparse
import subprocess
import tempfile
from pathlib import Path
from time import monotonic

from machine import commit, machine

RATE = 25
MOVING = "everything moves"
# Filters after the clip has its size and rate.
CLIPS = {
    MOVING: "null",
    "slide-show: nine of ten frames repeat": rf"select=not(mod(n\,10)),setpts=N*10/{RATE}/TB,fps={RATE}",
    "a cursor moves in every frame": rf"select=eq(n\,0),loop=-1:1,setpts=N/{RATE}/TB[a];"
    rf"color=white:s=8x12:r={RATE}[b];[a][b]overlay=x=mod(3*n\,W-w):y=H/3",
}


def make(source, path, filters, size, frames):
    prepared = f"fps={RATE},scale={size.replace('x', ':')},setpts=N/{RATE}/TB"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-stream_loop", "-1", "-i", source, "-an", "-sn",
         "-filter_complex", f"[0:v]{prepared},{filters}", "-frames:v", str(frames), "-c:v", "ffv1", path],
        check=True)


def rate(binary, clip, output, frames):
    began = monotonic()
    subprocess.run([binary, clip, output, "--overwrite", "--quiet", "--threads", "2"], check=True)
    return frames / (monotonic() - began)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("binary")
    parser.add_argument("clip")
    parser.add_argument("--size", default="320x180")
    parser.add_argument("--frames", type=int, default=250)
    parser.add_argument("--rounds", type=int, default=2)
    arguments = parser.parse_args()
    print(f"{machine()}\nvsr {commit()}; {arguments.size} x4, {arguments.frames} frames, two threads\n")
    best = dict.fromkeys(CLIPS, 0.0)
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: Path(folder) / f"{number}.mkv" for number, name in enumerate(CLIPS)}
        for name, filters in CLIPS.items():
            make(arguments.clip, paths[name], filters, arguments.size, arguments.frames)
        for _ in range(arguments.rounds):
            for name, path in paths.items():
                found = rate(arguments.binary, path, Path(folder) / "out.mp4", arguments.frames)
                best[name] = max(best[name], found)
    for name, found in best.items():
        print(f"{name:40} {found:6.1f} fps  {found / best[MOVING]:5.2f}")


main()
