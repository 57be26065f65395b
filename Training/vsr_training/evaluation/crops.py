"""Crops of all upscalers side by side, with their names."""

import numpy as np
from PIL import Image, ImageDraw

from .evaluation import busiest, flattest, square

ENLARGED = 2
PER_ROW = 3
LABEL_HEIGHT = 14


def page(evaluation, source, degradation):
    """The busiest and the flattest square of a source's first frame, from everyone at 200%."""
    truth = source.read()[0]
    tiles = [
        (upscaler.name, Image.open(evaluation.crop_path(source, degradation, upscaler)))
        for upscaler in evaluation.upscalers
    ]
    both = [square(truth, place) for place in (busiest(truth), flattest(truth))]
    return grid([*tiles, ("ground truth", Image.fromarray(np.concatenate(both)))])


def grid(tiles):
    """Pictures of one size in rows, each below its name."""
    width, height = (side * ENLARGED for side in tiles[0][1].size)
    rows = -(-len(tiles) // PER_ROW)
    sheet = Image.new("RGB", (PER_ROW * width, rows * (height + LABEL_HEIGHT)), "white")
    draw = ImageDraw.Draw(sheet)
    for number, (name, tile) in enumerate(tiles):
        row, column = divmod(number, PER_ROW)
        corner = (column * width, row * (height + LABEL_HEIGHT))
        draw.text((corner[0] + 2, corner[1] + 1), name, fill="black")
        enlarged = tile.resize((width, height), Image.Resampling.NEAREST)
        sheet.paste(enlarged, (corner[0], corner[1] + LABEL_HEIGHT))
    return sheet
