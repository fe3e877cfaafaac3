"""Metrics as ratios of sums: what lets one table of rows give values, intervals and tests alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Ratios:
    """Metrics of which each is the sum over rows of one column by the sum of another.

    A mean is one too: its lower column is 1 where a row counts and 0 where it doesn't.

    Attributes:
        names: of the metrics, K of them.
        upper: float64 (rows, K).
        lower: float64 (rows, K), 0 or greater.
    """

    names: tuple[str, ...]
    upper: Floats
    lower: Floats

    def __len__(self) -> int:
        return len(self.upper)

    def values(self) -> Floats:
        """The metrics over all rows: float64 (K,); NaN where nothing counts."""
        return divide(self.upper.sum(axis=0), self.lower.sum(axis=0))

    def as_dict(self) -> dict[str, float | None]:
        """The metrics by their names; None where nothing counts."""
        return {
            name: None if np.isnan(value) else float(value)
            for name, value in zip(self.names, self.values(), strict=True)
        }

    def by_group(self, groups: Ints) -> Ratios:
        """One row a group, the sum of its rows; in the order of the groups' numbers."""
        order = np.argsort(groups, kind="stable")
        starts = np.flatnonzero(np.diff(groups[order], prepend=groups[order][:1] - 1))
        upper, lower = (
            np.add.reduceat(side[order], starts) if len(starts) else side
            for side in (self.upper, self.lower)
        )
        return Ratios(self.names, upper, lower)


def divide(upper: npt.NDArray[Any], lower: npt.NDArray[Any]) -> Floats:
    """`upper` by `lower`, NaN where `lower` is 0."""
    found = np.full(np.broadcast_shapes(upper.shape, lower.shape), np.nan)
    np.divide(upper, lower, out=found, where=lower != 0)
    return found
