"""Grids of labels as text, in plain Python: the specification of `_ext/grid_write.pyx`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np
import numpy.typing as npt

NONE, IMAGE, ROW = range(3)


def write(cells: npt.NDArray[np.int32], names: Sequence[str], style: int) -> str:
    """The lines of a grid: one a row, or one for all."""
    lines = cells.tolist() if style == ROW else [cells.reshape(-1).tolist()]
    return "\n ".join("| ".join(_runs(line, names, style)) for line in lines) + "\n"


def _runs(line: list[int], names: Sequence[str], style: int) -> list[str]:
    if style == NONE:
        return [names[cell] for cell in line]
    return [f"{names[cell]} *{len(list(run))}" for cell, run in groupby(line)]
