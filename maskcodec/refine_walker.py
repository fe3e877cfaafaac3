"""Refinement by random walks from what is surely the object and what surely is not.

Source: Grady, "Random Walks for Image Segmentation" (PAMI 2006), as scikit-image computes it. A
pixel of the band goes to the side that a walker from it more probably reaches first, where steps
across edges of the image are improbable.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .errors import SpecError
from .metrics import SMALL_AREA
from .refine_local import LocalRefiner
from .refine_region import Bits, Region

TOLERANCE = 1e-3
"""Of the solver; what is asked is only which of two probabilities is greater."""


@dataclass(frozen=True)
class Walker(LocalRefiner):
    """Random walker; see the module and `LocalRefiner`.

    Attributes:
        beta: how improbable a step across an edge is; scikit-image's parameter.
    """

    name: ClassVar[str] = "walker"

    band: float = 0.05
    cells: float = 0.5
    beta: float = 2000.0
    side: int = 512
    area: int = SMALL_AREA

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.beta <= 1e6:
            raise SpecError(f"beta={self.beta} is not above 0 and at most 1e6")

    def decide(self, region: Region) -> Bits:
        """See `LocalRefiner.decide`."""
        from skimage.segmentation import random_walker

        if np.ptp(region.image) == 0:  # no edge anywhere, and weights would divide by 0
            return region.mask
        seeds = np.where(region.inside, 1, np.where(region.outside, 2, 0))
        with warnings.catch_warnings():
            # It notes every pixel that no seed can reach; such pixels stay as they are, see below.
            warnings.simplefilter("ignore")
            found = random_walker(
                region.image, seeds, beta=self.beta, mode="cg_j", tol=TOLERANCE, channel_axis=-1
            )
        return np.where(found > 0, found == 1, region.mask)
