"""The samples that a report shows: chosen by their rows, and read once more for their pictures."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from maskcodec.datasets.pictures import read_picture
from maskcodec.errors import RecordError
from maskcodec.overlay import Rgb
from maskcodec.sheet import Answer, Example, Group

from .score_cases import Case, choose
from .score_questions import Question, questions
from .score_reading import Reading, read_prediction
from .score_rows import Stored
from .score_truth import Truth
from .score_work import Job

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
    chosen: Sequence[Case], rows: Sequence[Stored], truth: Truth, job: Job
) -> Iterator[Example]:
    """The chosen samples, read once more; one that can't be read any more is left out."""
    units = {one.row.id: one.unit for one in rows}
    wanted: dict[int, list[Case]] = {}
    for case in chosen:
        if case.id in units:
            wanted.setdefault(units[case.id], []).append(case)
    found: dict[str, tuple[Question, Reading]] = {}
    for unit in truth.all_units():
        if unit.number not in wanted:
            continue
        ids = {case.id for case in wanted[unit.number]}
        for question in questions(unit, job.rules.kind, job.tasks):
            if isinstance(question, Question) and question.id in ids:
                system = job.systems[0]
                _, records = system.file.find(question.names)
                found[question.id] = question, read_prediction(records, question, system.reader)
    stored = {one.row.id: one for one in rows}
    for case in chosen:
        if case.id in found:
            yield _example(case, *found[case.id], stored[case.id])


def _example(case: Case, question: Question, reading: Reading, stored: Stored) -> Example:
    answer = Answer(
        reading.spec or "prediction",
        reading.text,
        list(reading.masks),
        iou=_iou(stored.row),
        tokens=reading.tokens,
        repairs=reading.repairs,
        problem=reading.problem,
    )
    names = [mask.label for mask in question.targets]
    alike = names == [mask.label for mask in reading.masks]
    group = Group(question.asked, list(question.targets), [answer], "mask" if alike else "label")
    return Example(question.id, case.why, _image(question), [group])


def _iou(row: Any) -> float | None:
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
