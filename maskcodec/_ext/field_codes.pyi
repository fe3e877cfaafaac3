import numpy as np
from numpy.typing import NDArray

def sums(
    table: NDArray[np.int16],
    counts: NDArray[np.int32],
    codes: NDArray[np.int32],
    out: NDArray[np.float64],
) -> None: ...
def rounded(
    products: NDArray[np.float64], mean: NDArray[np.float64], out: NDArray[np.int32]
) -> None: ...
