"""Rows as arrays, of which any number can be drawn again without a copy of the arrays."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Columns:
    """What columns of every kind have.

    Attributes:
        picked: int64, the rows of the arrays in the order in which they were given or taken.
        weights: int64 (rows,), how often each row of the arrays counts.
    """

    picked: Ints
    weights: Ints

    def __len__(self) -> int:
        return len(self.picked)

    def take(self, rows: npt.NDArray[Any] | Sequence[int]) -> Self:
        """Some of the rows: their numbers, some perhaps several times, or a flag for each row."""
        chosen = np.asarray(rows)
        if chosen.size == 0 and chosen.dtype != np.bool_:
            chosen = chosen.astype(np.int64)
        picked = self.picked[chosen]
        weights = np.bincount(picked, minlength=len(self.weights)).astype(np.int64)
        return dataclasses.replace(self, picked=picked, weights=weights)


def every_row(count: int) -> dict[str, Ints]:
    """The fields of `Columns` where each of `count` rows counts once."""
    return {"picked": np.arange(count), "weights": np.ones(count, np.int64)}
