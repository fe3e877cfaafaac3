"""Boundary IoU: intersection over union of the pixels near two masks' own contours.

Source: Cheng et al., "Boundary IoU" (arXiv 2103.16562). With G the true mask, P the other one, and
G_d and P_d the pixels within d of their contours::

    |(G_d & G) & (P_d & P)| / |(G_d & G) | (P_d & P)|

The convention is that of the authors' program: d is 2 % of the image's diagonal in pixels, rounded
(a half to even) and at least 1; the part of a mask within d of its contour is what d erosions by
3x3 take away, which is the part whose chessboard distance to a pixel outside is at most d; beyond
the image's border everything is outside. A mask that is nowhere thicker than 2d is all boundary.

Where both masks are empty it is 1, and where one alone is, 0, as for IoU in `maskcodec.metrics`.
It punishes large objects whose contour is off, which IoU forgives; it is blind to what lies deeper
than d, a missing core for one. It is meant to stand beside IoU (the authors' AP takes the lesser).
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from .errors import MaskCodecError
from .mask import check_size
from .rle import mask_bounding_box

Bits: TypeAlias = npt.NDArray[np.bool_]
Part: TypeAlias = tuple[tuple[int, int, int, int], Bits]

RATIO = 0.02
"""d in diagonals of the image, as the paper takes it."""


def boundary_iou(pred: Bits, target: Bits, *, ratio: float = RATIO) -> float:
    """Boundary IoU of two masks, 0 to 1.

    Args:
        pred: bool, (height, width).
        target: bool, of the same shape.
        ratio: d in diagonals of the image.

    Raises:
        MaskCodecError: the shapes differ, or `ratio` is no share.
    """
    both, union = boundary_overlap(pred, target, ratio=ratio)
    return both / union if union else 1.0


def boundary_overlap(
    pred: Bits, target: Bits, *, ratio: float = RATIO, ignore: Bits | None = None
) -> tuple[int, int]:
    """The intersection and the union of the pixels near the contours of two masks.

    Args:
        pred: bool, (height, width).
        target: bool, of the same shape.
        ratio: d in diagonals of the image.
        ignore: bool, of the same shape: pixels that are left out of both counts.

    Raises:
        MaskCodecError: the shapes differ, or `ratio` is no share.
    """
    if pred.shape != target.shape or (ignore is not None and ignore.shape != target.shape):
        raise MaskCodecError(f"masks of shapes {pred.shape} and {target.shape} can't be compared")
    width = boundary_width(check_size(target.shape), ratio)
    (box, near), (other_box, other) = _cut(pred, width), _cut(target, width)
    if ignore is not None:
        for (x0, y0, x1, y1), part in ((box, near), (other_box, other)):
            part &= ~ignore[y0:y1, x0:x1]
    left, top = max(box[0], other_box[0]), max(box[1], other_box[1])
    right, bottom = min(box[2], other_box[2]), min(box[3], other_box[3])
    both = 0
    if left < right and top < bottom:
        shared = [
            part[top - y : bottom - y, left - x : right - x]
            for (x, y, _, _), part in ((box, near), (other_box, other))
        ]
        both = int(np.count_nonzero(shared[0] & shared[1]))
    return both, int(np.count_nonzero(near)) + int(np.count_nonzero(other)) - both


def boundary_width(size: tuple[int, int], ratio: float = RATIO) -> int:
    """d in pixels for images of `size` (height, width): `ratio` diagonals, at least 1.

    Raises:
        MaskCodecError: `ratio` is not between 0 and 1.
    """
    if not 0 < ratio < 1:
        raise MaskCodecError(f"ratio is {ratio!r}, expected a share of the diagonal from 0 to 1")
    return max(1, round(ratio * float(np.sqrt(size[0] ** 2 + size[1] ** 2))))


def boundary(mask: Bits, width: int) -> Bits:
    """The pixels of a mask within `width` of its contour: bool, of the mask's shape.

    Raises:
        MaskCodecError: `width` is less than 1.
    """
    if width < 1:
        raise MaskCodecError(f"width is {width!r}, expected at least 1 pixel")
    near = np.zeros(mask.shape, dtype=np.bool_)
    (left, top, right, bottom), part = _cut(mask, width)
    near[top:bottom, left:right] = part
    return near


def _cut(mask: Bits, width: int) -> Part:
    """The boundary inside the mask's own box (xyxy, half-open), outside of which there is none."""
    box = mask_bounding_box(mask) or (0, 0, 0, 0)
    left, top, right, bottom = box
    part = mask[top:bottom, left:right].copy()
    if min(part.shape) > 2 * width:
        inner = part[width:-width, width:-width]
        # What survives the erosion has all its neighbours up to `width` away inside the mask, and
        # those are inside its box too, so that no padding is needed.
        inner &= ~_all_in_window(_all_in_window(part, 2 * width + 1), 2 * width + 1, axis=1)
    return box, part


def _all_in_window(mask: Bits, window: int, axis: int = 0) -> Bits:
    """Whether `window` pixels in a row along `axis` are set, for each place where they fit.

    Windows of 1, 2, 4, ... pixels are joined two by two: log2(window) passes.
    """
    passed = mask if axis == 0 else mask.T
    span = 1
    while span < window:
        step = min(span, window - span)
        passed = passed[step:] & passed[:-step]
        span += step
    return passed if axis == 0 else passed.T
