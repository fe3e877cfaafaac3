"""What was counted of each label on one image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..records import Record, brief
from .pair import Status
from .row_fields import count_map, status_of, triples


@dataclass(frozen=True, slots=True)
class SemanticRow:
    """What was counted on one image. Pixels that nobody annotated are in none of the counts.

    Attributes:
        id: of the sample.
        status: what became of the prediction.
        height: of the image, in pixels.
        width: of the image, in pixels.
        labels: for each label that is predicted or true here: (right, predicted, true) pixels.
        strays: predicted pixels of each label that is not scored.
        unlabelled: annotated pixels that no label of the truth covers.
        overlap: predicted pixels that a later mask of another label took.
        ignored: pixels that nobody annotated.
    """

    id: str
    status: Status
    height: int
    width: int
    labels: Mapping[str, tuple[int, int, int]]
    strays: Mapping[str, int]
    unlabelled: int
    overlap: int
    ignored: int

    def fields(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "id": self.id,
            "status": self.status,
            "size": [self.height, self.width],
            "labels": {name: list(counts) for name, counts in self.labels.items()},
            "strays": dict(self.strays),
            "unlabelled": self.unlabelled,
            "overlap": self.overlap,
            "ignored": self.ignored,
        }

    @classmethod
    def from_record(cls, record: Record) -> SemanticRow:
        """The row that `fields` wrote.

        Raises:
            RecordError: a field is missing, of another type, or holds counts that can't be.
        """
        height, width = record.size()
        area = height * width
        labels = triples(record, "labels", area)
        for name, (right, predicted, true) in labels.items():
            if right > min(predicted, true):
                raise record.error(
                    f"has more right pixels of {brief(name)} than there are", "labels"
                )
        return cls(
            record.identifier("id"),
            status_of(record),
            height,
            width,
            labels,
            count_map(record, "strays", area),
            *(_pixels(record, name, area) for name in ("unlabelled", "overlap", "ignored")),
        )


def _pixels(record: Record, field: str, area: int) -> int:
    value = record.whole(field, 0)
    if value < 0 or (field != "overlap" and value > area):
        raise record.error(f"is {brief(value)}, expected pixels of the image", field)
    return value
