from numpy import bool_, uint8, uint32, uint64
from numpy.typing import NDArray

def decode_sparse(
    counts: list[NDArray[uint32]],
    masks: NDArray[bool_ | uint8],
    height: int,
    width: int,
    scratch: NDArray[uint32],
) -> int: ...
def decode_dense(
    counts: NDArray[uint32], mask: NDArray[uint8], changes: NDArray[uint64]
) -> int: ...
