import json
from statistics import fmean

import pytest
import torch

from conftest import stage, tiny_run
from vsr_training import export
from vsr_training.losses import charbonnier
from vsr_training.methods import METHODS
from vsr_training.methods.batch import Batch, gaussian
from vsr_training.networks import Compact
from vsr_training.trainer import Trainer
from vsr_training.trajectory import point
from vsr_training.validation import Validation

REGRESSION = stage("regression", 200)
# Gentle, and mostly with the ground truth as target: small networks diverge otherwise.
CONSISTENCY = stage(
    "consistency", 200, rate=1e-3, final_rate=1e-4, options={"anchor": 0.75}
)
MATCHING = dict(
    CONSISTENCY, method="trajectory matching", options={"anchor": 0.75, "weight": 0.1}
)

DIFFUSION = stage(
    "diffusion", 200, rate=1e-3, final_rate=2e-4, options={"steps": 5}, loss={"pixel": 1.0}
)
DISTILLATION = stage("distillation", 80, rate=1e-3, options={"steps": 5}, loss={})


def trainer(run, packs, vgg, folder, **options):
    return Trainer(run, packs, vgg, folder, compiled=False, **options)


@torch.no_grad()
def error(training, t):
    """Charbonnier distance to the ground truth, from one point of a path that never changes."""
    generator = torch.Generator().manual_seed(5)
    batch = Batch.from_bytes(*training.pairs.batch(8, generator))
    x = point(batch.truth, batch.bicubic, gaussian(batch.truth, generator), t)
    prediction = training.network(x, torch.tensor([t]), batch.lr, batch.bicubic)
    return float(charbonnier(prediction, batch.truth))


def test_regression_learns_the_start(packs, vgg, tmp_path):
    training = trainer(tiny_run(REGRESSION), packs, vgg, tmp_path)
    before = error(training, 1.0)
    training.train()
    assert error(training, 1.0) < 0.97 * before


def test_consistency_learns_the_path(packs, vgg, tmp_path):
    training = trainer(tiny_run(REGRESSION, CONSISTENCY), packs, vgg, tmp_path)
    training.train(until=REGRESSION["iterations"])
    before = error(training, 1 / 3)
    training.train()
    assert error(training, 1 / 3) < 0.97 * before


def test_matching_goes_on_learning(packs, vgg, tmp_path):
    training = trainer(tiny_run(REGRESSION, MATCHING), packs, vgg, tmp_path)
    training.train(until=REGRESSION["iterations"])
    before = error(training, 1 / 3)
    assert training.step()["matching"] > 0
    training.train()
    assert error(training, 1 / 3) < 0.97 * before


def test_distillation_approaches_its_teacher(packs, vgg, tmp_path):
    training = trainer(tiny_run(DIFFUSION, DISTILLATION), packs, vgg, tmp_path)
    untaught = error(training, 1 / 3)
    training.train(until=DIFFUSION["iterations"])
    assert error(training, 1 / 3) < 0.99 * untaught
    distances = [training.step()["regression"] for _ in range(DISTILLATION["iterations"])]
    assert fmean(distances[-20:]) < 0.9 * fmean(distances[:20])


@pytest.mark.parametrize("steps, small", [(15, 3), (4, 1)])
def test_high_frequencies_are_scored_in_the_first_fifth_of_the_steps(steps, small):
    method = METHODS["distillation"](Compact(8, 4), None, 1, steps=steps, first=0.1)
    assert method.small_times == small
    assert float(method.diffusion.eta[0].sqrt()) == pytest.approx(0.1)


def test_teacher_and_student_hold_the_colour_where_a_run_says_so(packs, vgg, tmp_path):
    coloured = {"loss": {"colour": 1.0}, "iterations": 1}
    stages = [DIFFUSION | coloured, DISTILLATION | coloured]
    training = trainer(tiny_run(*stages), packs, vgg, tmp_path)
    assert all(training.step()["colour"] > 0 for _ in stages)


def same_weights(first, second):
    pairs = zip(first.state_dict().values(), second.state_dict().values())
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("last", [MATCHING, DISTILLATION], ids=lambda entry: entry["method"])
def test_resuming_gives_the_same_numbers(last, packs, vgg, tmp_path):
    run = tiny_run(*(dict(entry, iterations=6, warm_up=2) for entry in (REGRESSION, last)))
    whole = trainer(run, packs, vgg, tmp_path / "whole")
    whole.train()
    # In the middle of the last stage, whose frozen network must come back too.
    trainer(run, packs, vgg, tmp_path / "parts").train(until=run.iterations - 4)
    rest = trainer(run, packs, vgg, tmp_path / "parts")
    rest.resume()
    rest.train()
    assert same_weights(whole.network, rest.network)
    assert same_weights(whole.ema.network, rest.ema.network)


def test_an_iteration_beyond_the_end_is_the_end(packs, vgg, tmp_path):
    run = tiny_run(stage("regression", 2))
    trainer(run, packs, vgg, tmp_path).train(until=3)
    rest = trainer(run, packs, vgg, tmp_path)
    rest.resume()
    assert rest.iteration == 2


def test_validation_scores_and_keeps_the_best(packs, vgg, tmp_path):
    run = tiny_run(stage("regression", 4))
    validation = Validation(packs / "held-out", 4, vgg)
    training = trainer(run, packs, vgg, tmp_path, validation=validation)
    training.train()
    training.validate()
    line = json.loads((tmp_path / "log.jsonl").read_text().splitlines()[-1])
    assert line["kind"] == "validation" and line["bicubic"]["psnr_y"] > 10
    network, facts = export.from_checkpoint(run, tmp_path / "best.pt")
    assert facts["iterations"] == 4 and facts["method"] == "regression with 0.1 VGG16"
