import pytest
import torch

from vsr_training.losses import Losses, Weights, grid

FLAT = torch.zeros(1, 3, 64, 64)


def pattern(strength):
    """The same 4 × 4 pixels everywhere, with one of them off."""
    block = torch.zeros(4, 4)
    block[1, 2] = strength
    return FLAT + block.repeat(16, 16)


def test_a_pattern_in_every_block_costs():
    # One pixel of 16 is off by 15/16 of the strength from the mean, fifteen by 1/16.
    assert float(grid(pattern(0.4), FLAT, 4)) == pytest.approx(0.4 * 30 / 256)


def test_a_tint_and_the_targets_own_pattern_cost_nothing():
    assert float(grid(FLAT + 0.1, FLAT, 4)) == pytest.approx(0, abs=1e-7)
    assert float(grid(pattern(0.4), pattern(0.4), 4)) == 0


def test_detail_without_a_period_costs_little():
    noise = torch.randn(1, 3, 192, 192, generator=torch.Generator().manual_seed(1)) * 0.1
    assert float(grid(noise, torch.zeros_like(noise), 4)) < 0.02


def test_colour_is_the_inputs_and_not_the_ground_truths():
    losses, generator = Losses(Weights(pixel=0.0, colour=2.0)), torch.Generator()
    brighter = FLAT + 0.1
    assert float(losses(FLAT, brighter, FLAT, generator)["colour"]) == 0
    assert float(losses(FLAT, FLAT, brighter, generator)["colour"]) == pytest.approx(0.2, rel=1e-4)
