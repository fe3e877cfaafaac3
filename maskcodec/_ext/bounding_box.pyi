from numpy import int64, uint8
from numpy.typing import NDArray

def bounds(mask: NDArray[uint8], box: NDArray[int64]) -> int: ...
