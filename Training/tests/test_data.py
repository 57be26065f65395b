import numpy as np
import pytest
import torch
import torch.nn.functional as F

from conftest import picture
from vsr_training.data.build import is_held_out
from vsr_training.data.degradation import downscaled, from_bytes
from vsr_training.data.kernels import random_blurs, random_final_sincs
from vsr_training.data.pack import Pack, PackWriter
from vsr_training.data.pairs import Pairs
from vsr_training.data.reference import REFERENCES
from vsr_training.data.settings import SETTINGS
from vsr_training.data.video import CELL_COUNT, FRAME_COUNT, Codec, Pan, mosaic, through_codec


@pytest.mark.parametrize("scale", [2, 4])
@pytest.mark.parametrize("setting", SETTINGS)
def test_degradations_keep_shape_and_range(setting, scale):
    generator = torch.Generator().manual_seed(0)
    batch = from_bytes([picture(seed) for seed in range(3)])
    for _ in range(4):
        small = SETTINGS[setting](generator, batch, scale)
        assert small.shape == (3, 3, 128 // scale, 128 // scale)
        assert 0 <= small.min() and small.max() <= 1


@pytest.mark.parametrize("setting", SETTINGS)
def test_degradations_repeat_with_their_seed(setting):
    batch = from_bytes([picture(0)])
    first, second = (
        SETTINGS[setting](torch.Generator().manual_seed(7), batch, 4) for _ in range(2)
    )
    assert torch.equal(first, second)


@pytest.mark.parametrize("setting", ["camera", "worn"])
def test_every_picture_has_strengths_of_its_own(setting):
    twice = from_bytes([picture(0), picture(0)])
    first, second = SETTINGS[setting](torch.Generator().manual_seed(0), twice, 4)
    assert (first - second).abs().mean() > 1 / 255


def test_worn_loses_more_than_camera_and_both_more_than_clean():
    batch = from_bytes([picture(seed) for seed in range(8)])
    truth = F.avg_pool2d(batch, 4)
    clean, camera, worn = (
        (SETTINGS[name](torch.Generator().manual_seed(0), batch, 4) - truth).square().mean()
        for name in ("clean", "camera", "worn")
    )
    assert clean < camera < worn


def test_kernels_sum_to_one():
    generator = torch.Generator().manual_seed(0)
    blurs = random_blurs(generator, 40, range(3, 20, 2), (0.2, 3.0))
    sincs = random_final_sincs(generator, 40, range(3, 14, 2))
    assert blurs.shape == (40, 19, 19) and sincs.shape == (40, 13, 13)
    assert torch.allclose(blurs.sum((1, 2)), torch.ones(40), atol=1e-5)
    assert torch.allclose(sincs.sum((1, 2)), torch.ones(40), atol=1e-5)


@pytest.mark.parametrize("name", REFERENCES)
def test_references_never_change(name):
    image = picture(1)
    assert REFERENCES[name](image, 4).shape == (32, 32, 3)
    assert np.array_equal(REFERENCES[name](image, 4), REFERENCES[name](image, 4))


CODECS = [
    Codec("libx264", ("-crf", "12")),
    Codec("libvpx-vp9", ("-b:v", "0", "-crf", "12", "-deadline", "realtime", "-cpu-used", "6")),
    Codec("mpeg2video", ("-q:v", "2", "-bf", "2")),
]


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.name)
def test_codecs_keep_colours_and_places(codec):
    generator = torch.Generator().manual_seed(0)
    pans = [Pan(generator, picture(seed, 512), "", 4) for seed in range(CELL_COUNT)]
    random = np.random.default_rng(0)
    frames = [mosaic([pan.frame(i, False, random) for pan in pans]) for i in range(FRAME_COUNT)]
    decoded = through_codec(np.stack(frames), codec)
    error = decoded.astype(float) - np.stack(frames)
    assert np.abs(error.mean((0, 1, 2))).max() < 0.5
    assert np.abs(error).mean() < 8


def test_pans_stay_inside_and_match_their_corners():
    pan = Pan(torch.Generator().manual_seed(3), picture(0, 512), "", 4)
    pan.noise = 0.0
    for time, (top, left) in enumerate(pan.corners):
        window = pan.image[top : top + 384, left : left + 384]
        expected = downscaled(window, 4, pan.resampling)
        assert np.array_equal(pan.field(time, 0.0), expected)


def test_packs_give_back_what_they_took(tmp_path):
    with PackWriter(tmp_path) as writer:
        writer.append(picture(0), "first")
        writer.append(picture(1, 64), "second", top=8, left=16)
    pack = Pack(tmp_path)
    assert np.array_equal(pack[0], picture(0)) and np.array_equal(pack[1], picture(1, 64))
    assert (pack.entries[1].name, pack.entries[1].left) == ("second", 16)


def test_crops_of_one_photo_share_a_side():
    names = [f"photo_lake_{top}_{left}" for top in range(9) for left in (0, 7)]
    assert len({is_held_out(name) for name in names}) == 1


def test_pairs_are_aligned(packs):
    generator = torch.Generator().manual_seed(0)
    lr, truth = Pairs(packs, 4, {"clean": 1.0}, 16).batch(16, generator)
    assert lr.shape == (16, 3, 16, 16) and truth.shape == (16, 3, 64, 64)
    means = torch.nn.functional.avg_pool2d(truth.float(), 4)
    assert (means - lr.float()).abs().mean() < 6
