"""Refinement by GrabCut: colours of object and background as mixtures, then a cut of least cost.

Source: Rother, Kolmogorov, Blake, "GrabCut" (SIGGRAPH 2004), as OpenCV computes it, with its five
Gaussians a side. Its k-means draws from OpenCV's generator, which is seeded anew for every mask.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .errors import MaskCodecError, SpecError
from .metrics import SMALL_AREA
from .refine_local import LocalRefiner
from .refine_region import Bits, Region

SEED = 0


@dataclass(frozen=True)
class GrabCut(LocalRefiner):
    """GrabCut; see the module and `LocalRefiner`.

    Attributes:
        iterations: rounds of fitting the colours and cutting.
    """

    name: ClassVar[str] = "grabcut"

    band: float = 0.05
    cells: float = 0.4
    iterations: int = 1
    side: int = 512
    area: int = SMALL_AREA

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.iterations <= 20:
            raise SpecError(f"iterations={self.iterations} is not 1 to 20")

    def decide(self, region: Region) -> Bits:
        """See `LocalRefiner.decide`.

        Raises:
            MaskCodecError: OpenCV is not installed.
        """
        try:
            import cv2
        except ImportError:
            raise MaskCodecError(
                "refinement by 'grabcut' needs OpenCV: pip install 'maskcodec[eval]'; "
                "'walker' and 'guided' need nothing more"
            ) from None
        guess = np.where(region.mask, cv2.GC_PR_FGD, cv2.GC_PR_BGD)
        guess = np.where(region.inside, cv2.GC_FGD, np.where(region.outside, cv2.GC_BGD, guess))
        labels = guess.astype(np.uint8)
        cv2.setRNGSeed(SEED)
        cv2.grabCut(
            np.ascontiguousarray(region.image),
            labels,
            (0, 0, 1, 1),  # a rectangle, which this mode does not look at
            np.zeros((1, 65)),
            np.zeros((1, 65)),
            self.iterations,
            cv2.GC_INIT_WITH_MASK,
        )
        return np.asarray((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD))
