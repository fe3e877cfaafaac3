from typing import TypeAlias

from numpy import bool_
from numpy.typing import NDArray

Picture: TypeAlias = tuple[
    NDArray[bool_], int, int, int, int, int, int, int, int, NDArray[bool_], int
]

def bilinear(pictures: list[Picture]) -> None: ...
