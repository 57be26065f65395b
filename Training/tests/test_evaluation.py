import json

from conftest import picture
from vsr_training import export
from vsr_training.evaluation import report, upscalers
from vsr_training.evaluation.flicker import flicker, still_clip
from vsr_training.networks.compact import Compact


def test_report_has_a_row_for_every_upscaler(vgg, tmp_path):
    export.save(Compact(8, 4), tmp_path / "ours.safetensors")
    ours = upscalers.model(tmp_path / "ours.safetensors")
    written = report.Report([ours], 4, vgg, tmp_path / "report")
    written.measure("Set5", [picture(0, 192)])
    results = json.loads((tmp_path / "report/results.json").read_text())
    assert list(results) == ["Set5, bicubic", "Set5, mild", "Set5, strong", "flicker"]
    for table in list(results.values())[:3]:
        assert list(table) == ["bicubic", "Lanczos", "ours"]
        # Untrained, ours is the bicubic enlargement and 0.25% of noise.
        assert abs(table["ours"]["psnr_y"] - table["bicubic"]["psnr_y"]) < 0.1
        assert table["bicubic"]["colour_shift"] == 0
    assert "| Lanczos |" in (tmp_path / "report/report.md").read_text()
    assert (tmp_path / "report/Set5-strong.png").exists()


def test_noise_makes_a_still_clip_flicker():
    bicubic = upscalers.filters(4)[0]
    clip = still_clip(picture(0, 256), 4)
    frozen = [clip[0]] * len(clip)
    assert flicker(bicubic, frozen) == 0
    assert 0.05 < flicker(bicubic, clip) < 5


def test_peers_are_chosen_by_scale():
    assert upscalers.scale_of("realesr-animevideov3-x2") == 2
    assert upscalers.scale_of("spanx4_ch48") == 4
