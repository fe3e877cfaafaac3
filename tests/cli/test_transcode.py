"""`maskcodec transcode`: texts of one codec to texts of another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from command_line import many_objects, run
from reading import CAT, DOG, SIZE, read_jsonl, write_jsonl

from maskcodec import Mask, get_codec, transcode

SAFE = get_codec("coco_rle")
COCO = get_codec("coco_rle:alphabet=coco")
BOXES = get_codec("boxgrid")
MASKS = [Mask(DOG, "dog"), Mask(CAT, "cat")]
TEXT = BOXES.encode(MASKS, SIZE)


def test_plain_text(tmp_path: Path) -> None:
    arguments = ["-", "--from", "boxgrid", "--to", "coco_rle", "--size", "40x60"]
    expected, _ = transcode(TEXT, BOXES, SAFE, SIZE)
    assert run("transcode", *arguments, stdin=TEXT + "\n") == (0, expected + "\n", "")
    out = tmp_path / "out.txt"
    assert run("transcode", *arguments, "-o", out, stdin=TEXT).status == 0
    assert out.read_text() == expected + "\n"
    again = run("transcode", *arguments, "-o", out, stdin=TEXT)
    assert again.status == 2
    assert "exists already" in again.err


def test_one_geometry_needs_no_size() -> None:
    text = SAFE.encode(MASKS, SIZE)
    arguments = ["-", "--from", "coco_rle", "--to", "coco_rle:alphabet=coco"]
    assert run("transcode", *arguments, stdin=text).out == COCO.encode(MASKS, SIZE) + "\n"
    result = run("transcode", "-", "--from", "coco_rle", "--to", "boxgrid", stdin=text)
    assert result.status == 2
    assert "give --size" in result.err


def test_a_record_without_a_spec_is_told_the_option(tmp_path: Path) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_text('{"text": "none", "size": [4, 4]}\n', "utf-8")
    result = run("transcode", path, "--to", "coco_rle")
    assert result.status == 1
    assert "field 'spec': is missing; give --from" in result.err


def test_bad_plain_text() -> None:
    arguments = ["-", "--from", "boxgrid", "--to", "coco_rle", "--size", "40x60"]
    strict = run("transcode", *arguments, stdin=TEXT[:-3])
    assert (strict.status, strict.out) == (2, "")
    assert "expected" in strict.err
    repaired = run("transcode", *arguments, "--errors", "repair", stdin=TEXT + " cut")
    assert repaired.status == 0
    assert repaired.err.startswith("maskcodec transcode: 1 text repaired (")


def test_records_keep_their_other_fields(tmp_path: Path) -> None:
    known = {"image": "a.jpg", "size": [40, 60], "spec": BOXES.spec, "text": TEXT, "note": [1]}
    records: list[dict[str, Any]] = [
        {"id": 7, **known},
        {"id": "b", "text": TEXT[:-3]},
        {"size": [40, 60], "text": TEXT},
    ]
    source = write_jsonl(tmp_path / "in.jsonl", records)
    out = tmp_path / "out.jsonl"
    result = run("transcode", source, "--to", "coco_rle", "--from", "boxgrid", "-o", out)
    assert result.status == 1
    first, third = read_jsonl(out)
    expected, _ = transcode(TEXT, BOXES, SAFE, SIZE)
    assert first == {**records[0], "id": "7", "spec": SAFE.spec, "text": expected}
    assert list(first) == ["id", "image", "size", "spec", "text", "note"]
    assert third == {"id": "3", "size": [40, 60], "spec": SAFE.spec, "text": expected}
    (aside,) = read_jsonl(tmp_path / "out.rejected.jsonl")
    assert (aside["id"], aside["line"]) == ("b", 2)


def test_back_and_forth_over_one_geometry_loses_nothing(tmp_path: Path) -> None:
    source = many_objects(tmp_path / "r.jsonl", 10)
    paths = [tmp_path / f"{n}.jsonl" for n in range(3)]
    assert run("encode", source, "--spec", "coco_rle", "-o", paths[0]).status == 0
    assert run("transcode", paths[0], "--to", COCO.spec, "-o", paths[1]).status == 0
    assert run("transcode", paths[1], "--to", SAFE.spec, "-o", paths[2]).status == 0
    assert paths[0].read_bytes() == paths[2].read_bytes() != paths[1].read_bytes()


@pytest.mark.parametrize("cut", [0, 1, 100, 700, 5_000])
def test_a_stopped_run_goes_on(tmp_path: Path, cut: int) -> None:
    source, texts = many_objects(tmp_path / "r.jsonl", 20), tmp_path / "t.jsonl"
    run("encode", source, "--spec", "boxgrid", "-o", texts)
    lines = texts.read_text().splitlines()
    lines[3] = lines[3].replace("dog:", "dog")
    lines[8] = "oops"
    texts.write_text("\n".join([*lines, lines[0]]) + "\n")
    out, aside = tmp_path / "out.jsonl", tmp_path / "out.rejected.jsonl"
    assert run("transcode", texts, "--to", "coco_rle", "-o", out).status == 1
    whole = out.read_bytes(), aside.read_bytes()
    assert len(read_jsonl(aside)) == 3
    out.write_bytes(whole[0][:cut])
    aside.write_bytes(b"")
    assert run("transcode", texts, "--to", "coco_rle", "-o", out, "--resume").status == 1
    assert (out.read_bytes(), aside.read_bytes()) == whole


def test_the_input_is_not_overwritten(tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", [{"text": TEXT, "spec": "boxgrid"}])
    result = run("transcode", source, "--to", "coco_rle", "-o", source, "--overwrite")
    assert result.status == 2
    assert "is an input too" in result.err
    assert source.stat().st_size > 20


def test_the_size_that_was_given_goes_into_the_records(tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", [{"id": "a", "text": "none"}])
    out = tmp_path / "out.jsonl"
    flags = ["--from", "boxgrid", "--to", "polygon", "--size", "40x60"]
    assert run("transcode", source, *flags, "-o", out).status == 0
    assert json.loads(out.read_text())["size"] == [40, 60]
    assert run("decode", out, "-o", tmp_path / "masks").status == 0
