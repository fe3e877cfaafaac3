"""How `polygon` spells vertices: two words of letters, or one of digits, of a fixed width."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

Alphabet: TypeAlias = Literal["letters", "decimal"]
Ints: TypeAlias = npt.NDArray[np.int32]

BASES = {"letters": 26, "decimal": 10}


@lru_cache(maxsize=64)
def words_of(alphabet: Alphabet, bins: int) -> Words:
    """The words for coordinates of 0 to bins - 1; made once."""
    return Words(alphabet, bins)


@dataclass(frozen=True)
class Words:
    """A spelling of vertices: every vertex takes the same number of characters.

    Attributes:
        alphabet: "letters" writes x in lower case and y in upper case, most significant letter
            first, `a` for 0: `bf CX`. "decimal" writes six digits for up to 1,000 bins: `031075`.
        bins: coordinates are 0 to bins - 1.
    """

    alphabet: Alphabet
    bins: int

    @property
    def base(self) -> int:
        """The number of digits that there are."""
        return BASES[self.alphabet]

    @cached_property
    def width(self) -> int:
        """Digits a coordinate."""
        width, room = 1, self.base
        while room < self.bins:
            width, room = width + 1, room * self.base
        return width

    @cached_property
    def digits(self) -> tuple[str, str]:
        """All digits of x and all digits of y, from 0 on."""
        if self.alphabet == "decimal":
            return "0123456789", "0123456789"
        return "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

    @property
    def between(self) -> str:
        """What stands between x and y."""
        return " " if self.alphabet == "letters" else ""

    @cached_property
    def vertex(self) -> str:
        """A regular expression for one vertex, of bins that may be too large."""
        x, y = (f"[{digits[0]}-{digits[-1]}]" for digits in self.digits)
        return f"{x}{{{self.width}}}{self.between}{y}{{{self.width}}}"

    @cached_property
    def ring(self) -> re.Pattern[str]:
        """Matches a ring: three vertices or more."""
        return re.compile(f"{self.vertex}(?: {self.vertex}){{2,}}")

    @cached_property
    def rings(self) -> re.Pattern[str]:
        """Matches rings with a sign between any two."""
        return re.compile(f"{self.ring.pattern}(?: [+-] {self.ring.pattern})*")

    @cached_property
    def run(self) -> re.Pattern[str]:
        """Matches one vertex or more."""
        return re.compile(f"{self.vertex}(?: {self.vertex})*")

    def spell(self, xy: Ints) -> str:
        """Vertices (n, 2) with blanks between them."""
        powers = self.base ** np.arange(self.width)[::-1]
        places = xy[:, :, None] // powers % self.base
        blank = np.full((len(xy), 1), ord(" "))
        columns = [places[:, 0] + ord(self.digits[0][0]), places[:, 1] + ord(self.digits[1][0])]
        if self.between:
            columns.insert(1, blank)
        return np.hstack([*columns, blank]).astype(np.uint8).tobytes()[:-1].decode("ascii")

    def read(self, text: str) -> Ints:
        """The vertices of a text that `spell` could have written, apart from their range."""
        weights, zero = self._places
        characters = np.frombuffer(text.encode("ascii") + b" ", np.uint8).reshape(-1, self.stride)
        xy: Ints = characters.astype(np.int32) @ weights
        xy -= zero
        return xy

    @cached_property
    def _places(self) -> tuple[Ints, Ints]:
        """What each character of a vertex counts in x and in y, and the sums of a vertex 0, 0."""
        powers = self.base ** np.arange(self.width)[::-1]
        weights = np.zeros((self.stride, 2), np.int32)
        weights[: self.width, 0] = weights[-1 - self.width : -1, 1] = powers
        firsts = np.array([ord(digits[0]) for digits in self.digits])
        return weights, (firsts * powers.sum()).astype(np.int32)

    def count(self, text: str) -> int:
        """How many vertices a text like that has."""
        return (len(text) + 1) // self.stride

    @cached_property
    def stride(self) -> int:
        """Characters from one vertex to the next."""
        return 2 * self.width + len(self.between) + 1

    @cached_property
    def spare(self) -> bool:
        """Whether there are words for more than all bins."""
        return bool(self.base**self.width > self.bins)

    def beyond(self, text: str) -> bool:
        """Whether a text like that has a bin that is out of range."""
        return self.spare and int(self.read(text).max(initial=0)) >= self.bins
