"""What each object of a geometry is made of, in numbers."""

from __future__ import annotations

import numpy as np

from ..decoded import Geometry
from ..geometry.boxgrid import BoxGrid
from ..geometry.grid import Grid
from ..geometry.polygon import Polygons
from ..geometry.raster import Rasters
from ..geometry.runs import Runs
from ..geometry.tokens import ShapeTokens

Shape = dict[str, int | str]


def shapes(geometry: Geometry) -> list[Shape]:
    """One description an object, in order; empty ones for a geometry of another package."""
    if isinstance(geometry, Runs):
        return [
            {"runs": len(counts), "of size": f"{size[0]}x{size[1]}"}
            for counts, size in zip(geometry.counts, geometry.sizes, strict=True)
        ]
    if isinstance(geometry, Grid):
        return _grid(geometry)
    if isinstance(geometry, Polygons):
        return [
            {
                "rings": len(rings.hole),
                "holes": int(np.count_nonzero(rings.hole)),
                "points": len(rings.xy),
                "bins": geometry.bins,
            }
            for rings in geometry.objects
        ]
    if isinstance(geometry, BoxGrid):
        return [_box_grid(geometry, index) for index in range(len(geometry.labels))]
    if isinstance(geometry, ShapeTokens):
        return [_shape_tokens(geometry, index) for index in range(len(geometry.labels))]
    if isinstance(geometry, Rasters):
        return [
            {
                f"box of 0..{geometry.bins}": ",".join(map(str, box)),
                "map": f"{cells.shape[0]}x{cells.shape[1]}",
            }
            for box, cells in zip(geometry.boxes.tolist(), geometry.maps, strict=True)
        ]
    return [{} for _ in geometry.labels]


def _grid(geometry: Grid) -> list[Shape]:
    rows, columns = geometry.cells.shape
    cells = np.bincount(geometry.cells.ravel(), minlength=len(geometry.table))
    return [{"cells": int(count), "of grid": f"{rows}x{columns}"} for count in cells[1:]]


def _shape_tokens(geometry: ShapeTokens, index: int) -> Shape:
    codes: Shape = {"codes": int(geometry.counts[index])}
    if not geometry.bins:
        return codes
    box = ",".join(map(str, geometry.boxes[index].tolist()))
    return {f"box of 0..{geometry.bins}": box, **codes}


def _box_grid(geometry: BoxGrid, index: int) -> Shape:
    box = ",".join(map(str, geometry.boxes[index]))
    runs = int(geometry.counts[index].sum())
    return {"box of 0..999": box, "rows": geometry.rows, "runs": runs}
