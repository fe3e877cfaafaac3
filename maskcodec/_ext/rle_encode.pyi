from numpy import bool_, uint8, uint32
from numpy.typing import NDArray

def encode_sparse(
    masks: list[NDArray[bool_]] | list[NDArray[uint8]], scratch: NDArray[uint32], room: int
) -> list[int]: ...
