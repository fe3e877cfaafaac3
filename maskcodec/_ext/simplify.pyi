import numpy as np
import numpy.typing as npt

def simplify(
    xy: npt.NDArray[np.int32],
    starts: npt.NDArray[np.int32],
    hole: npt.NDArray[np.uint8] | npt.NDArray[np.bool_],
    limit: float,
    budget: int,
    out: npt.NDArray[np.float64],
    left: npt.NDArray[np.int32],
) -> int: ...
