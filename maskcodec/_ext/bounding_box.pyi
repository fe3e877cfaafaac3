from numpy import int64, uint8
from numpy.typing import NDArray

def bounds(mask: NDArray[uint8], box: NDArray[int64]) -> int: ...
def line_sums(
    mask: NDArray[uint8],
    box: tuple[int, int, int, int],
    rows: NDArray[int64],
    columns: NDArray[int64],
) -> None: ...
