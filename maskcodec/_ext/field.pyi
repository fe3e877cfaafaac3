from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

def paint(
    fields: NDArray[np.int32],
    boxes: NDArray[np.int32],
    canvases: Sequence[tuple[NDArray[np.bool_ | np.uint8], int]],
) -> None: ...
def overlaps(
    fields: NDArray[np.int32],
    boxes: NDArray[np.int32],
    mask: NDArray[np.uint8],
    both: NDArray[np.int64],
    painted: NDArray[np.int64],
) -> None: ...
