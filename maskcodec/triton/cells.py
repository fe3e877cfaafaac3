"""Cells in boxes, stretched over them: grids of labels, maps of sureness, fields of shapes.

One kernel paints `nearest` and bilinear masks of any of them, in the integers of
`maskcodec.resample`. A program paints a tile of one mask, sixteen pixels of a line at a time. Along
a line, these sixteen meet few cells, and between the centres of two cells a bilinear sum is a
straight line: each pair of cells takes two multiplications, and each pixel an addition whose sign
is kept. Pairs of cells that agree in sign take no such walk.
"""

# Kernels are written in Triton's language, which has no types of Python's.
# mypy: ignore-errors

from __future__ import annotations

import triton
import triton.language as tl

from .pixels import divide, from_bit, inverse_of, number, store_bits

BITS = 0
"""Cells are 0 or 1, a bit each, and a pixel is set where they come to one half or more."""

BYTES = 1
"""Cells are 0 to 255, and a pixel is set at 127.5 or more."""

FIELDS = 2
"""Cells are int32, and a pixel is set above 0."""


@triton.jit
def _cell(cells, place, SOURCE: tl.constexpr):
    """The value of the cells at some places, int32."""
    if SOURCE == 0:
        value = (tl.load(cells + (place >> 5)) >> (place & 31)) & 1
    else:
        value = tl.load(cells + place).to(tl.int32)
    return value


@triton.jit
def _line(cells, above, below, share, whole, column, columns, level, SOURCE: tl.constexpr):
    """The sum between two rows of a column of cells each, less `level`.

    `above` and `below` are the places of the rows, and `share` is the lower one's, of `whole`.
    """
    column = tl.minimum(tl.maximum(column, 0), columns - 1).to(tl.int32)[None, :]
    upper = _cell(cells, above + column, SOURCE).to(level.dtype)
    lower = _cell(cells, below + column, SOURCE).to(level.dtype)
    return upper * (whole - share).to(level.dtype) + lower * share.to(level.dtype) - level


@triton.jit
def _below(value, step):
    """Which of value, value + step, ... value + 15 * step are below 0: sixteen bits."""
    if value.dtype == tl.int64:
        bits = tl.zeros(value.shape, tl.int32)
        for k in tl.static_range(16):
            bits |= ((value >> 32).to(tl.int32) >> 31) & (1 << k)
            value += step
    else:
        value += 15 * step
        signs = tl.zeros(value.shape, tl.uint32)
        for _ in tl.static_range(16):
            signs = (signs << 1) | (value.to(tl.uint32, bitcast=True) >> 31)
            value -= step
        bits = signs.to(tl.int32)
    return bits


@triton.jit
def _between(left, right, share, wide, columns, pixels, LEAST: tl.constexpr):
    """Which of sixteen pixels reach LEAST, between the sums `left` and `right` of two columns.

    `share` is the weight of `right` at the first of them, of 2 * wide. Only bits within `pixels`
    count; the sums of others may overflow.
    """
    sets_left, sets_right = left >= LEAST, right >= LEAST
    bits = tl.where(sets_left, pixels, 0)
    if tl.max(((sets_left != sets_right) & (pixels != 0)).to(tl.int32)) != 0:
        step = right - left
        value = left * (2 * wide).to(left.dtype) + step * share - LEAST
        bits = ~_below(value, step * (2 * columns).to(left.dtype)) & pixels
    return bits


@triton.jit
def _bilinear_pixels(
    cells, above, below, share, whole, level, begin, wide, columns,
    SOURCE: tl.constexpr, LEAST: tl.constexpr, WIDE: tl.constexpr,
):  # fmt: skip
    """Sixteen pixels from each `begin` on, each by itself: where cells are as small as pixels."""
    across = 2 * wide
    inverse = inverse_of(across)
    bits = tl.zeros((share.shape[0], begin.shape[0]), tl.int32)
    for k in range(16):
        place = (2 * tl.minimum(tl.maximum(begin + k, 0), wide - 1) + 1) * columns + wide
        pair = divide(place, across, inverse, WIDE)
        part = (place - pair * across).to(level.dtype)[None, :]
        before = _line(cells, above, below, share, whole, pair - 1, columns, level, SOURCE)
        after = _line(cells, above, below, share, whole, pair, columns, level, SOURCE)
        value = before * (across.to(level.dtype) - part) + after * part
        bits |= (value >= LEAST).to(tl.int32) << k
    return bits


@triton.jit
def _bilinear_pairs(
    cells, above, below, share, whole, level, begin, wide, columns, pairs,
    SOURCE: tl.constexpr, LEAST: tl.constexpr, WIDE: tl.constexpr,
):  # fmt: skip
    """Sixteen pixels from each `begin` on, by the `pairs` of columns that they may meet."""
    across, twice = 2 * wide, 2 * columns
    place = (2 * tl.minimum(tl.maximum(begin, 0), wide - 1) + 1) * columns + wide
    first = divide(place, across, inverse_of(across), WIDE)
    inverse = inverse_of(twice)
    before = _line(cells, above, below, share, whole, first - 1, columns, level, SOURCE)
    bits = tl.zeros((share.shape[0], begin.shape[0]), tl.int32)
    reached = tl.zeros((begin.shape[0],), tl.int32)
    for k in range(tl.minimum(pairs, columns + 1)):
        pair = first + k
        after = _line(cells, above, below, share, whole, pair, columns, level, SOURCE)
        # the first pixel of the next pair
        ahead = tl.maximum(across * (pair + 1) - wide - columns, 0) + twice - 1
        end = (divide(ahead, twice, inverse, WIDE) - begin).to(tl.int32)
        pixels = (from_bit(reached) ^ from_bit(end))[None, :]
        part = ((2 * begin + 1) * columns + wide - across * pair).to(level.dtype)[None, :]
        bits |= _between(before, after, part, wide, columns, pixels, LEAST)
        reached = end
        before = after
    return bits


@triton.jit
def _sets(
    cells, start, y_first, y_last, tall, rows, x_first, x_last, wide, columns,
    SOURCE: tl.constexpr, WIDE: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr,
):  # fmt: skip
    """What all cells that meet some lines and columns of a box make of pixels: 0 clears them, 2
    sets them, 1 depends; 1 too where they are more than ROWS by COLUMNS.
    """
    LEAST: tl.constexpr = 128 if SOURCE == 1 else 1
    across, whole = inverse_of(2 * wide), inverse_of(2 * tall)
    top = divide((2 * y_first + 1) * rows + tall, 2 * tall, whole, WIDE).to(tl.int32)
    bottom = divide((2 * y_last + 1) * rows + tall, 2 * tall, whole, WIDE).to(tl.int32)
    left = divide((2 * x_first + 1) * columns + wide, 2 * wide, across, WIDE).to(tl.int32)
    right = divide((2 * x_last + 1) * columns + wide, 2 * wide, across, WIDE).to(tl.int32)
    found = 1
    if (bottom - top < ROWS - 1) & (right - left < COLUMNS - 1):
        row = tl.minimum(tl.maximum(top - 1, 0) + tl.arange(0, ROWS), bottom)
        column = tl.minimum(tl.maximum(left - 1, 0) + tl.arange(0, COLUMNS), right)
        row = tl.minimum(row, rows - 1).to(tl.int32) * columns.to(tl.int32)
        column = tl.minimum(column, columns - 1).to(tl.int32)
        value = _cell(cells, start + row[:, None] + column[None, :], SOURCE)
        sets = (value >= LEAST).to(tl.int32)
        found = tl.min(sets) + tl.max(sets)
    return found


@triton.jit
def _paint_bilinear(
    cells, start, down, begin, tall, rows, wide, columns,
    SOURCE: tl.constexpr, LONG_SUMS: tl.constexpr, WIDE: tl.constexpr,
):  # fmt: skip
    """Sixteen pixels of a box from each line `down` and column `begin` on: int32 (lines, groups).

    A pixel lies in a pair of rows of cells and in a pair of columns; pair 0 is before the first
    cell, and pair `columns` behind the last one, where edges repeat.
    """
    LEAST: tl.constexpr = 1 if SOURCE == 2 else 0
    NUMBER: tl.constexpr = tl.int64 if LONG_SUMS else tl.int32
    whole = 2 * tall
    place = (2 * down + 1) * rows + tall
    pair = divide(place, whole, inverse_of(whole), WIDE)
    share = (place - pair * whole)[:, None]
    above = start + (tl.maximum(pair - 1, 0) * columns).to(tl.int32)[:, None]
    below = start + (tl.minimum(pair, rows - 1) * columns).to(tl.int32)[:, None]
    level = tall.to(NUMBER) * (255 if SOURCE == 1 else 1 - LEAST)
    pairs = 15 * columns // wide + 2
    if pairs > 16:
        bits = _bilinear_pixels(
            cells, above, below, share, whole, level, begin, wide, columns, SOURCE, LEAST, WIDE
        )
    else:
        bits = _bilinear_pairs(
            cells, above, below, share, whole, level, begin, wide, columns, pairs,
            SOURCE, LEAST, WIDE,
        )  # fmt: skip
    return bits


@triton.jit
def _nearest_pixels(cells, row, begin, wide, columns, SOURCE: tl.constexpr, WIDE: tl.constexpr):
    """Sixteen pixels from each `begin` on, each by itself: where cells are as small as pixels."""
    inverse = inverse_of(2 * wide)
    bits = tl.zeros((row.shape[0], begin.shape[0]), tl.int32)
    for k in range(16):
        place = (2 * tl.minimum(tl.maximum(begin + k, 0), wide - 1) + 1) * columns
        column = divide(place, 2 * wide, inverse, WIDE).to(tl.int32)
        bits |= _cell(cells, row + column[None, :], SOURCE) << k
    return bits


@triton.jit
def _nearest_cells(cells, row, begin, wide, columns, met, SOURCE: tl.constexpr, WIDE: tl.constexpr):
    """Sixteen pixels from each `begin` on, by the cells `met` that they may lie in."""
    across, twice = 2 * wide, 2 * columns
    place = (2 * tl.minimum(tl.maximum(begin, 0), wide - 1) + 1) * columns
    first = divide(place, across, inverse_of(across), WIDE)
    inverse = inverse_of(twice)
    bits = tl.zeros((row.shape[0], begin.shape[0]), tl.int32)
    reached = tl.zeros((begin.shape[0],), tl.int32)
    for k in range(tl.minimum(met, columns)):
        column = tl.minimum(first + k, columns - 1).to(tl.int32)
        value = _cell(cells, row + column[None, :], SOURCE)
        # the first pixel of the next cell
        ahead = tl.maximum(across * (first + k + 1) - columns, 0) + twice - 1
        end = (divide(ahead, twice, inverse, WIDE) - begin).to(tl.int32)
        pixels = from_bit(reached) ^ from_bit(end)
        bits |= tl.where(value != 0, pixels[None, :], 0)
        reached = end
    return bits


@triton.jit
def _paint_nearest(
    cells, start, down, begin, tall, rows, wide, columns,
    SOURCE: tl.constexpr, WIDE: tl.constexpr,
):  # fmt: skip
    """Sixteen pixels of a box from each line `down` and column `begin` on."""
    place = (2 * down + 1) * rows
    row = divide(place, 2 * tall, inverse_of(2 * tall), WIDE)
    row = start + (row * columns).to(tl.int32)[:, None]
    met = 15 * columns // wide + 2
    if met > 16:
        bits = _nearest_pixels(cells, row, begin, wide, columns, SOURCE, WIDE)
    else:
        bits = _nearest_cells(cells, row, begin, wide, columns, met, SOURCE, WIDE)
    return bits


@triton.jit(do_not_specialize=["first", "height", "width"])
def paint_cells(
    planes, frames, cells, first, height, width,
    SOURCE: tl.constexpr, BILINEAR: tl.constexpr, LONG_SUMS: tl.constexpr, WIDE: tl.constexpr,
    UNIT: tl.constexpr, LINES: tl.constexpr, GROUPS: tl.constexpr,
):  # fmt: skip
    """Paint one tile: LINES lines of GROUPS times 16 pixels.

    frames: int32 (masks, 8): top, height, rows, left, width, columns, the first cell's place, 0.
    """
    plane = first + tl.program_id(2)
    y_first, x_first = tl.program_id(1) * LINES, tl.program_id(0) * (16 * GROUPS)
    frame = frames + 8 * plane.to(tl.int64)
    top, tall, rows = tl.load(frame), tl.load(frame + 1), tl.load(frame + 2)
    left, wide, columns = tl.load(frame + 3), tl.load(frame + 4), tl.load(frame + 5)
    start = plane.to(tl.int64) * (rows * columns) if SOURCE == 2 else tl.load(frame + 6)
    y = y_first + tl.arange(0, LINES)
    x = x_first + 16 * tl.arange(0, GROUPS)
    bits = tl.zeros((LINES, GROUPS), tl.int32)
    met_y = (tall > 0) & (y_first < top + tall) & (y_first + LINES > top)
    met_x = (wide > 0) & (x_first < left + wide) & (x_first + 16 * GROUPS > left)
    if met_y & met_x:
        # the part of each group in the box
        within = from_bit(left - x) ^ from_bit(left + wide - x)
        within = tl.where(((y >= top) & (y < top + tall))[:, None], within[None, :], 0)
        down, begin = tl.minimum(tl.maximum(y - top, 0), tall - 1), x - left
        pixels_y, cells_y = number(tall, WIDE), number(rows, WIDE)
        pixels_x, cells_x = number(wide, WIDE), number(columns, WIDE)
        if BILINEAR:
            sets = _sets(
                cells, start,
                tl.maximum(y_first - top, 0), tl.minimum(y_first + LINES - top, tall) - 1,
                pixels_y, cells_y,
                tl.maximum(x_first - left, 0), tl.minimum(x_first + 16 * GROUPS - left, wide) - 1,
                pixels_x, cells_x,
                SOURCE, WIDE, 8 if SOURCE == 0 else 16, 16 if SOURCE == 0 else 32,
            )  # fmt: skip
            if sets == 1:
                bits = _paint_bilinear(
                    cells, start, down, begin, pixels_y, cells_y, pixels_x, cells_x,
                    SOURCE, LONG_SUMS, WIDE,
                )  # fmt: skip
            else:
                bits += tl.where(sets == 0, 0, 0xFFFF)
        else:
            bits = _paint_nearest(
                cells, start, down, begin, pixels_y, cells_y, pixels_x, cells_x, SOURCE, WIDE
            )
        bits &= within
    store_bits(planes, plane, y_first, x_first, bits, height, width, UNIT)


@triton.jit
def round_fields(values, fields, BLOCK: tl.constexpr):
    """Whole numbers of float64 values, halves to even, as `numpy.rint` has them: int32.

    Adding and taking away 1.5 * 2**52 rounds so: values are within +-2**26. A program rounds BLOCK.
    """
    place = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    rounded = (tl.load(values + place) + 6755399441055744.0) - 6755399441055744.0
    tl.store(fields + place, rounded.to(tl.int32))
