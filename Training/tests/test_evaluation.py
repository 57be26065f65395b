import json

from conftest import picture
from vsr_training import export
from vsr_training.evaluation import report, upscalers
from vsr_training.networks.compact import Compact


def test_report_has_a_row_for_every_upscaler(vgg, tmp_path):
    export.save(Compact(8, 4), tmp_path / "ours.safetensors")
    ours = upscalers.model(tmp_path / "ours.safetensors")
    written = report.Report([ours], 4, vgg, tmp_path / "report")
    written.measure("Set5", [picture(0, 192)])
    results = json.loads((tmp_path / "report/results.json").read_text())
    assert list(results) == ["Set5, bicubic", "Set5, mild", "Set5, strong"]
    for table in results.values():
        assert list(table) == ["bicubic", "Lanczos", "ours"]
        # Untrained, ours is the bicubic enlargement and 0.25% of noise.
        assert abs(table["ours"]["psnr_y"] - table["bicubic"]["psnr_y"]) < 0.1
        assert table["bicubic"]["colour_shift"] == 0
    assert "| Lanczos |" in (tmp_path / "report/report.md").read_text()
    assert (tmp_path / "report/Set5-strong.png").exists()


def test_peers_are_chosen_by_scale():
    assert upscalers.scale_of("realesr-animevideov3-x2") == 2
    assert upscalers.scale_of("spanx4_ch48") == 4
