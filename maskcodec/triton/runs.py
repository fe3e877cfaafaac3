"""COCO run lengths: a pixel is set where an odd number of runs end at or before it.

Runs go down the columns, and memory along the lines. A program paints a tile of one mask: for each
column it looks up by bisection how many runs end by the tile's first and last line, toggles
thirty-two pixels a word at the ends between, and turns these words into lines.
"""

# Kernels are written in Triton's language, which has no types of Python's.
# mypy: ignore-errors

from __future__ import annotations

import triton
import triton.language as tl

from .pixels import from_row, store_columns


@triton.jit
def _ended(ends, blocks, place, steps):
    """How many runs end at or before each `place`, int64; found in so many steps of bisection."""
    block = blocks + (place >> 16)
    low, high = tl.load(block), tl.load(block + 1)
    sought = (place & 0xFFFF).to(tl.int32)
    for _ in range(steps):
        middle = (low + high) >> 1
        end = tl.load(ends + middle, mask=low < high, other=0).to(tl.int32) & 0xFFFF
        ended = end <= sought
        high = tl.where(ended, high, middle)
        low = tl.where(ended & (low < high), middle + 1, low)
    return low


@triton.jit(do_not_specialize=["first", "height", "width", "steps"])
def paint_runs(
    planes, ends, blocks, starts, first, height, width, steps,
    UNIT: tl.constexpr, WORDS: tl.constexpr, COLUMNS: tl.constexpr,
):  # fmt: skip
    """Paint one tile: 32 * WORDS lines of COLUMNS pixels.

    Places count the pixels of all masks, column by column.

    ends: int16, the low 16 bits of the places where runs end, in order.
    blocks: int32, how many runs end before each multiple of 2**16.
    starts: int32 (masks,), how many runs belong to the masks before each.
    """
    plane = first + tl.program_id(2)
    top = tl.program_id(1) * (32 * WORDS)
    x = tl.program_id(0) * COLUMNS + tl.arange(0, COLUMNS)
    begin = (plane.to(tl.int64) * width + tl.minimum(x, width - 1)) * height
    lines = tl.minimum(32 * WORDS, height - top)
    before = _ended(ends, blocks, begin + top, steps)
    until = _ended(ends, blocks, begin + top + lines - 1, steps)
    low = (begin + top).to(tl.int32)
    odd = (before - tl.load(starts + plane)) & 1
    word = 32 * tl.arange(0, WORDS)
    columns = tl.zeros((WORDS, COLUMNS), tl.int32) - odd[None, :]
    for k in range(tl.max(until - before)):
        end = tl.load(ends + before + k, mask=before + k < until, other=0).to(tl.int32)
        row = (end - low) & 0xFFFF
        row = tl.where(before + k < until, row, 32 * WORDS)
        columns ^= from_row(row[None, :] - word[:, None])
    store_columns(planes, plane, top, x, columns, height, width, UNIT)
