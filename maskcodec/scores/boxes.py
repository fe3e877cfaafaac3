"""Boxes: accuracy of referring expression comprehension (REC), of printed boxes or masks' boxes.

REC@t is the share of expressions whose box has an IoU of at least t with the true one; t is 0.5
since RefCOCOg's paper (Mao et al., arXiv 1511.02283), and papers print it as accuracy or Acc@0.5.
Of a mask the box around its pixels is taken. Of several boxes the generalised task asks for all: an
expression is right where each true box has a box of its own with an IoU of at least t and none is
left over, which is "Pr@(F1=1, IoU>=0.5)" of gRefCOCO (GREC, arXiv 2308.16182); "no box" is right
where there is none.

A box is half-open, (left, top, right, bottom), in pixels: its area is width times height, without
the "+ 1" of programs that count the last pixel as a corner.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from ..errors import MaskCodecError
from ..mask import Mask
from ..records import Record, numbers
from ..rle import mask_bounding_box
from .pair import Pair, Status
from .ratios import Floats, Ratios
from .row_fields import count, status_of

Box: TypeAlias = tuple[int, int, int, int]
Units = Literal["pixels", "one", "percent", "999", "1000", "1024"]
Order = Literal["xyxy", "yxyx", "xywh"]

NAMES = ("REC@0.5", "REC@0.75", "REC@0.9", "box_mIoU", "GREC@0.5", "N-acc", "T-acc")
"""Every score; `REC@` and `GREC@` take any threshold of 0 to 1."""

MOST_BOXES = 1_000
"""Boxes that are read from one answer, or from one row; what lies beyond is dropped."""

_AT = re.compile(r"(G?REC)@(0?\.[0-9]{1,4}|0|1|1\.0)")
_NUMBER = r"-?(?:[0-9]{1,7}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})(?:e-?[0-9]{1,2})?"
_GAP = r"(?:[\s,;:()\[\]{}<>|/]|loc){1,16}"
_FOUR = re.compile(
    r"(?<![0-9.\-])" + _GAP.join([f"({_NUMBER})"] * 4) + r"(?![0-9])", re.ASCII | re.IGNORECASE
)
_SPAN = {"one": 1.0, "percent": 100.0, "999": 999.0, "1000": 1000.0, "1024": 1024.0}


def box_iou(one: Sequence[float] | None, other: Sequence[float] | None) -> float:
    """IoU of two boxes, 0 to 1; 0 where one is missing or has no area."""
    if one is None or other is None:
        return 0.0
    areas = [max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1]) for box in (one, other)]
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    if min(areas) <= 0 or wide <= 0 or high <= 0:
        return 0.0
    both = wide * high
    return both / (sum(areas) - both)


def mask_boxes(masks: Iterable[Mask]) -> list[Box]:
    """The box around the pixels of each mask that has any."""
    return [box for mask in masks if (box := mask_bounding_box(mask.array)) is not None]


def read_boxes(
    text: str, size: tuple[int, int], units: Units = "pixels", order: Order = "xyxy"
) -> list[tuple[float, float, float, float]]:
    """The boxes in a text: every four numbers that follow each other closely.

    `[12, 30, 99, 80]`, `(12,30),(99,80)`, `<box>12 30 99 80</box>` and
    `<loc0012><loc0030><loc0099><loc0080>` are read alike.

    Args:
        text: untrusted; the time follows its length.
        size: (height, width) of the image in pixels.
        units: pixels, or what stands for the whole side: 1, 100 (percent), 999, 1000 or 1024.
        order: corners x first, corners y first, or a corner with width and height.

    Returns:
        boxes in pixels, corners in order and inside the image.

    Raises:
        MaskCodecError: no such units or order.
    """
    if units != "pixels" and units not in _SPAN:
        raise MaskCodecError(f"units are {units!r}, expected pixels, {', '.join(_SPAN)}")
    if order not in get_args(Order):
        raise MaskCodecError(f"order is {order!r}, expected {', '.join(get_args(Order))}")
    height, width = size
    across, down = (
        (1.0, 1.0) if units == "pixels" else (width / _SPAN[units], height / _SPAN[units])
    )
    found = []
    for match in _FOUR.finditer(text):
        a, b, c, d = (float(value) for value in match.groups())
        if order == "yxyx":
            a, b, c, d = b, a, d, c
        elif order == "xywh":
            c, d = a + c, b + d
        xs = sorted(min(max(x * across, 0.0), float(width)) for x in (a, c))
        ys = sorted(min(max(y * down, 0.0), float(height)) for y in (b, d))
        found.append((xs[0], ys[0], xs[1], ys[1]))
        if len(found) == MOST_BOXES:
            break
    return found


@dataclass(frozen=True, slots=True)
class BoxRow:
    """The boxes of one sample against the true ones.

    Attributes:
        id: of the sample.
        status: what became of the prediction.
        group: what several samples have in common; empty where nothing is known.
        targets: true boxes.
        preds: predicted boxes.
        ious: of the pairs of a predicted and a true box that go together, none twice, best first.
        first: of the first predicted box with the first true one; None where there is no true one.
    """

    id: str
    status: Status
    targets: int
    preds: int
    ious: tuple[float, ...] = ()
    first: float | None = None
    group: str = ""

    def fields(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "id": self.id,
            "status": self.status,
            "group": self.group,
            "targets": self.targets,
            "preds": self.preds,
            "ious": list(self.ious),
            "first": self.first,
        }

    @classmethod
    def from_record(cls, record: Record) -> BoxRow:
        """Read `fields` back, as untrusted data.

        Raises:
            RecordError: a field is missing, wrong, or at odds with another.
        """
        targets, preds = (count(record, name, MOST_BOXES) for name in ("targets", "preds"))
        values = record.items("ious")
        first = record.get("first", None)
        for name, given in (("ious", values), ("first", [] if first is None else [first])):
            array = numbers(given)
            if array is None or not ((array >= 0) & (array <= 1)).all():
                raise record.error("is no IoU from 0 to 1", name)
        if len(values) > min(targets, preds) or (first is None) != (targets == 0):
            raise record.error("does not go with the numbers of boxes", "ious")
        return cls(
            record.identifier("id"),
            status_of(record),
            targets,
            preds,
            tuple(map(float, values)),
            None if first is None else float(first),
            record.text("group", ""),
        )


def compare(
    pair: Pair,
    preds: Sequence[Sequence[float]] | None = None,
    targets: Sequence[Sequence[float]] | None = None,
) -> BoxRow:
    """Compare the boxes of one sample.

    Args:
        pair: the sample; the boxes of its masks stand for those that are not given.
        preds: predicted boxes, in pixels, in the order of the answer.
        targets: true boxes, in pixels.
    """
    found = [tuple(map(float, box)) for box in (mask_boxes(pair.preds) if preds is None else preds)]
    right = [
        tuple(map(float, box)) for box in (mask_boxes(pair.targets) if targets is None else targets)
    ]
    found, right = found[:MOST_BOXES], right[:MOST_BOXES]
    first = box_iou(found[0] if found else None, right[0]) if right else None
    return BoxRow(
        pair.id, pair.status, len(right), len(found), _paired(found, right), first, pair.group
    )


def _paired(
    preds: Sequence[Sequence[float]], targets: Sequence[Sequence[float]]
) -> tuple[float, ...]:
    """IoUs of pairs, best first; each box is in one of them, and the best is taken first."""
    table = sorted(
        (
            (box_iou(pred, target), place, other)
            for place, pred in enumerate(preds)
            for other, target in enumerate(targets)
        ),
        key=lambda one: (-one[0], one[1], one[2]),
    )
    taken: tuple[set[int], set[int]] = (set(), set())
    found = []
    for iou, place, other in table:
        if iou > 0 and place not in taken[0] and other not in taken[1]:
            taken[0].add(place)
            taken[1].add(other)
            found.append(iou)
    return tuple(found)


def summarize(
    rows: Iterable[BoxRow], names: Sequence[str] | None = None
) -> dict[str, float | None]:
    """The scores of rows: shares from 0 to 1 by name; None where nothing counts.

    Raises:
        MaskCodecError: no such score.
    """
    return ratios(rows, names).as_dict()


def ratios(rows: Iterable[BoxRow], names: Sequence[str] | None = None) -> Ratios:
    """The scores as ratios of sums, row by row: for `maskcodec.scores.resampling`.

    `REC@t` and `box_mIoU` are of the first box and over samples with a target; `GREC@t` is over all
    samples. A missing or unreadable answer is wrong everywhere, also where there is no target.
    """
    given = list(rows)
    wanted = NAMES if names is None else tuple(names)
    table = np.zeros((2, len(given), len(wanted)))
    for place, name in enumerate(wanted):
        table[:, :, place] = _score(given, name)
    return Ratios(wanted, table[0], table[1])


def _score(rows: list[BoxRow], name: str) -> Floats:
    """The upper and the lower column of a score: float64 (2, rows)."""
    aimed = np.array([row.targets > 0 for row in rows], np.bool_)
    read = np.array([row.status in ("valid", "repaired") for row in rows], np.bool_)
    some = np.array([row.preds > 0 for row in rows], np.bool_)
    first = np.array([row.first or 0.0 for row in rows])
    if name == "box_mIoU":
        return np.array([first * aimed, aimed])
    if name == "N-acc":
        return np.array([~aimed & ~some & read, ~aimed], np.float64)
    if name == "T-acc":
        return np.array([aimed & some, aimed], np.float64)
    found = _AT.fullmatch(name)
    if found is None:
        raise MaskCodecError(f"no score {name!r}; there are: {', '.join(NAMES)}, for any threshold")
    bound = float(found[2])
    if found[1] == "REC":
        return np.array([aimed & some & (first >= bound), aimed], np.float64)
    right = [
        row.targets == row.preds == sum(iou >= bound for iou in row.ious)
        and row.status != "missing"
        for row in rows
    ]
    return np.array([np.array(right, np.bool_) & read, np.ones(len(rows))], np.float64)
