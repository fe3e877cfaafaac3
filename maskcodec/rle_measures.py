"""Areas, bounding boxes and IoU of COCO run lengths; public through `maskcodec.rle`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ._ext import bounding_box as _box_kernel
from ._ext import rle_iou
from .errors import MaskCodecError
from .mask import MAX_PIXELS
from .rle_arguments import Bools, Counts, check_counts, check_mask, check_size

Box = tuple[int, int, int, int]


def area(counts: Counts) -> int:
    """How many pixels are set."""
    return int(check_counts(counts)[1::2].sum(dtype=np.int64))


def bounding_box(counts: Counts, size: Sequence[int]) -> Box | None:
    """The half-open box (x0, y0, x1, y1) of the set pixels, in pixels; None where there are none.

    Raises:
        MaskCodecError: the counts don't sum to height * width, or `size` is wrong.
    """
    height, width = check_size(size)
    measured = _measure([counts], max(height, 1))
    _check_total(measured, height * width)
    _, pixels, x0, y0, x1, y1 = measured.table[0].tolist()
    return (x0, y0, x1, y1) if pixels else None


def mask_bounding_box(mask: Bools) -> Box | None:
    """The half-open box (x0, y0, x1, y1) of the set pixels of bool (height, width), or None."""
    mask = check_mask(mask)
    box = np.empty(4, np.int64)
    if not _box_kernel.bounds(np.ascontiguousarray(mask).view(np.uint8), box):
        return None
    x0, y0, x1, y1 = box.tolist()
    return x0, y0, x1, y1


def iou_matrix(
    a: Sequence[Counts],
    b: Sequence[Counts],
    iscrowd: npt.ArrayLike | None = None,
    *,
    size: Sequence[int] | None = None,
) -> npt.NDArray[np.float64]:
    """Intersection over union of each mask of `a` with each of `b`: float64 (len(a), len(b)).

    Equal to `pycocotools.mask.iou`, bit for bit: where `iscrowd[j]` is set, the area of `a[i]`
    stands for the union, and a pair without intersection has 0, two empty masks too.

    `size` (height, width) changes no result. With it, pairs whose boxes are apart cost nothing;
    without it, only pairs whose columns are.

    Raises:
        MaskCodecError: the masks differ in their number of pixels, or `iscrowd` isn't one flag a
            mask of `b`.
    """
    if iscrowd is None:
        crowd = np.zeros(len(b), np.uint8)
    else:
        crowd = (np.asarray(iscrowd) != 0).view(np.uint8)
    if crowd.shape != (len(b),):
        raise MaskCodecError(f"iscrowd has shape {crowd.shape}, expected ({len(b)},)")
    height, width = (MAX_PIXELS, None) if size is None else check_size(size)
    one = _measure(a, max(height, 1))
    other = one if b is a else _measure(b, max(height, 1))
    if width is not None:
        total = height * width
    else:
        total = next((int(masks.table[0, 0]) for masks in (one, other) if len(masks.table)), 0)
    _check_total(one, total)
    _check_total(other, total)
    matrix = np.empty((len(a), len(b)))
    rle_iou.iou(
        one.spans, one.first, one.table, other.spans, other.first, other.table, crowd, matrix
    )
    return matrix


class _Measured(NamedTuple):
    """Masks as `_ext/rle_iou.pyx` takes them; `total` is -1 where theirs differ."""

    total: int
    spans: Counts
    first: npt.NDArray[np.int64]
    table: npt.NDArray[np.int64]


def _measure(counts: Sequence[Counts], height: int) -> _Measured:
    checked = [check_counts(one) for one in counts]
    masks = len(checked)
    spans = np.empty((sum(one.size // 2 for one in checked) + masks, 2), np.uint32)
    first = np.empty(masks + 1, np.int64)
    table = np.empty((masks, 6), np.int64)
    total = rle_iou.measure(checked, height, spans, first, table)
    return _Measured(total, spans, first, table)


def _check_total(masks: _Measured, expected: int) -> None:
    """Raise unless every mask has `expected` pixels, and no more than a mask may have."""
    expected = min(expected, MAX_PIXELS)
    if len(masks.table) and masks.total != expected:
        totals = masks.table[:, 0]
        found = totals[totals != expected][0]
        raise MaskCodecError(f"counts sum to {found}, expected {expected}, the pixels of the mask")
