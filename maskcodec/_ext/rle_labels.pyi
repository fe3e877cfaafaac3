from typing import Any

from numpy import int32, int64, uint32
from numpy.typing import NDArray

def label_runs(
    labels: NDArray[Any],
    starts: NDArray[uint32],
    values: NDArray[int32],
    scratch: NDArray[uint32],
) -> int: ...
def linear_runs(labels: NDArray[Any], starts: NDArray[uint32], values: NDArray[int32]) -> int: ...
def count_runs(values: NDArray[int32], low: int, runs: NDArray[int64]) -> int: ...
def deal_runs(
    starts: NDArray[uint32],
    values: NDArray[int32],
    low: int,
    area: int,
    counts: NDArray[uint32],
    next_slot: NDArray[int64],
    ends: NDArray[uint32],
) -> int: ...
