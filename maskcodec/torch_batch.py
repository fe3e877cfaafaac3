"""How a batch of texts becomes few operations of torch: groups of one size, one copy, parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from .errors import MaskCodecError
from .mask import check_size
from .resample import Size

Device = str | torch.device

MAX_BYTES = 1 << 29
"""Default bound on temporary memory: 512 MiB."""

_DTYPES = {
    "int16": torch.int16,
    "int32": torch.int32,
    "int64": torch.int64,
    "float64": torch.float64,
}


@dataclass(frozen=True, slots=True)
class Group:
    """The texts whose images have one size.

    Attributes:
        size: (height, width) in pixels.
        texts: their places in the batch.
        starts: where the masks of each begin in the group, and where the last ones end.
    """

    size: Size
    texts: list[int]
    starts: list[int]


def group_by_size(counts: Sequence[int], sizes: Sequence[Size]) -> list[Group]:
    """Put together the texts of each size; `counts` says how many masks each has."""
    if len(counts) != len(sizes):
        raise MaskCodecError(f"{len(counts)} texts but {len(sizes)} sizes: expected one each")
    texts: dict[Size, list[int]] = {}
    for text, size in enumerate(sizes):
        texts.setdefault(check_size(size), []).append(text)
    return [
        Group(size, same, [0, *np.cumsum([counts[text] for text in same]).tolist()])
        for size, same in texts.items()
    ]


def paint_groups(
    groups: Sequence[Group], paint: Callable[[Group], torch.Tensor], count: int
) -> list[torch.Tensor]:
    """Paint each group's masks as one tensor, and give each of `count` texts its part of it."""
    painted: dict[int, torch.Tensor] = {}
    for group in groups:
        planes = paint(group)
        for text, (start, stop) in zip(group.texts, pairwise(group.starts), strict=True):
            painted[text] = planes[start:stop]
    return [painted[text] for text in range(count)]


def to_device(arrays: Sequence[npt.NDArray[Any]], device: Device) -> list[torch.Tensor]:
    """Send all arrays in one copy, each at a multiple of 16 bytes; those of bool become uint8."""
    starts = np.cumsum([0, *((array.nbytes + 15) // 16 * 16 for array in arrays)]).tolist()
    # A GPU copies from pinned memory by itself; torch keeps that memory for the next call.
    pinned = torch.device(device).type == "cuda"
    block = torch.zeros(max(16, starts[-1]), dtype=torch.uint8, pin_memory=pinned)
    room = block.numpy()
    for start, array in zip(starts, arrays, strict=False):
        room[start : start + array.nbytes] = array.reshape(-1).view(np.uint8)
    sent = block.to(device, non_blocking=pinned)
    return [
        sent[start : start + array.nbytes]
        .view(_DTYPES.get(array.dtype.name, torch.uint8))
        .view(array.shape)
        for start, array in zip(starts, arrays, strict=False)
    ]


def chunks(count: int, bytes_each: int, max_bytes: int) -> Iterator[slice]:
    """Divide `count` items of `bytes_each` into parts of at most `max_bytes`, or of one item."""
    step = max(1, max_bytes // max(1, bytes_each))
    for start in range(0, count, step):
        yield slice(start, min(count, start + step))


def word_of(width: int) -> torch.dtype:
    """The widest type, 8 to 1 bytes, that divides a row of so many bytes."""
    types = (torch.int64, torch.int32, torch.int16, torch.int8)
    return next(dtype for dtype in types if width % dtype.itemsize == 0)
