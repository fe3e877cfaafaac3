import numpy as np
import numpy.typing as npt

def trace(
    mask: npt.NDArray[np.uint8] | npt.NDArray[np.bool_],
    xy: npt.NDArray[np.int32],
    starts: npt.NDArray[np.int32],
    hole: npt.NDArray[np.uint8] | npt.NDArray[np.bool_],
) -> tuple[int, int]: ...
