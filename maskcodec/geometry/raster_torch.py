"""Maps in boxes, painted by torch; the same whole numbers as `raster` has."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from .. import triton
from ..torch_batch import Device, group_by_size
from .boxes import to_pixels
from .raster import SURE, Rasters, axis, row_parts


def paint_batch(
    items: Sequence[Rasters], sizes: Sequence[tuple[int, int]], *, device: Device
) -> list[torch.Tensor]:
    """Paint each item's objects at its size: bool, (objects, height, width) each, on `device`."""

    def by_kernels() -> list[torch.Tensor]:
        from ..triton.paint import paint_maps

        groups = group_by_size([len(item.labels) for item in items], sizes)
        maps = [[cells for text in group.texts for cells in items[text].maps] for group in groups]
        frames = [_frames([items[text] for text in group.texts], group.size) for group in groups]
        return paint_maps(groups, frames, maps, len(items), device, True)

    def plain() -> list[torch.Tensor]:
        return [paint_torch(item, size, device) for item, size in zip(items, sizes, strict=True)]

    return triton.by_kernels(device, by_kernels, plain)


def _frames(items: Sequence[Rasters], size: tuple[int, int]) -> npt.NDArray[np.int64]:
    """Where maps lie: int64 (objects, 6), top, height, rows, left, width, columns."""
    frames = np.empty((sum(len(item.labels) for item in items), 6), np.int64)
    boxes = [to_pixels(item.boxes, size, item.bins) for item in items]
    shapes = [cells.shape for item in items for cells in item.maps]
    for frame, (left, top, right, bottom), shape in zip(
        frames, np.concatenate(boxes), shapes, strict=True
    ):
        frame[:] = top, bottom - top, shape[0], left, right - left, shape[1]
    return frames


def paint_torch(item: Rasters, size: tuple[int, int], device: str | torch.device) -> torch.Tensor:
    """Paint the objects of one image: bool, (objects, height, width), on `device`.

    One by one, since maps and boxes have any size; what an object needs travels in two copies.
    """
    planes = torch.zeros((len(item.labels), *size), dtype=torch.bool, device=device)
    boxes = to_pixels(item.boxes, size, item.bins).tolist()
    for plane, cells, (left, top, right, bottom) in zip(planes, item.maps, boxes, strict=True):
        height, width = bottom - top, right - left
        if not height or not width:
            continue
        values = torch.from_numpy(np.array(cells)).to(device).long()
        axes = np.concatenate([*axis(height, cells.shape[0]), *axis(width, cells.shape[1])])
        above, below, y_share, before, after, x_share = (
            torch.from_numpy(axes).to(device).split_with_sizes([height] * 3 + [width] * 3)
        )
        for part in row_parts(height, width):
            share = y_share[part, None]
            lines = values[above[part]] * (2 * height - share) + values[below[part]] * share
            sums = lines[:, before] * (2 * width - x_share) + lines[:, after] * x_share
            inside = 2 * sums >= SURE * 4 * height * width
            plane[top + part.start : top + part.stop, left:right] = inside
    return planes
