"""What codecs do to moving pictures: short pans through FFmpeg at low bit rates.

Sixteen pans share one small video, as a 4×4 mosaic of cells, so that a whole training set takes
minutes. The side of a cell is a multiple of 16, the block of MPEG-2 and H.264: neighbours hardly
touch.
"""

import subprocess
from dataclasses import dataclass

import numpy as np

from .degradation import DOWNSCALERS, downscaled
from .kernels import chance, choice, uniform

CELL_SIDE = 96
CELLS_PER_ROW = 4
CELL_COUNT = CELLS_PER_ROW**2
FRAME_COUNT = 10
# References have decayed by then into what long videos show; the first frames are too good.
KEPT_FRAMES = (4, 7, 9)
FASTEST = 6  # ground truth pixels per field; 20 fields of it fit beside a window
ROUND = ["-sws_flags", "accurate_rnd+full_chroma_int+bicubic"]  # the fast path shifts colours


@dataclass(frozen=True)
class Codec:
    """How a video is encoded, and the filter behind its decoder."""

    name: str
    options: tuple
    interlaced: bool = False
    after: str = "null"


def random_codec(generator):
    family = choice(generator, ["h264", "mpeg2", "vp9", "interlaced"], [0.45, 0.2, 0.2, 0.15])
    if family == "h264":
        preset = choice(generator, ["veryfast", "fast", "superfast"])
        return Codec("libx264", ("-preset", preset, "-crf", quality(generator, 20, 36)))
    if family == "vp9":
        speed = ("-deadline", "realtime", "-cpu-used", "6", "-b:v", "0")
        return Codec("libvpx-vp9", (*speed, "-crf", quality(generator, 28, 54)))
    options = ("-q:v", quality(generator, 3, 14), "-bf", "2")
    if family == "mpeg2":
        return Codec("mpeg2video", options)
    # Half of the lines come from the next field, and the deinterlacer guesses them again.
    interlacing = ("-flags", "+ildct+ilme", "-top", "1")
    after = "setfield=tff,yadif=mode=0:deint=all"
    return Codec("mpeg2video", (*options, *interlacing), interlaced=True, after=after)


def quality(generator, low, high):
    return str(int(uniform(generator, low, high + 1)))


def through_codec(frames, codec):
    """T×H×W×3 bytes encoded as yuv420p and decoded again."""
    height, width = frames.shape[1:3]
    quiet = ["ffmpeg", "-v", "error", "-threads", "1", "-filter_threads", "1"]
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24"]
    source = [*raw, "-s", f"{width}x{height}", "-r", "25", "-i", "-", "-pix_fmt", "yuv420p", *ROUND]
    target = ["-c:v", codec.name, *codec.options, "-threads", "1", "-f", "matroska", "-"]
    encoded = run([*quiet, *source, *target], frames.tobytes())
    passthrough = [*ROUND, "-vf", codec.after, "-fps_mode", "passthrough"]
    decoded = run([*quiet, "-i", "-", *passthrough, *raw, "-"], encoded)
    return np.frombuffer(decoded, np.uint8).reshape(-1, height, width, 3)


def run(command, data):
    return subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout


class Pan:
    """A window that moves over a still picture; time counts fields, two per frame."""

    def __init__(self, generator, image, name, scale):
        self.image, self.name, self.scale = image, name, scale
        self.side = CELL_SIDE * scale
        self.resampling = choice(generator, DOWNSCALERS)
        self.noise = uniform(generator, 0, 3) if chance(generator, 0.5) else 0.0
        moves = not chance(generator, 0.25)
        tracks = [self.track(generator, length, moves) for length in image.shape[:2]]
        self.corners = list(zip(*tracks))

    def track(self, generator, length, moves):
        """Where the window begins along one axis, for every field."""
        room = length - self.side
        fastest = min(FASTEST, room / (2 * FRAME_COUNT)) if moves else 0
        speed = uniform(generator, -fastest, fastest)
        path = speed * np.arange(2 * FRAME_COUNT)
        start = uniform(generator, -path.min(), room - path.max())
        return (start + path).astype(int)

    def field(self, time, noise):
        top, left = self.corners[time]
        window = self.image[top : top + self.side, left : left + self.side]
        small = downscaled(window, self.scale, self.resampling).astype(np.float32)
        return (small + self.noise * noise).round().clip(0, 255).astype(np.uint8)

    def frame(self, index, interlaced, random):
        noise = random.standard_normal((CELL_SIDE, CELL_SIDE, 3), np.float32)
        frame = self.field(2 * index, noise)
        if interlaced:
            frame[1::2] = self.field(2 * index + 1, noise)[1::2]
        return frame


def mosaic(cells):
    """Sixteen H×W×3 cells as one picture."""
    rows = [cells[i : i + CELLS_PER_ROW] for i in range(0, CELL_COUNT, CELLS_PER_ROW)]
    return np.concatenate([np.concatenate(row, axis=1) for row in rows])


def cell(picture, number):
    top, left = (CELL_SIDE * n for n in divmod(number, CELLS_PER_ROW))
    return picture[top : top + CELL_SIDE, left : left + CELL_SIDE]


def degraded_pans(generator, pans):
    """Sixteen pans through one random codec: yields cell, pan, and its corner in the picture."""
    codec = random_codec(generator)
    random = np.random.default_rng(int(uniform(generator, 0, 2**31)))
    frames = [
        mosaic([pan.frame(index, codec.interlaced, random) for pan in pans])
        for index in range(FRAME_COUNT)
    ]
    decoded = through_codec(np.stack(frames), codec)
    for index in KEPT_FRAMES:
        for number, pan in enumerate(pans):
            yield cell(decoded[index], number), pan, pan.corners[2 * index]
