"""Bilinear resampling with antialiasing, as Pillow's BILINEAR and TensorFlow's `antialias=True`.

Each output takes the inputs around its centre, weighted by a triangle that is as wide as an output
where the picture shrinks and as wide as an input where it grows; weights sum to one at the edges
too.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

ROWS = 1 << 22
"""Pixels turned into numbers at a time."""

Floats = npt.NDArray[np.float32]


@lru_cache(maxsize=256)
def triangle_weights(source: int, target: int) -> Floats:
    """The weights along one axis: float32 (target, source), each row of sum 1, read-only."""
    scale = source / target
    support = max(scale, 1.0)
    centres = (np.arange(target) + 0.5) * scale
    distance = np.abs(np.arange(source) + 0.5 - centres[:, None]) / support
    weights = np.maximum(0.0, 1.0 - distance)
    weights /= weights.sum(axis=1, keepdims=True)
    exact = weights.astype(np.float32)
    exact.flags.writeable = False
    return exact


def shrink(mask: npt.NDArray[np.bool_], side: int) -> Floats:
    """A mask as a picture of `side` by `side`: float32, 0 to 1."""
    height, width = mask.shape
    rows, columns = triangle_weights(height, side), triangle_weights(width, side).T
    out = np.zeros((side, side), np.float32)
    step = max(1, ROWS // width)
    for start in range(0, height, step):
        part = mask[start : start + step].astype(np.float32)
        out += rows[:, start : start + step] @ (part @ columns)
    return out
