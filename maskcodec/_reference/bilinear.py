"""Bilinear painting of cells, in plain NumPy: the specification of `_ext/bilinear.pyx`."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Size = tuple[int, int]
Box = tuple[int, int, int, int]


def axis_weights(pixels: int, cells: int) -> npt.NDArray[np.int64]:
    """Weights of bilinear sampling along one axis, (pixels, cells), each row summing to 2 * pixels.

    Pixel p sits at s = (2p + 1) * cells - pixels, in units of 1 / (2 * pixels) of a cell from the
    first cell's centre: half-pixel centres. Beyond the outer centres the edge is repeated.
    """
    unit = 2 * pixels
    weights = np.zeros((pixels, cells), np.int64)
    for p in range(pixels):
        s = min(max((2 * p + 1) * cells - pixels, 0), unit * (cells - 1))
        i, fraction = divmod(s, unit)
        weights[p, i] += unit - fraction
        if fraction:
            weights[p, i + 1] += fraction
    return weights


def bilinear(cells: Bools, size: Size, box: Box | None = None) -> Bools:
    """Set the pixels of `box` where the bilinear interpolation of `cells` is at least one half."""
    x0, y0, x1, y1 = box or (0, 0, size[1], size[0])
    height, width = y1 - y0, x1 - x0
    out = np.zeros(size, np.bool_)
    value = axis_weights(height, cells.shape[0]) @ cells.astype(np.int64)
    value = value @ axis_weights(width, cells.shape[1]).T
    out[y0:y1, x0:x1] = 2 * value >= (2 * height) * (2 * width)
    return out
