"""Rows of referring segmentation as columns of numbers, so that scoring is arithmetic on arrays."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .pair import STATUSES
from .referring_rows import ReferringRow

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Words = npt.NDArray[np.object_]

UNKNOWN = -1
"""What stands in a column of whole numbers where a row knows nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class ReferringColumns:
    """Rows, column by column; see `ReferringRow` for what each counts. All are of one length.

    Attributes:
        id: str objects.
        task: str objects.
        group: whole numbers from 0: rows of one number belong together; a row without a group
            has one to itself.
        failed: whether the prediction is missing or gave no mask.
        boundary, boundary_union: `UNKNOWN` where it was not measured.
        best, best_intersection, best_ignored, best_boundary, best_boundary_union: of the ceiling;
            `UNKNOWN` where there is none.
        box_iou: NaN where there is no target.
        steps_right, steps, answer_right, constraints_met, constraints: `UNKNOWN` likewise;
            `answer_right` is 0 or 1 else.
    """

    id: Words
    task: Words
    group: Ints
    failed: Bools
    targets: Ints
    preds: Ints
    truth: Ints
    pred: Ints
    intersection: Ints
    ignored: Ints
    pred_ignored: Ints
    boundary: Ints
    boundary_union: Ints
    best: Ints
    best_intersection: Ints
    best_ignored: Ints
    best_boundary: Ints
    best_boundary_union: Ints
    box_iou: Floats
    steps_right: Ints
    steps: Ints
    answer_right: Ints
    constraints_met: Ints
    constraints: Ints

    @classmethod
    def of(cls, rows: Iterable[ReferringRow]) -> ReferringColumns:
        """The columns of rows, in their order."""
        given = list(rows)
        two, three = (UNKNOWN,) * 2, (UNKNOWN,) * 3
        counts = _table([_whole_numbers(row) for row in given], len(_PLAIN))
        parts = _table(
            [
                (
                    *(row.boundary or two),
                    *(row.ceiling or three),
                    *(row.ceiling_boundary or two),
                    *(row.step or two),
                    UNKNOWN if row.answer_right is None else int(row.answer_right),
                    *(row.constraints or two),
                )
                for row in given
            ],
            len(_PARTS),
        )
        boxes = [np.nan if row.box_iou is None else row.box_iou for row in given]
        return cls(
            id=_words([row.id for row in given]),
            task=_words([row.task for row in given]),
            group=_groups(given),
            failed=np.array([row.status in FAILED for row in given], np.bool_),
            box_iou=np.array(boxes, np.float64),
            **dict(zip(_PLAIN, counts.T, strict=True)),
            **dict(zip(_PARTS, parts.T, strict=True)),
        )

    def __len__(self) -> int:
        return len(self.truth)

    def take(self, rows: Ints | Bools | Sequence[int]) -> ReferringColumns:
        """The columns of some of the rows: their numbers, or a flag for each row."""
        chosen = np.asarray(rows)
        if chosen.size == 0 and chosen.dtype != np.bool_:
            chosen = chosen.astype(np.int64)
        return ReferringColumns(**{name: getattr(self, name)[chosen] for name in _NAMES})

    def ceiling(self) -> ReferringColumns | None:
        """The same rows as if the truth, encoded and decoded, had been predicted.

        Rows without a ceiling are left out; None where no row has one.
        """
        known = self.best >= 0
        if not known.any():
            return None
        rows = self.take(known)
        nothing = np.full(len(rows), UNKNOWN, np.int64)
        return dataclasses.replace(
            rows,
            failed=np.zeros(len(rows), np.bool_),
            preds=np.where(rows.best + rows.best_ignored > 0, np.maximum(rows.targets, 1), 0),
            pred=rows.best,
            intersection=rows.best_intersection,
            pred_ignored=rows.best_ignored,
            boundary=rows.best_boundary,
            boundary_union=rows.best_boundary_union,
            box_iou=np.full(len(rows), np.nan),
            steps_right=nothing,
            steps=nothing,
            answer_right=nothing,
            constraints_met=nothing,
            constraints=nothing,
        )


FAILED = STATUSES[2:]
"""Statuses of predictions that gave no mask because they can't be read, or aren't there."""

_PLAIN = ("targets", "preds", "truth", "pred", "intersection", "ignored", "pred_ignored")
_PARTS = (
    "boundary",
    "boundary_union",
    "best",
    "best_intersection",
    "best_ignored",
    "best_boundary",
    "best_boundary_union",
    "steps_right",
    "steps",
    "answer_right",
    "constraints_met",
    "constraints",
)
_NAMES = tuple(field.name for field in dataclasses.fields(ReferringColumns))


def _whole_numbers(row: ReferringRow) -> tuple[int, ...]:
    return (
        row.targets,
        row.preds,
        row.truth,
        row.pred,
        row.intersection,
        row.ignored,
        row.pred_ignored,
    )


def _table(rows: list[tuple[int, ...]], width: int) -> Ints:
    return np.array(rows, np.int64).reshape(len(rows), width)


def _words(values: list[Any]) -> Words:
    found = np.empty(len(values), np.object_)
    found[:] = values
    return found


def _groups(rows: list[ReferringRow]) -> Ints:
    numbers: dict[Any, int] = {}
    keys = [row.group or index for index, row in enumerate(rows)]
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], np.int64)
