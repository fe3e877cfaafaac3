"""Vertices moved to raise IoU, in plain Python: the specification of `_ext/polygon_fit.pyx`."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from .raster import crossings, row_at

Ints = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]
Sums = tuple[int, int]
NEIGHBOURS = [(dx, dy) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dx or dy]


def fifths(position: int, side: int, bins: int) -> int:
    """Where a bin lies on a side of so many pixels, to the nearest fifth of a pixel."""
    return (10 * position * side + bins - 1) // (2 * (bins - 1))


def along(mask: Bools, bins: int, a: list[int], b: list[int]) -> Sums:
    """Pixels (of the mask, of all) above the edge from a to b, minus where it runs right."""
    height, width = mask.shape
    start, end = [(fifths(x, width, bins), fifths(y, height, bins)) for x, y in (a, b)]
    common = own = 0
    for column, y in crossings(start, end, width):
        row = row_at(y, height)
        common += int(mask[:row, column].sum())
        own += row
    return (-common, -own) if start[0] < end[0] else (common, own)


def agreement(area: int, sums: Sums) -> float:
    """The IoU, or 0 for sums that only rings over each other can have."""
    common, own = sums
    either = area + own - common
    return common / either if common <= min(own, area) and either > 0 else 0.0


def total(mask: Bools, bins: int, rings: list[list[list[int]]]) -> Sums:
    """Pixels that rings and mask have in common, and pixels of the rings."""
    common = own = 0
    for ring in rings:
        for a, b in zip(ring, ring[1:] + ring[:1], strict=True):
            change = along(mask, bins, a, b)
            common, own = common + change[0], own + change[1]
    return common, own


def fit(
    mask: Bools, bins: int, xy: Ints, starts: Ints, step: int, rounds: int
) -> tuple[Ints, Sums]:
    """Try steps of `step`, `step // 2`, ..., 1 bins, up to `rounds` times each.

    In a round, each vertex goes to the best of its eight neighbours if that raises IoU; one that
    did not move, nor had a neighbour on its ring that moved since, is passed over.
    """
    area = int(mask.sum())
    rings = [xy[a:b].tolist() for a, b in pairwise(starts)]
    while step > 0:
        fresh = {(r, k) for r, ring in enumerate(rings) for k in range(len(ring))}
        for _ in range(rounds):
            moved = False
            if agreement(area, total(mask, bins, rings)) >= 1:
                break
            for r, ring in enumerate(rings):
                for k in range(len(ring)):
                    if (r, k) in fresh:
                        fresh.discard((r, k))
                        if _improve(mask, bins, rings, ring, k, step):
                            fresh |= {(r, (k + d) % len(ring)) for d in (-1, 0, 1)}
                            moved = True
            if not moved:
                break
        step //= 2
    return np.array([v for ring in rings for v in ring], np.int32), total(mask, bins, rings)


def _improve(
    mask: Bools, bins: int, rings: list[list[list[int]]], ring: list[list[int]], k: int, step: int
) -> bool:
    x, y = ring[k]
    area = int(mask.sum())
    best, place = agreement(area, total(mask, bins, rings)), [x, y]
    for dx, dy in NEIGHBOURS:
        ring[k] = [x + dx * step, y + dy * step]
        if 0 <= ring[k][0] < bins and 0 <= ring[k][1] < bins:
            score = agreement(area, total(mask, bins, rings))
            if score > best:
                best, place = score, ring[k]
    ring[k] = place
    return place != [x, y]
