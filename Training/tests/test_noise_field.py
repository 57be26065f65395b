import numpy as np
import pytest

from vsr_training.noise_field import noise, philox


# From kat_vectors of Random123, the library of the paper's authors.
@pytest.mark.parametrize(
    "counter, key, expected",
    [
        ([0] * 4, [0] * 2, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            [0xA4093822, 0x299F31D0],
            [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
        ),
    ],
)
def test_philox_gives_the_known_answers(counter, key, expected):
    assert np.array_equal(philox(counter, key), expected)


def test_noise_is_standard_normal():
    samples = noise(200, 150, seed=3 << 40)
    assert samples.shape == (1, 3, 200, 150)
    assert abs(samples.mean()) < 0.01 and abs(samples.std() - 1) < 0.01
