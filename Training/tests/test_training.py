import json
from dataclasses import replace
from statistics import fmean

import numpy as np
import pytest
import torch

from conftest import picture, stage, tiny_run
from vsr_training import export
from vsr_training.data.pack import PackWriter
from vsr_training.losses import charbonnier
from vsr_training.methods import METHODS
from vsr_training.methods.batch import Batch, gaussian
from vsr_training.networks import Compact
from vsr_training.trainer import Trainer, rate_at
from vsr_training.trajectory import point
from vsr_training.validation import Validation

# So many iterations that what is learnt stands out from what one more seed or CPU makes of it.
REGRESSION = stage("regression", 200)
# Gentle, and mostly with the ground truth as target: small networks diverge otherwise.
CONSISTENCY = stage(
    "consistency", 600, rate=1e-3, final_rate=1e-4, options={"anchor": 0.75}
)
MATCHING = dict(
    CONSISTENCY, method="trajectory matching", options={"anchor": 0.75, "weight": 0.1}
)

DIFFUSION = stage(
    "diffusion", 400, rate=1e-3, final_rate=2e-4, options={"steps": 5}, loss={"pixel": 1.0}
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
    training = trainer(tiny_run(dict(REGRESSION, iterations=600)), packs, vgg, tmp_path)
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


def test_resuming_goes_on_with_the_same_dropout(packs, vgg, tmp_path):
    full = {"kind": "ctmsr", "channels": 32, "blocks": 1, "swin_width": 32, "swin_heads": 2}
    run = tiny_run(stage("regression", 2, loss={"pixel": 1.0}))
    run = replace(run, network=full, patch=64, batch=1)
    whole = trainer(run, packs, vgg, tmp_path / "whole", bf16=False)
    whole.train()
    trainer(run, packs, vgg, tmp_path / "parts", bf16=False).train(until=1)
    rest = trainer(run, packs, vgg, tmp_path / "parts", bf16=False)
    rest.resume()
    rest.train()
    assert same_weights(whole.network, rest.network)


def test_checkpoints_hold_the_noise_of_the_device(packs, vgg, tmp_path, monkeypatch):
    training, brought_back = trainer(tiny_run(REGRESSION), packs, vgg, tmp_path), []
    training.device = torch.device("cuda")
    states = [torch.arange(4, dtype=torch.uint8)]
    monkeypatch.setattr(torch.cuda, "get_rng_state_all", lambda: states)
    monkeypatch.setattr(torch.cuda, "set_rng_state_all", brought_back.extend)
    training.save("checkpoint.pt")
    training.resume()
    assert torch.equal(brought_back[0], states[0])


def test_what_is_not_finite_ends_a_run_and_leaves_its_checkpoint(packs, vgg, tmp_path):
    training = trainer(tiny_run(REGRESSION), packs, vgg, tmp_path)
    training.train(until=2)
    before = (tmp_path / "checkpoint.pt").read_bytes()
    next(training.network.parameters()).data.fill_(torch.nan)
    with pytest.raises(ValueError, match="no finite loss or gradient at iteration 2"):
        training.train()
    assert (tmp_path / "checkpoint.pt").read_bytes() == before


def test_a_rate_needs_no_warm_up():
    stages = [tiny_run(stage("regression", 8, warm_up=n)).stages[0] for n in (0, 1)]
    assert rate_at(stages[0], 0) == rate_at(stages[1], 0) == 4e-3


def test_vgg16_must_see_a_part_of_the_patch(packs, vgg, tmp_path):
    run = replace(tiny_run(REGRESSION), perceptual_crop=65)
    with pytest.raises(ValueError, match="perceptual_crop is 65, and not from 16 to 64"):
        trainer(run, packs, vgg, tmp_path)


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
    line = json.loads((tmp_path / "log.jsonl").read_text().splitlines()[-1])
    assert line["kind"] == "validation" and line["bicubic"]["psnr_y"] > 10
    network, facts = export.from_checkpoint(run, tmp_path / "best.pt")
    assert facts["iterations"] == 4 and facts["method"] == "regression with 0.1 VGG16"


def test_validation_takes_what_it_can_see(vgg, tmp_path):
    with PackWriter(tmp_path) as writer:
        for image in (picture(0, 64)[:8], picture(0, 40), picture(0, 128)):
            writer.append(image, "picture")
    truths = Validation(tmp_path, 4, vgg).truths
    assert [truth.shape[0] for truth in truths] == [40, 128]
    assert np.array_equal(truths[1], picture(0, 128))
    with PackWriter(tmp_path) as writer:
        writer.append(picture(0, 64)[:8], "picture")
    with pytest.raises(ValueError, match="no picture in .* has 16 pixels a side"):
        Validation(tmp_path, 4, vgg)
