"""Clearing the memory that a job paints: no painter of whole masks can be much faster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from . import NO_ANSWER, Way

Arrays = Sequence[npt.NDArray[np.bool_]]


def _clear(outs: Arrays) -> Way:
    return Way(lambda i: outs[i].fill(False), lambda answer: NO_ANSWER)


def paint_nearest(outs: Arrays, **others: Any) -> Way:
    """See above; so for the jobs below."""
    return _clear(outs)


def paint_planes(outs: Arrays, **others: Any) -> Way:
    """Several masks of an image."""
    return _clear(outs)


def paint_bilinear(outs: Arrays, **others: Any) -> Way:
    """As `paint_nearest`."""
    return _clear(outs)


def paint_field(outs: Arrays, **others: Any) -> Way:
    """As `paint_nearest`."""
    return _clear(outs)


def read_and_paint(outs: Arrays, **others: Any) -> Way:
    """As `paint_nearest`."""
    return _clear(outs)


def paint_new(sizes: Sequence[tuple[int, int]], keep: Any, **others: Any) -> Way:
    """New arrays, which the caller keeps until the masks come round again."""

    def run(index: int) -> None:
        array = np.empty(sizes[index], np.bool_)
        array.fill(False)
        keep(array)

    return Way(run, lambda answer: NO_ANSWER)
