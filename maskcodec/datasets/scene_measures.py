"""What is measured on masks, of scenes and of predictions alike: places, areas and gaps.

An expression of a scene is asked only where it is true or false by a clear margin; a constraint is
checked on a prediction by half of that margin, so that small faults of a mask are not taken for
faults of understanding.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Bits = npt.NDArray[np.bool_]

MARGIN = 0.06
"""Share of the image's side by which places of expressions differ at least."""

CHECK_MARGIN = MARGIN / 2
"""The same where a prediction is checked."""

AREA_RATIO = 1.15
"""How many times the next area an area is at least, for an object to be called larger."""


def measure(mask: Bits) -> tuple[tuple[int, int, int, int], int, tuple[float, float]]:
    """The box (xyxy, half-open), area and centre (x, y) of a mask that has a pixel."""
    across = mask.sum(axis=0, dtype=np.int64)
    down = mask.sum(axis=1, dtype=np.int64)
    columns, rows = np.flatnonzero(across), np.flatnonzero(down)
    area = int(across.sum())
    # Pixel k's centre lies at k + 1/2.
    x = int((across * np.arange(across.size)).sum()) / area + 0.5
    y = int((down * np.arange(down.size)).sum()) / area + 0.5
    box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    return box, area, (x, y)


def apart(size: tuple[int, int]) -> int:
    """Pixels that objects which may not touch keep free between them, at a (height, width)."""
    return max(2, min(size) // 50)


def touching_gap(size: tuple[int, int]) -> int:
    """Pixels (Chebyshev distance) up to which predicted masks count as touching."""
    return max(1, min(size) // 100)


def grow(mask: Bits, by: int) -> Bits:
    """The pixels within `by` pixels of the mask, diagonals too (Chebyshev distance)."""
    for axis in (0, 1):
        grown = mask.copy()
        for step in range(1, by + 1):
            if axis == 0:
                grown[step:] |= mask[:-step]
                grown[:-step] |= mask[step:]
            else:
                grown[:, step:] |= mask[:, :-step]
                grown[:, :-step] |= mask[:, step:]
        mask = grown
    return mask


def come_near(first: Bits, second: Bits, gap: int) -> bool:
    """Whether a pixel of `first` lies within `gap` pixels, diagonals too, of one of `second`.

    Both are of the image's size and hold a pixel.
    """
    height, width = first.shape
    x0, y0, x1, y1 = measure(first)[0]
    x0, y0 = max(0, x0 - gap), max(0, y0 - gap)
    x1, y1 = min(width, x1 + gap), min(height, y1 + gap)
    part = second[y0:y1, x0:x1]
    return bool(part.any() and (grow(first[y0:y1, x0:x1], gap) & part).any())


def box_iou(first: tuple[float, ...], second: tuple[float, ...]) -> float:
    """The IoU of two boxes, xyxy."""
    wide = min(first[2], second[2]) - max(first[0], second[0])
    high = min(first[3], second[3]) - max(first[1], second[1])
    shared = max(0.0, wide) * max(0.0, high)
    whole = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (first, second)) - shared
    return shared / whole if whole > 0 else 0.0
