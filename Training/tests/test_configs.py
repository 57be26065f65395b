from pathlib import Path

import pytest
import torch

from vsr_training import configuration
from vsr_training.methods import METHODS
from vsr_training.networks import build

CONFIGS = sorted((Path(__file__).parents[1] / "configs").glob("*.toml"))
FULL = sorted((Path(__file__).parents[1] / "configs/full").glob("*.toml"))
BUDGETS = {"fast": 0.35e6, "balanced": 1.25e6}


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_configurations_fit_their_budget(path):
    run = configuration.read(path)
    assert build(**run.network).macs_per_pixel <= BUDGETS[path.stem.split("-")[0]]
    assert all(stage.method in METHODS for stage in run.stages)


@pytest.mark.parametrize("path", FULL, ids=lambda path: path.stem)
def test_configurations_of_full_size_have_the_published_networks(path):
    run = configuration.read(path)
    with torch.device("meta"):
        network = build(**run.network)
    count = sum(weight.numel() for weight in network.parameters())
    assert count == {"ctmsr-x4": 171_518_529, "tadsr-x4": 118_593_583}[path.stem]
    assert all(stage.method in METHODS for stage in run.stages)
    files = [file for file in (run.start, run.autoencoder) if file]
    assert all(Path(file).parent == path.parent for file in files)


def test_unknown_settings_are_refused():
    with pytest.raises(ValueError, match="unknown settings: bach"):
        configuration.parsed({"network": {}, "mixture": {}, "bach": 8, "stage": []})


def test_stages_follow_each_other():
    run = configuration.read(CONFIGS[-1])
    first = run.stages[0].iterations
    assert run.stage_at(first - 1) == (0, first - 1)
    assert run.stage_at(first) == (1, 0)
