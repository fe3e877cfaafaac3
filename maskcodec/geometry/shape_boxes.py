"""Which box to lay over an object: the tight one, or one that leaves a little of it out.

A thin part that sticks out costs the rest of the object resolution. So an encoder may also try
boxes without it, and keep the one whose shape has the highest IoU in the end. Two thirds of objects
are drawn better from one of three boxes than from the first; see docs/decisions/0006.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .. import resample
from .._ext import field as field_kernel
from ..metrics import iou
from ..rle import mask_bounding_box
from .boxes import to_bins, to_pixels
from .shape_codebook import BINS, ShapeCodebook

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
        rows = resample.coverage(array, (bottom - top, 1), tight)[0].ravel().cumsum()
        columns = resample.coverage(array, (1, right - left), tight)[0].ravel().cumsum()
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


def choose(
    book: ShapeCodebook,
    array: Bools,
    boxes: Boxes,
    codes: Sequence[npt.NDArray[np.int32]],
    least: float,
) -> tuple[int, float]:
    """Which of some boxes with their codes draws the object best at its own resolution, and how.

    With `least` above 0 those come first that reach this IoU, the fewest codes before others.

    Returns:
        The place of the best and its IoU.
    """
    ious = [reached(book, array, box, one) for box, one in zip(boxes, codes, strict=True)]
    keys = [
        (value < least, len(one) if least else 0, -value)
        for value, one in zip(ious, codes, strict=True)
    ]
    best = keys.index(min(keys))
    return best, ious[best]


def reached(
    book: ShapeCodebook,
    array: Bools,
    box: npt.NDArray[np.int32],
    codes: npt.NDArray[np.int32],
) -> float:
    """IoU of an object that has pixels with what a box and codes paint."""
    tight = mask_bounding_box(array)
    assert tight is not None
    pixels = to_pixels(box, (array.shape[0], array.shape[1]), BINS)
    first = np.minimum(pixels[:2], tight[:2])
    last = np.maximum(pixels[2:], tight[2:])
    plane = np.zeros((1, last[1] - first[1], last[0] - first[0]), np.bool_)
    field = book.fields(np.array([len(codes)], np.int32), codes)
    corners = pixels - np.concatenate([first, first]).astype(np.int32)
    field_kernel.paint(field, corners[None].astype(np.int32), plane.view(np.uint8))
    return iou(plane[0], array[first[1] : last[1], first[0] : last[0]])
