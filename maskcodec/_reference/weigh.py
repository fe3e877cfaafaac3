"""What `_ext/weigh.pyx` computes, written to be read."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def sums(weights: NDArray[np.float32], table: NDArray[np.float32]) -> NDArray[np.float64]:
    """The rows of the table, weighted and summed, for each object."""
    product: NDArray[np.float64] = weights.astype(np.float64) @ table.astype(np.float64)
    return product
