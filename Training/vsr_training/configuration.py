"""One training run, as a TOML file says it."""

import tomllib
from dataclasses import MISSING, dataclass, field, fields, replace
from pathlib import Path

from .compatibility import check, check_stage, choose
from .losses import Weights


@dataclass(frozen=True)
class Stage:
    """A method with its length, its rates and its losses; the rate falls along a cosine."""

    method: str
    iterations: int
    rate: float
    final_rate: float
    loss: Weights
    warm_up: int = 500
    options: dict = field(default_factory=dict)

    @property
    def summary(self):
        perceptual = self.loss.perceptual
        return f"{self.method} with {perceptual} VGG16" if perceptual else self.method


@dataclass(frozen=True)
class Run:
    """`start` is a file of weights to begin with, `autoencoder` that of networks over latents; in a
    TOML file both are relative to it."""

    network: dict
    mixture: dict
    stages: tuple
    batch: int = 8
    patch: int = 48
    perceptual_crop: int = 96
    perceptual_count: int = 2
    clip: float = 1.0
    ema: float = 0.999
    seed: int = 0
    start: str = ""
    autoencoder: str = ""
    description: str = ""

    @property
    def kind(self):
        return self.network.get("kind", "compact")

    @property
    def iterations(self):
        return sum(stage.iterations for stage in self.stages)

    def stage_at(self, iteration):
        """The stage's number and the iteration inside it."""
        for number, stage in enumerate(self.stages):
            if iteration < stage.iterations:
                return number, iteration
            iteration -= stage.iterations
        raise ValueError("the run is over")


def read(path):
    with open(path, "rb") as file:
        run = parsed(tomllib.load(file))
    named = {name: getattr(run, name) for name in ("start", "autoencoder")}
    return replace(run, **{n: str(Path(path).parent / file) for n, file in named.items() if file})


def parsed(table):
    table = dict(table)
    stages = tuple(map(stage, table.pop("stage", ())))
    run = made(Run, {**table, "stages": stages}, "settings")
    check(run)
    return run


def stage(table):
    entry = made(Stage, table, "settings of a stage")
    check_stage(entry)
    return replace(entry, loss=made(Weights, entry.loss, "losses"))


def made(kind, table, what):
    """A value of a data class from a table, which has all that has no default and nothing else."""
    choose(what, table, {entry.name for entry in fields(kind)})
    missing = [
        entry.name
        for entry in fields(kind)
        if entry.default is entry.default_factory is MISSING and entry.name not in table
    ]
    if missing:
        raise ValueError(f"missing {what}: {', '.join(missing)}")
    return kind(**table)
