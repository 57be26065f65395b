"""A pack: many pictures in one file, mapped into memory and read without decoding.

`pixels.bin` holds the H×W×3 bytes of every picture one after the other; `index.tsv` has one line
per picture with its name, its size, and where in the ground truth of that name its corner lies.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Entry:
    """One picture: `top` and `left` count pixels of the ground truth called `name`."""

    name: str
    height: int
    width: int
    top: int = 0
    left: int = 0

    @property
    def byte_count(self):
        return 3 * self.height * self.width

    def line(self):
        return f"{self.name}\t{self.height}\t{self.width}\t{self.top}\t{self.left}\n"

    @classmethod
    def parsed(cls, line):
        name, *numbers = line.rstrip("\n").split("\t")
        return cls(name, *map(int, numbers))


class Pack:
    def __init__(self, folder):
        folder = Path(folder)
        with open(folder / "index.tsv") as index:
            self.entries = [Entry.parsed(line) for line in index]
        self.offsets = np.cumsum([0] + [entry.byte_count for entry in self.entries])
        self.pixels = np.memmap(folder / "pixels.bin", np.uint8, mode="r")

    def __len__(self):
        return len(self.entries)

    def __getitem__(self, position):
        entry, offset = self.entries[position], self.offsets[position]
        flat = self.pixels[offset : offset + entry.byte_count]
        return flat.reshape(entry.height, entry.width, 3)


class PackWriter:
    """Appends pictures to a new pack; use as a context.

    An old pack stays until the new one is whole, and longer for those who have it mapped.
    """

    def __init__(self, folder):
        self.folder = Path(folder)
        self.is_empty = True

    def __enter__(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        self.index = open(self.folder / "index.tsv.new", "w")
        self.pixels = open(self.folder / "pixels.bin.new", "wb")
        return self

    def __exit__(self, error, *_):
        self.index.close()
        self.pixels.close()
        if not error and not self.is_empty:
            return self.replace()
        self.discard()
        if not error:
            raise ValueError(f"no pictures for '{self.folder}'")

    def append(self, image, name, top=0, left=0):
        self.index.write(Entry(name, *image.shape[:2], top, left).line())
        self.pixels.write(np.ascontiguousarray(image).tobytes())
        self.is_empty = False

    def discard(self):
        for file in (self.index, self.pixels):
            Path(file.name).unlink()

    def replace(self):
        """No index is there while the pixels are not those that it describes."""
        (self.folder / "index.tsv").unlink(missing_ok=True)
        for file in (self.pixels, self.index):
            Path(file.name).rename(file.name.removesuffix(".new"))
