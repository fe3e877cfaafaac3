"""The jobs of OpenCV, its fastest way: uint8 images, a destination to write into, one thread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from . import Way

Bools = npt.NDArray[np.bool_]
Sizes = Sequence[tuple[int, int]]

cv2.setNumThreads(1)


def coverage(masks: Sequence[Bools], grid: tuple[int, int]) -> Way:
    """INTER_AREA of 0 and 1, whose means it rounds: a cell is set where half of it is."""
    images = [mask.view(np.uint8) for mask in masks]
    size = grid[::-1]
    return Way(
        lambda i: cv2.resize(images[i], size, interpolation=cv2.INTER_AREA),
        lambda answer: answer.astype(np.bool_),
    )


def sample(masks: Sequence[Bools], grid: tuple[int, int]) -> Way:
    """INTER_NEAREST_EXACT."""
    images = [mask.view(np.uint8) for mask in masks]
    size = grid[::-1]
    return Way(lambda i: cv2.resize(images[i], size, interpolation=cv2.INTER_NEAREST_EXACT))


def bounding_box(masks: Sequence[Bools]) -> Way:
    """`boundingRect` of an image."""
    images = [mask.view(np.uint8) for mask in masks]

    def read(answer: Any) -> tuple[int, ...] | None:
        left, top, width, height = answer
        return (left, top, left + width, top + height) if width else None

    return Way(lambda i: cv2.boundingRect(images[i]), read)


def paint_nearest(grids: Sequence[Bools], sizes: Sizes, outs: Sequence[Bools]) -> Way:
    """INTER_NEAREST_EXACT."""
    images = [grid.view(np.uint8) for grid in grids]
    views = [out.view(np.uint8) for out in outs]
    exact = cv2.INTER_NEAREST_EXACT

    def run(index: int) -> Any:
        return cv2.resize(images[index], sizes[index][::-1], dst=views[index], interpolation=exact)

    return Way(run)


def paint_bilinear(grids: Sequence[Bools], sizes: Sizes, outs: Sequence[Bools]) -> Way:
    """INTER_LINEAR, then a threshold."""
    images = [grid.view(np.uint8) * np.uint8(255) for grid in grids]
    views = [out.view(np.uint8) for out in outs]
    scaled = {size: np.empty(size, np.uint8) for size in sizes}

    def run(index: int) -> Any:
        size, to = sizes[index], scaled[sizes[index]]
        cv2.resize(images[index], size[::-1], dst=to, interpolation=cv2.INTER_LINEAR)
        return cv2.threshold(to, 127, 1, cv2.THRESH_BINARY, dst=views[index])[1]

    return Way(run)


def contours(masks: Sequence[Bools]) -> Way:
    """Turns of outlines through the centres of pixels, holes too; it is compared by their number.

    None for a crowd of rings: OpenCV takes seconds for a checkerboard of 480x640.
    """
    images = [mask.view(np.uint8) for mask in masks]
    method = cv2.CHAIN_APPROX_SIMPLE
    return Way(lambda i: cv2.findContours(images[i], cv2.RETR_CCOMP, method)[0], len)


def paint_field(fields: Sequence[Any], corners: Sequence[Any], outs: Sequence[Bools]) -> Way:
    """Interpolates floats inside each box, and compares them with 0."""
    floats = [field.astype(np.float32) for field in fields]

    def run(index: int) -> Any:
        left, top, right, bottom = corners[index]
        outs[index].fill(False)
        if left == right or top == bottom:
            return None
        size = (right - left, bottom - top)
        values = cv2.resize(floats[index], size, interpolation=cv2.INTER_LINEAR)
        np.greater(values, 0, out=outs[index][top:bottom, left:right])
        return values

    return Way(run)


def distances(crops: Sequence[Any], padded: Sequence[Any], inverse: Sequence[Any]) -> Way:
    """The precise transform of both sides; the padding stays on."""

    def run(index: int) -> Any:
        precise = cv2.DIST_MASK_PRECISE
        inside = cv2.distanceTransform(padded[index], cv2.DIST_L2, precise)
        outside = cv2.distanceTransform(inverse[index], cv2.DIST_L2, precise)
        return np.subtract(inside, outside, out=inside)

    return Way(run)
