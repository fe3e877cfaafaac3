"""Which box to lay over an object: the tight one, or one that leaves a little of it out.

A thin part that sticks out costs the rest of the object resolution. So an encoder may also try
boxes without it, and keep the one whose shape has the highest IoU in the end. Two thirds of objects
are drawn better from one of three boxes than from the first; see docs/decisions/0006.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .._ext import bounding_box, field
from ..rle import mask_bounding_box
from .boxes import to_bins
from .shape_codebook import BINS

Bools = npt.NDArray[np.bool_]
Boxes = npt.NDArray[np.int32]

LEFT_OUT = (0.0, 0.003, 0.008)
"""The shares of an object's pixels that the boxes leave out, at most, at each of their sides."""


def boxes_of(array: Bools, count: int) -> Boxes:
    """The first `count` boxes to try, in bins: int32 (boxes, 4), none twice, none for no pixel."""
    tight = mask_bounding_box(array)
    if tight is None:
        return np.zeros((0, 4), np.int32)
    size = (array.shape[0], array.shape[1])
    found = [to_bins(tight, size, BINS)]
    if count > 1:
        left, top, right, bottom = tight
        rows, columns = np.empty(bottom - top, np.int64), np.empty(right - left, np.int64)
        pixels = np.ascontiguousarray(array).view(np.uint8)
        bounding_box.line_sums(pixels, tight, rows, columns)
        rows, columns = rows.cumsum(), columns.cumsum()
        for share in LEFT_OUT[1:count]:
            first_row, last_row = _kept(rows, share)
            first_column, last_column = _kept(columns, share)
            box = (left + first_column, top + first_row, left + last_column, top + last_row)
            found.append(to_bins(box, size, BINS))
    return np.array(list(dict.fromkeys(found)), np.int32)


def _kept(sums: npt.NDArray[np.int64], share: float) -> tuple[int, int]:
    """The lines start..stop without those at either end that hold a share of all pixels or less."""
    out = share * int(sums[-1])
    start = int(np.searchsorted(sums, out, "right"))
    stop = int(np.searchsorted(sums, sums[-1] - out, "left")) + 1
    return start, max(stop, start + 1)


def reached(array: Bools, pixel_boxes: Boxes, fields: npt.NDArray[np.int32]) -> list[float]:
    """IoU of an object with what each field paints in its box, of half-open pixels."""
    both, painted = np.empty((2, len(fields)), np.int64)
    pixels = np.ascontiguousarray(array).view(np.uint8)
    field.overlaps(fields, pixel_boxes, pixels, both, painted)
    area = int(np.count_nonzero(array))
    ious: list[float] = (both / (area + painted - both)).tolist()
    return ious
