import numpy as np
from numpy.typing import NDArray

def symmetric(
    matrices: NDArray[np.float32],
    ridges: NDArray[np.float32],
    right: NDArray[np.float32],
    out: NDArray[np.float32],
) -> bool: ...
