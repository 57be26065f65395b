"""The page of a whole evaluation: requirements, tables, crops."""

import json

from .crops import page
from .goals import all_goals
from .measures import COLUMNS, FRAME_STEP
from .results import Results

INTRODUCTION = f"""# Evaluation

`bicubic` is only reduced; `mild` has blur 0.8, noise 2 and JPEG 80, `strong` blur 1.8, noise 6 and
JPEG 45; `H.264` is x264 at CRF 30. Still clips repeat one picture, with noise 4, through x264 at
CRF 18. Of clips, every {FRAME_STEP}th frame is measured, but all frames for VMAF and flicker: the
mean absolute difference of luma between neighbouring frames along the ground truth's motion.
Grid is the energy at the input's sampling grid against the frequencies beside it: about 1 in
photos, more with a checkerboard. Colour shift is the worst picture's, against bicubic's mean
colour. ↑ more is better, ↓ less.
"""


def write(evaluation, folder):
    folder.mkdir(parents=True, exist_ok=True)
    results = Results(evaluation)
    (folder / "results.json").write_text(json.dumps(results.sets, indent=1))
    parts = [INTRODUCTION, measured(results), *requirements(evaluation, results)]
    for degradation, rows in results.means.items():
        parts += [f"## {degradation}: mean of the sets", table(rows)]
    for source in first_of_sets(evaluation.sources):
        parts += sections(evaluation, results, source, folder)
    (folder / "report.md").write_text("\n\n".join([*parts, ""]))


def measured(results):
    counts = ", ".join(f"{name} {count}" for name, count in results.counts.items())
    return f"Pictures or clips per set: {counts}."


def requirements(evaluation, results):
    parts = ["## Requirements"]
    for upscaler in evaluation.upscalers:
        if upscaler.ours:
            parts.append(f"### {upscaler.name}")
            for kind, goals in all_goals(results, upscaler.name).items():
                parts.append("\n".join(f"- {kind}: {goal}" for goal in goals))
    return parts


def first_of_sets(sources):
    firsts = {source.set: source for source in reversed(sources)}
    return [source for source in sources if firsts[source.set] is source]


def sections(evaluation, results, source, folder):
    """A set's tables, with crops of its first picture."""
    parts = []
    for degradation in source.degradations:
        rows, title = results.sets[degradation][source.set], f"{source.set}, {degradation}"
        image = f"{title.replace(', ', '-').replace(' ', '-')}.png"
        page(evaluation, source, degradation).save(folder / image)
        parts += [f"## {title}", table(rows), f"![{title}]({image})"]
    return parts


def table(rows):
    shown = [c for c in COLUMNS if any(row[c[0]] is not None for row in rows.values())]
    lines = ["| | " + " | ".join(heading for _, heading, _ in shown) + " |"]
    lines.append("| --- |" + " --- |" * len(shown))
    for name, row in rows.items():
        lines.append(f"| {name} | " + " | ".join(cell(row, c) for c in shown) + " |")
    own = next(iter(rows.values()))["own_flicker"]
    note = [] if own is None else [f"\nThe ground truth's own flicker is {own:.3f}."]
    return "\n".join([*lines, *note])


def cell(row, column):
    metric, _, decimals = column
    return "–" if row[metric] is None else f"{row[metric]:.{decimals}f}"
