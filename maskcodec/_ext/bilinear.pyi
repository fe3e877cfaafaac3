from numpy import bool_
from numpy.typing import NDArray

def bilinear(
    cells: NDArray[bool_],
    rows: int,
    cols: int,
    height: int,
    width: int,
    y0: int,
    x0: int,
    y1: int,
    x1: int,
    out: NDArray[bool_],
    blank: bool,
) -> None: ...
