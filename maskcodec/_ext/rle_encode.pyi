from collections.abc import Callable

from numpy import bool_, uint8, uint32
from numpy.typing import NDArray

def encode_sparse(
    masks: list[NDArray[bool_]] | list[NDArray[uint8]], scratch: NDArray[uint32], room: int
) -> list[int]: ...
def encode_one(
    mask: NDArray[bool_] | NDArray[uint8],
    pixels_per_change: int,
    new: Callable[[int], NDArray[uint32]],
) -> NDArray[uint32] | None: ...
