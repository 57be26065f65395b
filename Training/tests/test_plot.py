import json
import xml.etree.ElementTree as ET

import pytest

from vsr_training import plot

ROW = {"psnr_y": 30.0, "vgg": 0.5}
LINES = [
    {"kind": "bicubic", "iteration": 0, "hours": 0, "mild": ROW},
    {"kind": "train", "iteration": 100, "hours": 0.1, "rate": 1e-3, "pixel": 0.2},
    {"kind": "train", "iteration": 200, "hours": 0.2, "rate": 1e-3, "pixel": 0.1},
    {"kind": "validation", "iteration": 200, "hours": 0.2, "score": 1.5, "mild": ROW},
    {"kind": "train", "iteration": 200, "hours": 0.2, "rate": 1e-3, "pixel": 0.15},
]


def test_every_loss_and_metric_has_a_panel(tmp_path):
    (tmp_path / "log.jsonl").write_text("\n".join(map(json.dumps, LINES)))
    drawing = ET.parse(plot.write(tmp_path)).getroot()
    words = {element.text for element in drawing.iter() if element.text}
    expected = {"loss: pixel", "validation score", "validation: psnr_y", "validation: vgg"}
    assert expected <= words


def test_the_last_of_repeated_lines_counts():
    assert plot.panels(LINES)["loss: pixel"]["pixel"] == [(100, 0.2), (200, 0.15)]


def test_bicubic_is_a_level():
    assert plot.levels(LINES)["validation: psnr_y", "mild"] == 30.0


def test_an_empty_log_is_refused():
    with pytest.raises(ValueError, match="no line"):
        plot.drawn({}, {})
