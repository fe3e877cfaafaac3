"""Maps in boxes, painted by torch; the same whole numbers as `raster` has."""

from __future__ import annotations

import numpy as np
import torch

from .boxes import to_pixels
from .raster import SURE, Rasters, axis, row_parts


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
