from typing import Any

from numpy import bool_, int32
from numpy.typing import NDArray

def coverage(
    mask: NDArray[bool_],
    height: int,
    width: int,
    y0: int,
    x0: int,
    y_edges: NDArray[int32],
    x_edges: NDArray[int32],
    covered: NDArray[int32],
    total: NDArray[int32],
) -> None: ...
def sample(
    values: NDArray[Any],
    itemsize: int,
    height: int,
    width: int,
    ys: NDArray[int32],
    xs: NDArray[int32],
    out: NDArray[Any],
) -> None: ...
def best_cells(
    covered: NDArray[int32],
    total: NDArray[int32],
    count: int,
    area: int,
    keep: NDArray[bool_],
) -> bool: ...
