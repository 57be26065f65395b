import numpy as np
import pytest

from conftest import picture
from vsr_training.metrics import colour_shift, luma, psnr_y, ssim_y


def test_luma_of_grey_spans_the_video_range():
    levels = np.array([[[0] * 3, [255] * 3]], np.uint8)
    assert luma(levels) == pytest.approx(np.array([[16, 235]]))


def test_one_level_of_noise_has_the_known_psnr():
    image = np.full((32, 32, 3), 100, np.uint8)
    # One code value in RGB is 219/255 in Y.
    assert psnr_y(image + 1, image) == pytest.approx(20 * np.log10(255 / (219 / 255)))


def test_ssim_is_one_only_for_equal_pictures():
    image = picture(0)
    assert ssim_y(image, image) == pytest.approx(1)
    assert ssim_y(np.roll(image, 1, axis=0), image) < 0.99


def test_colour_shift_takes_the_worst_channel():
    image = np.full((8, 8, 3), 100, np.uint8)
    assert colour_shift(image + np.array([0, 2, 1], np.uint8), image) == 2
