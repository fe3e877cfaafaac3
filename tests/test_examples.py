"""The file of examples: what is written reads back, and what is wrong says where."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reading import disc, write_jsonl

from maskcodec import Mask, RecordError, get_codec
from maskcodec.examples import Example, TruthMask, Turn, image_name, read_examples

SIZE = (40, 60)
DOG = Mask(disc(SIZE, (20, 20), 9), "dog")
CODEC = get_codec("boxgrid:rows=6")


def make() -> Example:
    said = CODEC.encode([DOG], SIZE)
    return Example(
        "a#0",
        ("images/a.jpg",),
        SIZE,
        CODEC.spec,
        "referring",
        (
            Turn("Segment the dog.", said, (TruthMask.of(DOG),), "bare", ({"kind": "count"},)),
            Turn("And a bird?", "none", (), "bare", ()),
        ),
        "here",
        figures={"tokens": [3, 1]},
    )


def fields(**changes: Any) -> dict[str, Any]:
    whole: dict[str, Any] = json.loads(make().to_line())
    return {key: value for key, value in (whole | changes).items() if value is not ...}


def error(path: Path, **changes: Any) -> str:
    (found,) = read_examples(write_jsonl(path / "e.jsonl", [fields(**changes)]))
    assert isinstance(found, RecordError), found
    assert found.line == 1
    return str(found)


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl"
    path.write_bytes(make().to_line())
    (found,) = read_examples(path, spec=CODEC.spec)
    assert isinstance(found, Example)
    assert found == dataclasses.replace(make(), file=str(path), line=1)
    assert found.image_paths() == [tmp_path / "images/a.jpg"]
    (mask,) = found.masks(0)
    assert mask.label == "dog"
    assert np.array_equal(mask.array, DOG.array)
    assert found.masks(1) == []
    assert found.codec.spec == CODEC.spec
    assert [message["role"] for message in found.messages] == ["user", "assistant"] * 2


def test_pixels_that_nobody_annotated(tmp_path: Path) -> None:
    unsure = np.zeros(SIZE, np.bool_)
    unsure[:7] = True
    path = tmp_path / "e.jsonl"
    path.write_bytes(dataclasses.replace(make(), ignore=TruthMask.of(Mask(unsure, ""))).to_line())
    assert json.loads(path.read_text())["ignore"].keys() == {"size", "counts"}
    (found,) = read_examples(path)
    assert isinstance(found, Example)
    assert np.array_equal(found.ignored(), unsure)  # type: ignore[arg-type]
    assert make().ignored() is None
    assert "field 'ignore': is no run lengths" in error(tmp_path, ignore=[1])
    assert "field 'ignore.size'" in error(tmp_path, ignore={"size": [1, 1], "counts": "1"})


def test_fields_that_may_be_missing(tmp_path: Path) -> None:
    least = fields(forms=..., constraints=..., source=..., figures=...)
    least["messages"][1]["content"] = "A dog <mask>none</mask>."
    least["messages"].insert(0, {"role": "system", "content": "Be brief."})
    (found,) = read_examples(write_jsonl(tmp_path / "e.jsonl", [least]))
    assert isinstance(found, Example)
    assert [turn.form for turn in found.turns] == ["tagged", "bare"]
    assert found.system == "Be brief."
    assert found.turns[0].constraints is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": ...}, "field 'id': is missing"),
        ({"schema": 2}, "field 'schema': is 2, but this version reads schema 1"),
        ({"images": []}, "field 'images': is [], expected at least one name"),
        ({"images": ["a\0b"]}, "field 'images': holds a NUL"),
        ({"size": [0, 4]}, "field 'size'"),
        ({"spec": "boxgird"}, "field 'spec': "),
        ({"task": "dance"}, "field 'task': is 'dance', expected one of referring"),
        ({"messages": []}, "field 'messages': must end with what the assistant says"),
        ({"messages": [3]}, "messages[0]': is 3, expected an object"),
        ({"truth": [[]]}, "field 'truth': has 1 lists, expected 2, one for each answer"),
        ({"truth": [[], 3]}, "field 'truth[1]': is 3, expected a list"),
        ({"truth": [[{}], []]}, "field 'truth[0][0].size': is missing"),
        (
            {"truth": [[{"size": [2, 2], "counts": "4"}], []]},
            "field 'truth[0][0].size': is 2x2 (height x width), but the image is 40x60",
        ),
        ({"forms": ["bare", "loud"]}, "field 'forms': is ['bare', 'loud'], expected 2 of"),
        ({"constraints": [[]]}, "field 'constraints': has 1 lists"),
    ],
)
def test_errors_say_where(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    assert message in error(tmp_path, **changes)


def test_conversations_alternate(tmp_path: Path) -> None:
    messages = make().messages
    swapped = [messages[1], messages[0], *messages[2:]]
    assert "messages[0].role': is 'assistant', expected 'user'" in error(tmp_path, messages=swapped)
    empty = [{"role": "user", "content": " "}, *messages[1:]]
    assert "messages[0].content': is empty" in error(tmp_path, messages=empty)
    assert "must end with what the assistant" in error(tmp_path, messages=messages[:3])


def test_another_spec_than_expected_is_an_error(tmp_path: Path) -> None:
    (found,) = read_examples(write_jsonl(tmp_path / "e.jsonl", [fields()]), spec="polygon")
    assert isinstance(found, RecordError)
    assert "is 'boxgrid:rows=6', but 'polygon' is expected: prepare the file again" in str(found)


def test_run_lengths_are_checked_when_painted(tmp_path: Path) -> None:
    truth = [[{"label": "dog", "size": list(SIZE), "counts": "~~"}], []]
    (found,) = read_examples(write_jsonl(tmp_path / "e.jsonl", [fields(truth=truth)]))
    assert isinstance(found, Example)
    with pytest.raises(RecordError, match=r"e\.jsonl:1, field 'truth\[0\]\[0\]\.counts'"):
        found.masks(0)


def test_one_bad_line_costs_one_line(tmp_path: Path) -> None:
    path = write_jsonl(tmp_path / "e.jsonl", [fields(), "oops", fields(id="b#0")])
    kinds = [type(item).__name__ for item in read_examples(path)]
    assert kinds == ["Example", "RecordError", "Example"]


def test_names_of_images(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    assert image_name(tmp_path / "sub" / "a.png", tmp_path) == "sub/a.png"
    assert image_name(tmp_path / "a.png", tmp_path / "sub") == str(tmp_path / "a.png")
    assert image_name(tmp_path / "sub" / ".." / "a.png", tmp_path / "sub") == str(
        tmp_path / "a.png"
    )
