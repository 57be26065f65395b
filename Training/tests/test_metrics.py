import numpy as np
import pytest
import torch
from scipy.ndimage import correlate

from conftest import picture
from vsr_training.evaluation.ssimulacra2 import ssimulacra2
from vsr_training.inference import as_batch
from vsr_training.metrics import colour_shift, luma, psnr_y, ssim_y
from vsr_training.perceptual import distance


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


def grey(side, level):
    return np.full((side, side, 3), level, np.uint8)


def noise(side, seed=42):
    """Bytes of a linear congruential generator, as the published pictures have them."""
    levels = []
    for _ in range(side * side * 3):
        seed = (seed * 6364136223846793005 + 1442695040888963407) % 2**64
        levels.append(seed >> 33 & 255)
    return np.array(levels, np.uint8).reshape(side, side, 3)


def slope(side):
    line = (np.arange(side) * 255 // (side - 1)).astype(np.uint8)
    return np.broadcast_to(line[:, None], (side, side, 3))


@pytest.mark.parametrize(
    ("image", "truth", "score"),
    [
        (grey(64, 133), grey(64, 128), 91.5236),
        (grey(128, 138), grey(128, 128), 77.8430),
        (grey(64, 178), grey(64, 128), -8.7594),
        (grey(256, 178), grey(256, 128), -0.3909),
        (grey(64, 128), slope(64), -64.5687),
        (grey(64, 128), noise(64), -47.3357),
    ],
)
def test_ssimulacra2_has_the_scores_of_libjxl(image, truth, score):
    """Scores of libjxl's tool, as published in imazen/ssimulacra2's `reference_data.rs`."""
    assert ssimulacra2(image, truth) == pytest.approx(score, abs=0.05)


def test_vgg_distance_is_that_of_a_plain_forward_pass(vgg):
    image, truth = picture(0, 64), picture(1, 64)
    with torch.no_grad():
        ours = float(distance(vgg(as_batch(image)), vgg(as_batch(truth))))
    blocks = zip(plain_features(vgg, image), plain_features(vgg, truth))
    expected = [np.square(unit(f) - unit(g)).sum(0).mean() for f, g in blocks]
    assert ours == pytest.approx(np.mean(expected), rel=1e-4)


def unit(features):
    return features / np.sqrt(np.square(features).sum(0)).clip(min=1e-3)


def plain_features(vgg, image):
    """Convolutions one by one on BGR without ImageNet's means."""
    means = np.array([103.939, 116.779, 123.68])
    h, features = (image[..., ::-1] - means).transpose(2, 0, 1), []
    for number, block in enumerate(vgg.blocks):
        if number:
            h = h.reshape(len(h), h.shape[1] // 2, 2, h.shape[2] // 2, 2).max((2, 4))
        for layer in block:
            weights, biases = layer.weight.numpy(), layer.bias.numpy()
            h = np.stack([convolved(h, w) + b for w, b in zip(weights, biases)]).clip(min=0)
        features.append(h)
    return features


def convolved(planes, kernels):
    return sum(correlate(p, k, mode="constant") for p, k in zip(planes, kernels))
