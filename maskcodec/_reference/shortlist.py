"""What `_ext/shortlist.pyx` computes, written to be read."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def cheapest(
    before: NDArray[np.float32],
    dots: NDArray[np.float32],
    energy: NDArray[np.float32],
    room: int,
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """The `room` least of before - 2 dots + energy of each mask, ascending, and their places."""
    costs = (before[:, :, None] - 2 * dots + energy[:, None]).reshape(len(dots), -1)
    places = np.argsort(costs, axis=1, kind="stable")[:, :room]
    return np.take_along_axis(costs, places, 1), places.astype(np.int32)


def overlaps(
    values: NDArray[np.float32], levels: NDArray[np.float32], targets: NDArray[np.uint8]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Cells of each row above their level: those that are in its mask's target too, and all.

    `values` is (masks, rows, cells), `targets` (masks, cells).
    """
    above = values > levels
    both = (above & (targets[:, None] != 0)).sum(axis=2, dtype=np.int32)
    return both, above.sum(axis=2, dtype=np.int32)


def overlaps_of_sums(
    values: NDArray[np.float32],
    parents: NDArray[np.int32],
    steps: NDArray[np.float32],
    added: NDArray[np.int32],
    levels: NDArray[np.float32],
    targets: NDArray[np.uint8],
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """`overlaps` of sums: row k is row parents[k] of its `values` and added[k] of `steps`."""
    rows = values[np.arange(len(values))[:, None], parents] + steps[added]
    return overlaps(rows, levels, targets)
