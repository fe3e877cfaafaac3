"""Between the pixels of an image and the cells of a grid: the one home of the resizing convention.

A grid of (rows, columns) cells divides a rectangle of the image evenly. Along an axis of P pixels
and G cells:

- pixel p belongs to the cell that its centre lies in, floor((2p + 1) G / 2P); this is what PIL
  calls NEAREST, scikit-image order 0 and torch "nearest-exact";
- sampling takes for cell i the pixel that the cell's centre lies in, floor((2i + 1) P / 2G);
- pooling counts the pixels that belong to each cell, so that encoder and decoder share boundaries;
- bilinear interpolation has half-pixel centres and repeats the edge; a pixel is set iff the
  interpolated value is at least one half.

All of it is exact integer arithmetic. A box is (x0, y0, x1, y1) in pixels, half-open, within the
image; without one the grid covers the whole image. See docs/decisions/0002-resampling.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from operator import index
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from ._ext import bilinear as _bilinear
from ._ext import paint as _paint
from ._ext import pool as _pool
from .blocks import Before
from .errors import MaskCodecError
from .mask import MAX_PIXELS, MAX_SIDE, check_size

Bools: TypeAlias = npt.NDArray[np.bool_]
Ints: TypeAlias = npt.NDArray[np.int32]
Size: TypeAlias = tuple[int, int]
Box: TypeAlias = tuple[int, int, int, int]
Label = TypeVar("Label", np.bool_, np.uint8, np.uint16, np.int32)

_BOOL = np.dtype(np.bool_)
_INT32 = np.dtype(np.int32)
_NUMBERS = (_INT32, np.dtype(np.uint8), np.dtype(np.uint16))
_BOOLS = (_BOOL,)
_LABELS = (_BOOL, *_NUMBERS)

_CELLS_AT_ONCE = 1 << 18
"""Cells, a byte each, that jobs for a call of a kernel hold."""


# --- along one axis ---


@lru_cache(maxsize=64)
def cell_of_pixel(pixels: int, cells: int) -> Ints:
    """The cell that each pixel belongs to: int32, (pixels,), ascending, read-only."""
    _check_axis(pixels, cells)
    places = (2 * np.arange(pixels, dtype=np.int64) + 1) * cells // max(1, 2 * pixels)
    return _frozen(places)


@lru_cache(maxsize=1024)
def pixel_of_cell(cells: int, pixels: int) -> Ints:
    """The pixel that each cell is sampled at: int32, (cells,), ascending, read-only."""
    _check_axis(pixels, cells)
    return _frozen((2 * np.arange(cells, dtype=np.int64) + 1) * pixels // (2 * cells))


@lru_cache(maxsize=1024)
def cell_edges(pixels: int, cells: int) -> Ints:
    """The first pixel of each cell, and `pixels`: int32, (cells + 1,), ascending, read-only.

    Cell i owns the pixels edges[i] to edges[i + 1], half-open; none where cells are narrower than
    pixels and no centre falls in.
    """
    _check_axis(pixels, cells)
    # the least p with (2p + 1) cells >= 2 pixels i
    return _frozen(-((cells - 2 * pixels * np.arange(cells + 1, dtype=np.int64)) // (2 * cells)))


def _frozen(places: npt.NDArray[np.int64]) -> Ints:
    array = places.astype(np.int32)
    array.flags.writeable = False
    return array


def _check_axis(pixels: int, cells: int) -> None:
    if not 0 <= pixels <= MAX_SIDE or not 1 <= cells <= MAX_SIDE:
        raise MaskCodecError(
            f"an axis of {pixels} pixels and {cells} cells: expected 0 to {MAX_SIDE:,} pixels "
            f"and 1 to {MAX_SIDE:,} cells"
        )


# --- pixels to cells ---


def sample_nearest(
    values: npt.NDArray[Label], grid: Size, box: Box | None = None
) -> npt.NDArray[Label]:
    """Take the pixel at the centre of each cell.

    Args:
        values: a mask or a label map, bool, uint8, uint16 or int32, (height, width).
        grid: (rows, columns).
        box: the part of the image that the grid covers, not empty.

    Returns:
        (rows, columns), of the dtype of `values`.

    Raises:
        MaskCodecError: a wrong dtype, shape, grid or box.
    """
    values, (height, width) = _plane("values", values, _LABELS)
    x0, y0, x1, y1 = _check_box(box, height, width)
    if x0 == x1 or y0 == y1:
        raise MaskCodecError(f"box {box} holds no pixel to sample")
    rows, columns = grid
    ys, xs = pixel_of_cell(rows, y1 - y0), pixel_of_cell(columns, x1 - x0)
    if box is not None:
        ys, xs = ys + np.int32(y0), xs + np.int32(x0)
    out = np.empty((rows, columns), values.dtype)
    _pool.sample(values, values.itemsize, height, width, ys, xs, out)
    return out


def coverage(mask: Bools, grid: Size, box: Box | None = None) -> tuple[Ints, Ints]:
    """Count, cell by cell, the pixels that are set and the pixels that there are.

    A cell that owns no pixel has `total` 0, and `covered` 1 or 0: the value of the pixel at its
    centre. `best_cells` and `area_cells` take it as that pixel says, and leave it out of sums of
    areas, since it paints nothing at this size.

    Args:
        mask: bool, (height, width).
        grid: (rows, columns).
        box: the part of the image that the grid covers; an empty one gives zeros.

    Returns:
        covered: int32, (rows, columns).
        total: int32, (rows, columns); its sum is the area of the box.

    Raises:
        MaskCodecError: a wrong dtype, shape, grid or box.
    """
    job = coverage_job(mask, grid, box)
    _pool.coverage([job])
    return pooled(job, grid, box)


def coverage_job(mask: Bools, grid: Size, box: Box | None) -> _pool.Work:
    """What the kernel needs for `coverage`, checked, with new arrays for the counts."""
    mask, (height, width) = _plane("mask", mask, _BOOLS)
    x0, y0, x1, y1 = _check_box(box, height, width)
    rows, columns = grid
    y_edges, x_edges = cell_edges(y1 - y0, rows), cell_edges(x1 - x0, columns)
    covered, total = np.empty((rows, columns), _INT32), np.empty((rows, columns), _INT32)
    return mask, height, width, y0, x0, y_edges, x_edges, covered, total


def pooled(job: _pool.Work, grid: Size, box: Box | None) -> tuple[Ints, Ints]:
    """What the kernel counted; cells that own no pixel take the one at their centre."""
    mask, _, _, _, _, y_edges, x_edges, covered, total = job
    pixels = y_edges[-1], x_edges[-1]
    if (grid[0] > pixels[0] or grid[1] > pixels[1]) and all(pixels):
        np.copyto(covered, sample_nearest(mask, grid, box), where=total == 0)
    return covered, total


def area_cells(covered: Ints, total: Ints) -> Bools:
    """Choose the cells that are covered by half or more: bool, of the shape of `covered`."""
    # not 2 * covered, which may exceed int32
    kept: Bools = (covered >= total - covered) & (covered > 0)
    return kept


def best_cells(covered: Ints, total: Ints, area: int | None = None) -> Bools:
    """Choose the cells that, painted by nearest at this size, have the highest IoU with the mask.

    They are the cells whose coverage exceeds IoU / (1 + IoU), for the IoU that they reach; that
    is never more than one half, so no object vanishes: unless nothing is covered, a cell is kept.

    Args:
        covered: int32, (rows, columns), as `coverage` gives them.
        total: the same.
        area: pixels of the mask; more than covered where some lie outside the grid's box.

    Returns:
        bool, (rows, columns).

    Raises:
        MaskCodecError: wrong dtypes or shapes, or counts that are no counts.
    """
    if covered.shape != total.shape or covered.dtype != np.int32 or total.dtype != np.int32:
        raise MaskCodecError(
            f"covered: {covered.dtype} of shape {covered.shape}, total: {total.dtype} of shape "
            f"{total.shape}; expected int32 of one shape"
        )
    covered, total = np.ascontiguousarray(covered), np.ascontiguousarray(total)
    keep = np.empty(covered.shape, np.bool_)
    if not _pool.best_cells(covered, total, covered.size, -1 if area is None else area, keep):
        raise MaskCodecError(
            f"expected 0 <= covered <= total in each cell, and an area (it is {area}) of at least "
            f"the pixels covered and at most {MAX_PIXELS:,}"
        )
    return keep


# --- cells to pixels ---


def paint_nearest(
    cells: npt.NDArray[Label],
    size: Size,
    out: npt.NDArray[Label] | None = None,
    box: Box | None = None,
) -> npt.NDArray[Label]:
    """Give each pixel the value of its cell.

    Args:
        cells: a mask or labels, bool, uint8, uint16 or int32, (rows, columns).
        size: (height, width) of the image in pixels.
        out: where to paint: C-contiguous, of `size` and the dtype of `cells`; every pixel is
            written. Without one a new array is made.
        box: the part of the image that the grid covers; pixels outside become 0.

    Returns:
        `out`, or a new array of `size` and the dtype of `cells`.

    Raises:
        MaskCodecError: a wrong dtype, shape, size or box.
    """
    cells, (rows, columns) = _plane("cells", cells, _LABELS)
    height, width = check_size(size)
    x0, y0, x1, y1 = _check_box(box, height, width)
    blank = out is None
    out = _canvas((height, width), cells.dtype, out)
    y_edges, x_edges = cell_edges(y1 - y0, rows), cell_edges(x1 - x0, columns)
    _paint.nearest(cells, cells.itemsize, height, width, y0, x0, y_edges, x_edges, out, blank)
    return out


def paint_labels_nearest(
    cells: npt.NDArray[Any],
    labels: int | Sequence[int],
    size: Size,
    out: Bools | None = None,
    box: Box | None = None,
) -> Bools:
    """Paint one mask a label from a grid of labels, each pixel as its cell says.

    Args:
        cells: uint8, uint16 or int32, (rows, columns).
        labels: the values of `cells` to paint, or a number n for 0 to n - 1.
        size: (height, width) of the image in pixels.
        out: where to paint: bool, C-contiguous, (labels, height, width); every pixel is written.
        box: the part of the image that the grid covers; pixels outside are False.

    Returns:
        bool, (labels, height, width): plane k holds the pixels of labels[k].

    Raises:
        MaskCodecError: a wrong dtype, shape, size or box, or labels that are no whole numbers.
    """
    job = labels_job(cells, labels, size, out, box)
    _paint.planes([job])
    return job[8]


def labels_job(
    cells: npt.NDArray[Any],
    labels: int | Sequence[int],
    size: Size,
    out: Bools | None,
    box: Box | None,
    *,
    before: int = Before.DIRTY,
) -> _paint.Picture:
    """What the kernel needs for `paint_labels_nearest`, checked; item 8 is the array to paint in.

    `before` says what `out` holds.
    """
    cells, (rows, columns) = _plane("cells", cells, _NUMBERS)
    height, width = check_size(size)
    x0, y0, x1, y1 = _check_box(box, height, width)
    values = _label_values(labels)
    canvas = _canvas((len(values), height, width), _BOOL, out)
    y_edges, x_edges = cell_edges(y1 - y0, rows), cell_edges(x1 - x0, columns)
    numbers = cells if cells.dtype is _INT32 else cells.astype(_INT32)
    before = Before.CLEAR if out is None else before
    return numbers, values, height, width, y0, x0, y_edges, x_edges, canvas, before


def paint_bilinear(
    cells: Bools, size: Size, out: Bools | None = None, box: Box | None = None
) -> Bools:
    """Set each pixel where the bilinear interpolation of its cells is at least one half.

    Arguments, result and errors are those of `paint_nearest`, with bool `cells`.
    """
    job = bilinear_job(cells, size, out, box)
    _bilinear.bilinear([job])
    return job[9]


def bilinear_job(
    cells: Bools,
    size: Size,
    out: Bools | None,
    box: Box | None,
    *,
    before: int = Before.DIRTY,
) -> _bilinear.Picture:
    """What the kernel needs for `paint_bilinear`, checked; item 9 is the array to paint in.

    `before` says what `out` holds.
    """
    cells, (rows, columns) = _plane("cells", cells, _BOOLS)
    height, width = check_size(size)
    x0, y0, x1, y1 = _check_box(box, height, width)
    _check_axis(height, rows)
    _check_axis(width, columns)
    canvas = _canvas((height, width), _BOOL, out)
    before = Before.CLEAR if out is None else before
    return cells, rows, columns, height, width, y0, x0, y1, x1, canvas, before


def paint_labels_bilinear(
    cells: npt.NDArray[Any],
    labels: int | Sequence[int],
    size: Size,
    out: Bools | None = None,
    box: Box | None = None,
) -> Bools:
    """Paint one mask a label: `paint_bilinear(cells == label)` for each of them.

    Arguments, result and errors are those of `paint_labels_nearest`. Where labels meet, both may
    have a pixel at which each is exactly one half, and neither where three labels meet.
    """
    values = _label_values(labels)
    canvas = _canvas((len(values), *check_size(size)), _BOOL, out)
    before = Before.CLEAR if out is None else Before.DIRTY
    paint_bilinear_jobs(bilinear_labels_jobs(cells, values, canvas, box, before=before))
    return canvas


def bilinear_labels_jobs(
    cells: npt.NDArray[Any],
    labels: Sequence[int],
    canvas: Bools,
    box: Box | None,
    *,
    before: int,
) -> Iterator[_bilinear.Picture]:
    """What the kernel needs for `paint_labels_bilinear`, checked: a job for each label.

    `canvas` is bool (labels, height, width) in C order; `before` says what it holds.
    """
    cells, (rows, columns) = _plane("cells", cells, _NUMBERS)
    _, height, width = canvas.shape
    x0, y0, x1, y1 = _check_box(box, height, width)
    _check_axis(height, rows)
    _check_axis(width, columns)
    for value, plane in zip(labels, canvas, strict=True):
        yield cells == value, rows, columns, height, width, y0, x0, y1, x1, plane, before


def paint_bilinear_jobs(jobs: Iterable[_bilinear.Picture]) -> None:
    """Paint them in few calls of the kernel, of about `_CELLS_AT_ONCE` cells each."""
    some: list[_bilinear.Picture] = []
    cells = 0
    for job in jobs:
        some.append(job)
        cells += job[1] * job[2]
        if cells > _CELLS_AT_ONCE:
            _bilinear.bilinear(some)
            some, cells = [], 0
    _bilinear.bilinear(some)


# --- arguments ---


def _plane(
    name: str, array: npt.NDArray[Label], dtypes: Sequence[np.dtype[Any]]
) -> tuple[npt.NDArray[Label], Size]:
    """The array in C order, and its shape."""
    if not isinstance(array, np.ndarray) or array.ndim != 2 or array.dtype not in dtypes:
        expected = ", ".join(str(dtype) for dtype in dtypes)
        found = (
            f"{array.dtype} of shape {array.shape}"
            if isinstance(array, np.ndarray)
            else type(array).__name__
        )
        raise MaskCodecError(f"{name}: {found}, expected a two-dimensional array of {expected}")
    return array if array.flags.c_contiguous else np.ascontiguousarray(array), array.shape


def _check_box(box: Box | None, height: int, width: int) -> Box:
    if box is None:
        return 0, 0, width, height
    try:
        x0, y0, x1, y1 = (index(side) for side in box)
    except (TypeError, ValueError):
        raise MaskCodecError(f"box is {box!r}, expected four whole numbers of pixels") from None
    if not (0 <= x0 <= x1 <= width and 0 <= y0 <= y1 <= height):
        raise MaskCodecError(
            f"box (x0, y0, x1, y1) is ({x0}, {y0}, {x1}, {y1}), expected "
            f"0 <= x0 <= x1 <= {width} and 0 <= y0 <= y1 <= {height}"
        )
    return x0, y0, x1, y1


def _label_values(labels: int | Sequence[int]) -> Sequence[int]:
    """0 to `labels` - 1, or the labels themselves; whole numbers of NumPy's, too."""
    if isinstance(labels, range):
        return labels
    try:
        if not isinstance(labels, Sequence | np.ndarray):
            return range(index(labels))
        values = [index(one) for one in labels]
        fits = all(-(2**31) <= one < 2**31 for one in values)
    except TypeError:
        fits = False
    if not fits:
        raise MaskCodecError(
            f"labels is {labels!r}, expected a number of labels, or a list of whole numbers of 32 "
            "bits"
        )
    return values


def _canvas(
    shape: tuple[int, ...], dtype: np.dtype[Any], out: npt.NDArray[Any] | None
) -> npt.NDArray[Any]:
    """The array to paint in; a new one holds zeros, so that pages that stay zero cost nothing."""
    if out is None:
        return np.zeros(shape, dtype)
    if out.shape != shape or out.dtype != dtype or not out.flags.carray:
        raise MaskCodecError(
            f"out: {out.dtype} of shape {out.shape}, expected {dtype} of shape {shape}, "
            "C-contiguous and writeable"
        )
    return out
