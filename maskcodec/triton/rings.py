"""Rings to pixels by COCO's rule; the numbers are those of `_ext/raster.pyx` and `crossings.pxd`.

A program paints a tile of one object: ring by ring and edge by edge it finds where each column is
crossed, toggles what lies below, thirty-two pixels a word, and adds the ring or takes it away.
"""

# Kernels are written in Triton's language, which has no types of Python's.
# mypy: ignore-errors

from __future__ import annotations

import triton
import triton.language as tl

from .pixels import from_row, store_columns

STEPS = tl.constexpr(3)
"""By how much a guessed step of a walk may be wrong, and one more."""


@triton.jit
def _walked(start, slope, steps):
    """Where a walk is after some steps; products and sums round one by one, towards zero last."""
    return (start.to(tl.float64) + slope * steps.to(tl.float64) + 0.5).to(tl.int32)


@triton.jit
def _level(column, xs, ys, xe, ye):
    """Where an edge that is walked along x crosses columns, in fifths of a pixel."""
    slope = (ye - ys).to(tl.float64) / tl.maximum(xe - xs, 1).to(tl.float64)
    at = 5 * column + 2 - xs
    return tl.minimum(_walked(ys, slope, at), _walked(ys, slope, at + 1))


@triton.jit
def _steep(column, xs, ys, xe, ye):
    """The same for an edge that is walked along y: the step before the first past the centre."""
    tall = ye - ys
    slope = (xe - xs).to(tl.float64) / tall.to(tl.float64)
    rises = slope > 0
    goal = 5 * column + 2
    step = ((goal.to(tl.float64) + 0.5 - xs.to(tl.float64)) / slope).to(tl.int32)
    step = tl.minimum(tl.maximum(step, 1), tall)
    for _ in tl.static_range(STEPS):
        past = (_walked(xs, slope, step - 1) > goal) == rises
        step -= (past & (step > 1)).to(tl.int32)
    for _ in tl.static_range(STEPS):
        short = (_walked(xs, slope, step) > goal) != rises
        step += (short & (step < tall)).to(tl.int32)
    return ys + step - 1


@triton.jit(do_not_specialize=["first", "height", "width"])
def paint_rings(
    planes, vertices, starts, objects, first, height, width,
    UNIT: tl.constexpr, WORDS: tl.constexpr, COLUMNS: tl.constexpr,
):  # fmt: skip
    """Paint one tile: 32 * WORDS lines of COLUMNS pixels.

    vertices: int32 (vertices, 2), x and y in fifths of a pixel.
    starts: int32 (rings + 1,): twice where each ring begins in `vertices`, plus 1 for a hole.
    objects: int32 (objects + 1,): where each object begins among the rings.
    """
    plane = first + tl.program_id(2)
    top = tl.program_id(1) * (32 * WORDS)
    left = tl.program_id(0) * COLUMNS
    x = left + tl.arange(0, COLUMNS)
    word = 32 * tl.arange(0, WORDS)
    columns = tl.zeros((WORDS, COLUMNS), tl.int32)
    last = tl.minimum(left + COLUMNS, width) - 1
    for ring in range(tl.load(objects + plane), tl.load(objects + plane + 1)):
        start = tl.load(starts + ring)
        end = tl.load(starts + ring + 1) >> 1
        inside = tl.zeros((WORDS, COLUMNS), tl.int32)
        final = tl.maximum(2 * end - 2, 0)
        ax, ay = tl.load(vertices + final), tl.load(vertices + final + 1)
        for vertex in range(start >> 1, end):
            bx, by = tl.load(vertices + 2 * vertex), tl.load(vertices + 2 * vertex + 1)
            low, high = tl.minimum(ax, bx), tl.maximum(ax, bx)
            # columns with low <= 5x + 2 and 5x + 3 <= high; all numbers are 0 or more
            if (low < high) & (low <= 5 * last + 2) & (5 * left + 3 <= high):
                if high - low >= tl.abs(ay - by):
                    turned = ax > bx
                    level = _level(x, low, tl.where(turned, by, ay), high, tl.where(turned, ay, by))
                else:
                    turned = ay > by
                    level = _steep(
                        x,
                        tl.where(turned, bx, ax),
                        tl.minimum(ay, by),
                        tl.where(turned, ax, bx),
                        tl.maximum(ay, by),
                    )
                row = (tl.maximum(level, 0) + 2) // 5 - top
                crossed = (low <= 5 * x + 2) & (5 * x + 3 <= high)
                row = tl.where(crossed, row, 32 * WORDS)
                inside ^= from_row(row[None, :] - word[:, None])
            ax, ay = bx, by
        columns = tl.where((start & 1) == 0, columns | inside, columns & ~inside)
    store_columns(planes, plane, top, x, columns, height, width, UNIT)
