"""What the suites of kernels share: places to paint into, which masks are checked, sizes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]

RING_BYTES = 1 << 28
BATCH_BYTES = 1 << 26


def ring(masks: Sequence[Bools]) -> list[Bools]:
    """An output array a mask; large ones are used in turn, so that they fit in memory."""
    arrays: list[Bools] = []
    largest = max(mask.size for mask in masks)
    count = max(2, min(len(masks), RING_BYTES // largest))
    for index, mask in enumerate(masks):
        reuse = index >= count and arrays[index - count].shape == mask.shape
        arrays.append(arrays[index - count] if reuse else np.ones(mask.shape, np.bool_))
    return arrays


def mean_bytes(arrays: Sequence[npt.NDArray[Any]]) -> int:
    """The mean size of an array in memory."""
    return sum(array.nbytes for array in arrays) // len(arrays)


def sizes_of(arrays: Sequence[npt.NDArray[Any]]) -> list[tuple[int, int]]:
    """(height, width) of each."""
    return [(array.shape[0], array.shape[1]) for array in arrays]


def spread(count: int, most: int) -> range:
    """About `most` indices, spread over all."""
    return range(0, count, max(1, count // most))


def affordable(count: int, pixels: int) -> range:
    """The indices that slow twins can check: all, or fewer where that would take minutes."""
    return range(0, count, max(1, count * pixels // 40_000_000))


def equal(found: object, wanted: object) -> None:
    """Assert that two arrays are equal."""
    np.testing.assert_array_equal(found, wanted)


def off_boundary(targets: int, sources: int) -> npt.NDArray[np.intp]:
    """The targets whose centres lie on no boundary of sources; on one, OpenCV rounds."""
    return np.flatnonzero((2 * np.arange(targets) + 1) * sources % (2 * targets))
