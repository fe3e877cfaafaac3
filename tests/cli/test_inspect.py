"""`maskcodec inspect`: what a text says, and what is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import CASES, Case
from command_line import run
from hypothesis import given
from hypothesis import strategies as st
from reading import CAT, DOG, SIZE, write_jsonl

from maskcodec import Mask, get_codec
from maskcodec.commands.excerpt import AROUND, excerpt, place_of, width
from maskcodec.commands.preview import draw
from maskcodec.commands.shapes import shapes

MASKS = [Mask(DOG, "dog"), Mask(CAT, "white cat")]
SPEC = "coco_rle:alphabet=safe"
TEXT = get_codec(SPEC).encode(MASKS, SIZE)


def as_json(*arguments: str | Path, stdin: str = "") -> Any:
    result = run("inspect", *arguments, "--json", stdin=stdin)
    assert result.status == 0
    (line,) = result.out.splitlines()
    return json.loads(line)


def test_a_valid_text() -> None:
    result = run("inspect", TEXT, "--spec", SPEC, "--size", "40x60")
    assert result.status == 0
    first, *lines = result.out.splitlines()
    assert first.startswith(f"text: {SPEC}, 40x60 pixels, {len(TEXT)} characters")
    assert lines == [
        "valid",
        "2 objects",
        f"  1. dog; runs 39, of size 40x60; box 11,11 to 30,30; area {DOG.sum()}",
        f"  2. white cat; runs 27, of size 40x60; box 39,9 to 52,22; area {CAT.sum()}",
    ]
    found = as_json(TEXT, "--spec", SPEC, "--size", "40x60")
    assert (found["valid"], found["repairs"], found["characters"]) == (True, [], len(TEXT))
    assert found["objects"][1] == {
        "label": "white cat", "box": [39, 9, 52, 22], "area": int(CAT.sum()),
        "shape": {"runs": 27, "of size": "40x60"},
    }  # fmt: skip


def test_without_a_size_there_are_no_boxes() -> None:
    result = run("inspect", TEXT, "--spec", SPEC)
    assert "size unknown" in result.out
    assert "(--size HxW gives boxes and areas in pixels)" in result.out
    assert as_json(TEXT, "--spec", SPEC)["objects"][0]["box"] is None
    drawn = run("inspect", TEXT, "--spec", SPEC, "--draw")
    assert (drawn.status, drawn.out) == (1, result.out)
    assert "--draw needs the image's size" in drawn.err


def test_a_record_without_a_size_does_not_end_the_drawing(tmp_path: Path) -> None:
    record = {"spec": SPEC, "text": TEXT}
    records = [{**record, "id": "a"}, {**record, "id": "b", "size": [40, 60]}]
    path = write_jsonl(tmp_path / "in.jsonl", records)
    result = run("inspect", path, "--draw")
    assert result.status == 1
    assert "in.jsonl:1, field 'size': --draw needs the image's size" in result.err
    assert result.out.count("2 objects") == 2
    assert "  2. white cat\n" in result.out


def test_a_record_that_is_asked_for_and_wrong_says_why(tmp_path: Path) -> None:
    records = [{"id": "a", "spec": "nonsense", "text": "none"}, {"id": 5, "spec": SPEC, "text": 7}]
    path = write_jsonl(tmp_path / "in.jsonl", records)
    for name, reason in (("a", "no codec 'nonsense'"), ("5", "field 'text': is 7")):
        result = run("inspect", path, "--id", name)
        assert (result.status, result.err.count("\n")) == (1, 1)
        assert reason in result.err
    assert "no record has the id 'z'" in run("inspect", path, "--id", "z").err


def test_a_long_text_is_counted() -> None:
    """OpenAI's vocabulary comes in a package that refuses a million characters."""
    text = "none" + " x" * 600_000
    assert as_json(text, "--spec", SPEC)["tokens"] == 600_001


def test_a_caret_stands_under_each_repair() -> None:
    text = "Sure:\n" + TEXT.replace("white cat 40x60", "white cat 40x60 \x1b[2J")
    result = run("inspect", text, "--spec", SPEC, "--size", "40x60")
    lines = result.out.splitlines()
    assert lines[1].startswith("not valid: ")
    found = as_json(text, "--spec", SPEC, "--size", "40x60")
    assert not found["valid"]
    for repair in found["repairs"]:
        line, column = place_of(text, repair["position"])
        assert (repair["line"], repair["column"]) == (line, column)
        head = f"  {repair['kind']} at line {line}, column {column}: "
        (place,) = [i for i, printed in enumerate(lines) if printed.startswith(head)]
        assert lines[place + 2].strip() == "^"
        piece, caret = excerpt(text, repair["position"])
        assert lines[place + 1 : place + 3] == [f"    {piece}", f"    {caret}"]


@pytest.mark.parametrize(
    ("text", "position", "expected"),
    [
        ("abc", 1, ("abc", " ^")),
        ("abc", 3, ("abc", "   ^")),
        ("", 0, ("", "^")),
        ("ab\ncd\nef", 4, ("cd", " ^")),
        ("ab\ncd\nef", 2, ("ab", "  ^")),
        ("犬犬x", 2, ("犬犬x", "    ^")),
        ("e\u0301x", 2, ("e\u0301x", " ^")),
        ("\tx", 1, (r"\tx", "  ^")),
        ("abc", 99, ("abc", "   ^")),
    ],
)
def test_excerpts(text: str, position: int, expected: tuple[str, str]) -> None:
    assert excerpt(text, position) == expected


@given(st.text(st.characters(), max_size=200), st.integers(0, 200))
def test_any_excerpt_is_one_short_line(text: str, position: int) -> None:
    piece, caret = excerpt(text, position)
    assert piece.isprintable() or not set(piece) & set("\n\x1b\x00")
    assert "\n" not in piece + caret
    assert width(caret) <= 10 * AROUND + 5
    line, column = place_of(text, min(position, len(text)))
    assert line >= 1
    assert column >= 1


def test_places_count_from_1() -> None:
    assert [place_of("ab\nc", position) for position in range(5)] == [
        (1, 1), (1, 2), (1, 3), (2, 1), (2, 2),
    ]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_codec_is_described(case: Case) -> None:
    codec = case.codec
    described = shapes(codec.analyze(MASKS, SIZE))
    assert len(described) == 2
    assert all(described)


def test_geometry_of_another_package_is_borne() -> None:
    class Other:
        labels = ("a", "b")

        def head(self, count: int) -> Other:
            return self

    assert shapes(Other()) == [{}, {}]


def test_records(tmp_path: Path) -> None:
    records: list[Any] = [
        {"id": n, "size": [40, 60], "spec": SPEC, "text": TEXT if n else "none"} for n in range(4)
    ]
    path = write_jsonl(tmp_path / "r.jsonl", [*records, "oops"])
    result = run("inspect", path)
    assert result.status == 1
    assert f"{path}:5: is not JSON" in result.err
    assert result.out.count("\n\n") == 3
    assert "\nno object" in result.out
    assert run("inspect", path, "--limit", "2").status == 0
    assert as_json(path, "--id", "2")["id"] == "2"
    missing = run("inspect", path, "--id", "9")
    assert missing.status == 2
    assert "no record has the id '9'" in missing.err
    lines = path.read_text().splitlines()
    assert as_json("-", stdin=lines[1])["id"] == "1"


def test_a_file_and_stdin(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(TEXT + "\n")
    found = as_json(tmp_path / "a.txt", "--spec", SPEC)
    assert (found["valid"], found["id"]) == (True, str(tmp_path / "a.txt"))
    assert as_json("-", "--spec", SPEC, stdin=TEXT + "\r\n")["valid"]
    (tmp_path / "bad.txt").write_bytes(b"caf\xe9")
    result = run("inspect", tmp_path / "bad.txt", "--spec", SPEC)
    assert result.status == 2
    assert "is not UTF-8 (byte 3 is 0xe9)" in result.err
    folder = run("inspect", tmp_path, "--spec", SPEC)
    assert "is a folder, expected a file" in folder.err


def test_tokens_are_counted_with_a_tokenizer(tmp_path: Path) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    path = tmp_path / "tokenizer.json"
    tokenizer.save(str(path))
    arguments = [TEXT, "--spec", SPEC, "--tokenizer", str(path)]
    assert as_json(*arguments)["tokens"] == len(TEXT.split())
    assert f", {len(TEXT.split())} tokens ({path})" in run("inspect", *arguments).out
    missing = run("inspect", TEXT, "--spec", SPEC, "--tokenizer", tmp_path / "no.json")
    assert missing.status == 2


def test_drawing() -> None:
    result = run("inspect", TEXT, "--spec", SPEC, "--size", "40x60", "--draw")
    assert "  1. dog\n    ┌" in result.out
    assert "█" in result.out


def test_drawings_keep_their_shape() -> None:
    mask = np.zeros((4, 6), bool)
    mask[0, 0] = mask[1, 1] = mask[2:, 5] = True
    assert draw(mask, 80, 20) == ["┌──────┐", "│▀▄    │", "│     █│", "└──────┘"]
    assert draw(mask, 80, 20, ascii_only=True) == ["+------+", '|"_    |', "|     #|", "+------+"]
    assert draw(np.ones((1, 1), bool), 80, 20) == ["┌─┐", "│▀│", "└─┘"]


@given(st.integers(1, 90), st.integers(1, 90), st.integers(1, 30), st.integers(1, 12))
def test_drawings_fit(height: int, breadth: int, columns: int, lines: int) -> None:
    mask = np.zeros((height, breadth), bool)
    mask[height // 2, breadth // 3] = True
    drawn = draw(mask, columns, lines)
    assert len(drawn) <= lines + 2
    assert {len(row) for row in drawn} == {len(drawn[0])}
    assert len(drawn[0]) <= columns + 2
    assert any(set(row) & set("▀▄█") for row in drawn)  # no object vanishes


def test_masks_that_can_not_be_painted_here_are_still_read(tmp_path: Path) -> None:
    text = "<|mt_start|><|mt_0230|><|mt_0345|><|mt_end|>"
    bad = {"id": "a", "size": [40, 60], "spec": "samtok", "text": text}
    good = {"id": "b", "size": [40, 60], "spec": "boxgrid", "text": "none"}
    source = write_jsonl(tmp_path / "in.jsonl", [bad, good])
    result = run("inspect", source)
    assert result.status == 0
    assert "codes 2" in result.out
    assert "no boxes and areas: samtok" in result.out
    assert "b: boxgrid" in result.out
    first = json.loads(run("inspect", source, "--json").out.splitlines()[0])
    assert "SAM 2" in first["unpainted"]
    drawn = run("inspect", source, "--draw")
    assert drawn.status == 0
    assert "b: boxgrid" in drawn.out
