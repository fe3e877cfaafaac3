"""What `_ext/weigh.pyx` computes, written to be read."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def sums(weights: NDArray[np.float32], table: NDArray[np.float32]) -> NDArray[np.float32]:
    """The rows of the table, weighted and summed from the first to the last, for each object.

    `weights` is (objects, rows), `table` (parts, rows, 16): the columns in parts of 16.
    """
    parts, rows, width = table.shape
    out = np.zeros((len(weights), parts, width), np.float32)
    for row in range(rows):
        out += weights[:, row, None, None] * table[None, :, row]
    return out.reshape(len(weights), parts * width)
