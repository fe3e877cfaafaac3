from collections.abc import Sequence

from numpy import bool_, uint8, uint32, uint64
from numpy.typing import NDArray

def decode_sparse(
    counts: Sequence[NDArray[uint32]],
    masks: Sequence[NDArray[bool_] | NDArray[uint8]],
    scratch: NDArray[uint32],
    far: bool = ...,
) -> int: ...
def decode_dense(
    counts: NDArray[uint32], mask: NDArray[uint8], changes: NDArray[uint64]
) -> int: ...
