import numpy as np
from numpy.typing import NDArray

def paint(
    planes: NDArray[np.uint8],
    boxes: NDArray[np.int32],
    counts: NDArray[np.uint8],
    runs: NDArray[np.uint8],
    columns: int,
) -> None: ...
def join(
    counts: NDArray[np.uint8],
    runs: NDArray[np.uint8],
    columns: int,
    sides: NDArray[np.uint8],
) -> None: ...
