"""Ways to spell one shape inside its box, compared by `boxgrid_spellings.py`.

A spelling takes the crop of a mask to its box, bool (height, width), and returns the words that
stand after the box together with the pixels that a reader of these words paints. Everything here
is plain NumPy: these are candidates, and the one that won lives in `maskcodec` itself.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby, pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Pixels: TypeAlias = npt.NDArray[np.bool_]
Runs: TypeAlias = list[tuple[int, int]]
Spelling: TypeAlias = Callable[[Pixels], tuple[str, Pixels]]

LETTERS = string.ascii_lowercase + string.ascii_uppercase


# Grids of cells


def cells_of(pixels: int, cells: int) -> npt.NDArray[np.int64]:
    """The cell of each pixel along an axis; cells own their pixels as in `maskcodec.resample`."""
    return ((2 * np.arange(pixels) + 1) * cells) // (2 * pixels)


def coverage(crop: Pixels, rows: int, columns: int) -> npt.NDArray[np.float64]:
    """The share of each cell that is set; a cell without a pixel takes the nearest one."""
    pooled = crop.astype(np.float64)
    for axis, cells in ((0, rows), (1, columns)):
        pixels = pooled.shape[axis]
        owner = cells_of(pixels, cells)
        counts = np.bincount(owner, minlength=cells)
        sums = np.zeros((cells, pooled.shape[1 - axis]))
        np.add.at(sums, owner, np.moveaxis(pooled, axis, 0))
        nearest = ((2 * np.arange(cells) + 1) * pixels) // (2 * cells)
        sums[counts == 0] = np.moveaxis(pooled, axis, 0)[nearest[counts == 0]]
        pooled = np.moveaxis(sums / np.maximum(counts, 1)[:, None], 0, axis)
    return pooled


def nearest(grid: Pixels, size: tuple[int, int]) -> Pixels:
    """Paint each pixel as the cell that owns it."""
    return grid[cells_of(size[0], grid.shape[0])][:, cells_of(size[1], grid.shape[1])]


def axis_weights(pixels: int, cells: int) -> npt.NDArray[np.float64]:
    """Bilinear weights along an axis, (pixels, cells): half-pixel centres, edge clamped."""
    place = np.clip((np.arange(pixels) + 0.5) * cells / pixels - 0.5, 0, cells - 1)
    return np.maximum(0.0, 1.0 - np.abs(place[:, None] - np.arange(cells)))


def fitted_bilinear(crop: Pixels, rows: int, columns: int) -> tuple[Pixels, Pixels]:
    """Cells whose bilinear reconstruction has a locally best IoU, found by flipping one at a time.

    Returns:
        The grid, and its reconstruction.
    """
    height, width = crop.shape
    down, across = axis_weights(height, rows), axis_weights(width, columns)
    grid = coverage(crop, rows, columns) >= 0.5
    value = down @ grid @ across.T
    for _ in range(2):
        changed = False
        for row in range(rows):
            ys = np.flatnonzero(down[:, row])
            for column in range(columns):
                xs = np.flatnonzero(across[:, column])
                if not (len(ys) and len(xs)):
                    continue
                patch = np.s_[ys[0] : ys[-1] + 1, xs[0] : xs[-1] + 1]
                step = np.outer(down[patch[0], row], across[patch[1], column])
                flipped = value[patch] + (-step if grid[row, column] else step)
                truth = crop[patch]
                if ((flipped >= 0.5) != truth).sum() < ((value[patch] >= 0.5) != truth).sum():
                    grid[row, column] ^= True
                    value[patch] = flipped
                    changed = True
        if not changed:
            break
    return grid, value >= 0.5


def aspect(crop: Pixels, budget: int) -> tuple[int, int]:
    """Rows and columns of square cells, about `budget` of them, none smaller than a pixel."""
    height, width = crop.shape
    rows = round((budget * height / width) ** 0.5)
    columns = round((budget * width / height) ** 0.5)
    return min(max(rows, 2), height, 64), min(max(columns, 2), width, 64)


def digits(crop: Pixels, cells: int | None = None, budget: int = 0) -> tuple[str, Pixels]:
    """Run lengths as numbers, background first; equal rows collapsed: `4 8 4*3`."""
    grid = coverage(crop, *((cells, cells) if cells else aspect(crop, budget))) >= 0.5
    words = [" ".join(map(str, _lengths(row))) for row in grid]
    collapsed = ((word, len(list(same))) for word, same in groupby(words))
    text = ";".join(f"{word}*{count}" if count > 1 else word for word, count in collapsed)
    return text, nearest(grid, crop.shape)


def bitmap(crop: Pixels, cells: int, bits: int, smooth: bool = False) -> tuple[str, Pixels]:
    """Rows of cells as base-16 or base-32 digits (`bits` 4 or 5)."""
    if smooth:
        grid, pixels = fitted_bilinear(crop, cells, cells)
    else:
        grid = coverage(crop, cells, cells) >= 0.5
        pixels = nearest(grid, crop.shape)
    alphabet = (string.digits + string.ascii_lowercase)[: 1 << bits]
    values = grid.reshape(cells, -1, bits) @ (1 << np.arange(bits)[::-1])
    return " ".join("".join(alphabet[value] for value in row) for row in values), pixels


def _lengths(row: Pixels) -> list[int]:
    edges = np.flatnonzero(np.diff(row, prepend=False))
    return [int(length) for length in np.diff(edges, prepend=0, append=len(row))]


# Boundaries of the runs of each row, as places across the box


def boundaries(crop: Pixels, rows: int, columns: int) -> list[Runs]:
    """The runs of each row of strips: (start, end) in 0..columns, strictly increasing."""
    profile = coverage(crop, rows, crop.shape[1])
    return [_runs(strip, columns) for strip in profile]


def _runs(strip: npt.NDArray[np.float64], columns: int) -> Runs:
    width = len(strip)
    edges = np.flatnonzero(np.diff(strip >= 0.5, prepend=False, append=False))
    places = (2 * edges * columns + width) // (2 * width)
    runs: Runs = []
    for start, end in places.reshape(-1, 2).tolist():
        if start == end:
            continue
        if runs and start <= runs[-1][1]:
            runs[-1] = (runs[-1][0], end)
        else:
            runs.append((start, end))
    return runs


def paint(rows: Sequence[Runs], columns: int, size: tuple[int, int], joined: bool) -> Pixels:
    """Paint rows of runs; `joined` draws lines between neighbouring rows of as many runs."""
    height, width = size
    place = np.clip((np.arange(height) + 0.5) * len(rows) / height - 0.5, 0, len(rows) - 1)
    centres = (np.arange(width) + 0.5) * columns / width
    pixels = np.zeros(size, np.bool_)
    for y, at in enumerate(place):
        upper, lower = rows[int(at)], rows[min(int(at) + 1, len(rows) - 1)]
        share = at - int(at)
        if not joined or len(upper) != len(lower):
            share = float(share >= 0.5)
            upper = lower = lower if share else upper
        for (start, end), (start2, end2) in zip(upper, lower, strict=True):
            left, right = (
                start + share * (start2 - start),
                end + share * (end2 - end),
            )
            pixels[y] |= (centres >= left) & (centres < right)
    return pixels


def word(runs: Runs, join: str = ".") -> str:
    """`cq` is one run from place c to place q, `cf.kq` two, `-` none."""
    return join.join(LETTERS[start] + LETTERS[end] for start, end in runs) or "-"


def letters(
    crop: Pixels,
    rows: int = 16,
    columns: int = 25,
    sep: str = " ",
    join: str = ".",
    joined: bool = True,
    collapse: bool = False,
) -> tuple[str, Pixels]:
    """A word a row; `collapse` writes `cq*3` for three equal rows."""
    runs = boundaries(crop, rows, columns)
    words = [word(row, join) for row in runs]
    if collapse:
        counted = ((text, len(list(same))) for text, same in groupby(words))
        words = [f"{text}*{count}" if count > 1 else text for text, count in counted]
    return sep.join(words), paint(runs, columns, crop.shape, joined)


def differences(crop: Pixels, rows: int = 16, columns: int = 25) -> tuple[str, Pixels]:
    """The first row as letters, then each boundary's step from the row above (`+1-2`, `=`)."""
    runs = boundaries(crop, rows, columns)
    words = [word(runs[0])]
    for above, row in pairwise(runs):
        if len(above) != len(row):
            words.append(word(row))
        else:
            steps = np.subtract(row, above).ravel() if row else np.zeros(0, int)
            words.append("".join(f"{step:+d}" for step in steps) if steps.any() else "=")
    return " ".join(words), paint(runs, columns, crop.shape, joined=True)


def fewer_runs(crop: Pixels, rows: int = 16, columns: int = 25) -> tuple[str, Pixels]:
    """Rows or columns, whichever takes fewer runs, after a flag that says which."""
    across, down = boundaries(crop, rows, columns), boundaries(crop.T, rows, columns)
    if sum(map(len, down)) < sum(map(len, across)):
        pixels = paint(down, columns, crop.T.shape, joined=True).T
        return "v " + " ".join(map(word, down)), pixels
    return "h " + " ".join(map(word, across)), paint(across, columns, crop.shape, joined=True)


def letters_by_aspect(crop: Pixels, rows: int = 16, columns: int = 25) -> tuple[str, Pixels]:
    """As many rows as follow from the box: more where it is tall, none below a pixel."""
    height, width = crop.shape
    count = min(height, max(4, min(32, round(rows * (height / width) ** 0.5))))
    return letters(crop, count, columns)


SPELLINGS: dict[str, Spelling] = {
    **{f"digits {cells}x{cells}": partial(digits, cells=cells) for cells in (8, 12, 16, 20, 24)},
    "digits, 256 square cells": partial(digits, budget=256),
    "hex 16x16": partial(bitmap, cells=16, bits=4),
    "hex 16x16, bilinear, fitted": partial(bitmap, cells=16, bits=4, smooth=True),
    "base 32, 20x20": partial(bitmap, cells=20, bits=5),
    "letters 16, steps": partial(letters, joined=False),
    "letters 16, lines": letters,
    "letters 24, lines": partial(letters, rows=24),
    "letters 16, on lines of text": partial(letters, sep="\n"),
    "letters 16, runs unseparated": partial(letters, join=""),
    "letters 16, upper case too (51)": partial(letters, columns=51),
    "letters 16, equal rows collapsed": partial(letters, collapse=True),
    "letters 16, differences": differences,
    "letters 16, rows or columns": fewer_runs,
    "letters ~16, rows by aspect": letters_by_aspect,
}
"""Every candidate; the box is written before it."""
