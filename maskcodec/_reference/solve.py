"""What `_ext/solve.pyx` computes, written to be read."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def symmetric(
    matrices: NDArray[np.float32], ridges: NDArray[np.float32], right: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The x of (matrix + ridge * identity) x = right, computed in doubles, for each object."""
    solid = matrices + ridges[:, None, None] * np.eye(matrices.shape[1])
    found: NDArray[np.floating] = np.linalg.solve(solid, right[:, :, None])[:, :, 0]
    return found.astype(np.float32)
