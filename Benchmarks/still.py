#!/usr/bin/env python3
"""Measures how much faster clips are of which little changes.

    still.py path/to/vsr clip [--size 320x180] [--frames 250] [--rounds 2]

Makes three lossless clips of one: everything moves; a slide-show, in which nine of ten frames repeat; and its
first frame with a cursor that moves all the time. Each is made twice: in FFV1, which stores every frame anew, and in
H.264 as programs that record screens write it, which stores what changes. vsr enlarges them in turns, start and x264
included. Prints the best frames per second of each and its multiple of the first's in the same codec.
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

CODECS = {"FFV1": ["ffv1"], "H.264": ["libx264", "-qp", "0"]}


def make(source, path, filters, codec, size, frames):
    prepared = f"fps={RATE},scale={size.replace('x', ':')},setpts=N/{RATE}/TB"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-stream_loop", "-1", "-i", source, "-an", "-sn",
         "-filter_complex", f"[0:v]{prepared},{filters}", "-frames:v", str(frames), "-c:v", *codec, path],
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
    best = {(codec, name): 0.0 for codec in CODECS for name in CLIPS}
    with tempfile.TemporaryDirectory() as folder:
        paths = {kind: Path(folder) / f"{number}.mkv" for number, kind in enumerate(best)}
        for (codec, name), path in paths.items():
            make(arguments.clip, path, CLIPS[name], CODECS[codec], arguments.size, arguments.frames)
        for _ in range(arguments.rounds):
            for kind, path in paths.items():
                found = rate(arguments.binary, path, Path(folder) / "out.mp4", arguments.frames)
                best[kind] = max(best[kind], found)
    for (codec, name), found in best.items():
        print(f"{codec:6} {name:40} {found:6.1f} fps  {found / best[codec, MOVING]:5.2f}")


main()
