"""Refinement by the guided filter: the mask as a local linear function of the image's colours.

Source: He, Sun, Tang, "Guided Image Filtering" (ECCV 2010; PAMI 2013), the colour guide of its
section 3.5. In each window of (2 radius + 1)² pixels the mask p is fitted as a . I + b, with a
penalty epsilon on a; q = mean(a) . I + mean(b) over the windows of a pixel, and a pixel is the
object's where q is at least one half. Colours are 0 to 1; windows are reflected at the border.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .errors import SpecError
from .metrics import SMALL_AREA
from .overlay import Rgb
from .refine_local import LocalRefiner
from .refine_region import MAX_SIDE, Bits, Floats, Region


@dataclass(frozen=True)
class Guided(LocalRefiner):
    """Guided filter; see the module and `LocalRefiner`.

    Attributes:
        radius: of its windows in pixels; 0 takes the width of the band.
        epsilon: squared contrast of colours (0 to 1) below which an edge is none.
    """

    name: ClassVar[str] = "guided"

    band: float = 0.05
    cells: float = 0.75
    radius: int = 0
    epsilon: float = 1e-4
    side: int = 512
    area: int = SMALL_AREA

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.radius <= MAX_SIDE:
            raise SpecError(f"radius={self.radius} is not 0 to {MAX_SIDE} pixels")
        if not 0 < self.epsilon <= 1:
            raise SpecError(f"epsilon={self.epsilon} is not above 0 and at most 1")

    def decide(self, region: Region) -> Bits:
        """See `LocalRefiner.decide`."""
        radius = self.radius or max(1, round(region.width))
        values = guided_filter(region.image, region.mask.astype(np.float64), radius, self.epsilon)
        return np.asarray(values >= 0.5)


def guided_filter(image: Rgb, values: Floats, radius: int, epsilon: float) -> Floats:
    """Filter `values` by a colour image.

    Args:
        image: uint8, (height, width, 3).
        values: float64, (height, width).
        radius: of the windows, in pixels.
        epsilon: the penalty, in squared colours of 0 to 1.

    Returns:
        float64, (height, width).
    """
    from scipy.ndimage import uniform_filter

    def mean(plane: Floats) -> Floats:
        sides = (2 * radius + 1,) * 2 + (1,) * (plane.ndim - 2)
        return np.asarray(uniform_filter(plane, sides, mode="reflect"))

    colours = image.astype(np.float64) / 255
    centre, level = mean(colours), mean(values)
    shared = mean(colours * values[..., None]) - centre * level[..., None]
    spread = np.empty((*values.shape, 3, 3))
    for i, j in ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)):
        product = mean(colours[..., i] * colours[..., j]) - centre[..., i] * centre[..., j]
        spread[..., i, j] = spread[..., j, i] = product
    spread[..., (0, 1, 2), (0, 1, 2)] += epsilon
    slope = np.asarray(np.linalg.solve(spread, shared[..., None])[..., 0], np.float64)
    offset = level - np.sum(slope * centre, axis=-1)
    filtered: Floats = np.sum(mean(slope) * colours, axis=-1) + mean(offset)
    return filtered
