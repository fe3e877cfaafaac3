"""Runs `maskcodec prepare` and reads what it wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from command_line import run
from layouts import (
    lines,
)

from maskcodec.chat import read_answer
from maskcodec.examples import Example, read_examples
from maskcodec.metrics import iou

SPEC = "boxgrid:rows=6"


def prepare(source: Path | str, out: Path, *more: object, spec: str = SPEC) -> Any:
    return run("prepare", source, "--spec", spec, "-o", out, *map(str, more))


def examples(path: Path) -> list[Example]:
    found = list(read_examples(path))
    assert all(isinstance(item, Example) for item in found), found
    return [item for item in found if isinstance(item, Example)]


def aside(out: Path) -> list[tuple[Any, ...]]:
    path = out.with_name(f"{out.stem}.rejected.jsonl")
    rows = lines(path) if path.exists() else []
    return [(row["line"], row["field"], row["id"], row["reason"]) for row in rows]


def check(example: Example) -> None:
    """Every answer says what its truth is, as well as the codec can."""
    assert example.image_paths()[0].is_file()
    figures = example.figures or {}
    for index, turn in enumerate(example.turns):
        truth = example.masks(index)
        read = read_answer(
            turn.answer, example.codec, example.size, form=turn.form, errors="strict"
        )
        assert list(read.labels) == [mask.label for mask in truth]
        ious = [iou(one.array, other.array) for one, other in zip(read.masks, truth, strict=True)]
        assert figures["ious"][index] == [round(value, 4) for value in ious]
        assert all(value > 0.6 for value in ious), (example.id, ious)
