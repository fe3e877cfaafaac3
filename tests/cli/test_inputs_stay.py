"""No verb writes over what it reads, or over a list that belongs to another output."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from command_line import run
from PIL import Image

from maskcodec import Mask, get_codec

SPEC = "coco_rle"
SIZE = (24, 32)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to stand in, with an input of each kind."""
    array = np.zeros(SIZE, np.bool_)
    array[4:20, 5:25] = True
    text = get_codec(SPEC).encode([Mask(array, "dog")], SIZE)
    record = {"id": "a", "image": "a.png", "size": SIZE, "spec": SPEC, "text": text}
    (tmp_path / "set").mkdir()
    for name in ("r.jsonl", "r.rejected.jsonl", "c.rejected.jsonl", "set/masks.jsonl"):
        (tmp_path / name).write_text(json.dumps(record) + "\n")
    (tmp_path / "t.txt").write_text(text)
    (tmp_path / "names.txt").write_text("dog\n")
    Image.fromarray(array).save(tmp_path / "m.png")
    Image.new("RGB", SIZE[::-1]).save(tmp_path / "photo.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "command",
    [
        "encode r.jsonl --spec polygon -o r.jsonl",
        "encode r.rejected.jsonl --spec polygon -o r.jsonl",
        "encode m.png --names names.txt --spec polygon -o names.txt",
        "transcode r.rejected.jsonl --to polygon -o r.jsonl",
        "transcode t.txt --from coco_rle --size 24x32 --to polygon -o t.txt",
        "decode r.jsonl --format coco -o r.jsonl",
        "decode r.jsonl --format coco --names names.txt -o names.txt",
        "decode r.jsonl --report r.jsonl -o new",
        "decode c.rejected.jsonl --format coco -o c.json",
        "decode set/masks.jsonl -o set",
        "decode r.jsonl --format labels -o .",
        "decode t.txt --spec coco_rle --size 24x32 --names m.png -o m.png",
        "decode r.jsonl --refine walker --image-dir set --format labels -o set",
        "prepare r.rejected.jsonl --spec polygon -o r.jsonl",
        "show photo.png --masks m.png -o m.png",
        "show m.png --text t.txt --spec coco_rle -o m.png",
    ],
)
def test_an_input_is_never_written_over(folder: Path, command: str) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*.*")}
    overwrite = [] if command.startswith("show") else ["--overwrite"]
    result = run(*command.split(), *overwrite)
    assert result.status == 2
    assert " input" in result.err
    assert "give another output" in result.err
    assert {path: path.read_bytes() for path in folder.rglob("*.*")} == before


@pytest.mark.parametrize(
    "command",
    [
        "encode m.png --per object --spec polygon -o c.jsonl",
        "transcode r.jsonl --to polygon -o c.jsonl",
        "decode r.jsonl --format coco -o c.json",
        "prepare scenes:3 --spec polygon --tokenizer none -o c.jsonl",
    ],
)
def test_the_list_of_another_output_stays(folder: Path, command: str) -> None:
    before = (folder / "c.rejected.jsonl").read_bytes()
    result = run(*command.split())
    assert result.status == 2
    assert "c.rejected.jsonl: exists already" in result.err
    assert (folder / "c.rejected.jsonl").read_bytes() == before
    assert run(*command.split(), "--overwrite").status == 0
    assert not (folder / "c.rejected.jsonl").exists()


def test_a_list_beside_a_folder_is_no_list_of_it(folder: Path) -> None:
    assert run("decode", "r.jsonl", "-o", "c").status == 0
    assert (folder / "c.rejected.jsonl").exists()


def test_masks_do_not_go_to_stdout(folder: Path) -> None:
    result = run("decode", "r.jsonl", "-o", "-")
    assert result.status == 2
    assert "give a file or a folder" in result.err
    assert not (folder / "-").exists()


@pytest.mark.parametrize(
    ("options", "suffix"), [(["-o", "s.jpg"], ".png"), (["--sheet", "s.png"], ".html")]
)
def test_a_picture_is_called_what_it_is(folder: Path, options: list[str], suffix: str) -> None:
    result = run("show", "photo.png", "--masks", "m.png", *options)
    assert result.status == 2
    assert f"must end in {suffix}" in result.err
