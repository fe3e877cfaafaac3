"""What the methods that look at one object's window at a time have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .errors import SpecError
from .overlay import Rgb
from .refine_region import Bits, Region, band_width, check_band, cut, paste


@dataclass(frozen=True)
class LocalRefiner(ABC):
    """Refines masks one by one; see `maskcodec.refine.Refiner`.

    Attributes:
        band: how far from a contour pixels are decided by the image, at either side of it, in sizes
            of the object (square roots of its area).
        cells: the same in cells of the codec's grid, where it has one; at most a quarter of the
            object's size then.
        side: pixels of the longer side of the window around an object; larger ones are scaled down
            to it, which bounds the time.
        area: masks of fewer pixels stay as they are where the codec has no grid.
    """

    name: ClassVar[str]

    band: float
    cells: float
    side: int
    area: int

    def __post_init__(self) -> None:
        check_band(self.band, self.cells, self.side)
        if self.area < 0:
            raise SpecError(f"area={self.area} is below 0 pixels")

    def refine_arrays(self, image: Rgb, arrays: Sequence[Bits], cell: float | None) -> list[Bits]:
        """See `maskcodec.refine.Refiner`."""
        return [self._refine(image, array, cell) for array in arrays]

    def _refine(self, image: Rgb, mask: Bits, cell: float | None) -> Bits:
        area = int(np.count_nonzero(mask))
        if cell is None and area < self.area:
            return mask
        width = band_width(area, self.band, self.cells, cell)
        found = cut(image, mask, width, self.side)
        if found is None:
            return mask
        region, box = found
        if not region.band.any():
            return mask
        return paste(mask, region.decide(self.decide(region)), region, box)

    @abstractmethod
    def decide(self, region: Region) -> Bits:
        """Which pixels are the object's; only those in `region.band` count.

        Returns:
            bool, of the shape of the region.
        """
