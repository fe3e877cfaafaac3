"""A made-up codebook of shape tokens."""

from __future__ import annotations

import numpy as np

from maskcodec.geometry.shape_codebook import CELLS, CODES, ShapeCodebook

AREA = CELLS * CELLS


def made_up(stages: int = 3, dimensions: int = 5, seed: int = 0) -> ShapeCodebook:
    """A codebook of numbers as wild as one may hold."""
    random = np.random.default_rng(seed)
    return ShapeCodebook(
        "made-up",
        random.integers(-(2**27), 2**27, AREA, np.int32),
        random.integers(-32_768, 32_767, (dimensions, AREA), np.int16, endpoint=True),
        random.integers(-8_000, 8_000, (stages, CODES, dimensions), np.int16),
        28,
        {"data": "none", "figures": [0.5, 1]},
    )
