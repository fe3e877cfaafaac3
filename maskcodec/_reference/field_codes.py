"""What `_ext/field_codes.pyx` computes, written to be read."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def sums(
    table: NDArray[np.int16], counts: NDArray[np.int32], codes: NDArray[np.int32]
) -> NDArray[np.float64]:
    """The sum of each object's codes: float64 (objects, dimensions), whole numbers."""
    total = np.zeros((len(counts), table.shape[2]))
    ends = np.cumsum(counts)
    for index, (start, end) in enumerate(zip(ends - counts, ends, strict=True)):
        for stage, code in enumerate(codes[start:end]):
            total[index] += table[stage, code]
    return total


def rounded(products: NDArray[np.float64], mean: NDArray[np.float64]) -> NDArray[np.int32]:
    """The fields of products (objects, cells): int32, halves to even."""
    return np.rint(products + mean).astype(np.int32)
