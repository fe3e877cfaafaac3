from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Bytes: TypeAlias = NDArray[np.bool_ | np.uint8]

def paint(
    objects: Sequence[tuple[NDArray[np.int32], NDArray[np.int32], Bytes]],
    canvases: Sequence[tuple[Bytes, int]],
) -> None: ...
