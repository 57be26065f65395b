from pathlib import Path

import pytest
import torch

from conftest import stage
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


def test_starts_come_from_another_run_or_from_a_model_that_ships():
    """Weights elsewhere are ignored by git and would be missing in a clone."""
    starts = [Path(run.start) for run in map(configuration.read, CONFIGS) if run.start]
    shipped = [start for start in starts if "runs" not in start.parts]
    models = (Path(__file__).parents[2] / "Models").glob("*/weights.safetensors")
    assert shipped and {start.resolve() for start in shipped} <= set(models)


def test_unknown_settings_are_refused():
    with pytest.raises(ValueError, match="unknown settings: bach"):
        configuration.parsed({"network": {}, "mixture": {}, "bach": 8, "stage": []})


STAGE = stage("regression", 1)
DISTILLATION = stage("distillation", 1, loss={})
TADSR = {"network": {"kind": "tadsr"}, "autoencoder": "vq.pth", "start": "teacher.pth"}
MISTAKES = [
    ("missing settings: mixture", {"mixture": None}),
    ("missing settings: network", {"network": None}),
    ("needs a .*stage", {"stage": []}),
    ("needs a .*mixture", {"mixture": {}}),
    ("unknown networks: resnet", {"network": {"kind": "resnet"}}),
    ("unknown settings of a network: depth", {"network": {"depth": 4}}),
    ("unknown settings of a network: scale", {"network": {"kind": "ctmsr", "scale": 2}}),
    ("unknown methods: gan", {"stage": [STAGE | {"method": "gan"}]}),
    ("unknown losses: lpips", {"stage": [STAGE | {"loss": {"lpips": 1.0}}]}),
    ("unknown settings of a stage: speed", {"stage": [STAGE | {"speed": 1}]}),
    ("missing settings of a stage: .*rate", {"stage": [{"method": "regression", "loss": {}}]}),
    ("unknown options of 'regression': anchor", {"stage": [STAGE | {"options": {"anchor": 1}}]}),
    ("'regression' cannot train a network 'tadsr'", TADSR),
    (
        "'distillation' cannot train a network 'ctmsr'",
        {"network": {"kind": "ctmsr"}, "start": "teacher.pth", "stage": [DISTILLATION]},
    ),
    ("need each other", {"network": {"kind": "tadsr"}, "stage": [DISTILLATION]}),
    ("'distillation' needs a teacher", {"stage": [DISTILLATION]}),
    (
        "'distillation' has no use for a loss 'pixel'",
        {"stage": [STAGE, DISTILLATION | {"loss": {"pixel": 1.0}}]},
    ),
]


@pytest.mark.parametrize("message, change", MISTAKES, ids=[message for message, _ in MISTAKES])
def test_what_cannot_be_trained_is_refused(message, change):
    table = {"network": {}, "mixture": {"clean": 1.0}, "stage": [STAGE], **change}
    with pytest.raises(ValueError, match=message):
        configuration.parsed({name: value for name, value in table.items() if value is not None})


def test_stages_follow_each_other():
    run = configuration.read(CONFIGS[-1])
    first = run.stages[0].iterations
    assert run.stage_at(first - 1) == (0, first - 1)
    assert run.stage_at(first) == (1, 0)
