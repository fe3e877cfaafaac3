"""The samples that a report shows: chosen by their rows, and read once more for their pictures."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from maskcodec.datasets.pictures import read_picture
from maskcodec.errors import RecordError
from maskcodec.mask import Mask
from maskcodec.overlay import Rgb
from maskcodec.scores.boxes import BoxRow, mask_boxes
from maskcodec.sheet import Answer, Example, Group

from .score_boxes import read_boxes_of
from .score_cases import Case, choose
from .score_questions import Question, questions
from .score_reading import Reading, read_prediction
from .score_rows import Stored
from .score_truth import Truth
from .score_work import Job, System

_GREY = 160


@dataclass(frozen=True, slots=True)
class _Judged:
    """A row of labels as one figure, for choosing."""

    id: str
    iou: float
    status: str
    repairs: tuple[str, ...]


def cases(rows: Sequence[Stored], kind: str, shown: int, seed: int) -> list[Case]:
    """Which samples to show: half of them the worst, a quarter the best, a quarter unreadable."""
    if not shown:
        return []
    judged: list[Any] = []
    for one in rows:
        if kind == "referring":
            judged.append(dataclasses.replace(one.row, repairs=one.repairs))  # type: ignore[type-var]
        elif (score := _figure(one.row, kind)) is not None:
            judged.append(_Judged(one.row.id, score, one.row.status, one.repairs))
    quarter = shown // 4
    measure = {"panoptic": "PQ", "boxes": "box IoU"}.get(kind, "IoU")
    return choose(judged, shown - 2 * quarter, quarter, quarter, seed, measure)


def _figure(row: Any, kind: str) -> float | None:
    """One share of a row that tells good samples from bad ones; None where nothing does."""
    if kind == "boxes":
        return None if row.first is None else float(row.first)
    if kind == "semantic":
        counts = np.array([*row.labels.values()], np.int64).reshape(-1, 3).sum(0)
        union = int(counts[1] + counts[2] - counts[0])
        return float(counts[0] / union) if union else None
    if kind == "panoptic":
        tallies = np.array([*row.labels.values()], np.float64).reshape(-1, 4).sum(0)
        weight = tallies[0] + (tallies[1] + tallies[2]) / 2
        return float(tallies[3] / weight) if weight else None
    return None


def pictures(
    chosen: Sequence[Case],
    rows: Sequence[Stored],
    truth: Truth,
    job: Job,
    systems: Sequence[str] = (),
) -> Iterator[Example]:
    """The chosen samples, read once more; one that can't be read any more is left out.

    Args:
        chosen: of `cases`.
        rows: all that were counted.
        truth: what is right.
        job: how it was scored.
        systems: the names of two systems that are compared; () for one alone.
    """
    units = {one.row.id: one.unit for one in rows}
    wanted: dict[int, list[Case]] = {}
    for case in chosen:
        if case.id in units:
            wanted.setdefault(units[case.id], []).append(case)
    found: dict[str, tuple[Question, list[Reading]]] = {}
    for unit in truth.all_units():
        if unit.number not in wanted:
            continue
        ids = {case.id for case in wanted[unit.number]}
        for question in questions(unit, job.rules.kind, job.tasks):
            if isinstance(question, Question) and question.id in ids:
                found[question.id] = _shown(question, job.systems)
    stored = {one.row.id: one for one in rows}
    for case in chosen:
        if case.id in found:
            yield _example(case, *found[case.id], stored[case.id], systems)


def _shown(question: Question, systems: Sequence[System]) -> tuple[Question, list[Reading]]:
    """Truth and predictions with masks that show them; of boxes, all pixels inside."""
    readings = []
    for system in systems:
        _, records = system.file.find(question.names)
        if system.boxes is None:
            readings.append(read_prediction(records, question, system.reader))
            continue
        reading, given = read_boxes_of(records, question, system.reader, system.boxes)
        boxes = mask_boxes(reading.masks) if given is None else given
        filled = tuple(_filled(one, question.size) for one in boxes)
        readings.append(dataclasses.replace(reading, masks=filled))
    if systems[0].boxes is not None:
        boxes = mask_boxes(question.targets)
        targets = tuple(_filled(one, question.size) for one in boxes)
        question = dataclasses.replace(question, targets=targets)
    return question, readings


def _filled(box: Sequence[float], size: tuple[int, int]) -> Mask:
    """The pixels inside a box, (left, top, right, bottom), as far as they are of the image."""
    array = np.zeros(size, np.bool_)
    left, top, right, bottom = (max(0, round(side)) for side in box)
    array[top:bottom, left:right] = True
    return Mask(array, "box")


def _example(
    case: Case,
    question: Question,
    readings: Sequence[Reading],
    stored: Stored,
    systems: Sequence[str],
) -> Example:
    answers = []
    for at, (row, reading) in enumerate(zip((stored.row, stored.other), readings, strict=False)):
        spec = reading.spec or "prediction"
        missing = "there is no prediction" if reading.status == "missing" else ""
        answers.append(
            Answer(
                f"{systems[at]}: {spec}" if at < len(systems) else spec,
                reading.text,
                list(reading.masks),
                iou=_iou(row),
                tokens=reading.tokens,
                repairs=reading.repairs,
                problem=reading.problem or missing,
            )
        )
    names = [mask.label for mask in question.targets]
    alike = names == [mask.label for mask in readings[0].masks]
    group = Group(question.asked, list(question.targets), answers, "mask" if alike else "label")
    return Example(question.id, case.why, _image(question), [group])


def _iou(row: Any) -> float | None:
    if isinstance(row, BoxRow):
        return row.first
    if isinstance(row, Mapping) or not hasattr(row, "intersection"):
        return None
    union = row.truth + row.pred - row.intersection
    return float(row.intersection / union) if union else 1.0


def _image(question: Question) -> Rgb:
    """The image, grey where it isn't known or can't be read."""
    try:
        if question.image is not None:
            return read_picture(question.image, question.size)
    except RecordError:
        pass
    return np.full((*question.size, 3), _GREY, np.uint8)
