import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from vsr_training.losses import Losses, Weights, grid, structure

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


def test_structure_is_zero_for_the_same_and_grows_with_what_is_missing():
    texture = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(2)) * 0.3
    assert float(structure(texture, texture)) == pytest.approx(0, abs=1e-6)
    assert 0.01 < float(structure(0.8 * texture, texture)) < float(structure(FLAT, texture)) < 1


def test_structure_is_what_lacks_to_ssim_at_three_sizes():
    generator = torch.Generator().manual_seed(3)
    seen, truth = (torch.rand(96, 96, generator=generator) for _ in range(2))
    lacking = [1 - ssim(reduced(seen, n), reduced(truth, n)) for n in (1, 2, 4)]
    grey = [(2 * image - 1).expand(1, 3, -1, -1) for image in (seen, truth)]
    assert float(structure(*grey)) == pytest.approx(np.mean(lacking), abs=1e-3)


def reduced(plane, factor):
    return plane.double().numpy().reshape(96 // factor, factor, -1, factor).mean((1, 3))


def ssim(a, b):
    """Wang et al. 2004 for planes in [0, 1]; SciPy's Gaussian, and windows that lie inside."""

    def blur(plane):
        return gaussian_filter(plane, 1.5, radius=5)[5:-5, 5:-5]

    mean_a, mean_b = blur(a), blur(b)
    covariance = blur(a * b) - mean_a * mean_b
    variances = blur(a * a) - mean_a**2 + blur(b * b) - mean_b**2
    likeness = (2 * mean_a * mean_b + 1e-4) * (2 * covariance + 9e-4)
    return np.mean(likeness / ((mean_a**2 + mean_b**2 + 1e-4) * (variances + 9e-4)))
