from typing import Any, TypeAlias

from numpy import bool_, int32
from numpy.typing import NDArray

Work: TypeAlias = tuple[
    NDArray[bool_],
    int,
    int,
    int,
    int,
    NDArray[int32],
    NDArray[int32],
    NDArray[int32],
    NDArray[int32],
]

def coverage(masks: list[Work]) -> None: ...
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
