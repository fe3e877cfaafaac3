"""BoxGrid: for each object a box, and inside it rows of runs whose sides are joined by lines.

The 26 places 0..25 divide the width of a box evenly, 0 its left side and 25 its right one. A row is
a list of runs from one place to a later one. The rows lie at the middles of equal strips of the
box, from its top. Between two rows, the boundaries of runs walk along straight lines:

- rows with as many runs: the k-th run of one becomes the k-th run of the other;
- otherwise each line of pixels takes the runs of the nearer row. The start of a run walks to the
  start of the first run that it overlaps in the other row, unless the run before it overlaps that
  one too; the end likewise. Other boundaries stay.

Above the first row and below the last one, nothing moves. A pixel is set iff its centre lies in a
run of its line: `start <= centre < end`.

Boxes are whole numbers of 0..999, as `maskcodec.geometry.boxes` rounds them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from .._ext import boxgrid as _kernels
from .._ext import boxgrid_fit as _fit
from ..decoded import Pixels
from ..mask import Mask
from ..planes import Planes, paint_batch, sizes_of
from ..rle import mask_bounding_box
from .boxes import each_to_pixels, to_bins, to_pixels
from .polygon import largest_part

if TYPE_CHECKING:
    import torch

BINS = 999
"""The largest coordinate of a box."""

COLUMNS = 25
"""The last place across a box."""

MAX_ROWS = 64

MAX_RUNS = 16
"""Room for the runs of a row; 26 places hold at most 13."""

LINES = 8
"""Pixel lines of a strip that an encoder looks at; more would cost time and gain nothing."""

PASSES = 2
"""Times that an encoder goes over all rows to raise IoU; a third changes next to nothing."""

POOR = 0.25
"""IoU inside a box below which the box of the largest part alone is tried."""


@dataclass(frozen=True, slots=True, eq=False)
class BoxGrid:
    """Objects as boxes with rows of runs.

    Attributes:
        labels: one label an object.
        boxes: int32 (objects, 4): left, top, right, bottom in 0..999. Any two opposite corners
            will do; a box without area holds no pixel.
        counts: uint8 (objects, rows): how many runs each row has.
        runs: uint8 (all runs, 2): start and end of each run in 0..25, strictly increasing within a
            row; first the rows of the first object.
    """

    labels: tuple[str, ...]
    boxes: npt.NDArray[np.int32]
    counts: npt.NDArray[np.uint8]
    runs: npt.NDArray[np.uint8]

    @property
    def rows(self) -> int:
        """Rows an object."""
        return int(self.counts.shape[1])

    def head(self, count: int) -> BoxGrid:
        """The first `count` objects."""
        kept = int(self.counts[:count].sum(dtype=np.int64))
        return BoxGrid(
            self.labels[:count], self.boxes[:count], self.counts[:count], self.runs[:kept]
        )


def analyze(masks: Sequence[Mask], size: tuple[int, int], rows: int) -> BoxGrid:
    """Fit `rows` rows to each mask of an image of `size` (height, width).

    A mask without pixels gets the box 0, 0, 0, 0 and no run.
    """
    boxes = np.zeros((len(masks), 4), np.int32)
    counts = np.zeros((len(masks), rows), np.uint8)
    runs = []
    for index, mask in enumerate(masks):
        box = mask_bounding_box(mask.array)
        if box is not None:
            boxes[index], counts[index], found = _boxed(mask.array, box, rows)
            runs.append(found)
    joined = np.concatenate(runs) if runs else np.zeros((0, 2), np.uint8)
    return BoxGrid(tuple(mask.label for mask in masks), boxes, counts, joined)


def _boxed(
    array: npt.NDArray[np.bool_], box: tuple[int, int, int, int], rows: int
) -> tuple[tuple[int, int, int, int], npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """The box of an object, how many runs each row has, and the runs.

    Thin parts far from each other are less than a place wide in the box around them all. Where next
    to nothing would be left of them, it is the box of the largest part, if that keeps more.
    """
    size = (array.shape[0], array.shape[1])
    bins = to_bins(box, size, BINS)
    best = fit(array, to_pixels(np.array(bins, np.int32), size, BINS), rows)
    if best.iou < POOR:
        area = int(np.count_nonzero(array))
        part = to_bins(largest_part(array), size, BINS)
        of_part = fit(array, to_pixels(np.array(part, np.int32), size, BINS), rows)
        if part != bins and of_part.iou_of(area) >= best.iou_of(area):
            bins, best = part, of_part
    if not len(best.runs):  # it lies outside the rounded box, or between narrow runs
        return bins, np.ones(rows, np.uint8), np.full((rows, 2), (0, COLUMNS), np.uint8)
    return bins, best.counts, best.runs


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Rows fitted to what a box holds of a mask.

    Attributes:
        counts: uint8 (rows,), how many runs each row has.
        runs: uint8 (runs, 2), all of them. None at all where none would paint a pixel of the mask.
        both: pixels that are set and painted; all three are estimates, from `sampled_lines`.
        painted: pixels that are painted.
        truth: pixels of the box that are set.
    """

    counts: npt.NDArray[np.uint8]
    runs: npt.NDArray[np.uint8]
    both: float
    painted: float
    truth: float

    @property
    def iou(self) -> float:
        """IoU inside the box, 0 to 1."""
        return self.iou_of(self.truth)

    def iou_of(self, area: float) -> float:
        """IoU with a mask of `area` pixels, those outside the box too."""
        return self.both / (area + self.painted - self.both) if self.both else 0.0


def fit(array: npt.NDArray[np.bool_], pixel_box: npt.NDArray[np.int32], rows: int) -> Fit:
    """The runs of `rows` rows that paint the part of `array` in a pixel box about best.

    A first guess takes, for each strip, the columns that are set in half of its lines. Then single
    runs move by a place or two as long as that raises IoU. A strip with a pixel set gets a run.
    """
    left, top, right, bottom = pixel_box.tolist()
    ys = sampled_lines(bottom - top, rows)
    width = right - left
    sums = np.empty((len(ys), width + 1), np.int32)
    counts = np.zeros(rows, np.uint8)
    runs = np.zeros((rows, MAX_RUNS, 2), np.uint8)
    scratch = np.empty(width, np.int32)
    pixels = array.view(np.uint8)
    found = _fit.fit(pixels, pixel_box, ys, COLUMNS, PASSES, sums, scratch, counts, runs)
    if not found[0]:
        counts[:] = 0
    both, painted, truth = (count * (bottom - top) / len(ys) for count in found)
    return Fit(counts, runs[np.arange(MAX_RUNS) < counts[:, None]], both, painted, truth)


def sampled_lines(height: int, rows: int) -> npt.NDArray[np.int32]:
    """The lines of a box that a fit looks at, from its top: all, or `LINES` a row."""
    lines = min(height, LINES * rows)
    return ((2 * np.arange(lines, dtype=np.int64) + 1) * height // (2 * lines)).astype(np.int32)


def render_batch(
    items: Sequence[BoxGrid],
    sizes: Sequence[tuple[int, int]],
    *,
    device: str | torch.device = "cpu",
) -> list[Pixels]:
    """Paint each item's objects at its size: bool, (objects, height, width) each."""
    if device == "cpu":
        return list(paint_batch(_paint, items, sizes))
    from . import boxgrid_torch

    return list(boxgrid_torch.paint_batch(items, sizes, device=device))


def _paint(items: Sequence[BoxGrid], planes: Sequence[Planes]) -> None:
    boxes = each_to_pixels(np.concatenate([item.boxes for item in items]), sizes_of(planes), BINS)
    _kernels.paint(planes, boxes, [(item.counts, item.runs) for item in items], COLUMNS)


def sides(item: BoxGrid) -> npt.NDArray[np.uint8]:
    """Where the boundaries walk: uint8 (objects, rows, 2, most runs, 4).

    Entry [o, i, h, k] is the k-th run between rows i and i + 1 of object o (below the last row,
    that row again), on the lines that are nearer to row i (h = 0) or to row i + 1 (h = 1): the
    places (start at row i, start at row i + 1, end at row i, end at row i + 1). Entries that are
    not used hold zeros, a run without width.
    """
    most = max(1, int(item.counts.max(initial=0)))
    found = np.zeros((len(item.labels), item.rows, 2, most, 4), np.uint8)
    _kernels.join(item.counts, item.runs, COLUMNS, found)
    return found
