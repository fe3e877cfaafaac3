"""What `_ext/distance.pyx` computes, written to be read."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def signed(
    mask: NDArray[np.uint8], row_step: float, column_step: float, clip: float
) -> NDArray[np.float32]:
    """Distance of each pixel to the nearest one of the other kind, less half a pixel; signed."""
    padded = np.pad(mask != 0, 1)
    y, x = np.nonzero(padded | True)
    half = 0.5 * min(row_step, column_step)
    out = np.empty(mask.shape, np.float32)
    for row, column in np.ndindex(*mask.shape):
        inside = padded[row + 1, column + 1]
        other = padded.ravel() != inside
        apart = ((y - row - 1) * row_step) ** 2 + ((x - column - 1) * column_step) ** 2
        found = np.sqrt(min(apart[other].min(initial=np.inf), (clip + half) ** 2)) - half
        out[row, column] = found if inside else -found
    return out


def sample(values: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float64]:
    """Values at the centres of the cells of a lattice of `shape` over the same rectangle."""
    down, across = (weights(*pair) for pair in zip(values.shape, shape, strict=True))
    return down @ values @ across.T


def weights(pixels: int, cells: int) -> NDArray[np.float64]:
    """The weight of each pixel in each cell, bilinear: (cells, pixels)."""
    out = np.zeros((cells, pixels))
    for cell in range(cells):
        place = min(max((cell + 0.5) * pixels / cells - 0.5, 0), pixels - 1)
        before = int(place)
        out[cell, before] += 1 - (place - before)
        out[cell, min(before + 1, pixels - 1)] += place - before
    return out
