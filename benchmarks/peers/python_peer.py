"""What one writes without a kernel for grids as text.

`itertools.groupby` and `str.join` one way, one compiled regular expression a run, a dictionary of
labels and `numpy.repeat` the other way, with the same checks.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt

from . import Way

_RUN = re.compile(r"([^*|\n]+) \*([1-9][0-9]*)")


def write_grid(grids: Sequence[Any]) -> Way:
    """Cells to text, a row a line."""
    return Way(lambda i: _write(grids[i]))


def _write(grid: Any) -> str:
    return (
        "\n ".join(
            "| ".join(f"{grid.table[cell]} *{len(list(run))}" for cell, run in groupby(row))
            for row in grid.cells.tolist()
        )
        + "\n"
    )


def read_grid(texts: Sequence[str], side: int) -> Way:
    """Text to the labels and the cells."""
    return Way(lambda i: _parse(texts[i], side))


def _parse(text: str, side: int) -> tuple[tuple[str, ...], npt.NDArray[np.int32]]:
    if not (text.startswith("<seg>") and text.endswith("\n</seg>")):
        raise ValueError("tags")
    numbers = {"others": 0}
    labels, counts = [], []
    for line in text[5:-7].split("\n "):
        total = 0
        for run in line.split("| "):
            found = _RUN.fullmatch(run)
            if not found:
                raise ValueError(run)
            labels.append(numbers.setdefault(found[1], len(numbers)))
            counts.append(int(found[2]))
            total += counts[-1]
        if total != side:
            raise ValueError(line)
    return (*numbers,), np.repeat(np.array(labels, np.int32), counts).reshape(side, side)
