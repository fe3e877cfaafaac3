"""Blocks of memory for masks, kept for a while when nobody needs them any more.

New memory is what decoding waits for: to be handed a page, and to have it cleared, takes longer
than painting it. Blocks come in large pages where the system has them, and of those that are
let go of some are kept for the next batch. The system may take back what a kept block holds as soon
as it is short of memory, and does so without asking.

Of 277 masks of 480x640 in each batch, a mask took 15 µs to touch and set in kept blocks, 35 µs in
new ones, and 140 µs in arrays of their own.
"""

from __future__ import annotations

import mmap
from collections import deque
from contextlib import suppress
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]

BLOCK = 8 << 20
"""Bytes of a block that may be kept."""

KEPT = 16
"""Blocks that are kept, at most."""

LARGE_PAGE = 2 << 20
"""Bytes of Linux's large pages on most machines."""

FAR_BYTES = 1 << 25
"""Bytes of a batch from which on little of its memory is in a cache when it is painted."""


class Before(IntEnum):
    """What memory holds before it is painted; the kernels know the numbers.

    Attributes:
        DIRTY: anything.
        CLEAR: False.
        FAR: anything, and it is in no cache: see `_ext/clearing.pxd`.
    """

    DIRTY = 0
    CLEAR = 1
    FAR = 2


_kept: deque[mmap.mmap] = deque(maxlen=KEPT)


def take(length: int, *, all_written: bool = False) -> tuple[Bools, bool]:
    """Memory for pixels: bool (length,), and whether it is clear; if not, it may hold anything.

    It is the caller's as long as any array lies in it. Little memory is clear, since most of what
    is painted there stays as it is, and pages that are never touched cost nothing; but not where
    `all_written` says that every pixel will be set.
    """
    if length < LARGE_PAGE:
        return (np.empty if all_written else np.zeros)(length, np.bool_), not all_written
    if not hasattr(mmap, "MADV_HUGEPAGE"):
        return np.zeros(length, np.bool_), True
    if length <= BLOCK:
        with suppress(IndexError):
            return np.asarray(_Lent(_kept.pop()))[:length], False
    memory = _map(length)
    if memory is None:  # kept blocks may be what is lacking
        forget()
        memory = _map(length)
    if memory is None:  # there is a limit on maps; NumPy says what is lacking where memory is
        return np.zeros(length, np.bool_), True
    with suppress(OSError):  # large pages are a wish
        memory.madvise(mmap.MADV_HUGEPAGE)
    return np.asarray(_Lent(memory))[:length], True


def _map(length: int) -> mmap.mmap | None:
    """New memory, None where the system refuses.

    Linux places whole large pages at such a page's bounds, and other lengths anywhere. Pages that
    are never touched take no memory.
    """
    pages = BLOCK if length <= BLOCK else -(-length // LARGE_PAGE) * LARGE_PAGE
    try:
        return mmap.mmap(-1, pages, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except OSError:
        return None


def is_lent(array: npt.NDArray[Any]) -> bool:
    """Whether an array lies in a block of `take`: memory that `tracemalloc` does not see."""
    owner: object = array
    while isinstance(owner, np.ndarray):
        owner = owner.base
    return isinstance(owner, _Lent)


def forget() -> None:
    """Give the blocks that are kept back to the system: up to 128 MB of address space."""
    _kept.clear()


class _Lent:
    """Memory as NumPy takes it; when the last array that lies in it goes, so does this."""

    __slots__ = ("__array_interface__", "_memory")

    def __init__(self, memory: mmap.mmap) -> None:
        self._memory = memory
        self.__array_interface__: dict[str, Any] = {
            "version": 3,
            "typestr": "|b1",
            "shape": (len(memory),),
            "data": (np.frombuffer(memory, np.uint8).ctypes.data, False),
        }

    def __del__(
        self,
        # At the end of a program this may be called when the module has no names any more.
        kept: deque[mmap.mmap] = _kept,
        block: int = BLOCK,
        advice: int | None = getattr(mmap, "MADV_FREE", None),
    ) -> None:
        memory = self._memory
        if len(memory) != block:
            return
        try:
            if advice is not None:
                memory.madvise(advice)
        except OSError:  # the system is too old for it
            pass
        kept.append(memory)  # and the oldest goes, where there are `KEPT`
