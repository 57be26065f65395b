import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from conftest import picture
from vsr_training.data import build
from vsr_training.data.build import held_out_sources, is_held_out
from vsr_training.data.degradation import from_bytes
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


MEANS = {"bicubic": (97.954, 72.972), "mild": (98.117, 68.402), "strong": (98.689, 65.850)}


@pytest.mark.parametrize("name", REFERENCES)
def test_references_never_change(name):
    """A blur wider by 0.05, noise stronger by 0.2 or a JPEG better by 1 has other means."""
    small = REFERENCES[name](picture(1), 4)
    assert small.shape == (32, 32, 3)
    assert (small.mean(), small.std()) == pytest.approx(MEANS[name], abs=0.01)
    assert np.array_equal(small, REFERENCES[name](picture(1), 4))


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


@pytest.mark.parametrize("seed", range(8))
def test_pans_stay_inside_and_match_their_corners(seed):
    """Over a slope in which half of every coordinate is a colour."""
    rows, columns = np.mgrid[:512, :512] // 2
    slope = np.stack([rows, columns, 0 * rows], axis=2).astype(np.uint8)
    pan = Pan(torch.Generator().manual_seed(seed), slope, "", 4)
    centres = np.arange(96) * 4 + 1.5
    for time, (top, left) in enumerate(pan.corners):
        assert 0 <= top <= 512 - 384 and 0 <= left <= 512 - 384
        field = pan.field(time, 0.0)
        # The filters are cut off at the window's edge.
        assert np.abs(field[4:-4, :, 0] - (top + centres[4:-4, None]) / 2).max() <= 1
        assert np.abs(field[:, 4:-4, 1] - (left + centres[4:-4]) / 2).max() <= 1


def test_packs_give_back_what_they_took(tmp_path):
    with PackWriter(tmp_path) as writer:
        writer.append(picture(0), "first")
        writer.append(picture(1, 64), "second", top=8, left=16)
    pack = Pack(tmp_path)
    assert np.array_equal(pack[0], picture(0)) and np.array_equal(pack[1], picture(1, 64))
    assert (pack.entries[1].name, pack.entries[1].left) == ("second", 16)


def test_an_old_pack_stays_until_the_new_one_is_whole(tmp_path):
    with PackWriter(tmp_path) as writer:
        writer.append(picture(0), "first")
    mapped = Pack(tmp_path)
    with pytest.raises(KeyboardInterrupt), PackWriter(tmp_path) as writer:
        writer.append(picture(1, 64), "second")
        raise KeyboardInterrupt
    with pytest.raises(ValueError, match="no pictures for"), PackWriter(tmp_path):
        pass
    assert [entry.name for entry in Pack(tmp_path).entries] == ["first"]
    assert len(list(tmp_path.iterdir())) == 2
    with PackWriter(tmp_path) as writer:
        writer.append(picture(1, 64), "second")
    assert np.array_equal(mapped[0], picture(0))
    assert np.array_equal(Pack(tmp_path)[0], picture(1, 64))


def photos(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(0, 64)).save(folder / name)
    return folder


def test_ground_truth_comes_from_pictures_of_different_names(tmp_path):
    folder, root = photos(tmp_path / "photos", "b/lake.png", "c/sea.png"), tmp_path / "packs"
    build.ground_truth(folder, root)
    photos(folder, "d/sea.jpg")
    with pytest.raises(ValueError, match="c/sea.png' and .*d/sea.jpg'"):
        build.ground_truth(folder, root)
    with pytest.raises(ValueError, match="no pictures below '.*nowhere'"):
        build.ground_truth(tmp_path / "nowhere", root)
    packs = [Pack(root / name) for name in ("train", "held-out")]
    assert sorted(pack.entries[0].name for pack in packs) == ["lake", "sea"]


def test_a_broken_picture_leaves_the_old_packs(tmp_path):
    folder, root = photos(tmp_path / "photos", "lake.png", "sea.png"), tmp_path / "packs"
    build.ground_truth(folder, root)
    (folder / "sky.png").write_bytes(b"not a picture")
    with pytest.raises(OSError, match="sky.png"):
        build.ground_truth(folder, root)
    assert len(Pack(root / "train")) == len(Pack(root / "held-out")) == 1


def test_video_needs_pictures_that_are_large_enough(packs):
    with pytest.raises(ValueError, match="video needs 16 pictures of 384×384, not 0"):
        build.low_resolution(packs, "video", 4, 1)


def test_some_source_is_always_held_out():
    shown = [name for name in ("lake", "sea", "sky", "wood") if not is_held_out(name)]
    assert held_out_sources(shown) == {shown[0]}
    assert held_out_sources([f"{shown[1]}_0_0", f"{shown[0]}_0_0"]) == {shown[1]}
    with pytest.raises(ValueError, match="more than one source"):
        held_out_sources([f"{shown[0]}_0_0", f"{shown[0]}_0_7"])


def test_crops_of_one_photo_share_a_side():
    names = [f"photo_lake_{top}_{left}" for top in range(9) for left in (0, 7)]
    assert len({is_held_out(name) for name in names}) == 1


def test_pairs_are_aligned(packs):
    generator = torch.Generator().manual_seed(0)
    lr, truth = Pairs(packs, 4, {"clean": 1.0}, 16).batch(16, generator)
    assert lr.shape == (16, 3, 16, 16) and truth.shape == (16, 3, 64, 64)
    means = F.avg_pool2d(truth.float(), 4)
    assert (means - lr.float()).abs().mean() < 6


def test_pairs_know_at_once_what_they_cannot_draw(packs, tmp_path):
    with pytest.raises(ValueError, match="'picture0' in clean-x4, 64×64, is no patch of 65"):
        Pairs(packs, 4, {"clean": 1.0}, 65)
    for name in ("train", "clean-x4"):
        with PackWriter(tmp_path / name) as writer:
            writer.append(picture(0), f"of {name}")
    with pytest.raises(ValueError, match="'of clean-x4' in clean-x4 has no ground truth"):
        Pairs(tmp_path, 4, {"clean": 1.0}, 16)
