import pytest
import torch
import torch.nn.functional as F

from vsr_training import perceptual


def features(seed, dtype=torch.float32):
    """Some of ordinary length, some short, some zero."""
    values = torch.randn(2, 16, 6, 8, generator=torch.Generator().manual_seed(seed))
    values[0, :, :3, 1:4] *= 1e-5
    values[1, :, 2] = 0
    return values.to(dtype).contiguous(memory_format=torch.channels_last).requires_grad_()


def by_normalizing(f, o):
    a, b = (F.normalize(x.float(), dim=1, eps=1e-3) for x in (f, o))
    return (a - b).square().sum(1).mean((1, 2))


@pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-6), (torch.bfloat16, 8e-3)])
def test_distance_and_its_gradient_are_those_of_unit_vectors(dtype, tolerance):
    f, same, o = features(1, dtype), features(1, dtype), features(2, dtype)
    ours, expected = perceptual.distance([f], [o.detach()]), by_normalizing(same, o.detach())
    torch.testing.assert_close(ours, expected, rtol=1e-5, atol=1e-6)
    ours.sum().backward()
    expected.sum().backward()
    assert f.grad.dtype == dtype
    torch.testing.assert_close(f.grad, same.grad, rtol=tolerance, atol=1e-6)


@pytest.mark.parametrize("height, width", [(6, 8), (5, 7), (4, 7)])
def test_halving_takes_the_maximum_of_four(height, width):
    f, same = (features(3)[:, :, :height, :width] for _ in range(2))
    torch.testing.assert_close(perceptual.halved(f), F.max_pool2d(same, 2), rtol=0, atol=0)
