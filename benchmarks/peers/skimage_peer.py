"""The jobs of scikit-image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from skimage.measure import find_contours

from . import Way

MOST = 2**20
"""Pixels of a mask; it takes seconds for a larger one."""


def contours(masks: Sequence[npt.NDArray[np.bool_]]) -> Way | None:
    """Outlines through the points half way between two pixels."""
    if max(mask.size for mask in masks) > MOST:
        return None
    images = [mask.view(np.uint8) for mask in masks]

    def read(answer: Any) -> Any:
        return np.unique(np.concatenate([np.empty((0, 2)), *answer]), axis=0)

    return Way(lambda i: find_contours(images[i], 0.5), read)
