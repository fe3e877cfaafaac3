from numpy import int32
from numpy.typing import NDArray

def align(
    runs: NDArray[int32],
    first: int,
    last: int,
    above: NDArray[int32] | None,
    below: NDArray[int32] | None,
    cells: NDArray[int32],
) -> None: ...
def expand(runs: NDArray[int32], first: int, last: int, cells: NDArray[int32]) -> int: ...
