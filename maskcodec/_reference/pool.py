"""Pixels to cells, in plain NumPy: the specification of `_ext/pool.pyx`."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]


def coverage(mask: Bools, y_edges: Ints, x_edges: Ints) -> tuple[Ints, Ints]:
    """Count the set pixels and all pixels of each cell, int32 (rows, cols) each.

    Cell (i, j) owns rows y_edges[i] to y_edges[i + 1] and columns x_edges[j] to x_edges[j + 1].
    """
    shape = (len(y_edges) - 1, len(x_edges) - 1)
    covered, total = np.zeros(shape, np.int32), np.zeros(shape, np.int32)
    for i, j in np.ndindex(shape):
        cell = mask[y_edges[i] : y_edges[i + 1], x_edges[j] : x_edges[j + 1]]
        covered[i, j] = np.count_nonzero(cell)
        total[i, j] = cell.size
    return covered, total


def sample(values: npt.NDArray[Any], ys: Ints, xs: Ints) -> npt.NDArray[Any]:
    """Pick the pixel (ys[i], xs[j]) for the cell (i, j)."""
    return np.array([[values[y, x] for x in xs] for y in ys], values.dtype).reshape(
        len(ys), len(xs)
    )


def best_cells(covered: Ints, total: Ints, area: int) -> Bools:
    """Choose the cells whose union has the highest IoU with a target of `area` pixels.

    Taking cells in the order of their coverage, the IoU of the first k rises to a maximum and
    falls; a cell belongs to the maximum iff its coverage exceeds IoU / (1 + IoU). A cell that owns
    no pixel (total 0) is outside this sum, and is kept iff its `covered` says so.
    """
    coverage = {
        (i, j): Fraction(int(covered[i, j]), int(total[i, j]))
        for i, j in np.argwhere(total > 0).tolist()
    }
    best = Fraction(0)
    inside, union = 0, area
    for cell in sorted(coverage, key=coverage.__getitem__, reverse=True):
        inside += int(covered[cell])
        union += int(total[cell] - covered[cell])
        if union:
            best = max(best, Fraction(inside, union))
    keep: Bools = (total == 0) & (covered > 0)
    for cell, share in coverage.items():
        keep[cell] = share > best / (1 + best)
    return keep
