"""What matching the segments of one image found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..records import Record, brief
from .pair import Status
from .row_fields import count, count_map, counts, object_field, status_of

Tally: TypeAlias = tuple[int, int, int, float]
"""(TP, FP, FN, sum of the IoU of the TP) of one label."""

MOST_SEGMENTS = 2**31 - 1


@dataclass(frozen=True, slots=True)
class PanopticRow:
    """What was counted on one image.

    Attributes:
        id: of the sample.
        status: what became of the prediction.
        height: of the image, in pixels.
        width: of the image, in pixels.
        labels: for each label of a segment: (TP, FP, FN, sum of IoU), `unlabelled=count`.
        lenient: the same with `unlabelled=drop`.
        apart: `labels` with `repeated=apart`.
        strays: predicted segments of each label that is not scored.
        overlap: predicted pixels that a later mask took.
        vanished: predicted masks of which no pixel is left.
    """

    id: str
    status: Status
    height: int
    width: int
    labels: Mapping[str, Tally]
    lenient: Mapping[str, Tally]
    apart: Mapping[str, Tally]
    strays: Mapping[str, int]
    overlap: int
    vanished: int

    def fields(self) -> dict[str, Any]:
        """As JSON values; `lenient` and `apart` only where they differ."""
        found = {
            "id": self.id,
            "status": self.status,
            "size": [self.height, self.width],
            "labels": {name: list(tally) for name, tally in self.labels.items()},
            "strays": dict(self.strays),
            "overlap": self.overlap,
            "vanished": self.vanished,
        }
        for field, tallies in (("lenient", self.lenient), ("apart", self.apart)):
            if tallies != self.labels:
                found[field] = {name: list(tally) for name, tally in tallies.items()}
        return found

    @classmethod
    def from_record(cls, record: Record) -> PanopticRow:
        """The row that `fields` wrote.

        Raises:
            RecordError: a field is missing, of another type, or holds counts that can't be.
        """
        height, width = record.size()
        labels = _tallies(record, "labels")
        return cls(
            record.identifier("id"),
            status_of(record),
            height,
            width,
            labels,
            _tallies(record, "lenient") if "lenient" in record.fields else labels,
            _tallies(record, "apart") if "apart" in record.fields else labels,
            count_map(record, "strays", MOST_SEGMENTS),
            count(record, "overlap", 2**62),
            count(record, "vanished", MOST_SEGMENTS),
        )


def _tallies(record: Record, field: str) -> dict[str, Tally]:
    found: dict[str, Tally] = {}
    for name, value in object_field(record, field).items():
        if not isinstance(value, list) or len(value) != 4:
            raise record.error(f"holds {brief(value)}, expected [TP, FP, FN, sum of IoU]", field)
        matched, extra, missed = counts(record, field, value[:3], 3, MOST_SEGMENTS)
        total = value[3]
        # An IoU above 1/2 each, and no more than 1; sums of floats round.
        if type(total) not in (int, float) or not matched / 2 <= total <= matched * (1 + 1e-9):
            raise record.error(f"holds {brief(total)} as the IoU of {matched} matches", field)
        found[name] = (matched, extra, missed, float(total))
    return found
