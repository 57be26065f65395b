"""From a file to a file: decode, upscale, x264."""

import subprocess
import time

import numpy as np

# What vsr asks x264 for unless told otherwise.
ENCODER = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "17", "-pix_fmt", "yuv420p"]
FFMPEG = ["ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin", "-y"]


def clip_of(source, width, height, rate, seconds, path):
    """A clip of the wanted size, rate and length that repeats the source."""
    filters = f"scale={width}:{height},fps={rate},setsar=1"
    command = [*FFMPEG, "-stream_loop", "-1", "-i", source, "-t", str(seconds), "-an", "-sn", "-vf", filters]
    subprocess.run([*command, "-c:v", "libx264", "-crf", "18", path], check=True)


def peer_rate(clip, size, rate, enlarge, result):
    """Frames per second of ffmpeg | peer | ffmpeg, all three at work at once."""
    width, height = size
    start, count = time.perf_counter(), 0
    decoder = subprocess.Popen(
        [*FFMPEG, "-i", clip, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], stdout=subprocess.PIPE
    )
    encoder = None
    while data := decoder.stdout.read(width * height * 3):
        large = enlarge(np.frombuffer(data, np.uint8).reshape(height, width, 3))
        encoder = encoder or encoding(large.shape[1], large.shape[0], rate, result)
        encoder.stdin.write(np.ascontiguousarray(large).data)
        count += 1
    encoder.stdin.close()
    if decoder.wait() or encoder.wait():
        raise SystemExit("peers: ffmpeg failed")
    return count / (time.perf_counter() - start), count


def encoding(width, height, rate, result):
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-video_size", f"{width}x{height}", "-framerate", str(rate)]
    command = [*FFMPEG, *raw, "-i", "-", *ENCODER, result]
    return subprocess.Popen(command, stdin=subprocess.PIPE)


def vsr_rate(vsr, clip, model, count, result):
    """Frames per second of the whole program, from its start to its end."""
    start = time.perf_counter()
    subprocess.run([vsr, clip, result, "-m", model, "--threads", "2", "-q", "--overwrite"], check=True)
    return count / (time.perf_counter() - start)
