"""Draws of chance that are the same on every machine and with every NumPy.

NumPy keeps the raw 64-bit stream of `PCG64` fixed for ever, but not what `Generator` makes of it.
So everything here is made of raw numbers by integer arithmetic, or by one exact float division.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from ..errors import MaskCodecError
from ..records import brief

T = TypeVar("T")

_BLOCK = 64


class Draw:
    """A stream of draws; equal seeds give equal streams.

    Args:
        seed: whole numbers from 0; `Draw(7, 0)` and `Draw(7, 1)` are independent of each other.

    Raises:
        MaskCodecError: a seed is no whole number, or below 0.
    """

    def __init__(self, *seed: int) -> None:
        for part in seed:
            if not isinstance(part, int | np.integer) or isinstance(part, bool) or part < 0:
                raise MaskCodecError(f"a seed is {brief(part)}, expected a whole number from 0")
        self._bits = np.random.PCG64([int(part) for part in seed])
        self._ready: list[int] = []

    def _raw(self) -> int:
        if not self._ready:
            self._ready = self._bits.random_raw(_BLOCK).tolist()
        return self._ready.pop()

    def below(self, end: int) -> int:
        """A whole number of 0 to `end - 1` (`end` up to 2**32; the bias is below 2**-32)."""
        return ((self._raw() >> 32) * end) >> 32

    def between(self, low: int, high: int) -> int:
        """A whole number of `low` to `high`, both possible."""
        return low + self.below(high - low + 1)

    def share(self, low: float = 0.0, high: float = 1.0) -> float:
        """A number of [low, high)."""
        return low + (high - low) * ((self._raw() >> 11) / 2**53)

    def chance(self, share: float) -> bool:
        """True in `share` of all draws."""
        return self.share() < share

    def pick(self, items: Sequence[T]) -> T:
        """One of `items`; one that stands there twice is drawn twice as often."""
        return items[self.below(len(items))]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """All of `items` in a drawn order."""
        left = list(items)
        for end in range(len(left) - 1, 0, -1):
            other = self.below(end + 1)
            left[end], left[other] = left[other], left[end]
        return left

    def noise(self, height: int, width: int) -> npt.NDArray[np.uint8]:
        """uint8 (height, width), each value equally likely."""
        count = height * width
        raw = self._bits.random_raw((count + 7) // 8).astype("<u8")
        return raw.view(np.uint8)[:count].reshape(height, width)
