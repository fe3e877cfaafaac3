import numpy as np
from numpy.typing import NDArray

def sums(
    weights: NDArray[np.float32], table: NDArray[np.float32], out: NDArray[np.float32]
) -> None: ...
