"""Grids painted in batches by torch, on any device, bit for bit as the compiled kernels do.

Arguments are NumPy arrays, as the parsers give them: one list entry a text. Whatever a call needs
on the device travels there in one copy; masks of images of one size are painted together. The
result is a list of bool tensors on the device, (masks, height, width), one a text; those of one
size are views of one tensor. `max_bytes` bounds what is needed beside the output.

Import this module only where torch is wanted: `import maskcodec` doesn't.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch

from . import triton
from .errors import MaskCodecError
from .resample import Box, Size
from .torch_batch import (
    MAX_BYTES,
    Device,
    Group,
    chunks,
    group_by_size,
    paint_groups,
    to_device,
    word_of,
)

Method = Literal["nearest", "bilinear"]

INT32_PIXELS = 1 << 29
"""Below this area four times the area, the largest sum of bilinear weights, fits in an int32."""


def paint_grids_nearest(
    cells: Sequence[npt.NDArray[Any]],
    labels: Sequence[int | Sequence[int]],
    sizes: Sequence[Size],
    *,
    device: Device = "cpu",
    max_bytes: int = MAX_BYTES,
) -> list[torch.Tensor]:
    """Paint one mask a label of each grid, as `resample.paint_labels_nearest` does.

    Args:
        cells: for each text a grid of labels, any integer dtype, (rows, columns).
        labels: for each text the values to paint, or a number n for 0 to n - 1.
        sizes: for each text the (height, width) of its image in pixels.
        device: where to paint.
        max_bytes: bound on temporary memory.

    Returns:
        For each text a bool tensor on `device`, (labels, height, width).

    Raises:
        MaskCodecError: lengths, shapes or sizes that don't fit.
    """
    return _paint_grids(cells, labels, sizes, "nearest", device, max_bytes)


def paint_grids_bilinear(
    cells: Sequence[npt.NDArray[Any]],
    labels: Sequence[int | Sequence[int]],
    sizes: Sequence[Size],
    *,
    device: Device = "cpu",
    max_bytes: int = MAX_BYTES,
) -> list[torch.Tensor]:
    """Paint one mask a label of each grid, as `resample.paint_bilinear(cells == label)` does.

    Arguments, result and errors are those of `paint_grids_nearest`.
    """
    return _paint_grids(cells, labels, sizes, "bilinear", device, max_bytes)


def _paint_grids(
    cells: Sequence[npt.NDArray[Any]],
    labels: Sequence[int | Sequence[int]],
    sizes: Sequence[Size],
    method: Method,
    device: Device,
    max_bytes: int,
) -> list[torch.Tensor]:
    if not len(cells) == len(labels) == len(sizes):
        raise MaskCodecError(
            f"{len(cells)} grids, {len(labels)} lists of labels and {len(sizes)} sizes: "
            "expected one of each a text"
        )
    planes = [
        [grid == value for value in (range(values) if isinstance(values, int) else values)]
        for grid, values in zip(cells, labels, strict=True)
    ]
    boxes = [
        [(0, 0, width, height)] * len(grids)
        for grids, (height, width) in zip(planes, sizes, strict=True)
    ]
    return paint_boxes(planes, boxes, sizes, method=method, device=device, max_bytes=max_bytes)


def paint_boxes(
    cells: Sequence[Sequence[npt.NDArray[np.bool_]]],
    boxes: Sequence[Sequence[Box]],
    sizes: Sequence[Size],
    *,
    method: Method = "nearest",
    device: Device = "cpu",
    max_bytes: int = MAX_BYTES,
) -> list[torch.Tensor]:
    """Paint grids inside boxes, as `resample.paint_nearest` and `paint_bilinear` do.

    Args:
        cells: for each text its objects' grids, bool, (rows, columns) each, of any shapes.
        boxes: for each object its (x0, y0, x1, y1) in pixels, half-open, within the image.
        sizes: for each text the (height, width) of its image in pixels.
        method: "nearest" or "bilinear".
        device: where to paint.
        max_bytes: bound on temporary memory.

    Returns:
        For each text a bool tensor on `device`, (objects, height, width).

    Raises:
        MaskCodecError: lengths, shapes, boxes or sizes that don't fit, or an unknown method.
    """
    if method not in ("nearest", "bilinear"):
        raise MaskCodecError(f'method is {method!r}, expected "nearest" or "bilinear"')
    paint = _nearest_group if method == "nearest" else _bilinear_group
    counts = [len(grids) for grids in cells]
    if counts != [len(places) for places in boxes]:
        raise MaskCodecError("each text needs one box a grid")
    groups = group_by_size(counts, sizes)
    grids = [[np.asarray(grid) for text in own.texts for grid in cells[text]] for own in groups]
    frames = [
        _frames(some, [box for text in group.texts for box in boxes[text]], group.size)
        for group, some in zip(groups, grids, strict=True)
    ]

    def by_kernels() -> list[torch.Tensor]:
        from .triton.paint import paint_bits

        return paint_bits(groups, frames, grids, len(cells), device, method == "bilinear")

    def plain() -> list[torch.Tensor]:
        arrays = [one for pair in zip(frames, map(_padded, grids), strict=True) for one in pair]
        on_device = iter(to_device(arrays, device))

        def paint_group(group: Group) -> torch.Tensor:
            return paint(next(on_device), next(on_device), group.size, max_bytes)

        return paint_groups(groups, paint_group, len(cells))

    return triton.by_kernels(device, by_kernels, plain)


# --- grids in boxes ---


def _frames(
    grids: Sequence[npt.NDArray[Any]], boxes: Sequence[Box], size: Size
) -> npt.NDArray[np.int64]:
    """Where each grid lies: int64 (objects, 6), y0, height, rows, x0, width, columns."""
    frames = np.empty((len(grids), 6), np.int64)
    for frame, grid, (x0, y0, x1, y1) in zip(frames, grids, boxes, strict=True):
        if grid.ndim != 2 or grid.size == 0:
            raise MaskCodecError(f"a grid of shape {grid.shape}: expected (rows, columns)")
        if not (0 <= x0 <= x1 <= size[1] and 0 <= y0 <= y1 <= size[0]):
            raise MaskCodecError(
                f"box {(x0, y0, x1, y1)} leaves an image of (height, width) {size}"
            )
        frame[:] = y0, y1 - y0, grid.shape[0], x0, x1 - x0, grid.shape[1]
    return frames


def _padded(grids: Sequence[npt.NDArray[Any]]) -> npt.NDArray[np.uint8]:
    """All grids in one array of 0 and 1, with at least one row and column of zeros behind each.

    Pixels outside a box look their value up there.
    """
    rows = max((grid.shape[0] for grid in grids), default=1)
    columns = max((grid.shape[1] for grid in grids), default=1)
    padded = np.zeros((len(grids), rows + 1, columns + 1), np.uint8)
    for plane, grid in zip(padded, grids, strict=True):
        plane[: grid.shape[0], : grid.shape[1]] = grid != 0
    return padded


def _axis(frames: torch.Tensor, axis: int, pixels: int) -> tuple[torch.Tensor, ...]:
    """Of every box along one axis: pixels from its start, (objects, pixels); inside; sides; cells.

    The sides of empty boxes are given as 1, so that dividing by them does no harm.
    """
    start, side, cells = frames[:, 3 * axis : 3 * axis + 3, None].unbind(1)
    place = torch.arange(pixels, device=frames.device)[None, :] - start
    return place, (place >= 0) & (place < side), side.clamp(min=1), cells


def _nearest_group(
    frames: torch.Tensor, cells: torch.Tensor, size: Size, max_bytes: int
) -> torch.Tensor:
    """Paint (objects, height, width): look up each grid row's pixels, then repeat those rows."""
    count, rows, columns = cells.shape
    height, width = size
    outside = (rows - 1, columns - 1)
    index = []
    for axis in (0, 1):
        place, inside, side, along = _axis(frames, axis, size[axis])
        index.append(((2 * place + 1) * along // (2 * side)).where(inside, outside[axis]))
    word = word_of(width)  # rows are copied word by word
    words = width // word.itemsize
    planes = torch.empty((count, height, words), dtype=word, device=cells.device)
    for part in chunks(count, rows * width, max_bytes):
        x = index[1][part, None, :].expand(-1, rows, -1)
        lines = cells[part].gather(2, x).view(word)
        y = index[0][part, :, None].expand(-1, -1, words)
        torch.gather(lines, 1, y, out=planes[part])
    return planes.view(torch.bool)


def _bilinear_group(
    frames: torch.Tensor, cells: torch.Tensor, size: Size, max_bytes: int
) -> torch.Tensor:
    """Paint (objects, height, width) by the integers of `resample.paint_bilinear`.

    Between the columns j and j + 1 of a line of pixels the sum, less one half, is
    level[j] + share * slope[j].
    """
    count, rows, columns = cells.shape
    height, width = size
    number = torch.int32 if height * width < INT32_PIXELS else torch.int64
    sides, index, share = [], [], []
    for axis, outside in ((0, rows - 1), (1, columns - 1)):
        place, inside, side, along = _axis(frames, axis, size[axis])
        place = ((2 * place + 1) * along - side).clamp(min=0).minimum(2 * side * (along - 1))
        cell = place // (2 * side)
        index.append(cell.where(inside, outside))
        share.append((place - 2 * side * cell).where(inside, 0).to(number))
        sides.append(side.to(number)[:, :, None])
    planes = torch.empty((count, height, width), dtype=torch.bool, device=cells.device)
    line_bytes = (2 * width + 5 * columns) * number.itemsize
    for part in chunks(count, height * line_bytes, max_bytes):
        x, x_share = index[1][part, None, :], share[1][part, None, :]
        tall, wide = sides[0][part], sides[1][part]
        for lines in chunks(height, len(x) * line_bytes, max_bytes):
            y, y_share = index[0][part, lines, None], share[0][part, lines, None]
            above = _rows(cells[part], y).to(number)
            below = _rows(cells[part], (y + 1).clamp(max=rows - 1)).to(number)
            line = above * (2 * tall - y_share) + below * y_share
            slope = torch.diff(line, dim=2, append=line[:, :, :1])
            line = (line - tall) * (2 * wide)
            x_all = x.expand(-1, line.shape[1], -1)
            level = line.gather(2, x_all)
            level += slope.gather(2, x_all).mul_(x_share)
            torch.ge(level, 0, out=planes[part, lines])
    return planes


def _rows(cells: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return cells.gather(1, y.expand(-1, -1, cells.shape[2]))
