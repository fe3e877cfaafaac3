"""The demo of the whole path, in small: what it writes, and what it leaves alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("trl")

from training import demo


def test_the_demo_makes_a_page_and_leaves_other_files_alone(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.txt").write_text("keep me")
    (tmp_path / "run").mkdir()
    small = ["--scenes", "40", "--test", "3", "--shown", "2", "--minutes", "0.02"]
    assert demo.main([*small, "--output", str(tmp_path)]) == 0
    assert (tmp_path / "mine.txt").read_text() == "keep me"
    printed = capfd.readouterr().out
    assert printed.count("$ maskcodec prepare scenes:") == 3
    assert printed.count("$ maskcodec segment ") == 4
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert set(scores) == {"new", "new, free", "shipped", "shipped, free", "untrained"}
    assert scores["shipped"]["giou"] > 0.6
    assert scores["shipped"]["ceiling_giou"] > scores["shipped"]["giou"]
    compared = json.loads((tmp_path / "scored/scores.json").read_text())
    assert compared["comparison"]["system"] == "shipped, trained longer"
    page = (tmp_path / "page.html").read_text()
    assert "shipped, trained longer" in page
    assert page.count("<svg") >= 2
