"""What travels to a GPU for each geometry, and the kernel that paints it there.

Functions take the masks of a batch as the painting by torch does, and give what it gives. All that
a call needs on the device is packed small and travels in one copy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ..resample import Size
from ..torch_batch import Device, Group, paint_groups, to_device
from .cells import BITS, BYTES, FIELDS, paint_cells
from .launch import RINGS_TILE, RUNS_TILE, new_planes, paint_columns, paint_lines, round_all
from .rings import paint_rings
from .runs import paint_runs
from .spans import paint_spans

Ints = npt.NDArray[np.int32]
Wide = npt.NDArray[np.int64]

INT32 = 1 << 31
"""Numbers below this fit in an int32."""

MOST_CELLS = 1 << 31
"""Cells of grids, or runs, of one launch."""

LARGEST_SUM = {BITS: 2, BYTES: 510}
"""Bilinear sums, over the area of a box."""


def frames_of(places: Wide, starts: Sequence[int] | Wide) -> Ints:
    """int32 (masks, 8): top, height, rows, left, width, columns, first cell, and nothing."""
    frames = np.zeros((len(places), 8), np.int32)
    frames[:, :6] = places
    frames[:, 6] = starts
    return frames


def paint_maps(
    groups: Sequence[Group],
    frames: Sequence[Wide],
    grids: Sequence[Sequence[npt.NDArray[Any]]],
    texts: int,
    device: Device,
    bilinear: bool,
    source: int = BYTES,
) -> list[torch.Tensor]:
    """Paint maps of 0 to 255 in boxes.

    Args:
        groups: texts of one size each.
        frames: for each group int64 (masks, 6): top, height, rows, left, width, columns.
        grids: for each group the cells of its masks.
        texts: how many there are in all.
        device: where to paint.
        bilinear: or nearest.
        source: BYTES, or BITS for cells of 0 and others.

    Raises:
        OverflowError: 2**31 cells or more.
    """
    sent: list[npt.NDArray[Any]] = []
    for places, own in zip(frames, grids, strict=True):
        ends = np.cumsum(places[:, 2] * places[:, 5])
        if len(ends) and ends[-1] >= MOST_CELLS:
            raise OverflowError(f"{ends[-1]:,} cells in masks of one size, expected below 2**31")
        flat = np.concatenate([np.zeros(0, np.uint8), *(grid.reshape(-1) for grid in own)])
        if source == BITS:
            words = np.zeros(-(-len(flat) // 32), np.int32)
            packed = np.packbits(flat != 0, bitorder="little")
            words.view(np.uint8)[: len(packed)] = packed
            flat = words
        starts = ends - places[:, 2] * places[:, 5]
        sent += [frames_of(places, starts), flat]
    on_device = iter(to_device(sent, device))
    host = iter(frames)

    def paint(group: Group) -> torch.Tensor:
        planes = new_planes(group.starts[-1], group.size, device)
        return _paint_cells(planes, next(on_device), next(on_device), next(host), bilinear, source)

    return paint_groups(groups, paint, texts)


def paint_bits(
    groups: Sequence[Group],
    frames: Sequence[Wide],
    grids: Sequence[Sequence[npt.NDArray[Any]]],
    texts: int,
    device: Device,
    bilinear: bool,
) -> list[torch.Tensor]:
    """Paint grids of 0 and others in boxes; the rest is as for `paint_maps`."""
    return paint_maps(groups, frames, grids, texts, device, bilinear, BITS)


def _paint_cells(
    planes: torch.Tensor,
    frames: torch.Tensor,
    cells: torch.Tensor,
    places: Wide,
    bilinear: bool,
    source: int,
) -> torch.Tensor:
    """Paint the masks of one size."""
    tall, rows, wide, columns = (places[:, axis] for axis in (1, 2, 4, 5))
    # Coordinates are products of pixels and cells, a few cells beyond the box included.
    most = max(
        int((2 * (tall + 2) * (rows + 20)).max(initial=0)),
        int((2 * (wide + 256) * (columns + 20)).max(initial=0)),
    )
    sums = INT32 if source == FIELDS else LARGEST_SUM[source] * int((tall * wide).max(initial=0))
    return paint_lines(
        paint_cells,
        planes,
        (frames, cells),
        SOURCE=source,
        BILINEAR=bilinear,
        LONG_SUMS=sums >= INT32,
        WIDE=most >= INT32,
    )


def paint_fields(
    groups: Sequence[Group],
    boxes: Sequence[Ints],
    sums: Sequence[Sequence[tuple[npt.NDArray[np.float64], torch.Tensor]]],
    cells: int,
    texts: int,
    device: Device,
) -> list[torch.Tensor]:
    """Paint fields in boxes.

    Args:
        groups: texts of one size each.
        boxes: for each group int32 (masks, 4): left, top, right, bottom in pixels.
        sums: for each group parts of its masks: the sums of their codes and a 1, float64 (masks,
            dimensions + 1), and on the device the table that makes fields of them, float64
            (dimensions + 1, cells * cells).
        cells: along a side of a field.
        texts: how many there are in all.
        device: where to paint.
    """
    frames = []
    for own in boxes:
        left, top, right, bottom = own.astype(np.int64).T
        side = np.full_like(left, cells)
        frames.append(np.stack([top, bottom - top, side, left, right - left, side], axis=1))
    sent = [frames_of(places, np.zeros(len(places), np.int64)) for places in frames]
    on_device = to_device([*sent, *(part for own in sums for part, _ in own)], device)
    placed, numbers = iter(zip(on_device, frames, strict=False)), iter(on_device[len(sent) :])
    tables = iter(sums)

    def paint(group: Group) -> torch.Tensor:
        count = group.starts[-1]
        values = torch.empty((count, cells * cells), dtype=torch.float64, device=device)
        first = 0
        for part, table in next(tables):
            torch.matmul(next(numbers), table, out=values[first : first + len(part)])
            first += len(part)
        fields = torch.empty((count, cells * cells), dtype=torch.int32, device=device)
        if count:
            round_all(values, fields)
        own, places = next(placed)
        planes = new_planes(count, group.size, device)
        return _paint_cells(planes, own, fields, places, True, FIELDS)

    return paint_groups(groups, paint, texts)


def paint_sides(
    boxes: Ints, sides: npt.NDArray[np.uint8], size: Size, places: int, device: Device
) -> torch.Tensor:
    """Paint boxes with rows of runs, all of one image size.

    Args:
        boxes: int32 (objects, 4): left, top, right, bottom in pixels.
        sides: as `boxgrid.sides` gives them, uint8 (objects, rows, 2, most runs, 4).
        size: (height, width) in pixels.
        places: the last place across a box.
        device: where to paint.
    """
    rows = sides.shape[1]
    used = sides.any(axis=(1, 2, 4))  # a run between places is not all zeros
    runs = np.maximum(1, (used * np.arange(1, sides.shape[3] + 1)).max(axis=1))
    kept = np.arange(sides.shape[3]) < runs[:, None]
    entries = sides.view(np.int32)[..., 0][np.broadcast_to(kept[:, None, None], sides.shape[:4])]
    frames = np.zeros((len(boxes), 6), np.int32)
    frames[:, :4] = boxes
    frames[:, 4] = np.cumsum(2 * rows * runs) - 2 * rows * runs
    frames[:, 5] = runs
    tall, wide = (boxes[:, 3] - boxes[:, 1]).astype(np.int64), boxes[:, 2] - boxes[:, 0]
    most = max(
        int((4 * places * tall * (wide + 1)).max(initial=0)),
        int((2 * tall * (rows + 1)).max(initial=0)),
    )
    planes = new_planes(len(boxes), size, device)
    tensors = to_device([frames, entries], device)
    return paint_lines(paint_spans, planes, tensors, rows, PLACES=places, WIDE=most >= INT32)


def paint_counts(
    ends: Sequence[Wide],
    lengths: Sequence[Wide],
    groups: Sequence[Group],
    texts: int,
    device: Device,
) -> list[torch.Tensor]:
    """Paint COCO run lengths.

    Args:
        ends: for each group the places where the runs of its masks end, counted through the
            pixels of all of them; the last run of a mask ends where the next mask begins.
        lengths: for each group how many runs its masks have.
        groups: texts of one size each.
        texts: how many there are in all.
        device: where to paint.

    Raises:
        OverflowError: 2**31 runs or more.
    """
    sent: list[npt.NDArray[Any]] = []
    steps = []
    for places, runs, group in zip(ends, lengths, groups, strict=True):
        if len(places) >= MOST_CELLS:
            raise OverflowError(f"{len(places):,} runs in masks of one size, expected below 2**31")
        pixels = group.starts[-1] * group.size[0] * group.size[1]
        blocks = np.searchsorted(places, np.arange((pixels >> 16) + 2, dtype=np.int64) << 16)
        steps.append(int(np.diff(blocks).max()).bit_length())
        sent += [blocks.astype(np.int32), (np.cumsum(runs) - runs).astype(np.int32)]
        sent.append(places.astype(np.uint16).view(np.int16))
    on_device = iter(to_device(sent, device))
    bisections = iter(steps)

    def paint(group: Group) -> torch.Tensor:
        blocks, firsts, low = (next(on_device) for _ in range(3))
        planes = new_planes(group.starts[-1], group.size, device)
        tensors = (low, blocks, firsts)
        return paint_columns(paint_runs, planes, tensors, next(bisections), tile=RUNS_TILE)

    return paint_groups(groups, paint, texts)


def paint_outlines(
    xy: Wide,
    lengths: Wide,
    hole: npt.NDArray[np.bool_],
    plane: Wide,
    count: int,
    size: Size,
    device: Device,
) -> torch.Tensor:
    """Paint the rings of `count` objects of one image size; the arrays are those of `RingList`."""
    starts = np.cumsum([0, *lengths])
    starts[:-1] = 2 * starts[:-1] + hole
    starts[-1] *= 2
    objects = np.searchsorted(plane, np.arange(count + 1))
    sent = [xy.astype(np.int32), starts.astype(np.int32), objects.astype(np.int32)]
    planes = new_planes(count, size, device)
    return paint_columns(paint_rings, planes, to_device(sent, device), tile=RINGS_TILE)
