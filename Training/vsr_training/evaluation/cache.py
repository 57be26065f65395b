"""Measurements that need not be repeated: one file per upscaler, one line per picture."""

import hashlib
import json
from pathlib import Path

from PIL import Image

# Raise it when a metric, a degradation or the inference changes its numbers.
VERSION = 3


def digest(*paths):
    """Twelve digits that change with the files."""
    return hashlib.sha256(b"".join(Path(path).read_bytes() for path in paths)).hexdigest()[:12]


class Cache:
    """The rows of one upscaler by one set of instruments; another file of weights under the same
    name begins anew, whether it enlarges or measures."""

    def __init__(self, folder, upscaler, instruments):
        stem = f"{upscaler.name}-{upscaler.identity}-{instruments.identity}-v{VERSION}"
        self.path, self.crops = Path(folder) / f"{stem}.jsonl", Path(folder) / stem
        self.crops.mkdir(parents=True, exist_ok=True)
        self.rows = {}
        if self.path.exists():
            lines = map(json.loads, self.path.read_text().splitlines())
            self.rows = {line.pop("key"): line for line in lines}

    def add(self, key, row, crop):
        self.rows[key] = row
        Image.fromarray(crop).save(self.crop_path(key))
        with open(self.path, "a") as file:
            file.write(json.dumps({"key": key, **row}) + "\n")

    def crop_path(self, key):
        return self.crops / f"{key.replace('/', '-')}.png"
