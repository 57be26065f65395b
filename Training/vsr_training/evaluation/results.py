"""Means of what was measured: per set, and over the sets."""

from collections import defaultdict
from dataclasses import dataclass
from statistics import mean

from ..data.reference import REFERENCES
from .measures import COLUMNS

METRICS = [metric for metric, _, _ in COLUMNS] + ["own_flicker"]


@dataclass(frozen=True)
class Shift:
    """The picture whose mean colour moved most."""

    amount: float
    source: str
    degradation: str


class Results:
    """`sets[degradation][set][upscaler]` and `means[degradation][upscaler]` are rows of metrics."""

    def __init__(self, evaluation):
        grouped = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
        self.shifts, self.counts = {}, defaultdict(int)
        for source in evaluation.sources:
            self.counts[source.set] += 1
            for degradation in source.degradations:
                for upscaler in evaluation.upscalers:
                    row = evaluation.row(source, degradation, upscaler)
                    grouped[degradation][source.set][upscaler.name].append(row)
                    self.note(upscaler.name, row, source, degradation)
        self.sets = {
            degradation: {name: averaged_all(rows) for name, rows in sets.items()}
            for degradation, sets in grouped.items()
        }
        self.means = {name: mean_of(self.sets[name]) for name in REFERENCES if name in self.sets}

    def note(self, upscaler, row, source, degradation):
        shift = Shift(row["colour_shift"], f"{source.set}/{source.name}", degradation)
        worst = self.shifts.get(upscaler, shift)
        self.shifts[upscaler] = max(worst, shift, key=lambda s: s.amount)


def averaged_all(rows):
    return {upscaler: averaged(entries) for upscaler, entries in rows.items()}


def mean_of(sets):
    """Every set counts the same, however many pictures it has."""
    upscalers = next(iter(sets.values()))
    return {name: averaged([rows[name] for rows in sets.values()]) for name in upscalers}


def averaged(rows):
    """Mean of every metric where it exists; of the colour shift the worst."""
    means = {metric: known_mean([row[metric] for row in rows]) for metric in METRICS}
    return {**means, "colour_shift": max(row["colour_shift"] for row in rows)}


def known_mean(values):
    known = [value for value in values if value is not None]
    return mean(known) if known else None
