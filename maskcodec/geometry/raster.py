"""Rasters: each object as a box and a map of how sure each of its places is to be the object.

A map of 0 to 255 is stretched over its box bilinearly, as `maskcodec.resample` does it (half-pixel
centres, clamped at the edges, in whole numbers), and a pixel is set where the value is 127.5 or
more: what a rounded picture has above 127.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..decoded import Pixels
from ..mask import Mask
from ..planes import Planes, paint_batch
from ..resample import area_cells, bilinear_job, coverage, paint_bilinear_jobs
from ..rle_measures import mask_bounding_box
from .boxes import to_bins, to_pixels

if TYPE_CHECKING:
    import torch

Bools = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]

SURE = 255
"""The value of a place that is the object."""

AT_ONCE = 1 << 22
"""Pixels whose values are held at a time, in NumPy and in torch."""


@dataclass(frozen=True, slots=True, eq=False)
class Rasters:
    """Objects as boxes and maps.

    Attributes:
        labels: one label an object.
        bins: the largest coordinate of a box.
        boxes: int32 (objects, 4): left, top, right, bottom in 0..bins.
        maps: for each object uint8 (rows, columns), 0 to 255; one row and column at least.
    """

    labels: tuple[str, ...]
    bins: int
    boxes: npt.NDArray[np.int32]
    maps: tuple[Bytes, ...]

    def head(self, count: int) -> Rasters:
        """The first `count` objects."""
        return Rasters(self.labels[:count], self.bins, self.boxes[:count], self.maps[:count])


def analyze(masks: Sequence[Mask], size: tuple[int, int], bins: int, side: int) -> Rasters:
    """Box each mask tightly and say for each of `side` by `side` places of the box whether half of
    it or more is the object. Masks without pixels are left out.
    """
    labels, boxes, maps = [], [], []
    for mask in masks:
        found = mask_bounding_box(mask.array)
        if found is None:
            continue
        box = to_bins(found, size, bins)
        left, top, right, bottom = to_pixels(np.array(box, np.int32), size, bins).tolist()
        cells = area_cells(*coverage(mask.array, (side, side), (left, top, right, bottom)))
        labels.append(mask.label)
        boxes.append(box)
        maps.append(cells.astype(np.uint8) * np.uint8(SURE))
    return Rasters(tuple(labels), bins, np.array(boxes, np.int32).reshape(-1, 4), tuple(maps))


def render_batch(
    items: Sequence[Rasters],
    sizes: Sequence[tuple[int, int]],
    *,
    device: str | torch.device = "cpu",
) -> list[Pixels]:
    """Paint each item's objects at its size: bool, (objects, height, width) each."""
    if device == "cpu":
        return list(paint_batch(_paint, items, sizes))
    from . import raster_torch

    return list(raster_torch.paint_batch(items, sizes, device=device))


def paint(item: Rasters, size: tuple[int, int]) -> Bools:
    """Paint the objects of one image: bool, (objects, height, width)."""
    return paint_batch(_paint, [item], [size], threads=1)[0]


def _paint(items: Sequence[Rasters], planes: Sequence[Planes]) -> None:
    paint_bilinear_jobs(
        job for item, room in zip(items, planes, strict=True) for job in _jobs(item, room)
    )


def _jobs(item: Rasters, room: Planes) -> Iterator[Any]:
    """Jobs for the maps of two values, for which there is a kernel; the others are painted."""
    boxes = to_pixels(item.boxes, room.size, item.bins).tolist()
    for plane, cells, box in zip(room.array, item.maps, boxes, strict=True):
        left, top, right, bottom = box
        has_area = left < right and top < bottom
        is_sure = cells == SURE
        if has_area and (is_sure | (cells == 0)).all():
            pixels = left, top, right, bottom
            yield bilinear_job(is_sure, room.size, plane, pixels, before=room.before)
            continue
        if not room.is_clear:
            plane.fill(False)
        if has_area:
            for part, inside in _parts(cells, (bottom - top, right - left)):
                plane[top + part.start : top + part.stop, left:right] = inside


def axis(pixels: int, cells: int) -> tuple[Ints, Ints, Ints]:
    """For each pixel of an axis: the cell before it, the next one, and that one's share of
    2 * pixels.
    """
    place = ((2 * np.arange(pixels) + 1) * cells - pixels).clip(0, 2 * pixels * (cells - 1))
    before = place // (2 * pixels)
    return before, np.minimum(before + 1, cells - 1), place - before * 2 * pixels


def row_parts(rows: int, columns: int) -> list[slice]:
    """Divide the rows of a picture into parts of `AT_ONCE` pixels or fewer, or of one row."""
    step = max(1, AT_ONCE // columns)
    return [slice(start, min(rows, start + step)) for start in range(0, rows, step)]


def _parts(cells: Bytes, size: tuple[int, int]) -> Any:
    """Parts of the rows of a box of `size`, and which of their pixels are set."""
    height, width = size
    above, below, y_share = axis(height, cells.shape[0])
    before, after, x_share = axis(width, cells.shape[1])
    values = cells.astype(np.int64)
    for part in row_parts(height, width):
        share = y_share[part, None]
        lines = values[above[part]] * (2 * height - share) + values[below[part]] * share
        sums = lines[:, before] * (2 * width - x_share) + lines[:, after] * x_share
        yield part, 2 * sums >= SURE * 4 * height * width
