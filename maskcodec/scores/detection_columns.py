"""Rows of instance segmentation as ranked predictions, label by label."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .columns import Columns, every_row
from .detection_match import RANGES, THRESHOLDS
from .detection_rows import DetectionRow, Matches, unpack
from .label_map import LabelSet

ABSENT_SCORE = 1.0
"""The confidence of a prediction that says none."""

Flags = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """All predictions of one label in falling confidence, equal ones by image and place.

    Attributes:
        rows: int64 (predictions,), the row of each.
        places: int64 (predictions,), from 0, in falling confidence within its row.
        last: bool (predictions,), whether the next one has another confidence.
        flags: bool (predictions, ranges * thresholds) twice: right, and wrong; by IoU.
        boundary: the same by boundary IoU; None where a row has not measured it.
    """

    rows: Ints
    places: Ints
    last: Flags
    flags: tuple[Flags, Flags]
    boundary: tuple[Flags, Flags] | None


@dataclass(frozen=True, eq=False)
class DetectionColumns(Columns):
    """Rows as arrays.

    Attributes:
        labels: the names.
        ranked: of each label.
        truth: int64 (labels, rows, ranges), true masks.
    """

    labels: tuple[str, ...]
    ranked: tuple[Ranked, ...]
    truth: Ints

    @classmethod
    def of(cls, rows: Iterable[DetectionRow], labels: LabelSet | None = None) -> DetectionColumns:
        """The rows' predictions; without `labels`, of every label that occurs, in alphabetic order.

        Where confidences are equal, images rank by their ids (numbers by their value), whatever
        the order of `rows`.
        """
        given = list(rows)
        if labels is None:
            names = tuple(sorted({name for row in given for name in row.labels}))
        else:
            names = labels.names
        order = sorted(range(len(given)), key=lambda at: id_key(given[at].id))
        at_label: dict[str, list[tuple[int, Matches]]] = {name: [] for name in names}
        truth = np.zeros((len(names), len(given), len(RANGES)), np.int64)
        numbers = {name: at for at, name in enumerate(names)}
        for at in order:
            for name, found in given[at].labels.items():
                if name in numbers:
                    at_label[name].append((at, found))
                    truth[numbers[name], at] = found.truth
        ranked = tuple(_rank(at_label[name]) for name in names)
        return cls(labels=names, ranked=ranked, truth=truth, **every_row(len(given)))

    def positives(self, label: int) -> npt.NDArray[np.float64]:
        """True masks of a label for each curve: float64 (ranges * thresholds)."""
        counts: Ints = self.weights @ self.truth[label]
        return counts.repeat(len(THRESHOLDS)).astype(np.float64)


def id_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sorts ids as people do: runs of digits by their value."""
    parts = re.findall(r"[0-9]{1,18}|[^0-9]+", name)
    return tuple((0, int(p), p) if p[0] in "0123456789" else (1, 0, p) for p in parts)


def _rank(found: list[tuple[int, Matches]]) -> Ranked:
    rows = [row for row, matches in found for _ in matches.scores]
    places = [place for _, matches in found for place in range(len(matches.scores))]
    scores = np.array(
        [ABSENT_SCORE if s is None else s for _, matches in found for s in matches.scores],
        np.float64,
    )
    order = np.argsort(-scores, kind="stable")
    scores = scores[order]
    last = np.ones(len(scores), np.bool_)
    last[:-1] = scores[:-1] != scores[1:]
    with_boundary = all(matches.boundary is not None for _, matches in found)
    return Ranked(
        np.array(rows, np.int64)[order],
        np.array(places, np.int64)[order],
        last,
        _flags([word for _, matches in found for word in matches.verdicts], order),
        _flags([word for _, matches in found for word in matches.boundary or ()], order)
        if with_boundary
        else None,
    )


def _flags(words: list[tuple[int, ...]], order: npt.NDArray[np.intp]) -> tuple[Flags, Flags]:
    return unpack(np.array(words, np.int64).reshape(len(words), len(RANGES))[order])
