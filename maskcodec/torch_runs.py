"""COCO run lengths painted in batches by torch, on any device, bit for bit as the kernels do.

See `torch_paint` for how batches travel and what comes back.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from . import triton
from .errors import MaskCodecError
from .resample import Size
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


def paint_runs(
    counts: Sequence[Sequence[npt.NDArray[np.uint32]]],
    sizes: Sequence[Size],
    *,
    device: Device = "cpu",
    max_bytes: int = MAX_BYTES,
) -> list[torch.Tensor]:
    """Paint COCO run lengths.

    Args:
        counts: for each text its masks' run lengths, uint32, in column-major order, zeros first.
        sizes: for each text the (height, width) of its masks; each mask's runs fill it.
        device: where to paint.
        max_bytes: bound on temporary memory.

    Returns:
        For each text a bool tensor on `device`, (masks, height, width).

    Raises:
        MaskCodecError: lengths that don't fit, or runs that don't fill their image.
    """
    groups = group_by_size([len(masks) for masks in counts], sizes)
    masks = [[mask for text in group.texts for mask in counts[text]] for group in groups]
    ends = [_ends(own, group.size) for own, group in zip(masks, groups, strict=True)]

    def by_kernels() -> list[torch.Tensor]:
        from .triton.paint import paint_counts

        lengths = [np.array([len(mask) for mask in own], np.int64) for own in masks]
        return paint_counts(ends, lengths, groups, len(counts), device)

    def plain() -> list[torch.Tensor]:
        changes = [
            _changes(own, places, group.size)
            for own, places, group in zip(masks, ends, groups, strict=True)
        ]
        on_device = iter(to_device(changes, device))

        def paint_group(group: Group) -> torch.Tensor:
            return _paint_changes(next(on_device), group.starts[-1], group.size, max_bytes)

        return paint_groups(groups, paint_group, len(counts))

    return triton.by_kernels(device, by_kernels, plain)


def _ends(masks: Sequence[npt.NDArray[np.uint32]], size: Size) -> npt.NDArray[np.int64]:
    """Where the runs of all masks end, in column-major order through all of them."""
    area = size[0] * size[1]
    for mask in masks:
        if mask.ndim != 1 or mask.sum(dtype=np.int64) != area:
            raise MaskCodecError(
                f"run lengths of shape {mask.shape} fill {mask.sum(dtype=np.int64)} pixels, "
                f"expected {area} for (height, width) {size}"
            )
    return np.cumsum(np.concatenate([np.zeros(0, np.uint32), *masks]), dtype=np.int64)


def _changes(
    masks: Sequence[npt.NDArray[np.uint32]], ends: npt.NDArray[np.int64], size: Size
) -> npt.NDArray[np.int64]:
    """Where runs begin, in column-major order through all masks: int64, ascending, each once.

    A place is doubled, and the odd number after it where a run of zeros begins. A mask begins with
    zeros, so that the first change is to ones.
    """
    area = size[0] * size[1]
    parts = [np.zeros(0, np.int64)]
    first = 0
    for number, mask in enumerate(masks):
        own = ends[first : first + len(mask)]
        starts = own[own < (number + 1) * area]
        if not np.all(starts[1:] > starts[:-1]):  # runs of no pixels: two changes undo each other
            starts, times = np.unique(starts, return_counts=True)
            starts = starts[times % 2 == 1]
        parts.append(2 * starts + np.arange(len(starts)) % 2)
        first += len(mask)
    return np.concatenate(parts)


def _paint_changes(changes: torch.Tensor, count: int, size: Size, max_bytes: int) -> torch.Tensor:
    """Paint (masks, height, width) from the places where runs begin.

    A pixel is what its column begins with, plus 1 for each run of ones and minus 1 for each run of
    zeros that begins in the column down to it: a running sum that never leaves row-major order. It
    is 0 or 1 everywhere, so that several columns can share a word, their sums a byte each: borrows
    between the bytes cancel out in the sum.
    """
    height, width = size
    word = word_of(width)
    words = width // word.itemsize
    planes = torch.zeros((count, height, words), dtype=word, device=changes.device)
    begun = torch.zeros(count * width, dtype=torch.int32, device=changes.device)
    for part in chunks(len(changes), 10 * changes.itemsize, max_bytes):
        sign = 1 - 2 * (changes[part] & 1)
        place = changes[part] >> 1
        column = place // height  # through all masks
        y = place - column * height
        mask = column // width
        x = column - mask * width
        at = (mask * height + y) * words + x // word.itemsize
        step = sign * (1 << 8 * (x % word.itemsize))
        planes.view(-1).index_add_(0, at, step.to(word))
        begun.index_add_(0, column, sign.int())
    top = torch.zeros((count, width), dtype=torch.int8, device=changes.device)
    top[:, 1:] = begun.view(count, width).cumsum(1, dtype=torch.int32)[:, :-1]
    planes[:, 0] += top.view(word)
    for part in chunks(count, height * width, max_bytes):
        planes[part].cumsum_(1)
    return planes.view(torch.bool)
