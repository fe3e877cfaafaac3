"""What `_ext/field.pyx` computes, written to be read."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray


def weights(pixels: int, cells: int) -> list[tuple[int, Fraction]]:
    """For each pixel of an axis the cell before its centre, and the share of the next one.

    Cells and pixels divide the same length evenly; beyond the outer cells' centres the field stays.
    """
    found = []
    for pixel in range(pixels):
        place = Fraction(2 * pixel + 1, 2 * pixels) * cells - Fraction(1, 2)
        place = min(max(place, Fraction(0)), Fraction(cells - 1))
        cell = min(int(place), cells - 2)
        found.append((cell, place - cell))
    return found


def paint(field: NDArray[np.int32], height: int, width: int) -> NDArray[np.bool_]:
    """The pixels of a box where the field, interpolated bilinearly, is above 0."""
    out = np.zeros((height, width), np.bool_)
    cells = len(field)
    values = [[int(value) for value in line] for line in field]
    columns = weights(width, cells)
    for y, (row, below) in enumerate(weights(height, cells)):
        line = [
            above * (1 - below) + under * below
            for above, under in zip(values[row], values[row + 1], strict=True)
        ]
        for x, (cell, share) in enumerate(columns):
            out[y, x] = line[cell] * (1 - share) + line[cell + 1] * share > 0
    return out


def overlaps(
    field: NDArray[np.int32], box: NDArray[np.int32], mask: NDArray[np.bool_]
) -> tuple[int, int]:
    """Pixels that a field paints in a box (left, top, right, bottom): those in a mask, and all."""
    left, top, right, bottom = box.tolist()
    painted = paint(field, bottom - top, right - left)
    both = painted & mask[top:bottom, left:right]
    return int(both.sum()), int(painted.sum())
