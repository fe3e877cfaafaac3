import numpy as np
from numpy.typing import NDArray

def cheapest(
    before: NDArray[np.float32],
    dots: NDArray[np.float32],
    energy: NDArray[np.float32],
    costs: NDArray[np.float32],
    places: NDArray[np.int32],
) -> None: ...
def overlaps(
    values: NDArray[np.float32],
    levels: NDArray[np.float32],
    targets: NDArray[np.uint8],
    both: NDArray[np.int32],
    painted: NDArray[np.int32],
) -> None: ...
def overlaps_of_sums(
    values: NDArray[np.float32],
    parents: NDArray[np.int32],
    steps: NDArray[np.float32],
    added: NDArray[np.int32],
    levels: NDArray[np.float32],
    targets: NDArray[np.uint8],
    both: NDArray[np.int32],
    painted: NDArray[np.int32],
) -> None: ...
