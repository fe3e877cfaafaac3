"""The shapes of generated scenes, and how a shape becomes pixels.

A shape is a set of points of the square from -1 to 1, x to the right and y down. It is asked at the
centres of 3x3 sub-pixels: the middle one decides whether the pixel belongs to the mask, the count
of nine is how much of the pixel the shape covers in the image. Nothing but additions, products and
comparisons of float64 is used, so that a mask is the same on every machine.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Bits = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

SUB = 3
"""Sub-pixels along a side of a pixel; odd, so that the middle one is the pixel's centre."""

TURNS = 24
"""Steps of a full turn: 15 degrees each."""


@dataclass(frozen=True, slots=True, eq=False)
class Stencil:
    """A shape at its size in pixels.

    Attributes:
        mask: bool (height, width): the pixels whose centres lie inside.
        cover: uint16 (height, width): how many of a pixel's 9 sub-pixels lie inside.
    """

    mask: Bits
    cover: npt.NDArray[np.uint16]


def _circle(x: Floats, y: Floats) -> Bits:
    return x * x + y * y <= 1.0


def _square(x: Floats, y: Floats) -> Bits:
    return (abs(x) <= 1.0) & (abs(y) <= 1.0)


def _diamond(x: Floats, y: Floats) -> Bits:
    return abs(x) * 1.3 + abs(y) <= 1.0


def _triangle(x: Floats, y: Floats) -> Bits:
    return (abs(x) * 2.0 <= y + 1.0) & (y <= 1.0)


def _cross(x: Floats, y: Floats) -> Bits:
    wide, high = abs(x), abs(y)
    return ((wide <= 0.34) & (high <= 1.0)) | ((high <= 0.34) & (wide <= 1.0))


def _ring(x: Floats, y: Floats) -> Bits:
    square = x * x + y * y
    return (square <= 1.0) & (square >= 0.3)


def _heart(x: Floats, y: Floats) -> Bits:
    x, y = x * 1.14, 0.12 - y * 1.13
    square = x * x
    bow = square + y * y - 1.0
    return bow * bow * bow <= square * (y * y * y)


def _crescent(x: Floats, y: Floats) -> Bits:
    x = x - 0.22
    other = x - 0.5
    return (x * x + y * y <= 1.0) & (other * other + y * y >= 0.72)


def _arrow(x: Floats, y: Floats) -> Bits:
    high = abs(y)
    shaft = (x >= -1.0) & (x <= 0.1) & (high <= 0.3)
    return shaft | ((x >= 0.0) & (x <= 1.0) & (high <= 0.85 * (1.0 - x)))


def _star(x: Floats, y: Floats) -> Bits:
    # A pentagram is where at least four of its five lines have the point on their inner side.
    inner = np.zeros((1, 1))
    for across, down in _STAR_LINES:
        inner = inner + (x * across + (y - 0.1) * down <= _STAR_DISTANCE)
    return np.asarray(inner >= 4.0)


def _cosine(steps: int, of: int) -> float:
    """cos of `steps / of` of a turn on a grid so coarse that every libm gives the same."""
    return round(math.cos(2 * math.pi * steps / of) * 2**20) / 2**20


# The normals of the five lines, and how far the lines pass from the star's centre.
_STAR_LINES = tuple((_cosine(4 * k - 1, 20), _cosine(4 * k - 6, 20)) for k in range(5))
_STAR_DISTANCE = 0.3245

SHAPES: dict[str, Callable[[Floats, Floats], Bits]] = {
    "circle": _circle,
    "square": _square,
    "triangle": _triangle,
    "star": _star,
    "cross": _cross,
    "ring": _ring,
    "heart": _heart,
    "crescent": _crescent,
    "arrow": _arrow,
    "diamond": _diamond,
}

TURNABLE = frozenset({"triangle", "star", "heart", "crescent", "arrow"})
"""Shapes that keep their name when they are turned; a turned square would be a diamond."""


@functools.lru_cache(maxsize=2048)
def draw_shape(name: str, extent: int, turn: int = 0) -> Stencil:
    """A shape whose square has sides of `extent` pixels, turned clockwise by `turn` * 15 degrees.

    The arrays are read-only and shared between calls.
    """
    side = extent if turn == 0 else math.ceil(extent * 1.42)
    steps = np.arange(SUB * side, dtype=np.float64)
    line = (2.0 * steps + 1.0 - SUB * side) / (SUB * extent)
    x, y = line[None, :], line[:, None]
    if turn:
        cosine, sine = _cosine(turn, TURNS), _cosine(4 * turn - TURNS, 4 * TURNS)
        x, y = x * cosine + y * sine, y * cosine - x * sine
    return stencil(SHAPES[name](x, y))


def draw_silhouette(template: Bits, size: tuple[int, int]) -> Stencil:
    """A silhouette at `size` (height, width): the nearest pixels of `template`, bool."""
    rows = nearest(template.shape[0], SUB * size[0])
    columns = nearest(template.shape[1], SUB * size[1])
    return stencil(template[rows[:, None], columns[None, :]])


def nearest(cells: int, pixels: int) -> npt.NDArray[np.int64]:
    """The cell of `cells` on which each of `pixels` falls along an axis."""
    return (2 * np.arange(pixels, dtype=np.int64) + 1) * cells // (2 * pixels)


def stencil(inside: Bits) -> Stencil:
    """The mask and cover of `inside`, bool (3 * height, 3 * width), cut to what it covers."""
    height, width = inside.shape[0] // SUB, inside.shape[1] // SUB
    rows = inside[0::SUB].astype(np.uint8)
    for offset in range(1, SUB):
        rows += inside[offset::SUB]
    cover = rows[:, 0::SUB].astype(np.uint16)
    for offset in range(1, SUB):
        cover += rows[:, offset::SUB]
    mask = np.ascontiguousarray(inside[SUB // 2 :: SUB, SUB // 2 :: SUB])
    used_rows = np.flatnonzero(cover.any(axis=1))
    used_columns = np.flatnonzero(cover.any(axis=0))
    if used_rows.size and (used_rows.size < height or used_columns.size < width):
        part = (
            slice(used_rows[0], used_rows[-1] + 1),
            slice(used_columns[0], used_columns[-1] + 1),
        )
        mask, cover = np.ascontiguousarray(mask[part]), np.ascontiguousarray(cover[part])
    mask.setflags(write=False)
    cover.setflags(write=False)
    return Stencil(mask, cover)
