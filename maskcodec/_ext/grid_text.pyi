from numpy import int32
from numpy.typing import NDArray

def scan(
    text: bytes,
    start: int,
    stop: int,
    counted: bool,
    background: bytes,
    rows: int,
    columns: int,
    room: NDArray[int32],
    cells: NDArray[int32],
) -> tuple[int, int, int, int, int]: ...
