import numpy as np
from numpy.typing import NDArray

def signed(
    mask: NDArray[np.uint8],
    row_step: float,
    column_step: float,
    clip: float,
    scratch: NDArray[np.float64],
    out: NDArray[np.float32],
) -> None: ...
def sample(
    values: NDArray[np.float32],
    scale: float,
    line: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None: ...
