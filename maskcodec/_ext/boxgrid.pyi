from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

def paint(
    canvases: Sequence[tuple[NDArray[np.bool_ | np.uint8], int]],
    boxes: NDArray[np.int32],
    items: Sequence[tuple[NDArray[np.uint8], NDArray[np.uint8]]],
    columns: int,
) -> None: ...
def join(
    counts: NDArray[np.uint8],
    runs: NDArray[np.uint8],
    columns: int,
    sides: NDArray[np.uint8],
) -> None: ...
