"""BoxGrid's runs between joined rows: the spans of each line, sixteen pixels at a time."""

# Kernels are written in Triton's language, which has no types of Python's.
# mypy: ignore-errors

from __future__ import annotations

import triton
import triton.language as tl

from .pixels import divide, from_bit, inverse_of, number, store_bits


@triton.jit
def _pixel(near, far, share, tall, wide, half, inverse, WIDE: tl.constexpr):
    """The first pixel whose centre is not before a boundary; see `_ext/boxgrid_rows.pxd`."""
    place = near * (2 * tall - share) + far * share
    return divide(2 * place * wide + half - 1, 2 * half, inverse, WIDE).to(tl.int32)


@triton.jit(do_not_specialize=["first", "height", "width", "rows"])
def paint_spans(
    planes, frames, sides, first, height, width, rows,
    PLACES: tl.constexpr, WIDE: tl.constexpr,
    UNIT: tl.constexpr, LINES: tl.constexpr, GROUPS: tl.constexpr,
):  # fmt: skip
    """Paint one tile: LINES lines of GROUPS times 16 pixels.

    frames: int32 (objects, 6): left, top, right, bottom, the first of its `sides`, runs of a row.
    sides: what `boxgrid.sides` has, the four bytes of a run as an int32, each object's own runs.
    """
    plane = first + tl.program_id(2)
    y_first, x_first = tl.program_id(1) * LINES, tl.program_id(0) * (16 * GROUPS)
    frame = frames + 6 * plane.to(tl.int64)
    left, top, right = tl.load(frame), tl.load(frame + 1), tl.load(frame + 2)
    bottom, start, runs = tl.load(frame + 3), tl.load(frame + 4), tl.load(frame + 5)
    y = y_first + tl.arange(0, LINES)
    x = x_first + 16 * tl.arange(0, GROUPS)
    bits = tl.zeros((LINES, GROUPS), tl.int32)
    met_y = (top < bottom) & (y_first < bottom) & (y_first + LINES > top)
    met_x = (left < right) & (x_first < right) & (x_first + 16 * GROUPS > left)
    if met_y & met_x:
        tall, wide = number(bottom - top, WIDE), number(right - left, WIDE)
        own = tl.minimum(tl.maximum(y - top, 0), tall - 1)
        place = tl.minimum(tl.maximum((2 * own + 1) * rows - tall, 0), 2 * tall * (rows - 1))
        above = divide(place, 2 * tall, inverse_of(2 * tall), WIDE)
        share = place - above * (2 * tall)
        entry = sides + start + ((2 * above + (share >= tall).to(tl.int32)) * runs).to(tl.int32)
        half = 2 * tall * PLACES
        inverse = inverse_of(2 * half)
        inside = (y >= top) & (y < bottom)
        for run in range(runs):
            side = tl.load(entry + run)
            begin = _pixel(side & 255, (side >> 8) & 255, share, tall, wide, half, inverse, WIDE)
            end = _pixel(
                (side >> 16) & 255, (side >> 24) & 255, share, tall, wide, half, inverse, WIDE
            )
            end = tl.where(inside, tl.maximum(begin, end), begin)
            bits |= from_bit((left + begin)[:, None] - x[None, :]) ^ from_bit(
                (left + end)[:, None] - x[None, :]
            )
    store_bits(planes, plane, y_first, x_first, bits, height, width, UNIT)
