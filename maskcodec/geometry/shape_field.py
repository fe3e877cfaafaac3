"""The field of an object: signed distances to its outline, on a square lattice over its box."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .. import resample
from .._ext import distance
from .shape_codebook import CELLS, REACH

MOST_PIXELS = 128
"""Longest side, in pixels, at which distances are taken; longer ones are pooled first."""


def field_of(
    array: npt.NDArray[np.bool_], pixel_box: npt.NDArray[np.int32]
) -> npt.NDArray[np.float32]:
    """The field of the part of a mask in a box: float32 (CELLS, CELLS), -1 to 1.

    Distances are in cells, across and down each by its own scale, clipped at `REACH` and divided by
    it; beyond the box there is no object. The box must have an area.
    """
    left, top, right, bottom = pixel_box.tolist()
    height, width = bottom - top, right - left
    shape = (min(height, MOST_PIXELS), min(width, MOST_PIXELS))
    if shape == (height, width):
        crop = np.ascontiguousarray(array[top:bottom, left:right])
    else:
        covered, total = resample.coverage(array, shape, (left, top, right, bottom))
        crop = resample.best_cells(covered, total)
    scratch = np.empty(shape)
    distances = np.empty(shape, np.float32)
    distance.signed(
        crop.view(np.uint8), CELLS / shape[0], CELLS / shape[1], REACH, scratch, distances
    )
    field = np.empty((CELLS, CELLS), np.float32)
    distance.sample(distances, 1 / REACH, np.empty(shape[1], np.float32), field)
    return field
