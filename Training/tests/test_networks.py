import pytest
import torch
from safetensors.torch import load_file, save_file

from conftest import picture
from vsr_training import export
from vsr_training.inference import as_batch, as_image, one_step, padded, start, upscaled
from vsr_training.networks.compact import Compact
from vsr_training.networks.ctmsr import CTMSR
from vsr_training.trajectory import grid, point_count, preconditioning


def test_compact_is_the_pilot(shared):
    network = export.load(shared / "models/pilot-x4/model.safetensors")
    io = load_file(shared / "models/pilot-x4/io.safetensors")
    bicubic, _ = start(io["lr"], 4)
    with torch.no_grad():
        output = network(io["bicubic"] + io["noise"], torch.ones(1), io["lr"], io["bicubic"])
    assert (bicubic - io["bicubic"]).abs().max() < 1e-5
    assert (output - io["output"]).abs().max() < 1e-4


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_untrained_network_is_bicubic(scale):
    lr = as_batch(picture(0, 32))
    bicubic, noise = start(lr, scale)
    with torch.no_grad():
        output = Compact(8, 4, scale)(bicubic + noise, torch.ones(1), lr, bicubic)
    assert output.shape == bicubic.shape
    # c_skip lets 0.25% of the noise through.
    assert (output - bicubic).abs().max() < 0.015


def test_clean_end_is_identity():
    lr = as_batch(picture(0, 32))
    bicubic, noise = start(lr, 4)
    assert torch.equal(Compact(8, 4)(noise, torch.zeros(1), lr, bicubic), noise)


def test_preconditioning_matches_the_table():
    c_skip, c_out = preconditioning(torch.tensor([0.25, 0.5, 1.0]))
    assert torch.allclose(c_skip, torch.tensor([0.0384615, 0.0099010, 0.0024938]), atol=1e-6)
    assert torch.allclose(c_out, torch.tensor([0.9805807, 0.9950372, 0.9987523]), atol=1e-6)


def test_grid_shrinks_as_released():
    assert [point_count(k, 502_000, 4, 3) for k in (0, 250_999, 251_000, 501_999)] == [5, 5, 4, 4]
    assert torch.allclose(grid(4), torch.tensor([0, 1 / 3, 2 / 3, 1]))


NETWORKS = [
    Compact(features=8, body=5, scale=2, residual_every=2),
    CTMSR(channels=32, blocks=1, swin_width=32, swin_heads=2),
]


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.sizes["network"])
def test_pictures_of_any_size_are_enlarged(network):
    image = picture(0, 64)[:40, :51]
    height, width = 40 * network.scale, 51 * network.scale
    assert upscaled(network.eval(), image).shape == (height, width, 3)
    whole = picture(0, 64)
    lr = as_batch(whole)
    plain = as_image(one_step(network, lr, *start(lr, network.scale)))
    assert (upscaled(network, whole) == plain).all()


def test_small_pictures_are_mirrored_more_than_once():
    line = padded(picture(0, 64)[:1, :3], 8)
    assert line.shape == (8, 8, 3)
    assert (line[5, [3, 4, 5, 6, 7]] == picture(0, 64)[0, [1, 0, 1, 2, 1]]).all()


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.sizes["network"])
def test_export_round_trips(network, tmp_path):
    torch.nn.init.normal_(list(network.eval().parameters())[-1], std=0.1)
    export.save(network, tmp_path / "model.safetensors", iterations=3)
    export.save_example(network, picture(0, 64), tmp_path / "io.safetensors")
    copy = export.load(tmp_path / "model.safetensors")
    io = load_file(tmp_path / "io.safetensors")
    with torch.no_grad():
        output = copy(io["bicubic"] + io["noise"], torch.ones(1), io["lr"], io["bicubic"])
    assert copy.sizes == network.sizes
    assert torch.equal(output, io["output"])


def test_weights_move_a_share_of_the_way(tmp_path):
    end, start_of_run = Compact(features=8, body=4), Compact(features=8, body=4)
    ends = {name: weight.clone() for name, weight in end.state_dict().items()}
    export.save(start_of_run, tmp_path / "weights.safetensors")
    export.move_towards(end, tmp_path / "weights.safetensors", 0.25)
    starts = start_of_run.state_dict()
    for name, weight in end.state_dict().items():
        assert torch.allclose(weight, 0.75 * ends[name] + 0.25 * starts[name], atol=1e-6)
    assert not torch.equal(end.state_dict()["head.weight"], ends["head.weight"])


def test_tables_of_positions_stay_on_the_way(tmp_path):
    network = NETWORKS[1]
    export.save(network, tmp_path / "weights.safetensors")
    before = {name: weight.clone() for name, weight in network.state_dict().items()}
    export.move_towards(network, tmp_path / "weights.safetensors", 0.3)
    for name, weight in network.state_dict().items():
        assert torch.allclose(weight, before[name])


def test_only_equal_networks_have_a_way_between_them(tmp_path):
    export.save(Compact(features=12, body=4), tmp_path / "weights.safetensors")
    with pytest.raises(ValueError, match="another kind or size"):
        export.move_towards(Compact(features=8, body=4), tmp_path / "weights.safetensors", 0.3)


def test_an_old_file_stays_until_the_new_one_is_whole(tmp_path, monkeypatch):
    path = tmp_path / "weights.safetensors"
    export.save(Compact(8, 4), path)
    before = path.read_bytes()

    def broken(_, file, metadata):
        file.write_bytes(before[:99])
        raise OSError("no space left")

    monkeypatch.setattr(export, "save_file", broken)
    with pytest.raises(OSError, match="no space left"):
        export.save(Compact(8, 4), path)
    assert path.read_bytes() == before


def test_files_without_a_network_are_refused(tmp_path):
    save_file({"weight": torch.zeros(1)}, tmp_path / "weights.safetensors")
    with pytest.raises(ValueError, match="does not say what network it holds"):
        export.load(tmp_path / "weights.safetensors")
    facts = {"network": "compact", "features": "8", "body": "4"}
    save_file({"weight": torch.zeros(1)}, tmp_path / "weights.safetensors", facts)
    with pytest.raises(ValueError, match="holds the weights of another network"):
        export.load(tmp_path / "weights.safetensors")
