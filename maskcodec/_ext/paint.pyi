from collections.abc import Sequence
from typing import Any

from numpy import bool_, int32
from numpy.typing import NDArray

def nearest(
    cells: NDArray[Any],
    itemsize: int,
    height: int,
    width: int,
    y0: int,
    x0: int,
    y_edges: NDArray[int32],
    x_edges: NDArray[int32],
    out: NDArray[Any],
    blank: bool,
) -> None: ...
def planes(
    cells: NDArray[int32],
    labels: Sequence[int] | NDArray[int32],
    height: int,
    width: int,
    y0: int,
    x0: int,
    y_edges: NDArray[int32],
    x_edges: NDArray[int32],
    out: NDArray[bool_],
    blank: bool,
) -> None: ...
