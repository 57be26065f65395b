"""The command line, in this process."""

import pytest

from vsr_training.__main__ import main

RUN = """
description = "tests"
[network]
[mixture]
clean = 1.0
[[stage]]
method = "regresion"
iterations = 1
rate = 1e-3
final_rate = 1e-3
loss = {}
"""


def said(words, capsys):
    """What ends a command, which fails."""
    with pytest.raises(SystemExit) as end:
        main(["--threads", "1", *map(str, words)])
    return end.value.code, capsys.readouterr().err


def test_mistakes_are_told_in_one_line(tmp_path, capsys):
    packs, config = tmp_path / "packs", tmp_path / "run.toml"
    config.write_text(RUN)
    run = ["--config", config, "--folder", tmp_path]
    lines = {
        "no pictures below": ["pack", tmp_path, "--packs", packs],
        "No such file": ["degrade", "clean", "--packs", packs],
        "unknown methods: regresion": ["train", *run, "--packs", packs],
        "log.jsonl": ["plot", tmp_path],
    }
    for words, command in lines.items():
        line, _ = said(command, capsys)
        assert line.startswith("vsr_training: ") and words in line and "\n" not in line


@pytest.mark.parametrize(
    "words",
    [
        ["degrade", "clean", "--packs", "packs", "--scale", "3"],
        ["evaluate", "--report", "report", "--scale", "3"],
        ["evaluate", "--report", "report", "--count", "0"],
    ],
)
def test_what_makes_no_sense_is_refused(words, capsys):
    code, text = said(words, capsys)
    assert code == 2 and "invalid" in text
