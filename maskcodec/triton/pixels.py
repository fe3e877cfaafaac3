"""Parts that the kernels share: exact division, sixteen pixels as bits, and their way to memory.

Masks hold a byte a pixel. Kernels work on sixteen pixels of a line at a time, as the low bits of
an int32, the first pixel lowest, and spread them to bytes on the way out; or on thirty-two pixels
of a column, which suits what toggles down the columns.
"""

# Kernels are written in Triton's language, which has no types of Python's.
# mypy: ignore-errors

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def number(value, WIDE: tl.constexpr):
    """An int32 for arithmetic: int64 where WIDE."""
    return value.to(tl.int64) if WIDE else value


@triton.jit
def inverse_of(divisor):
    """What `divide` multiplies by: the largest uint32 over `divisor`, which is 1 or more."""
    return tl.full((), 0xFFFFFFFF, tl.uint32) // divisor.to(tl.uint32)


@triton.jit
def divide(dividend, divisor, inverse, WIDE: tl.constexpr):
    """dividend // divisor, exact for 0 <= dividend < 2**31; where WIDE, for any int64 from 0.

    The product with the inverse falls short by less than 1/2 + 1/divisor: by one, or not at all.
    """
    if WIDE:
        quotient = dividend // divisor
    else:
        quotient = tl.umulhi(dividend.to(tl.uint32), inverse).to(tl.int32)
        quotient += (dividend - quotient * divisor >= divisor).to(tl.int32)
    return quotient


@triton.jit
def from_bit(start):
    """Bits `start` to 15 of sixteen; `start` may lie outside of them."""
    return (0xFFFF << tl.minimum(tl.maximum(start, 0), 16)) & 0xFFFF


@triton.jit
def _word_of(bits, FIRST: tl.constexpr):
    """Four of the bits as the low bits of four bytes."""
    return (((bits >> FIRST) & 15) * 0x00204081) & 0x01010101


@triton.jit
def store_bits(planes, plane, top, left, bits, height, width, UNIT: tl.constexpr):
    """Write the pixels of `bits`, int32 (lines, groups), from line `top` and pixel `left` on.

    UNIT is 16, 4 or 1, and divides the width: 16 bytes are stored at a time, or 4, or one.
    `planes` points to int32 for 16 and 4.
    """
    LINES: tl.constexpr = bits.shape[0]
    GROUPS: tl.constexpr = bits.shape[1]
    line = tl.arange(0, LINES)
    known = (line < height - top)[:, None]
    if UNIT == 1:
        pixels = (bits[:, :, None] >> tl.arange(0, 16)[None, None, :]) & 1
        pixels = tl.reshape(pixels, (LINES, 16 * GROUPS)).to(tl.int8)
        x = left + tl.arange(0, 16 * GROUPS)
        corner = planes + (plane.to(tl.int64) * height + top) * width
        place = line[:, None] * width + x[None, :]
        tl.store(corner + place, pixels, mask=known & (x < width)[None, :])
    else:
        even = tl.join(_word_of(bits, 0), _word_of(bits, 8))
        odd = tl.join(_word_of(bits, 4), _word_of(bits, 12))
        words = tl.reshape(tl.join(even, odd), (LINES, 4 * GROUPS))
        across = width // UNIT * (UNIT // 4)  # words a line, and known to be a multiple of 4
        x = left // 4 + tl.arange(0, 4 * GROUPS)
        corner = planes + (plane.to(tl.int64) * height + top) * across
        place = line[:, None] * across + x[None, :]
        tl.store(corner + place, words, mask=known & (x < across)[None, :])


@triton.jit
def from_row(start):
    """Bits `start` to 31 of thirty-two; `start` may lie outside of them."""
    return tl.where(start < 32, -1 << tl.minimum(tl.maximum(start, 0), 31), 0)


@triton.jit
def store_columns(planes, plane, top, x, columns, height, width, UNIT: tl.constexpr):
    """Write words of thirty-two pixels down the columns `x`, from the line `top` on.

    `columns` is int32 (words, columns), words one below the other. UNIT is 16 or 1, and divides
    the width.
    """
    WORDS: tl.constexpr = columns.shape[0]
    word = tl.arange(0, WORDS)
    down = tl.arange(0, 32)
    across = width // UNIT * UNIT  # the width, and known to be a multiple of UNIT
    for index in range(tl.minimum(WORDS, (height - top + 31) // 32)):
        own = tl.sum(tl.where((word == index)[:, None], columns, 0), 0)
        line = top + 32 * index
        pixels = ((own[None, :] >> down[:, None]) & 1).to(tl.int8)
        corner = planes + (plane.to(tl.int64) * height + line) * across
        place = down[:, None] * across + x[None, :]
        known = (down < height - line)[:, None] & (x < across)[None, :]
        tl.store(corner + place, pixels, mask=known)
