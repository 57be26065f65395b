"""The table of a whole evaluation, and a page of crops to look at."""

import json
from collections import defaultdict
from pathlib import Path
from statistics import mean

import numpy as np
from PIL import Image

from ..data import images
from ..data.reference import REFERENCES
from .flicker import flicker, still_clip
from .measures import COLUMNS, Measures, averaged
from .upscalers import filters

FOLDERS = {
    "Set5": "Set5/HR",
    "Set14": "Set14/HR_selfex_x4",
    "Kodak24": "Kodak24",
    "CID22": "CID22",
}
CROP_SIDE = 128
CROPS_ENLARGED = 2


def testset(root, name, scale, count=None):
    """The ground truths of a set, or the first few of them."""
    paths = images.listing(Path(root) / FOLDERS[name])[:count]
    return [images.cropped(images.read(path), scale) for path in paths]


class Report:
    def __init__(self, upscalers, scale, vgg, folder):
        self.upscalers = filters(scale) + upscalers
        self.scale, self.vgg, self.folder = scale, vgg, Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.results, self.flicker = {}, {}

    def measure(self, name, truths):
        """Adds a test set: every degradation, every upscaler."""
        rows = {degradation: defaultdict(list) for degradation in REFERENCES}
        for number, truth in enumerate(truths):
            measures = Measures(truth, self.vgg)
            for degradation in REFERENCES:
                enlarged = self.enlarged(degradation, truth)
                for upscaler, image in enlarged.items():
                    row = measures(image, enlarged["bicubic"])
                    rows[degradation][upscaler].append(row)
                if number == 0:
                    strip([*enlarged.values(), truth], self.folder / f"{name}-{degradation}.png")
        for degradation, table in rows.items():
            means = {upscaler: averaged(entries) for upscaler, entries in table.items()}
            self.results[f"{name}, {degradation}"] = means
        self.write()

    def enlarged(self, degradation, truth):
        small = REFERENCES[degradation](truth, self.scale)
        return {upscaler.name: upscaler.enlarge(small) for upscaler in self.upscalers}

    def measure_flicker(self, truths):
        """Adds the mean flicker of every upscaler on still clips of the pictures."""
        clips = [still_clip(truth, self.scale) for truth in truths]
        for upscaler in self.upscalers:
            self.flicker[upscaler.name] = mean(flicker(upscaler, clip) for clip in clips)
        self.write()

    def write(self):
        results = {**self.results, "flicker": self.flicker}
        (self.folder / "results.json").write_text(json.dumps(results, indent=1))
        sections = [section(title, table) for title, table in self.results.items()]
        sections += ["### Flicker of a still clip, H.264 ↓\n\n| | code values |\n| --- | --- |"]
        sections += [f"| {name} | {value:.3f} |" for name, value in self.flicker.items()]
        (self.folder / "report.md").write_text("\n".join([*sections, ""]))


def section(title, table):
    headings = [heading for _, heading, _ in COLUMNS]
    lines = [f"### {title}", "", f"| | {' | '.join(headings)} |"]
    lines.append("| --- |" + " --- |" * len(headings))
    for name, row in table.items():
        cells = [f"{row[key]:.{decimals}f}" for key, _, decimals in COLUMNS]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    lines += ["", f"![{title}]({title.replace(', ', '-')}.png)", ""]
    return "\n".join(lines)


def strip(pictures, path):
    """The busiest square of the last picture, side by side from all, at 200%."""
    top, left = busiest(pictures[-1])
    crops = [p[top : top + CROP_SIDE, left : left + CROP_SIDE] for p in pictures]
    row = Image.fromarray(np.concatenate(crops, axis=1))
    size = (row.width * CROPS_ENLARGED, row.height * CROPS_ENLARGED)
    row.resize(size, Image.Resampling.NEAREST).save(path)


def busiest(image):
    """Corner of the square with the largest variance."""
    corners = [
        (top, left)
        for top in range(0, image.shape[0] - CROP_SIDE + 1, CROP_SIDE // 2)
        for left in range(0, image.shape[1] - CROP_SIDE + 1, CROP_SIDE // 2)
    ]
    return max(corners, key=lambda c: image[c[0] : c[0] + CROP_SIDE, c[1] : c[1] + CROP_SIDE].var())
