import numpy as np
from numpy.typing import NDArray

def fit(
    mask: NDArray[np.uint8],
    box: NDArray[np.int32],
    ys: NDArray[np.int32],
    columns: int,
    passes: int,
    sums: NDArray[np.int32],
    column_counts: NDArray[np.int32],
    counts: NDArray[np.uint8],
    runs: NDArray[np.uint8],
) -> tuple[int, int, int]: ...
