"""Tokens that stand for a number, `<|mt_17|>` or `<seg035>`: their spelling, and a loose search.

The families of shape tokens look alike: `<|mt_17|>` is HiMTok's, `<|mt_0017|>` SAMTok's, `<seg017>`
PaliGemma's, `<seg_17>` Gemini's. So the loose search knows them all, whoever asks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

MAX_DIGITS = 9
"""A number of more digits is too large for any family, and is not converted."""

_LOOSE = re.compile(
    r"<\|?(?:(mt_start|alto_start|start_of_mask)|(mt_end|alto_end|end_of_mask)"
    r"|(loc)_?([0-9]++)|(?:mt|tok|seg|m)_?([0-9]++))\|?>",
    re.IGNORECASE,
)
CUT = re.compile(r"<\|?[A-Za-z_]{0,13}[0-9]{0,9}\|?\Z")
"""A token that broke off with the text."""


@dataclass(frozen=True)
class CodeTag:
    """The tokens of one set of codes.

    Attributes:
        before: what stands before the number.
        after: what stands after it.
        digits: digits of every number, with zeros in front; 0 where numbers are not padded.
        low: the least code.
        high: the greatest code.
    """

    before: str
    after: str
    digits: int
    low: int
    high: int

    def write(self, code: int) -> str:
        """The token of a code.

        >>> CodeTag("<seg", ">", 3, 0, 127).write(7)
        '<seg007>'
        """
        return f"{self.before}{code:0{self.digits}d}{self.after}"

    @property
    def tokens(self) -> tuple[str, ...]:
        """All tokens, in the order of their codes."""
        return tuple(map(self.write, range(self.low, self.high + 1)))

    @cached_property
    def pattern(self) -> str:
        """A regular expression of exactly these tokens."""
        numbers = (
            "".join(_class(first, last) for first, last in digits)
            for digits in number_digits(self.low, self.high, self.digits)
        )
        return f"{re.escape(self.before)}(?:{'|'.join(numbers)}){re.escape(self.after)}"

    @cached_property
    def expression(self) -> str:
        """The same in EBNF: the number alone, without what stands around it."""
        numbers = (
            " ".join(_terminal(first, last) for first, last in digits)
            for digits in number_digits(self.low, self.high, self.digits)
        )
        return " | ".join(numbers)


def number_digits(low: int, high: int, width: int) -> list[list[tuple[int, int]]]:
    """Digit by digit, the numbers `low` to `high`: alternatives, each a (first, last) a place.

    Args:
        low: the least number.
        high: the greatest one.
        width: digits of each number, or 0 for as many as it needs.

    >>> number_digits(0, 127, 3)
    [[(0, 0), (0, 9), (0, 9)], [(1, 1), (0, 1), (0, 9)], [(1, 1), (2, 2), (0, 7)]]
    """
    if width:
        return _split(low, high, width)
    found = []
    for length in range(len(str(low)), len(str(high)) + 1):
        least = 10 ** (length - 1) if length > 1 else 0
        found += _split(max(low, least), min(high, 10**length - 1), length)
    return found


def _split(low: int, high: int, width: int) -> list[list[tuple[int, int]]]:
    if width == 0:
        return [[]]
    unit = 10 ** (width - 1)
    first, last = low // unit, high // unit
    if first == last:
        return [[(first, first), *rest] for rest in _split(low % unit, high % unit, width - 1)]
    head: list[list[tuple[int, int]]] = []
    tail: list[list[tuple[int, int]]] = []
    if low % unit:
        head = [[(first, first), *rest] for rest in _split(low % unit, unit - 1, width - 1)]
        first += 1
    if high % unit != unit - 1:
        tail = [[(last, last), *rest] for rest in _split(0, high % unit, width - 1)]
        last -= 1
    middle = [[(first, last), *[(0, 9)] * (width - 1)]] if first <= last else []
    return head + middle + tail


def _class(first: int, last: int) -> str:
    return str(first) if first == last else f"[{first}-{last}]"


def _terminal(first: int, last: int) -> str:
    return f'"{first}"' if first == last else f"[{first}-{last}]"


class Found(NamedTuple):
    """A token that looks like one of any family.

    Attributes:
        kind: what it is.
        start: its place in the text.
        end: the place after it.
        text: how it is spelt.
        number: its number, -1 where it has none or one that is too large for every family.
    """

    kind: Literal["open", "close", "loc", "code"]
    start: int
    end: int
    text: str
    number: int


def find_tags(text: str, start: int = 0) -> Iterator[Found]:
    """All tokens of any family from `start` on, in the time that the text takes to read."""
    for match in _LOOSE.finditer(text, start):
        yield found_tag(match)


def found_tag(match: re.Match[str], groups: int = 0) -> Found:
    """The token of a match of `LOOSE_TAG`, whose groups follow `groups` others."""
    opening, closing, loc, place, code = match.groups()[groups : groups + 5]
    if opening or closing:
        kind: Literal["open", "close", "loc", "code"] = "open" if opening else "close"
        return Found(kind, match.start(), match.end(), match[0], -1)
    digits = (place if loc else code).lstrip("0") or "0"
    number = int(digits) if len(digits) <= MAX_DIGITS else -1
    kind = "loc" if loc else "code"
    return Found(kind, match.start(), match.end(), match[0][:40], number)


LOOSE_TAG = _LOOSE.pattern
"""The expression behind `find_tags`, to be joined with others; it is to ignore case."""
