"""How much faster two threads of this machine are than one, at work that is none of ours.

Two cores may share a clock, a cache and the way to memory, be two halves of one, or be lent to
other machines too. So what two threads can gain at all is measured beside what ours gain.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np

from maskcodec.threads import map_pieces

PIECES = 16
"""Pieces of a loop; whichever thread is free takes the next one, as in a batch of ours."""

HASHED = 1 << 18
"""Bytes that a piece hashes: they stay in a core's own cache."""

COPIED = 1 << 21
"""Bytes that a piece copies: no cache holds those of all pieces, there and back."""


def loops() -> dict[str, Callable[[int], None]]:
    """A loop that does but arithmetic and one that does but memory, for a number of threads."""
    small = bytes(HASHED)
    source = np.ones((PIECES, COPIED), np.uint8)
    target = np.zeros_like(source)

    def compute(threads: int) -> None:
        map_pieces(lambda _: hashlib.sha256(small).digest(), PIECES, 1, threads=threads)

    def copy(threads: int) -> None:
        map_pieces(lambda part: np.copyto(target[part], source[part]), PIECES, 1, threads=threads)

    return {"arithmetic": compute, "memory": copy}
