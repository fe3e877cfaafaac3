"""Grid: one label a cell, over the whole image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from .. import resample
from .._ext import paint as _paint
from ..decoded import Pixels
from ..mask import Mask
from ..planes import Planes, paint_batch

if TYPE_CHECKING:
    import torch

Sample: TypeAlias = Literal["nearest", "area", "best"]
Upsample: TypeAlias = Literal["nearest", "bilinear"]
Cells: TypeAlias = npt.NDArray[np.int32]

MAX_SIDE = 1_024
"""Most rows, and most columns, of a grid."""


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """A label for each cell of a grid that divides the image evenly.

    Attributes:
        table: the label of each number in `cells`; number 0 is the background, whose name may
            also be that of a label.
        cells: int32, (rows, columns), numbers of 0 to len(table) - 1.
    """

    table: tuple[str, ...]
    cells: Cells

    @property
    def labels(self) -> tuple[str, ...]:
        """The label of each mask: all but the background."""
        return self.table[1:]

    def head(self, count: int) -> Grid:
        """The first `count` labels; cells of the others become background."""
        return Grid(self.table[: count + 1], np.where(self.cells <= count, self.cells, 0))


def analyze(
    masks: Sequence[Mask],
    size: tuple[int, int],
    shape: tuple[int, int],
    sample: Sample,
    background: str,
) -> Grid:
    """Give each cell of a grid of `shape` (rows, columns) the label of one of the masks, or none.

    Where masks overlap, later ones lie on top. Masks of one label are one object.

    Args:
        masks: masks of one image of `size` (height, width).
        size: (height, width) in pixels.
        shape: (rows, columns).
        sample: "nearest" takes the label of the pixel at the cell's centre; "area" a label that
            covers half of the cell or more; "best" those cells for which the object, painted
            again by nearest, has the highest IoU with itself. Where two objects want a cell, the
            one that covers more of it has it, and of equals the later one.
        background: the name of cells without an object.

    Returns:
        A grid whose table holds the labels that have a cell, in reading order of their first one.
    """
    cells = np.zeros(shape, np.int32)
    if sample == "nearest":
        labels = dict.fromkeys(mask.label for mask in masks)
        numbers = {label: number for number, label in enumerate(labels, 1)}
        for mask in masks:
            cells[resample.sample_nearest(mask.array, shape)] = numbers[mask.label]
        return in_reading_order((background, *labels), cells)
    visible = _visible(masks)
    most = np.zeros(shape, np.int32)
    for number, pixels in enumerate(visible.values(), 1):
        covered, total = resample.coverage(pixels, shape)
        choose = resample.area_cells if sample == "area" else resample.best_cells
        won = choose(covered, total) & (covered >= most)
        cells[won] = number
        most[won] = covered[won]
    return in_reading_order((background, *visible), cells)


def _visible(masks: Sequence[Mask]) -> dict[str, npt.NDArray[np.bool_]]:
    """The pixels of each label that no other label's later mask covers."""
    if len(masks) == 1:
        return {masks[0].label: masks[0].array}
    parts = {mask.label: np.zeros(mask.size, np.bool_) for mask in masks}
    taken = np.zeros(masks[0].size if masks else (0, 0), np.bool_)
    for mask in reversed(masks):
        parts[mask.label] |= mask.array & ~taken
        taken |= mask.array
    return parts


def in_reading_order(table: Sequence[str | None], cells: Cells) -> Grid:
    """Number labels by their first cell, drop those without one, and join equal ones.

    Args:
        table: the label of each number in `cells`, the background first; None means it too.
        cells: int32, (rows, columns).
    """
    present, first = np.unique(cells, return_index=True)
    order = present[np.argsort(first, kind="stable")]
    numbers: dict[str | None, int] = {None: 0}
    renumber = np.zeros(len(table), np.int32)
    for number in order[order > 0].tolist():
        renumber[number] = numbers.setdefault(table[number], len(numbers))
    labels = [label for label in numbers if label is not None]
    return Grid((str(table[0]), *labels), renumber[cells])


def render_batch(
    grids: Sequence[Grid],
    sizes: Sequence[tuple[int, int]],
    *,
    upsample: Upsample,
    device: str | torch.device = "cpu",
) -> list[Pixels]:
    """Paint each label of each grid at its size: bool, (labels, height, width) each.

    "nearest" gives each pixel the label of its cell. "bilinear" interpolates each label's cells by
    themselves and keeps pixels of one half or more, so that edges run smoothly; two labels may then
    share a pixel on the line between them. See `maskcodec.resample`.
    """
    if device == "cpu":
        paint = _paint_nearest if upsample == "nearest" else _paint_bilinear
        return list(paint_batch(paint, grids, sizes))
    from .. import torch_paint

    paint_all = (
        torch_paint.paint_grids_nearest
        if upsample == "nearest"
        else torch_paint.paint_grids_bilinear
    )
    cells = [grid.cells for grid in grids]
    labels = [range(1, len(grid.table)) for grid in grids]
    return list(paint_all(cells, labels, list(sizes), device=device))


def _paint_nearest(grids: Sequence[Grid], planes: Sequence[Planes]) -> None:
    _paint.planes(
        [
            resample.labels_job(
                grid.cells, range(1, len(grid.table)), one.size, one.array, None,
                before=one.before,
            )
            for grid, one in zip(grids, planes, strict=True)
        ]
    )  # fmt: skip


def _paint_bilinear(grids: Sequence[Grid], planes: Sequence[Planes]) -> None:
    resample.paint_bilinear_jobs(
        job
        for grid, one in zip(grids, planes, strict=True)
        for job in resample.bilinear_labels_jobs(
            grid.cells, range(1, len(grid.table)), one.array, None, before=one.before
        )
    )
