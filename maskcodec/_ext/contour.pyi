from numpy import bool_, int32, uint8
from numpy.typing import NDArray

def trace(
    mask: NDArray[bool_ | uint8],
    xy: NDArray[int32],
    starts: NDArray[int32],
    hole: NDArray[uint8],
) -> tuple[int, int]: ...
