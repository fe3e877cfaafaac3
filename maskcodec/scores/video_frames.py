"""One frame of an object: the pixels and the contours that agree, as DAVIS counts them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..rle import mask_bounding_box
from .video_rows import Counts

Bits = npt.NDArray[np.bool_]

RATIO = 0.008
"""The distance within which contours agree, in diagonals of the frame."""


def count_frame(pred: Bits, target: Bits, ratio: float = RATIO) -> Counts:
    """Count one frame; masks are bool (height, width)."""
    box = mask_bounding_box(pred | target)
    if box is None:
        return (0, 0, 0, 0, 0, 0)
    both = int(np.count_nonzero(pred & target))
    union = int(np.count_nonzero(pred | target))
    radius = contour_radius(target.shape, ratio)
    # A pixel to the left of a mask or above it is of its contour too.
    left, top, right, bottom = max(0, box[0] - 1), max(0, box[1] - 1), box[2] + 1, box[3] + 1
    shown = contour(pred[top:bottom, left:right])
    true = contour(target[top:bottom, left:right])
    return (
        both,
        union,
        int(np.count_nonzero(shown & grow(true, radius))),
        int(np.count_nonzero(shown)),
        int(np.count_nonzero(true & grow(shown, radius))),
        int(np.count_nonzero(true)),
    )


def contour_radius(size: Sequence[int], ratio: float = RATIO) -> int:
    """r in pixels for frames of `size` (height, width)."""
    return math.ceil(ratio * float(np.linalg.norm(size)))


def contour(mask: Bits) -> Bits:
    """The pixels where a mask changes to the right, below, or diagonally below: bool, its shape.

    Beyond the frame's edges nothing changes.
    """
    padded = np.pad(mask, ((0, 1), (0, 1)), mode="edge")
    found: Bits = (mask ^ padded[:-1, 1:]) | (mask ^ padded[1:, :-1]) | (mask ^ padded[1:, 1:])
    return found


def grow(mask: Bits, radius: int) -> Bits:
    """The pixels within `radius` of a mask, by Euclidean distance: bool, of the mask's shape."""
    height, width = mask.shape
    grown = np.zeros_like(mask)
    wide = mask.copy()
    reach = 0
    for step in range(min(radius, height - 1), -1, -1):
        half = math.isqrt(radius * radius - step * step)
        while reach < half:
            reach += 1
            if reach < width:
                wide[:, reach:] |= mask[:, : width - reach]
                wide[:, : width - reach] |= mask[:, reach:]
        grown[step:] |= wide[: height - step]
        grown[: height - step] |= wide[step:]
    return grown
