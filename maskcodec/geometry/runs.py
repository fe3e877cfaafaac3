"""Runs: the mask itself, loss-free, as COCO's column-major run lengths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from .. import rle
from ..blocks import Before
from ..decoded import Pixels
from ..mask import Mask
from ..planes import Planes, paint_batch
from ..resample import pixel_of_cell

if TYPE_CHECKING:
    import torch

Counts = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """Masks as run lengths.

    Attributes:
        labels: one label a mask.
        sizes: the (height, width) in pixels that each mask's runs fill.
        counts: for each mask, uint32 run lengths in column-major order, zeros first, as in COCO;
            their sum is height * width.
    """

    labels: tuple[str, ...]
    sizes: tuple[tuple[int, int], ...]
    counts: tuple[Counts, ...]

    def head(self, count: int) -> Runs:
        """The first `count` masks."""
        return Runs(self.labels[:count], self.sizes[:count], self.counts[:count])


def analyze(masks: Sequence[Mask], size: tuple[int, int]) -> Runs:
    """Take the runs of each mask; all masks are of `size` (height, width)."""
    labels = tuple(mask.label for mask in masks)
    counts = tuple(rle.encode(mask.array) for mask in masks)
    return Runs(labels, (size,) * len(masks), counts)


def render_batch(
    items: Sequence[Runs],
    sizes: Sequence[tuple[int, int]],
    *,
    device: str | torch.device = "cpu",
) -> list[Pixels]:
    """Paint each item's masks at its size: bool, (masks, height, width) each.

    Runs of another size than the one asked for are resampled (see `maskcodec.resample`).
    """
    if device == "cpu":
        return list(paint_batch(_paint, items, sizes, all_written=True))
    from ..torch_runs import paint_runs

    counts = [_counts_at(runs, size) for runs, size in zip(items, sizes, strict=True)]
    return list(paint_runs(counts, list(sizes), device=device))


def _paint(items: Sequence[Runs], planes: Sequence[Planes]) -> None:
    counts = [_counts_at(runs, one.size) for runs, one in zip(items, planes, strict=True)]
    far = any(one.before is Before.FAR for one in planes)
    rle.decode_planes(counts, [one.array for one in planes], far=far)


def _counts_at(runs: Runs, size: tuple[int, int]) -> list[Counts]:
    """The runs of every mask at `size`."""
    return [
        counts if own == size else resize(counts, own, size)
        for own, counts in zip(runs.sizes, runs.counts, strict=True)
    ]


def resize(counts: Counts, size: tuple[int, int], target: tuple[int, int]) -> Counts:
    """Resample runs of `size` to `target`, both (height, width), without painting them at `size`.

    Each target pixel takes the value of its nearest source pixel, looked up in the sums of the
    runs: time and memory follow the target, whatever a hostile text says of the source.
    """
    rows = pixel_of_cell(target[0], size[0]).astype(np.int64)
    columns = pixel_of_cell(target[1], size[1]).astype(np.int64)
    ends = np.cumsum(counts, dtype=np.int64)
    position = columns[:, None] * size[0] + rows[None, :]
    inside = (np.searchsorted(ends, position, side="right") & 1).astype(np.bool_)
    return rle.encode(np.ascontiguousarray(inside.T))
