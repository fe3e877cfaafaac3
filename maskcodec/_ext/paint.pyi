from collections.abc import Sequence
from typing import Any, TypeAlias

from numpy import bool_, int32
from numpy.typing import NDArray

Labels: TypeAlias = Sequence[int] | NDArray[int32]
Picture: TypeAlias = tuple[
    NDArray[int32],
    Labels,
    int,
    int,
    int,
    int,
    NDArray[int32],
    NDArray[int32],
    NDArray[bool_],
    int,
]

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
    before: int,
) -> None: ...
def planes(pictures: Sequence[Picture]) -> None: ...
