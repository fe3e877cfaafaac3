"""From masks to the counts of a `ReferringRow`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..boundary import boundary_overlap
from ..errors import MaskCodecError
from ..mask import Mask
from ..rle import mask_bounding_box
from .boxes import Box, box_iou
from .pair import Pair
from .reasoning import examine
from .referring_rows import ReferringRow

if TYPE_CHECKING:
    from ..datasets.scene_facts import SceneFacts

Bits = npt.NDArray[np.bool_]


def compare(
    pair: Pair,
    *,
    boundary: bool = True,
    ceiling: Sequence[Mask] | None = None,
    facts: SceneFacts | None = None,
) -> ReferringRow:
    """Count the pixels of one sample, and what its reasoning says that can be checked.

    Args:
        pair: the prediction beside the truth.
        boundary: whether to count the pixels near the contours too, which takes longest.
        ceiling: what the truth, encoded, decodes to; None where no codec is known.
        facts: what is known of the image's objects; see `maskcodec.scores.reasoning`.

    Raises:
        MaskCodecError: a mask of `ceiling` is of another size.
    """
    for mask in ceiling or ():
        if mask.array.shape != pair.size:
            raise MaskCodecError(
                f"{pair.id}: a mask of the ceiling is {mask.array.shape}, the sample is {pair.size}"
            )
    truth = _Side.of(pair.targets, pair.ignore)
    pred = _Side.of(pair.preds, pair.ignore)
    best = None if ceiling is None else _Side.of(ceiling, pair.ignore)
    reasons = examine(pair, facts)
    return ReferringRow(
        id=pair.id,
        task=pair.task,
        status=pair.status,
        group=pair.group,
        height=pair.size[0],
        width=pair.size[1],
        targets=len(pair.targets),
        preds=len(pair.preds),
        truth=truth.area,
        pred=pred.area,
        intersection=_shared(pred, truth),
        ignored=0 if pair.ignore is None else int(np.count_nonzero(pair.ignore)),
        pred_ignored=pred.ignored,
        boundary=_near(pred, truth, pair) if boundary else None,
        ceiling=None if best is None else (best.area, _shared(best, truth), best.ignored),
        ceiling_boundary=_near(best, truth, pair) if boundary and best is not None else None,
        box_iou=box_iou(pred.box, truth.box) if truth.box else None,
        step=reasons.step,
        answer_right=reasons.answer_right,
        constraints=reasons.constraints,
    )


@dataclass(frozen=True, slots=True)
class _Side:
    """All pixels of one side, and those of them that are not ignored.

    Attributes:
        whole: pixels of any mask; None where there are none.
        kept: those that are not ignored, inside `box` alone.
        box: around `whole`: xyxy, half-open, in pixels.
        area: pixels of `kept`.
        ignored: the other ones.
    """

    whole: Bits | None
    kept: Bits | None
    box: Box | None
    area: int
    ignored: int

    @classmethod
    def of(cls, masks: Sequence[Mask], ignore: Bits | None) -> _Side:
        if not masks:
            return _NOTHING
        whole = masks[0].array
        if len(masks) > 1:
            whole = whole.copy()
            for mask in masks[1:]:
                whole |= mask.array
        box = mask_bounding_box(whole)
        if box is None:
            return _NOTHING
        left, top, right, bottom = box
        kept = whole[top:bottom, left:right]
        ignored = 0
        if ignore is not None:
            all_pixels = int(np.count_nonzero(kept))
            kept = kept & ~ignore[top:bottom, left:right]
            ignored = all_pixels - int(np.count_nonzero(kept))
        return cls(whole, kept, box, int(np.count_nonzero(kept)), ignored)


_NOTHING = _Side(None, None, None, 0, 0)


def _shared(one: _Side, other: _Side) -> int:
    """Pixels of both sides that are not ignored: only where their boxes overlap."""
    if one.kept is None or other.kept is None or one.box is None or other.box is None:
        return 0
    left, top = max(one.box[0], other.box[0]), max(one.box[1], other.box[1])
    right, bottom = min(one.box[2], other.box[2]), min(one.box[3], other.box[3])
    if left >= right or top >= bottom:
        return 0
    parts = [
        side.kept[
            top - side.box[1] : bottom - side.box[1], left - side.box[0] : right - side.box[0]
        ]
        for side in (one, other)
        if side.kept is not None and side.box is not None
    ]
    return int(np.count_nonzero(parts[0] & parts[1]))


def _near(one: _Side, other: _Side, pair: Pair) -> tuple[int, int]:
    if one.whole is None and other.whole is None:
        return 0, 0
    blank = np.zeros(pair.size, np.bool_)
    return boundary_overlap(
        blank if one.whole is None else one.whole,
        blank if other.whole is None else other.whole,
        ignore=pair.ignore,
    )
