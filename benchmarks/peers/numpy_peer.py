"""What one writes with NumPy alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from maskcodec import resample

from . import Way

Bools = npt.NDArray[np.bool_]


def encode(masks: Sequence[Bools]) -> Way:
    """Where pixels differ from the one before, down the columns."""

    def run(index: int) -> Any:
        pixels = masks[index].ravel(order="F")
        places = np.flatnonzero(pixels[1:] != pixels[:-1]) + 1
        first = [0, 0] if pixels.size and pixels[0] else [0]
        return np.diff(np.concatenate((first, places, [pixels.size])))

    return Way(run)


def bounding_box(masks: Sequence[Bools]) -> Way:
    """The first and last row and column with a pixel."""

    def run(index: int) -> tuple[int, int, int, int] | None:
        rows, columns = (np.flatnonzero(masks[index].any(axis=axis)) for axis in (1, 0))
        if not len(rows):
            return None
        return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1

    return Way(run)


def coverage(masks: Sequence[Bools], grid: tuple[int, int]) -> Way | None:
    """`add.reduceat` along both axes, at our boundaries."""
    if any(side < cells for mask in masks for side, cells in zip(mask.shape, grid, strict=True)):
        return None
    edges = {
        shape: [resample.cell_edges(side, n)[:-1] for side, n in zip(shape, grid, strict=True)]
        for shape in {mask.shape for mask in masks}
    }

    def run(index: int) -> Any:
        rows, columns = edges[masks[index].shape]
        strips = np.add.reduceat(masks[index], rows, axis=0, dtype=np.int32)
        return np.add.reduceat(strips, columns, axis=1)

    return Way(run)


def best_cells(pools: Sequence[Any]) -> Way:
    """The textbook way: one sort in floating point, of the cells that own pixels."""

    def run(index: int) -> Bools:
        covered, total = pools[index]
        share = (covered / np.maximum(total, 1)).ravel()
        order = np.argsort(-share)
        inside = covered.ravel()[order].cumsum()
        union = inside[-1] + (total - covered).ravel()[order].cumsum()
        best = (inside / np.maximum(union, 1)).max()
        kept: Bools = (share > best / (1 + best)).reshape(covered.shape)
        return kept

    return Way(run)


def paint_nearest(grids: Sequence[Bools], sizes: Any, outs: Sequence[Bools]) -> Way:
    """`take` along both axes."""
    places = {
        size: [resample.cell_of_pixel(n, m) for n, m in zip(size, grids[0].shape, strict=True)]
        for size in set(sizes)
    }

    def run(index: int) -> Any:
        rows, columns = places[sizes[index]]
        return grids[index].take(columns, axis=1).take(rows, axis=0, out=outs[index])

    return Way(run)
