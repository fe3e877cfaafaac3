"""The part of an image that refinement of one mask looks at, and what of it is left to decide.

A mask's contour is taken to be right within a width: pixels deeper inside the mask than that surely
belong to the object, pixels farther outside surely do not, and the band between them is what a
method decides by the image. Nothing outside of the band ever changes. Every piece of the mask and
every hole keeps a core that is sure, however thin it is, so that none can vanish.

The width is a share of the object's size (the square root of its area) or, where masks come from
a grid that is coarse for the object, a share of the grid's cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np
import numpy.typing as npt

from .errors import SpecError
from .overlay import Rgb
from .resample import Box, paint_bilinear, paint_nearest, sample_nearest
from .rle import mask_bounding_box

Bits = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

MIN_AREA = 16
"""Masks of fewer pixels are left alone."""

MIN_WIDTH = 1.5
"""Least width in pixels of a band at either side of the contour."""

MAX_SHARE = 0.25
"""Most of the object's size that the width may be where cells decide it."""

CORE = 0.6
"""Of a piece too thin for the width, what lies deeper than this share of its depth is sure."""

MAX_SIDE = 4096
"""Largest `side` that can be asked for."""


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """What a method sees of one mask: the window around it, scaled down if it is large.

    Attributes:
        image: uint8, (height, width, 3).
        mask: bool, (height, width).
        inside: bool, what surely belongs to the object; at least one pixel.
        outside: bool, what surely does not; at least one pixel.
        width: of the band at either side of the contour, in pixels of the window.
    """

    image: Rgb
    mask: Bits
    inside: Bits
    outside: Bits
    width: float

    @property
    def band(self) -> Bits:
        """What is to be decided: bool, (height, width)."""
        return ~(self.inside | self.outside)

    def decide(self, is_object: Bits) -> Bits:
        """A method's decision in the band, what is sure outside of it."""
        return np.asarray((is_object | self.inside) & ~self.outside)


def check_band(band: float, cells: float, side: int) -> None:
    """Check the options that all methods share.

    Raises:
        SpecError: one is out of range.
    """
    if not 0 < band <= 1:
        raise SpecError(f"band={band} is not above 0 and at most 1, a share of the object's size")
    if not 0 < cells <= 2:
        raise SpecError(f"cells={cells} is not above 0 and at most 2, cells of the codec's grid")
    if not 32 <= side <= MAX_SIDE:
        raise SpecError(f"side={side} is not 32 to {MAX_SIDE} pixels")


def band_width(area: int, band: float, cells: float, cell: float | None) -> float:
    """The width in pixels at either side of the contour of an object of `area` pixels.

    Args:
        area: of the mask.
        band: the width in sizes of the object.
        cells: the width in cells, where masks come from a grid over the image.
        cell: the side of a cell in pixels; None where there is no grid.
    """
    size = sqrt(area)
    width = band * size if cell is None else min(MAX_SHARE * size, cells * cell)
    return max(MIN_WIDTH, width)


def cut(image: Rgb, mask: Bits, width: float, side: int) -> tuple[Region, Box] | None:
    """The window of a mask, at most `side` pixels long, and its box in the image.

    Returns:
        None where there is nothing to decide: the mask is tiny, or leaves no pixel free, or its
        window is so large that the band would be less than a pixel of it.
    """
    found = mask_bounding_box(mask)
    if found is None or np.count_nonzero(mask) < MIN_AREA:
        return None
    x0, y0, x1, y1 = found
    margin = ceil(2 * width) + 2
    height, total = mask.shape
    box = (
        max(0, x0 - margin),
        max(0, y0 - margin),
        min(total, x1 + margin),
        min(height, y1 + margin),
    )
    x0, y0, x1, y1 = box
    scale = min(1.0, side / max(x1 - x0, y1 - y0))
    if width * scale < 1:
        return None
    if scale == 1.0:
        pixels, part = image[y0:y1, x0:x1], mask[y0:y1, x0:x1]
    else:
        grid = max(1, round((y1 - y0) * scale)), max(1, round((x1 - x0) * scale))
        pixels, part = _shrink(image[y0:y1, x0:x1], grid), sample_nearest(mask, grid, box)
    width = max(MIN_WIDTH, width * scale)
    inside, outside = sure(part, width), sure(~part, width)
    if not inside.any() or not outside.any():
        return None
    return Region(pixels, part, inside, outside, width), box


def paste(mask: Bits, refined: Bits, region: Region, box: Box) -> Bits:
    """The mask of the whole image with the window's decision in it.

    Where the window was scaled down, only what the method changed, and its neighbours, are taken
    from it: elsewhere the contour keeps the image's resolution.
    """
    out = mask.copy()
    x0, y0, x1, y1 = box
    if refined.shape == (y1 - y0, x1 - x0):
        out[y0:y1, x0:x1] = refined
        return out
    from scipy.ndimage import binary_dilation

    size = y1 - y0, x1 - x0
    changed = binary_dilation(refined != region.mask, np.ones((3, 3), np.bool_))
    new, where = paint_bilinear(refined, size), paint_nearest(changed, size)
    part = out[y0:y1, x0:x1]
    part[where] = new[where]
    return out


def sure(part: Bits, width: float) -> Bits:
    """The pixels of `part` farther than `width` from its complement, and the core of each piece.

    Pieces are connected by their sides. The border of the window is no complement: what lies beyond
    is not known.
    """
    from scipy.ndimage import distance_transform_edt, label, maximum

    if part.all():
        return part.copy()
    depth: Floats = distance_transform_edt(part)
    pieces, count = label(part)
    if not count:
        return np.zeros_like(part)
    deepest = np.asarray(maximum(depth, pieces, np.arange(1, count + 1)))
    least = np.concatenate([[np.inf], np.minimum(width, CORE * deepest)])
    return np.asarray(depth > least[pieces])


def _shrink(image: Rgb, grid: tuple[int, int]) -> Rgb:
    """An image of (rows, columns) pixels, each the mean of what it covers."""
    from PIL import Image

    small = Image.fromarray(np.ascontiguousarray(image)).resize(grid[::-1], Image.Resampling.BOX)
    return np.asarray(small)
