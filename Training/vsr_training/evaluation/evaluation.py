"""Enlarges every source with every upscaler, measures, and remembers."""

import time
from collections import defaultdict

import numpy as np

from .cache import Cache
from .measures import FRAME_STEP, Measures
from .sources import degraded

CROP_SIDE = 128
# Seconds per measured megapixel, all metrics on one busy core: a guess until it is known.
FIRST_PACE = 12.0


class Evaluation:
    """`upscalers[0]` is bicubic: colours are compared with its."""

    def __init__(self, upscalers, sources, scale, instruments, cache):
        self.upscalers, self.sources, self.scale = upscalers, sources, scale
        self.instruments = instruments
        self.caches = {u.name: Cache(cache, u, instruments) for u in upscalers}
        if len(self.caches) < len(upscalers):
            raise ValueError(f"two of one name: {', '.join(u.name for u in upscalers)}")

    def run(self, say=print):
        """Measures what no earlier evaluation did, and says how long the rest will take."""
        wanted = {source: self.missing(source) for source in self.sources}
        work = {source: megapixels(source.read()) * len(w) for source, w in wanted.items() if w}
        left, done, seconds = sum(work.values()), 0.0, 0.0
        for source, amount in work.items():
            pace = seconds / done if done else self.known_pace()
            say(f"about {pace * left / 60:.0f} min left; {source.set}/{source.name}")
            began = time.monotonic()
            self.measure(source, wanted[source])
            seconds += time.monotonic() - began
            left, done = left - amount, done + amount

    def missing(self, source):
        """Pairs of degradation and upscaler without a row."""
        return [
            (degradation, upscaler)
            for degradation in source.degradations
            for upscaler in self.upscalers
            if source.key(degradation, self.scale) not in self.caches[upscaler.name].rows
        ]

    def known_pace(self):
        """Seconds per megapixel of what lies in the cache."""
        rows = [row for cache in self.caches.values() for row in cache.rows.values()]
        amount = sum(row["megapixels"] for row in rows)
        return sum(row["seconds"] for row in rows) / amount if amount else FIRST_PACE

    def measure(self, source, wanted):
        truths = source.read()
        measures = Measures(truths, self.instruments)
        places = busiest(truths[0]), flattest(truths[0])
        for degradation, upscalers in grouped(wanted).items():
            inputs = degraded(truths, degradation, self.scale)
            bicubic = [self.upscalers[0].enlarge(frame) for frame in inputs]
            for upscaler in upscalers:
                began = time.monotonic()
                frames = [upscaler.enlarge(frame) for frame in inputs]
                row = measures(frames, bicubic)
                row |= {"seconds": time.monotonic() - began, "megapixels": megapixels(truths)}
                crop = np.concatenate([square(frames[0], place) for place in places])
                self.caches[upscaler.name].add(source.key(degradation, self.scale), row, crop)

    def row(self, source, degradation, upscaler):
        return self.caches[upscaler.name].rows[source.key(degradation, self.scale)]

    def crop_path(self, source, degradation, upscaler):
        return self.caches[upscaler.name].crop_path(source.key(degradation, self.scale))


def megapixels(frames):
    """Of the frames that are looked at singly: they take nearly all of the time."""
    return sum(frame.size for frame in frames[::FRAME_STEP]) / 3e6


def grouped(pairs):
    groups = defaultdict(list)
    for degradation, upscaler in pairs:
        groups[degradation].append(upscaler)
    return groups


def square(image, corner):
    top, left = corner
    return image[top : top + CROP_SIDE, left : left + CROP_SIDE]


def corners(image):
    return [
        (top, left)
        for top in range(0, image.shape[0] - CROP_SIDE + 1, CROP_SIDE // 2)
        for left in range(0, image.shape[1] - CROP_SIDE + 1, CROP_SIDE // 2)
    ]


def busiest(image):
    """Corner of the square with the largest variance."""
    return max(corners(image), key=lambda corner: square(image, corner).var())


def flattest(image):
    return min(corners(image), key=lambda corner: square(image, corner).var())
