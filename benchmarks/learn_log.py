"""What a training left behind: the points of its curve, and what its answers were worth."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskcodec.errors import RecordError
from maskcodec.records import Record, read_json, read_records

from .learn_measure import SCHEMA, SHOWN

LOG, FIGURES, CARD = "log.jsonl", "figures.json", "maskcodec.json"
"""Files in the folder of a training: its log, `learn_measure`'s, and what `train` writes last."""

SIZES = ("parameters", "prompt_tokens", "answer_tokens", "answer_p95", "answer_max")


@dataclass(frozen=True)
class Point:
    """One evaluation while training.

    Attributes:
        step: after how many steps.
        giou: mean IoU of the answers, 0 to 1.
        ceiling: the same of the right answers' own texts.
        invalid: share of answers that left the format.
        seconds: of training until then, evaluations not among them.
        loss: the last that was logged; None before the first.
    """

    step: int
    giou: float
    ceiling: float
    invalid: float
    seconds: float
    loss: float | None


def read_points(path: Path) -> list[Point]:
    """The points of a log, in order; lines that are damaged or not understood are passed over."""
    points: dict[int, Point] = {}
    spent = 0.0  # by evaluations, through which "seconds" run
    loss: float | None = None
    for record in read_records(path):
        if isinstance(record, RecordError):
            continue
        try:
            if "giou" not in record.fields:
                loss = number(record, "loss")
                continue
            spent += number(record, "eval_seconds")
            seconds = number(record, "seconds") - spent
            if "training_seconds" in record.fields:
                seconds = number(record, "training_seconds")
            points[record.whole("step")] = Point(
                record.whole("step"),
                number(record, "giou"),
                number(record, "ceiling_giou"),
                number(record, "invalid_share"),
                max(seconds, 0.0),
                loss,
            )
        except RecordError:
            continue
    return [points[step] for step in sorted(points)]


def number(record: Record, field: str) -> float:
    """A field that is a finite number.

    Raises:
        RecordError: it is none.
    """
    value = record.get(field)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise record.error("is no finite number", field)
    return float(value)


def read_figures(path: Path) -> dict[str, Any]:
    """What `learn_measure` wrote: "constrained" (or None), "free", "watched" and `SIZES`.

    Raises:
        RecordError: there is no such file, or a field is missing or no number.
    """
    value = read_json(path)
    if not isinstance(value, dict) or value.get("schema") != SCHEMA:
        raise RecordError("is not of learn_measure; delete it to measure again", file=str(path))
    record = Record(str(path), None, value)
    found: dict[str, Any] = {name: number(record, name) for name in SIZES}
    for name in ("constrained", "free"):
        found[name] = _answers(record, name)
    if found["free"] is None:
        raise record.error("is null, expected figures", "free")
    found["watched"] = record.get("watched", None)
    return found


def _answers(record: Record, name: str) -> Mapping[str, float] | None:
    value = record.get(name)
    if value is None:
        return None
    if not isinstance(value, dict):
        raise record.error("is no object", name)
    inner = Record(record.file, None, value, f"{name}.")
    return {key: number(inner, key) for key in SHOWN}


def is_trained(folder: Path) -> bool:
    """Whether a training came to its end there."""
    return (folder / CARD).is_file() and (folder / LOG).is_file() and bool(_points(folder))


def _points(folder: Path) -> list[Point]:
    try:
        return read_points(folder / LOG)
    except RecordError:
        return []


def is_measured(folder: Path) -> bool:
    """Whether its final figures are there, and whole."""
    try:
        read_figures(folder / FIGURES)
    except RecordError:
        return False
    return True
