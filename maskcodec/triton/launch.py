"""How the kernels are started: planes to paint in, and tiles of them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from ..resample import Size
from ..torch_batch import Device
from .cells import round_fields

MOST_PLANES = 65_535
"""Masks of one launch: the most that a grid has in its third direction."""

LINES = 32
GROUPS = 8
"""Lines, and groups of 16 pixels, of a tile that is painted line by line, by one warp."""

BLOCK = 1024
"""Numbers that are rounded by one program."""

PLAIN = {"enable_fp_fusion": False}
"""Products and sums round one by one, as in the kernels for the CPU: rounding is part of COCO's
rule."""

RUNS_TILE = (4, 128)
"""Words of 32 lines, and columns, of a tile that is painted down its columns, one a thread."""

RINGS_TILE = (16, 64)
"""The same where each tile looks at all edges of its object: tall, so that these are few looks."""


def new_planes(count: int, size: Size, device: Device) -> torch.Tensor:
    """Room for masks, bool (count, height, width); a kernel writes all of it."""
    return torch.empty((count, *size), dtype=torch.bool, device=device)


def paint_lines(
    kernel: Any,
    planes: torch.Tensor,
    tensors: Sequence[torch.Tensor],
    *numbers: int,
    **options: Any,
) -> torch.Tensor:
    """Start a kernel that paints line by line."""
    width = planes.shape[2]
    unit = 16 if width % 16 == 0 else 4 if width % 4 == 0 else 1
    words = planes.view(torch.int8 if unit == 1 else torch.int32)
    options |= {"UNIT": unit, "LINES": LINES, "GROUPS": GROUPS, "num_warps": 1}
    _start(kernel, planes, (words, *tensors), numbers, (LINES, 16 * GROUPS), options)
    return planes


def paint_columns(
    kernel: Any,
    planes: torch.Tensor,
    tensors: Sequence[torch.Tensor],
    *numbers: int,
    tile: tuple[int, int],
) -> torch.Tensor:
    """Start a kernel that paints down the columns, in tiles of at most (words, columns)."""
    words = 1
    while words < tile[0] and 32 * words < planes.shape[1]:
        words *= 2
    options = {
        "UNIT": 16 if planes.shape[2] % 16 == 0 else 1,
        "WORDS": words,
        "COLUMNS": tile[1],
        "num_warps": tile[1] // 32,
    }
    tensors = (planes.view(torch.int8), *tensors)
    _start(kernel, planes, tensors, numbers, (32 * words, tile[1]), options)
    return planes


def round_all(values: torch.Tensor, fields: torch.Tensor) -> None:
    """Set `fields`, int32, to the nearest whole numbers of `values`, float64."""
    if values.numel() % BLOCK:
        raise ValueError(f"{values.numel()} values, expected a multiple of {BLOCK}")
    with _current(values):
        round_fields[(values.numel() // BLOCK,)](values, fields, BLOCK=BLOCK, **PLAIN)


def _start(
    kernel: Any,
    planes: torch.Tensor,
    tensors: Sequence[torch.Tensor],
    numbers: Sequence[int],
    tile: tuple[int, int],
    options: dict[str, Any],
) -> None:
    count, height, width = planes.shape
    with _current(planes):
        for first in range(0, count, MOST_PLANES):
            masks = min(MOST_PLANES, count - first)
            grid = (-(-width // tile[1]), -(-height // tile[0]), masks)
            kernel[grid](*tensors, first, height, width, *numbers, **options, **PLAIN)


def _current(tensor: torch.Tensor) -> AbstractContextManager[object]:
    """Kernels start on the current device."""
    return torch.cuda.device(tensor.device) if tensor.is_cuda else nullcontext()
