"""Predicted boxes: as numbers of a record, in a text, or around predicted masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast, get_args

from maskcodec.errors import MaskCodecError
from maskcodec.records import Record, numbers
from maskcodec.scores.boxes import Order, Units, read_boxes

from .score_questions import Question
from .score_reading import MISSING, Reader, Reading, read_prediction

Boxes = list[tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class BoxReader:
    """How the numbers of a text are meant.

    Attributes:
        units: of the numbers.
        order: of the numbers.
    """

    units: Units = "pixels"
    order: Order = "xyxy"

    @classmethod
    def of(cls, spec: str) -> BoxReader:
        """From `UNITS` or `UNITS,ORDER`, as `--boxes` takes them.

        Raises:
            MaskCodecError: one is unknown.
        """
        units, _, order = spec.partition(",")
        order = order or "xyxy"
        for value, known in ((units, get_args(Units)), (order, get_args(Order))):
            if value not in known:
                raise MaskCodecError(
                    f"--boxes {spec}: {value!r} is unknown, expected {', '.join(known)}"
                )
        return cls(cast(Units, units), cast(Order, order))


def read_boxes_of(
    records: Sequence[Record], question: Question, reader: Reader, boxes: BoxReader
) -> tuple[Reading, Boxes | None]:
    """Read what was predicted for a sample.

    Returns:
        the reading, and the boxes in pixels, (left, top, right, bottom); None takes those around
        the masks of the reading.
    """
    if not records:
        return MISSING, []
    first = records[0]
    if "bbox" in first.fields or "box" in first.fields:
        try:
            return Reading((), "valid"), [_numbers(record) for record in records]
        except MaskCodecError as error:
            return Reading((), "invalid", ("bad-box",), problem=str(error)), []
    spec = str(first.fields.get("spec") or reader.spec)
    if "text" not in first.fields or spec:
        return read_prediction(records, question, reader), None
    try:
        text = first.raw_text("text")
    except MaskCodecError as error:
        return Reading((), "invalid", ("bad-record",), problem=str(error)), []
    found: Boxes = list(read_boxes(text, question.size, boxes.units, boxes.order))
    if found or not question.targets:
        return Reading((), "valid", text=text), found
    return Reading((), "invalid", ("no-box",), text=text, problem="holds no four numbers"), []


def _numbers(record: Record) -> tuple[float, ...]:
    """`box`, [left, top, right, bottom], or `bbox`, [left, top, width, height], in pixels."""
    field = "box" if "box" in record.fields else "bbox"
    values = numbers(record.items(field))
    if values is None or len(values) != 4:
        raise record.error("is no box, expected four numbers in pixels", field)
    left, top, right, bottom = values.tolist()
    if field == "bbox":
        right, bottom = left + right, top + bottom
    if right < left or bottom < top:
        raise record.error(f"is {values.tolist()}: it ends before it begins", field)
    return left, top, right, bottom
