"""A run's log as curves in an SVG: losses, validation score, and metrics beside bicubic's."""

import json
from collections import defaultdict
from html import escape
from pathlib import Path

NOT_LOSSES = {"kind", "iteration", "hours", "rate"}
COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd")
WIDTH, HEIGHT, MARGIN, LEFT = 720, 170, 28, 70


def write(run):
    """`run/log.jsonl` as `run/log.svg`."""
    folder = Path(run)
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    (folder / "log.svg").write_text(drawn(panels(lines), levels(lines)))
    return folder / "log.svg"


def panels(lines):
    """Points (iteration, value) by panel and curve; a resumed run's repeated lines come last."""
    curves = defaultdict(lambda: defaultdict(dict))
    for line in lines:
        for panel, curve, value in values(line):
            curves[panel][curve][line["iteration"]] = value
    return {
        panel: {name: sorted(points.items()) for name, points in group.items()}
        for panel, group in curves.items()
    }


def values(line):
    if line["kind"] == "train":
        yield from ((f"loss: {k}", k, v) for k, v in line.items() if k not in NOT_LOSSES)
    if line["kind"] == "validation":
        yield "validation score", "score", line["score"]
        yield from metrics(line)


def metrics(line):
    for degradation, row in line.items():
        if isinstance(row, dict):
            yield from ((f"validation: {metric}", degradation, v) for metric, v in row.items())


def levels(lines):
    """Bicubic's value by panel and curve."""
    first = [line for line in lines if line["kind"] == "bicubic"][:1]
    return {(panel, curve): value for line in first for panel, curve, value in metrics(line)}


def drawn(panels, levels):
    if not panels:
        raise ValueError("the log has no line to draw")
    last = max(x for group in panels.values() for points in group.values() for x, _ in points)
    parts = [
        f'<g transform="translate(0,{number * HEIGHT})">{panel(title, group, levels, last)}</g>'
        for number, (title, group) in enumerate(sorted(panels.items()))
    ]
    size = f'width="{WIDTH}" height="{HEIGHT * len(panels)}"'
    font = 'font-family="sans-serif" font-size="11"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font}>'
    paper = '<rect width="100%" height="100%" fill="white"/>'
    return "\n".join([head, paper, *parts, "</svg>", ""])


def panel(title, group, levels, last):
    """One diagram: title and names above, lowest and highest value on the left."""
    bicubic = {curve: levels[title, curve] for curve in group if (title, curve) in levels}
    heights = [y for points in group.values() for _, y in points] + list(bicubic.values())
    low, high = min(heights), max(heights)

    def place(x, y):
        across = LEFT + (WIDTH - LEFT - MARGIN) * x / max(last, 1)
        share = (y - low) / (high - low) if high > low else 0.5
        return f"{across:.1f},{HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * share:.1f}"

    parts = [frame(title, low, high, last)]
    for number, (name, points) in enumerate(group.items()):
        colour = COLOURS[number % len(COLOURS)]
        parts.append(line(" ".join(place(*point) for point in points), colour))
        if name in bicubic:
            ends = " ".join(place(x, bicubic[name]) for x in (0, last))
            parts.append(line(ends, colour, 'stroke-dasharray="4 4"'))
        parts.append(text(LEFT + 180 + 90 * number, 16, name, f'fill="{colour}"'))
    return "".join(parts)


def frame(title, low, high, last):
    bottom, right = HEIGHT - MARGIN, WIDTH - MARGIN
    box = f'<path d="M{LEFT} {MARGIN}V{bottom}H{right}" fill="none" stroke="#999"/>'
    ends = 'text-anchor="end"'
    return "".join(
        [
            box,
            text(LEFT, 16, title),
            text(LEFT - 4, MARGIN + 8, f"{high:.4g}", ends),
            text(LEFT - 4, bottom, f"{low:.4g}", ends),
            text(right, bottom + 14, str(last), ends),
        ]
    )


def line(points, colour, style=""):
    return f'<polyline points="{points}" fill="none" stroke="{colour}" {style}/>'


def text(x, y, words, style=""):
    return f'<text x="{x}" y="{y}" {style}>{escape(words)}</text>'
