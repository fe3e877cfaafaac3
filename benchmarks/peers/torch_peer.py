"""The jobs of PyTorch on the CPU, on one thread, from boolean tensors to boolean tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from . import Way

Bools = npt.NDArray[np.bool_]
Sizes = Sequence[tuple[int, int]]

torch.set_num_threads(1)


def _images(masks: Sequence[Bools]) -> list[Any]:
    """As a batch of one image of one channel each; they share the masks' memory."""
    return [torch.from_numpy(mask)[None, None] for mask in masks]


def coverage(masks: Sequence[Bools], grid: tuple[int, int]) -> Way:
    """`adaptive_avg_pool2d` of floats; cells overlap where the grid doesn't divide the image."""
    images = _images(masks)
    return Way(
        lambda i: functional.adaptive_avg_pool2d(images[i].float(), grid),
        lambda answer: answer[0, 0].numpy(),
    )


def sample(masks: Sequence[Bools], grid: tuple[int, int]) -> Way:
    """`nearest-exact`, which shares our convention."""
    images = [image.view(torch.uint8) for image in _images(masks)]
    return Way(
        lambda i: functional.interpolate(images[i], grid, mode="nearest-exact"),
        lambda answer: answer[0, 0].numpy(),
    )


def bounding_box(masks: Sequence[Bools]) -> Way:
    """The first and last row and column with a pixel."""
    images = [torch.from_numpy(mask) for mask in masks]

    def run(index: int) -> tuple[int, int, int, int] | None:
        rows, columns = (images[index].any(dim).nonzero() for dim in (1, 0))
        if not len(rows):
            return None
        return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1

    return Way(run)


def iou(pairs: Sequence[tuple[Sequence[int], Sequence[int]]], **stored: Any) -> Way | None:
    """A product of matrices of flat masks, where they are small enough to be kept."""
    if stored["stacks"] is None:
        return None
    stacks = [torch.from_numpy(stack).flatten(1) for stack in stored["stacks"]]

    def run(index: int) -> Any:
        left, right = (stacks[one[0]].float() for one in pairs[index])
        both = left @ right.T
        return both / (left.sum(1)[:, None] + right.sum(1)[None] - both)

    return Way(run, lambda answer: answer.numpy())


def paint_nearest(grids: Sequence[Bools], sizes: Sizes, outs: Sequence[Bools]) -> Way:
    """`nearest-exact`, which shares our convention; always into new memory."""
    images = [image.view(torch.uint8) for image in _images(grids)]
    return Way(
        lambda i: functional.interpolate(images[i], sizes[i], mode="nearest-exact"),
        lambda answer: answer[0, 0].numpy(),
    )


def paint_bilinear(grids: Sequence[Bools], sizes: Sizes, outs: Sequence[Bools]) -> Way:
    """Half-pixel centres, then a threshold; always into new memory."""
    images = [image.float() for image in _images(grids)]

    def run(index: int) -> Any:
        return functional.interpolate(images[index], sizes[index], mode="bilinear") >= 0.5

    return Way(run, lambda answer: answer[0, 0].numpy())
