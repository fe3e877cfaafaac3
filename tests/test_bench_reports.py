"""No bench writes a report over what it reads, or over another report."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from reading import rle_fields, write_jsonl

from benchmarks import document as documents
from benchmarks.program import check_reports
from maskcodec import Mask, RecordError
from maskcodec.cli import main
from maskcodec.shipped import shipped_folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to stand in, with an input of each kind."""
    array = np.zeros((40, 50), np.bool_)
    array[4:30, 5:45] = True
    write_jsonl(tmp_path / "m.jsonl", [rle_fields(Mask(array, "dog"), "a.jpg", 0)])
    documents.write(tmp_path / "a.json", documents.start("rd", []))
    tiny = shipped_folder("tiny")
    assert tiny is not None
    (tmp_path / "t.json").write_bytes((tiny / "tokenizer.json").read_bytes())
    (tmp_path / "names.txt").write_text("dog\n")
    (tmp_path / "e.jsonl").write_text("{}\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("kernels --masks m.jsonl --json m.jsonl", "is an input too"),
        ("kernels --json x --html x", "two reports"),
        ("decode --masks m.jsonl --html m.jsonl", "is an input too"),
        ("decode --tokenizer t.json --json t.json", "is an input too"),
        ("decode --json x --html ./x", "two reports"),
        ("rd m.jsonl --json m.jsonl", "is an input too"),
        ("rd m.jsonl --tokenizer a=t.json --html t.json", "is an input too"),
        ("rd m.jsonl --names names.txt --png names.txt", "is an input too"),
        ("rd m.jsonl --png x.png --examples x.png", "two reports"),
        ("generate --tokenizer a=t.json --json t.json", "is an input too"),
        ("generate --json x --html x", "two reports"),
        ("compare a.json a.json --json a.json", "is an input too"),
        ("compare a.json a.json --json x --html x", "two reports"),
    ],
)
def test_files_stay(
    folder: Path, command: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert main(["bench", *command.split()]) == 2
    assert reason in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_other_files_are_fine(folder: Path) -> None:
    check_reports((folder / "new.json", None, folder / "new.html"), (folder / "m.jsonl", None, "-"))
    with pytest.raises(RecordError, match="does not exist"):
        check_reports((folder / "none" / "new.json",))


def test_compare_says_that_a_machine_was_busy(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = documents.start("decode", [])
    documents.write(folder / "quiet.json", document)
    busy = "Other programs are running: a load of 3.0 on 2 cores when this run began."
    (folder / "busy.json").write_text(json.dumps({**document, "busy": busy}))
    assert main(["bench", "compare", "quiet.json", "busy.json"]) == 0
    assert f"busy.json: {busy}" in "".join(capsys.readouterr())
