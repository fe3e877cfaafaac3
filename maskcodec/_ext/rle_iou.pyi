from numpy import float64, int64, uint8, uint32
from numpy.typing import NDArray

def measure(
    counts: list[NDArray[uint32]],
    height: int,
    spans: NDArray[uint32],
    first: NDArray[int64],
    table: NDArray[int64],
) -> int: ...
def iou(
    spans_a: NDArray[uint32],
    first_a: NDArray[int64],
    table_a: NDArray[int64],
    spans_b: NDArray[uint32],
    first_b: NDArray[int64],
    table_b: NDArray[int64],
    crowd: NDArray[uint8],
    matrix: NDArray[float64],
) -> None: ...
