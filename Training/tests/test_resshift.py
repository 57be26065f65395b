import pytest
import torch

from vsr_training.methods.batch import Batch
from vsr_training.resshift import ResShift


def test_schedule_is_the_teachers():
    roots = ResShift().eta.sqrt()
    expected = [0.02, 0.117165, 0.475858, 0.99]
    assert roots[[0, 1, 7, 14]].tolist() == pytest.approx(expected, abs=1e-5)


def test_last_step_is_the_start_of_inference():
    assert float(ResShift().sigma(torch.tensor(14))) == pytest.approx(1)


def test_sampling_ends_where_the_network_points():
    x0 = torch.rand(1, 3, 8, 8)
    batch = Batch(torch.zeros(1, 3, 2, 2), torch.zeros(1, 3, 8, 8), x0)
    assert torch.equal(ResShift().sampled(lambda *_: x0, torch.randn(1, 3, 8, 8), batch), x0)


def test_sampling_stays_on_the_path_of_a_perfect_network():
    diffusion, visited = ResShift(), []
    x0, noise = torch.rand(1, 3, 8, 8), torch.randn(1, 3, 8, 8)
    batch = Batch(torch.zeros(1, 3, 2, 2), torch.rand(1, 3, 8, 8), x0)

    def perfect(z, *_):
        visited.append(z)
        return x0

    start = diffusion.point(x0, batch.bicubic, noise, torch.tensor(14))
    diffusion.sampled(perfect, start, batch)
    for t, z in zip(reversed(range(15)), visited):
        expected = diffusion.point(x0, batch.bicubic, noise, torch.tensor(t))
        assert torch.allclose(z, expected, atol=1e-5)


def test_noise_is_recovered():
    diffusion, t = ResShift(), torch.tensor([3])
    x0, bicubic, noise = torch.randn(3, 1, 3, 8, 8)
    z = diffusion.point(x0, bicubic, noise, t)
    assert torch.allclose(diffusion.noise(z, x0, bicubic, t), noise, atol=1e-5)
