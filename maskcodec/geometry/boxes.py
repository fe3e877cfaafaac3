"""Boxes in bins: pixel boxes rounded to whole numbers of 0..bins, and back.

`floor(x * bins / side + 1/2)`, and back `floor(b * side / bins + 1/2)`, which gives the same x as
long as a side has at most `bins` pixels. All in integers, so that every machine agrees.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def to_bins(
    box: tuple[int, int, int, int], size: tuple[int, int], bins: int
) -> tuple[int, int, int, int]:
    """Round a pixel box (left, top, right, bottom) to 0..bins of an image of `size`.

    It keeps an area, however large the image is.
    """
    left, right = _interval(box[0], box[2], size[1], bins)
    top, bottom = _interval(box[1], box[3], size[0], bins)
    return left, top, right, bottom


def _interval(start: int, stop: int, side: int, bins: int) -> tuple[int, int]:
    """Round both ends; where they meet, take the interval of bins that holds pixel `start`."""
    first, last = ((2 * pixel * bins + side) // (2 * side) for pixel in (start, stop))
    if first == last:
        if (2 * first * side + bins) // (2 * bins) > start:
            first -= 1
        last = first + 1
    return first, last


def to_pixels(
    boxes: npt.NDArray[np.int32], size: tuple[int, int], bins: int
) -> npt.NDArray[np.int32]:
    """Pixel boxes (..., 4), half-open and in order, of boxes in 0..bins at `size`."""
    height, width = size
    return _scaled(boxes, np.array([width, height, width, height], np.int64), bins)


def each_to_pixels(
    boxes: npt.NDArray[np.int32], sizes: npt.NDArray[np.int64], bins: int
) -> npt.NDArray[np.int32]:
    """`to_pixels` of boxes (boxes, 4), each with a size of its own: (boxes, 2), or (1, 2)."""
    return _scaled(boxes, sizes[:, [1, 0, 1, 0]], bins)


def _scaled(
    boxes: npt.NDArray[np.int32], sides: npt.NDArray[np.int64], bins: int
) -> npt.NDArray[np.int32]:
    pixels = (boxes * (2 * sides) + bins) // (2 * bins)
    ordered = np.empty(pixels.shape, np.int32)
    first, second = pixels[..., :2], pixels[..., 2:]
    np.minimum(first, second, out=ordered[..., :2], casting="unsafe")
    np.maximum(first, second, out=ordered[..., 2:], casting="unsafe")
    return ordered
