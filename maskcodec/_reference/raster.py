"""COCO's rule for polygons, in plain NumPy: the specification of `_ext/raster.pyx`.

Source of the rule: `rleFrPoly` of the COCO API (`maskApi.c`).
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]


def walk(a: npt.ArrayLike, b: npt.ArrayLike) -> Ints:
    """The lattice points (n, 2) from a to b: one a step along the longer side, the other rounded.

    The walk goes upwards in the coordinate of the longer side, whichever end is named first.
    """
    first, second = np.array(a, np.int64), np.array(b, np.int64)
    long = 0 if abs(second - first)[0] >= abs(second - first)[1] else 1
    if first[long] > second[long]:
        first, second = second, first
    steps = np.arange(second[long] - first[long] + 1)
    slope = (second - first)[1 - long] / max(1, len(steps) - 1)
    points = np.empty((len(steps), 2), np.int64)
    points[:, long] = first[long] + steps
    points[:, 1 - long] = np.trunc(first[1 - long] + slope * steps + 0.5)
    return points.astype(np.int32)


def crossings(a: npt.ArrayLike, b: npt.ArrayLike, width: int) -> list[tuple[int, int]]:
    """The pixel columns of 0..width - 1 whose centres the edge passes, and the height of each.

    All in fifths of a pixel: the centre of column c lies between 5c + 2 and 5c + 3.
    """
    found = []
    points = walk(a, b).tolist()
    for (x, y), (next_x, next_y) in pairwise(points):
        column, rest = divmod(min(x, next_x), 5)
        if x != next_x and rest == 2 and 0 <= column < width:
            found.append((column, min(y, next_y)))
    return found


def row_at(y: int, height: int) -> int:
    """The first row whose centre lies at or below y fifths of a pixel, within 0..height."""
    return min(max(0, (y + 2) // 5), height)


def paint_rings(xy: Ints, starts: Ints, hole: Bools, size: tuple[int, int]) -> Bools:
    """Paint rings of vertices in fifths of a pixel, in order; holes clear, the others set."""
    out = np.zeros(size, np.bool_)
    height, width = size
    for r, is_hole in enumerate(hole):
        ring = xy[starts[r] : starts[r + 1]]
        toggles = np.zeros((height + 1, width), np.int64)
        for a, b in zip(ring, np.roll(ring, -1, axis=0), strict=True):
            for column, y in crossings(a, b, width):
                toggles[row_at(y, height), column] += 1
        inside = np.cumsum(toggles, axis=0)[:height] % 2 == 1
        out = out & ~inside if is_hole else out | inside
    return out
