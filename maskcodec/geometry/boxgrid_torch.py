"""Boxes with rows of runs, painted in batches by torch; the same integers as the kernel's."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch

from .. import triton
from .boxes import to_pixels
from .boxgrid import BINS, COLUMNS, BoxGrid, sides

CHUNK = 1 << 27
"""Pixels painted at a time, which bounds what is needed beside the output."""


def paint_batch(
    items: Sequence[BoxGrid], sizes: Sequence[tuple[int, int]], *, device: str | torch.device
) -> list[torch.Tensor]:
    """Paint each item's objects at its size: bool, (objects, height, width) each, on `device`.

    Items of one size are painted together.
    """
    painted: list[torch.Tensor] = [torch.empty(0)] * len(items)
    for size in dict.fromkeys(sizes):
        for rows in {item.rows for item in items}:
            same = [
                index
                for index, item in enumerate(items)
                if sizes[index] == size and item.rows == rows
            ]
            planes = _paint_size([items[index] for index in same], size, torch.device(device))
            for index, part in zip(same, planes, strict=True):
                painted[index] = part
    return painted


def _paint_size(
    items: Sequence[BoxGrid], size: tuple[int, int], device: torch.device
) -> Sequence[torch.Tensor]:
    """Paint objects of images of one size and rows of one number."""
    if not items:
        return ()
    merged = BoxGrid(
        tuple(label for item in items for label in item.labels),
        np.concatenate([item.boxes for item in items]),
        np.concatenate([item.counts for item in items]),
        np.concatenate([item.runs for item in items]),
    )
    corners, walks = to_pixels(merged.boxes, size, BINS), sides(merged)

    def by_kernels() -> torch.Tensor:
        from ..triton.paint import paint_sides

        return paint_sides(corners, walks, size, COLUMNS, device)

    def plain() -> torch.Tensor:
        boxes = torch.from_numpy(corners.astype(np.int64)).to(device)
        joined = torch.from_numpy(walks).to(device)
        planes = torch.empty((len(boxes), *size), dtype=torch.bool, device=device)
        step = max(1, CHUNK // (size[0] * size[1]))
        for first in range(0, len(boxes), step):
            part = slice(first, first + step)
            _paint_planes(planes[part], boxes[part], joined[part])
        return planes

    planes = triton.by_kernels(device, by_kernels, plain)
    ends = np.cumsum([len(item.labels) for item in items]).tolist()
    return [planes[start:end] for start, end in pairwise([0, *ends])]


def _paint_planes(planes: torch.Tensor, boxes: torch.Tensor, joined: torch.Tensor) -> None:
    """Set the pixels of some objects in `planes` (objects, height, width)."""
    starts, ends = _spans(boxes, joined, planes.shape[1])
    x = torch.arange(planes.shape[2], dtype=torch.int32, device=planes.device)
    if not starts.shape[2]:
        planes.zero_()
        return
    before = torch.empty_like(planes)
    inside = torch.empty_like(planes) if starts.shape[2] > 1 else planes
    for run in range(starts.shape[2]):
        target = inside if run else planes
        torch.ge(x, starts[:, :, run, None], out=target)
        torch.lt(x, ends[:, :, run, None], out=before)
        target.logical_and_(before)
        if run:
            planes |= target


def _spans(
    boxes: torch.Tensor, joined: torch.Tensor, lines: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """First and last-plus-one pixel of every run of every line: int32 (objects, lines, runs).

    Lines outside the box get runs without width. See `row_above` and `pixel_at` in
    `_ext/boxgrid_rows.pxd` for the arithmetic.
    """
    left, top, right, bottom = (side[:, None] for side in boxes.unbind(1))
    height = (bottom - top).clamp(min=1)
    rows = joined.shape[1]
    y = torch.arange(lines, device=boxes.device)[None, :] - top
    inside = (y >= 0) & (y < bottom - top)
    place = ((2 * y + 1) * rows - height).clamp(min=0).minimum(2 * height * (rows - 1))
    above = place // (2 * height)
    share = place - above * (2 * height)
    owner = torch.arange(len(boxes), device=boxes.device)[:, None]
    walks = joined[owner, above, (share >= height).long()].long()
    below = share[:, :, None]
    half = (2 * height * COLUMNS)[:, :, None]
    width = (right - left)[:, :, None]

    def pixel(near: torch.Tensor, far: torch.Tensor) -> torch.Tensor:
        at = near * (2 * height[:, :, None] - below) + far * below
        pixels = (2 * at * width + half - 1) // (2 * half) + left[:, :, None]
        return (pixels * inside[:, :, None]).int()

    return pixel(walks[..., 0], walks[..., 1]), pixel(walks[..., 2], walks[..., 3])
