"""Each pixel the value of its cell, in plain NumPy: the specification of `_ext/paint.pyx`."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int32]
Size = tuple[int, int]


def nearest(
    cells: npt.NDArray[Any], y_edges: Ints, x_edges: Ints, size: Size, corner: Size = (0, 0)
) -> npt.NDArray[Any]:
    """Paint each cell over its pixels, with the grid's top-left pixel at `corner` (y, x)."""
    out = np.zeros(size, cells.dtype)
    y0, x0 = corner
    for i, j in np.ndindex(cells.shape):
        out[y0 + y_edges[i] : y0 + y_edges[i + 1], x0 + x_edges[j] : x0 + x_edges[j + 1]] = cells[
            i, j
        ]
    return out


def planes(
    cells: Ints, labels: Ints, y_edges: Ints, x_edges: Ints, size: Size, corner: Size = (0, 0)
) -> npt.NDArray[np.bool_]:
    """Paint one mask a label: bool, (labels, height, width)."""
    painted = [nearest(cells == label, y_edges, x_edges, size, corner) for label in labels]
    return np.array(painted, np.bool_).reshape(len(labels), *size)
