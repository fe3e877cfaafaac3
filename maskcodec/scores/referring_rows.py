"""What one sample of referring segmentation counts: a few whole numbers, from which every metric
and every convention follows.

Rows are written to a file, merged by concatenation, and scored under any convention afterwards,
without the masks.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from ..examples import TASKS
from ..mask import MAX_PIXELS
from ..records import Record, brief
from .pair import Status
from .row_fields import count, counts, status_of

MOST_TOKENS = 2**31 - 1


@dataclass(frozen=True, slots=True)
class ReferringRow:
    """The counts of one sample. "True" pixels are those of any target, "predicted" ones those of
    any predicted mask; labels don't matter. Counts are of pixels.

    Attributes:
        id: of the sample.
        task: one of `maskcodec.examples.TASKS`.
        status: what became of the prediction.
        group: what several samples have in common; empty where nothing is known.
        repairs: kinds of what was wrong with the answer's text, each once.
        tokens: the length of the answer; None where it is not known.
        height: of the image.
        width: of the image.
        targets: true masks.
        preds: predicted masks.
        truth: true pixels; this and the next two are without ignored pixels.
        pred: predicted pixels.
        intersection: pixels both true and predicted.
        ignored: pixels that were not annotated.
        pred_ignored: predicted pixels among them.
        boundary: intersection and union of the pixels near the contours, see
            `maskcodec.boundary`; None where it was not measured.
        ceiling: `pred`, `intersection` and `pred_ignored` of what the truth itself decodes to;
            None where no codec is known.
        ceiling_boundary: `boundary` of that.
        box_iou: IoU of the boxes around the predicted and the true pixels, 0 to 1; None where
            there is no target.
        step: statements in the answer that are right of its mask, and all that it makes.
        answer_right: whether the answer names what is asked for; None where that is not known.
        constraints: constraints of the question that the masks keep, and all that it has.
    """

    id: str
    task: str
    status: Status
    height: int
    width: int
    targets: int
    preds: int
    truth: int
    pred: int
    intersection: int
    ignored: int = 0
    pred_ignored: int = 0
    group: str = ""
    repairs: tuple[str, ...] = ()
    tokens: int | None = None
    boundary: tuple[int, int] | None = None
    ceiling: tuple[int, int, int] | None = None
    ceiling_boundary: tuple[int, int] | None = None
    box_iou: float | None = None
    step: tuple[int, int] | None = None
    answer_right: bool | None = None
    constraints: tuple[int, int] | None = None

    def fields(self) -> dict[str, Any]:
        """As JSON; what is not known is left out."""
        found: dict[str, Any] = {}
        for name in _NAMES:
            value = getattr(self, name)
            if value is None or value in ("", ()):
                continue
            found[name] = list(value) if isinstance(value, tuple) else value
        return found

    @classmethod
    def from_record(cls, record: Record) -> ReferringRow:
        """Read `fields` back, as untrusted data.

        Raises:
            RecordError: a field is missing, wrong, or at odds with another.
        """
        task = record.text("task")
        if task not in TASKS:
            raise record.error(f"is {brief(task)}, expected one of {', '.join(TASKS)}", "task")
        record.get("status")
        numbers = {name: _count(record, name) for name in _COUNTS}
        row = cls(
            id=record.identifier("id"),
            task=task,
            status=status_of(record),
            group=record.text("group", ""),
            repairs=_kinds(record),
            tokens=_optional(record, "tokens"),
            boundary=_part(record, "boundary"),
            ceiling=_ceiling(record),
            ceiling_boundary=_part(record, "ceiling_boundary"),
            box_iou=_share(record, "box_iou"),
            step=_part(record, "step"),
            answer_right=_flag(record, "answer_right"),
            constraints=_part(record, "constraints"),
            **numbers,
        )
        _check(row, record)
        return row


_NAMES = tuple(field.name for field in dataclasses.fields(ReferringRow))
_COUNTS = (
    "height",
    "width",
    "targets",
    "preds",
    "truth",
    "pred",
    "intersection",
    "ignored",
    "pred_ignored",
)


def _count(record: Record, name: str) -> int:
    if name not in ("ignored", "pred_ignored"):
        record.get(name)
    return count(record, name, MAX_PIXELS)


def _optional(record: Record, name: str) -> int | None:
    return None if record.fields.get(name) is None else count(record, name, MOST_TOKENS)


def _part(record: Record, name: str) -> tuple[int, int] | None:
    value = record.fields.get(name)
    if value is None:
        return None
    part, whole = counts(record, name, value, 2, MAX_PIXELS)
    if part > whole:
        raise record.error(f"is {value}: the part is greater than the whole", name)
    return part, whole


def _ceiling(record: Record) -> tuple[int, int, int] | None:
    value = record.fields.get("ceiling")
    if value is None:
        return None
    pred, both, ignored = counts(record, "ceiling", value, 3, MAX_PIXELS)
    return pred, both, ignored


def _kinds(record: Record) -> tuple[str, ...]:
    kinds = record.items("repairs", [])
    if not all(isinstance(kind, str) for kind in kinds):
        raise record.error("holds something else than strings", "repairs")
    return tuple(kinds)


def _share(record: Record, name: str) -> float | None:
    value = record.fields.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise record.error(f"is {brief(value)}, expected a share from 0 to 1", name)
    return float(value)


def _flag(record: Record, name: str) -> bool | None:
    value = record.fields.get(name)
    if value is not None and not isinstance(value, bool):
        raise record.error(f"is {brief(value)}, expected true or false", name)
    return value


def _check(row: ReferringRow, record: Record) -> None:
    """Refuse counts that no masks can have: every score must stay a share."""
    pixels = row.height * row.width
    if not 1 <= pixels <= MAX_PIXELS:
        raise record.error(f"and width are {row.height}x{row.width}, no image's", "height")
    sides = [("pred", row.pred, row.intersection, row.pred_ignored)]
    if row.ceiling is not None:
        sides.append(("ceiling", *row.ceiling))
    for name, pred, both, ignored in sides:
        if both > min(pred, row.truth):
            raise record.error(
                f"has {both} pixels of the intersection, of {pred} predicted and {row.truth} true",
                name,
            )
        if pred + row.truth - both + row.ignored > pixels or ignored > row.ignored:
            raise record.error(f"is more than an image of {pixels} pixels has room for", name)
    if row.truth and not row.targets:
        raise record.error("is not 0, but there is no target", "truth")
    if row.pred + row.pred_ignored and not row.preds:
        raise record.error("is not 0, but there is no predicted mask", "pred")
