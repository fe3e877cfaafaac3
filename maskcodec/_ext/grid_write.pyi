from numpy import int32, uint8
from numpy.typing import NDArray

def write(
    cells: NDArray[int32],
    rows: int,
    columns: int,
    names: bytes,
    style: int,
    out: NDArray[uint8],
) -> int: ...
