"""What one grounded answer counts: its phrases, and how its masks overlap the true ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import rle
from ..mask import Mask
from ..records import Record, brief, numbers
from .pair import Pair, Status
from .row_fields import status_of

MOST_MASKS = 1_000
"""Masks of one answer that are compared; what lies beyond is left out."""

MOST_LETTERS = 1_000
"""Letters of a phrase that are kept."""


@dataclass(frozen=True, slots=True)
class GroundedRow:
    """The masks of one answer against the true ones.

    Attributes:
        id: of the sample.
        status: what became of the prediction.
        phrases: of each predicted mask, what it is said to show.
        confidences: of each predicted mask, 0 to 1; None where it says none.
        targets: the phrase of each true mask.
        overlaps: (predicted mask, true mask, IoU) wherever the two share a pixel.
        group: what several samples have in common; empty where nothing is known.
    """

    id: str
    status: Status
    phrases: tuple[str, ...]
    confidences: tuple[float | None, ...]
    targets: tuple[str, ...]
    overlaps: tuple[tuple[int, int, float], ...]
    group: str = ""

    def fields(self) -> dict[str, Any]:
        """As JSON."""
        found = {
            "id": self.id,
            "status": self.status,
            "phrases": list(self.phrases),
            "confidences": list(self.confidences),
            "targets": list(self.targets),
            "overlaps": [list(one) for one in self.overlaps],
        }
        return found | ({"group": self.group} if self.group else {})

    @classmethod
    def from_record(cls, record: Record) -> GroundedRow:
        """Read `fields` back, as untrusted data.

        Raises:
            RecordError: a field is missing, wrong, or at odds with another.
        """
        record.get("status")
        phrases, targets = _phrases(record, "phrases"), _phrases(record, "targets")
        confidences = record.items("confidences")
        known = numbers([one for one in confidences if one is not None])
        if len(confidences) != len(phrases) or known is None or not _are_shares(known):
            raise record.error("is not one share from 0 to 1, or null, a phrase", "confidences")
        overlaps = [_overlap(record, value, phrases, targets) for value in record.items("overlaps")]
        if len({one[:2] for one in overlaps}) < len(overlaps):
            raise record.error("names two masks twice", "overlaps")
        return cls(
            record.identifier("id"),
            status_of(record),
            phrases,
            tuple(None if one is None else float(one) for one in confidences),
            targets,
            tuple(overlaps),
            record.text("group", ""),
        )


def compare(pair: Pair) -> GroundedRow:
    """Compare the masks of one answer, each with each; a mask's label is its phrase.

    Ignored pixels are left out of both sides.
    """
    preds, targets = pair.preds[:MOST_MASKS], pair.targets[:MOST_MASKS]
    sides = [[rle.encode(_kept(mask, pair)) for mask in side] for side in (preds, targets)]
    table = rle.iou_matrix(*sides, size=pair.size)
    places = np.argwhere(table > 0).tolist()
    return GroundedRow(
        pair.id,
        pair.status,
        tuple(mask.label[:MOST_LETTERS] for mask in preds),
        tuple(None if mask.score is None else float(mask.score) for mask in preds),
        tuple(mask.label[:MOST_LETTERS] for mask in targets),
        tuple((one, other, float(table[one, other])) for one, other in places),
        pair.group,
    )


def _kept(mask: Mask, pair: Pair) -> Any:
    return mask.array if pair.ignore is None else mask.array & ~pair.ignore


def _are_shares(values: Any) -> bool:
    return bool(((values >= 0) & (values <= 1)).all())


def _phrases(record: Record, name: str) -> tuple[str, ...]:
    values = record.items(name)
    if len(values) > MOST_MASKS or not all(isinstance(one, str) for one in values):
        raise record.error(f"is {brief(values)}, expected at most {MOST_MASKS} strings", name)
    return tuple(values)


def _overlap(
    record: Record, value: Any, phrases: tuple[str, ...], targets: tuple[str, ...]
) -> tuple[int, int, float]:
    array = numbers(value) if isinstance(value, list) and len(value) == 3 else None
    if (
        array is None
        or not all(type(one) is int for one in value[:2])
        or not (0 <= value[0] < len(phrases) and 0 <= value[1] < len(targets))
        or not 0 < value[2] <= 1
    ):
        raise record.error(
            f"holds {brief(value)}, expected a predicted mask, a true one, and their IoU",
            "overlaps",
        )
    return value[0], value[1], float(value[2])
