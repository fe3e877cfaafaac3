import numpy as np
import numpy.typing as npt

def paint_rings(
    xy: npt.NDArray[np.int32],
    starts: npt.NDArray[np.int32],
    hole: npt.NDArray[np.uint8] | npt.NDArray[np.bool_],
    out: npt.NDArray[np.uint8] | npt.NDArray[np.bool_],
) -> None: ...
