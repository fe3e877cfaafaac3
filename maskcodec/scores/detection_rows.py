"""What matching the predicted masks of one image to the true ones found."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..records import Record, brief
from .detection_match import MOST_PREDICTIONS, RANGES, THRESHOLDS
from .pair import Status
from .row_fields import count, count_map, counts, object_field, status_of

MOST_MASKS = 2**31 - 1

Flags = npt.NDArray[np.bool_]

_BITS = len(THRESHOLDS)
_WORD = 1 << 2 * _BITS


@dataclass(frozen=True, slots=True)
class Matches:
    """The predictions of one label on one image, the most confident first.

    Attributes:
        scores: their confidences; None where they say none.
        verdicts: of each prediction and each range of areas, what the thresholds found: bit k is
            set where it is right at threshold k, bit 10 + k where it is wrong; neither where it
            does not count.
        boundary: the same by boundary IoU; None where that was not measured.
        truth: true masks in each range of areas, crowds left out.
    """

    scores: tuple[float | None, ...]
    verdicts: tuple[tuple[int, ...], ...]
    boundary: tuple[tuple[int, ...], ...] | None
    truth: tuple[int, ...]

    def fields(self) -> dict[str, Any]:
        """As JSON values."""
        found: dict[str, Any] = {
            "truth": list(self.truth),
            "scores": list(self.scores),
            "verdicts": [list(one) for one in self.verdicts],
        }
        if self.boundary is not None:
            found["boundary"] = [list(one) for one in self.boundary]
        return found


def pack(right: Flags, wrong: Flags) -> tuple[tuple[int, ...], ...]:
    """Flags (predictions, ranges, thresholds) as whole numbers."""
    weights = 1 << np.arange(2 * _BITS)
    words = (np.concatenate([right, wrong], axis=2) * weights).sum(2)
    return tuple(tuple(row) for row in words.tolist())


def unpack(words: npt.NDArray[np.int64]) -> tuple[Flags, Flags]:
    """The flags of int64 (predictions, ranges): bool (predictions, ranges * thresholds) twice."""
    bits = (words[:, :, None] >> np.arange(2 * _BITS)) & 1 != 0
    shape = (len(words), len(RANGES) * _BITS)
    return bits[:, :, :_BITS].reshape(shape), bits[:, :, _BITS:].reshape(shape)


@dataclass(frozen=True, slots=True)
class DetectionRow:
    """What was found on one image.

    Attributes:
        id: of the sample.
        status: what became of the prediction.
        height: of the image, in pixels.
        width: of the image, in pixels.
        labels: of each label that is true or predicted here.
        strays: predicted masks of each label that is not scored.
        dropped: predicted masks that lie wholly where nobody annotated.
    """

    id: str
    status: Status
    height: int
    width: int
    labels: Mapping[str, Matches]
    strays: Mapping[str, int]
    dropped: int

    def fields(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "id": self.id,
            "status": self.status,
            "size": [self.height, self.width],
            "labels": {name: found.fields() for name, found in self.labels.items()},
            "strays": dict(self.strays),
            "dropped": self.dropped,
        }

    @classmethod
    def from_record(cls, record: Record) -> DetectionRow:
        """The row that `fields` wrote.

        Raises:
            RecordError: a field is missing, of another type, or holds what can't be.
        """
        height, width = record.size()
        labels = {
            name: _matches(record.child("labels", index, value))
            for index, (name, value) in enumerate(object_field(record, "labels").items())
        }
        return cls(
            record.identifier("id"),
            status_of(record),
            height,
            width,
            labels,
            count_map(record, "strays", MOST_MASKS),
            count(record, "dropped", MOST_MASKS),
        )


def _matches(record: Record) -> Matches:
    scores = record.items("scores")
    if len(scores) > MOST_PREDICTIONS:
        raise record.error(f"are {len(scores)}, at most {MOST_PREDICTIONS} are ranked", "scores")
    for score in scores:
        if score is not None and (type(score) not in (int, float) or not math.isfinite(score)):
            raise record.error(f"holds {brief(score)}, expected a number or null", "scores")
    boundary = None
    if record.fields.get("boundary") is not None:
        boundary = _verdicts(record, "boundary", len(scores))
    return Matches(
        tuple(None if score is None else float(score) for score in scores),
        _verdicts(record, "verdicts", len(scores)),
        boundary,
        counts(record, "truth", record.get("truth"), len(RANGES), MOST_MASKS),
    )


def _verdicts(record: Record, field: str, length: int) -> tuple[tuple[int, ...], ...]:
    values = record.items(field)
    if len(values) != length:
        raise record.error(f"are {len(values)}, expected {length}, one a score", field)
    found = tuple(counts(record, field, value, len(RANGES), _WORD - 1) for value in values)
    for words in found:
        if any(word >> _BITS & word & (1 << _BITS) - 1 for word in words):
            raise record.error("says that a prediction is both right and wrong", field)
    return found
