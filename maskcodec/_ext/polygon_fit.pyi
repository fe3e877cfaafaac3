import numpy as np
import numpy.typing as npt

def fit(
    mask: npt.NDArray[np.uint8] | npt.NDArray[np.bool_],
    left: int,
    top: int,
    right: int,
    bottom: int,
    bins: int,
    xy: npt.NDArray[np.int32],
    starts: npt.NDArray[np.int32],
    step: int,
    rounds: int,
) -> tuple[int, int]: ...
