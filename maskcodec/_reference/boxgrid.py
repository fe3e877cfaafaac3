"""What `_ext/boxgrid.pyx` and `_ext/boxgrid_fit.pyx` compute, written to be read.

Fractions, one line of pixels at a time. `maskcodec.geometry.boxgrid` says what places, rows and
runs are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

Runs = list[tuple[int, int]]
Walks = list[tuple[int, int, int, int]]

STEPS = ((-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (1, 1), (-2, 0), (2, 0), (0, -2), (0, 2))


def walks(near: Runs, far: Runs) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """For each run of the nearer row: itself, and where its start and its end are in the other."""
    if len(near) == len(far):
        return list(zip(near, far, strict=True))
    found = []
    for k, (start, end) in enumerate(near):
        partners = [other for other in far if other[0] < end and start < other[1]]
        goal = [start, end]
        if partners and (k == 0 or near[k - 1][1] <= partners[0][0]):
            goal[0] = partners[0][0]
        if partners and (k == len(near) - 1 or partners[-1][1] <= near[k + 1][0]):
            goal[1] = partners[-1][1]
        found.append(((start, end), (goal[0], goal[1])))
    return found


def spans(rows: Sequence[Runs], y: int, height: int, width: int, columns: int) -> Runs:
    """The pixels start..end of each run on line y of a box."""
    place = Fraction((2 * y + 1) * len(rows), 2 * height) - Fraction(1, 2)
    place = min(max(place, Fraction(0)), Fraction(len(rows) - 1))
    above = math.floor(place)
    below = min(above + 1, len(rows) - 1)
    share = place - above
    if share >= Fraction(1, 2):
        near, far, weight = rows[below], rows[above], 1 - share
    else:
        near, far, weight = rows[above], rows[below], share

    def pixel(own: int, other: int) -> int:
        """The first pixel whose centre is not left of the boundary."""
        at = own + weight * (other - own)
        return math.ceil(at * width / columns - Fraction(1, 2))

    return [(pixel(a, c), pixel(b, d)) for (a, b), (c, d) in walks(near, far)]


def paint(
    rows: Sequence[Runs], size: tuple[int, int], box: tuple[int, int, int, int], columns: int
) -> NDArray[np.bool_]:
    """Paint the rows of one object: bool (height, width), set inside a pixel box only."""
    left, top, right, bottom = box
    pixels = np.zeros(size, np.bool_)
    for y in range(bottom - top):
        for start, end in spans(rows, y, bottom - top, right - left, columns):
            pixels[top + y, left + start : left + max(start, end)] = True
    return pixels


def join(rows: Sequence[Runs]) -> list[tuple[Walks, Walks]]:
    """For rows i and i + 1 (the last row stands for its successor), the places of each run.

    A run is (start at row i, start at row i + 1, end at row i, end at row i + 1); first for the
    lines nearer to row i, then for those nearer to row i + 1.
    """
    found = []
    for above, below in zip(rows, [*rows[1:], rows[-1]], strict=True):
        upper = [(a, c, b, d) for (a, b), (c, d) in walks(above, below)]
        lower = [(c, a, d, b) for (a, b), (c, d) in walks(below, above)]
        found.append((upper, lower))
    return found


def fit(
    crop: NDArray[np.bool_], ys: Sequence[int], rows: int, columns: int, passes: int
) -> list[Runs]:
    """Rows of runs that paint lines `ys` of a crop (height, width) about best.

    None where they would paint no pixel that is set.
    """
    height = len(crop)
    found = []
    for i in range(rows):
        owned = [y for y in ys if ((2 * y + 1) * rows) // (2 * height) == i]
        strip = crop[owned or [((2 * i + 1) * height) // (2 * rows)]]
        found.append(first_guess(strip, columns))
    climb(found, crop, ys, columns, passes)
    return found if iou(found, crop, ys, columns) else [[] for _ in found]


def first_guess(strip: NDArray[np.bool_], columns: int) -> Runs:
    """Runs of the pixel columns that are set in half of the lines, at the nearest places."""
    lines, width = strip.shape
    counts = strip.sum(axis=0)
    edges = np.flatnonzero(np.diff(2 * counts >= lines, prepend=False, append=False))
    runs: Runs = []
    for left, right in edges.reshape(-1, 2).tolist():
        start, end = ((2 * x * columns + width) // (2 * width) for x in (left, right))
        if runs and start <= runs[-1][1]:
            runs[-1] = (runs[-1][0], max(end, runs[-1][1]))
        elif start < end:
            runs.append((start, end))
    if not runs and counts.any():
        start = min(int(counts.argmax()) * columns // width, columns - 1)
        runs = [(start, start + 1)]
    return runs


def climb(
    rows: list[Runs], crop: NDArray[np.bool_], ys: Sequence[int], columns: int, passes: int
) -> None:
    """Move one run at a time as long as IoU over the lines `ys` grows."""
    best = iou(rows, crop, ys, columns)
    for _ in range(passes):
        moved = False
        for i, row in enumerate(rows):
            for k in range(len(row)):
                for step in STEPS:
                    old = row[k]
                    new = (old[0] + step[0], old[1] + step[1])
                    before = row[k - 1][1] if k else -1
                    after = row[k + 1][0] if k + 1 < len(row) else columns + 1
                    if not before < new[0] < new[1] < after:
                        continue
                    rows[i][k] = new
                    score = iou(rows, crop, ys, columns)
                    if score > best:
                        best, moved = score, True
                    else:
                        rows[i][k] = old
        if not moved:
            return


def iou(rows: Sequence[Runs], crop: NDArray[np.bool_], ys: Sequence[int], columns: int) -> Fraction:
    """Intersection over union on the lines `ys`.

    Of a run that reaches back over the one before it, only what lies beyond that counts.
    """
    height, width = crop.shape
    both = painted = 0
    for y in ys:
        done = 0
        for start, end in spans(rows, y, height, width, columns):
            start = max(start, done)
            if end > start:
                both += int(crop[y, start:end].sum())
                painted += end - start
                done = end
    union = painted + int(crop[list(ys)].sum()) - both
    return Fraction(both, union) if union else Fraction(0)
