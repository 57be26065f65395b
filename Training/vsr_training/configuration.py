"""One training run, as a TOML file says it."""

import tomllib
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

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
    stages = tuple(stage(entry) for entry in table.pop("stage"))
    unknown = set(table) - {entry.name for entry in fields(Run)}
    if unknown:
        raise ValueError(f"unknown settings: {', '.join(sorted(unknown))}")
    return Run(stages=stages, **table)


def stage(table):
    table = dict(table)
    return Stage(loss=Weights(**table.pop("loss")), **table)
