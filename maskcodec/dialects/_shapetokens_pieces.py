"""The one table of `shapetokens`: a piece of text for each edge of a box and for each code."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib import resources
from typing import Literal, TypeAlias

Spelling: TypeAlias = Literal["added", "words", "unused", "digits"]
Ids: TypeAlias = Literal["shared", "per_stage"]

VALUES = 1_024
"""Edges are 0 to 1,023 and so are codes."""

STAGES = 16
"""The most codes of an object."""

UNUSED = 1_024
"""The number of the `<unusedN>` token for edge 0. Lower ones have found uses in models since."""

_UNITS = {
    "added": r"<\|[a-z0-9_]+\|>",
    "words": r"[a-z]+",
    "unused": r"<unused[0-9]+>",
    "digits": r"[0-9]+",
}


_AROUND = {
    "added": ("<|", "|>"),
    "words": ("", ""),
    "unused": ("<unused", ">"),
    "digits": ("", ""),
}
"""What every piece begins and ends with."""


@lru_cache(maxsize=8)
def pieces_of(spelling: Spelling, ids: Ids) -> Pieces:
    """The table of a spelling; made once."""
    return Pieces(spelling, ids)


@lru_cache(maxsize=1)
def words() -> tuple[str, ...]:
    """The words of `spelling="words"`: 1,024 for edges, then 1,024 for codes."""
    text = resources.files(__package__).joinpath("shapetokens_words.txt").read_text("ascii")
    return tuple(text.split())


@lru_cache(maxsize=1)
def word_values() -> Mapping[str, int]:
    """The place of each word in that list."""
    return {word: place for place, word in enumerate(words())}


@dataclass(frozen=True)
class Pieces:
    """Spells boxes and codes, and reads what it spelt.

    Attributes:
        spelling: "added" makes tokens of its own, `<|b_0103|>` for an edge and `<|m_0123|>` for a
            code; "words" takes rare words; "unused" the tokens `<unused1024>` and so on that some
            vocabularies keep free, the first 1,024 for edges and the next for codes; "digits"
            writes numbers.
        ids: "per_stage" gives each place among the codes pieces of its own, `<|m_03_0123|>` in the
            fourth; "shared" has one set for all places.
    """

    spelling: Spelling
    ids: Ids

    @cached_property
    def edges(self) -> tuple[str, ...]:
        """The pieces of edges 0 to 1,023."""
        if self.spelling == "words":
            return words()[:VALUES]
        form = {"added": "<|b_{:04d}|>", "unused": "<unused{}>", "digits": "{}"}[self.spelling]
        first = UNUSED if self.spelling == "unused" else 0
        return tuple(map(form.format, range(first, first + VALUES)))

    @cached_property
    def stages(self) -> tuple[tuple[str, ...], ...]:
        """The pieces of codes 0 to 1,023: one set, or sixteen where each place has its own."""
        if self.spelling == "words":
            return (words()[VALUES:],)
        if self.ids == "per_stage":
            return tuple(
                tuple(f"<|m_{stage:02d}_{code:04d}|>" for code in range(VALUES))
                for stage in range(STAGES)
            )
        form = {"added": "<|m_{:04d}|>", "unused": "<unused{}>", "digits": "{}"}[self.spelling]
        first = UNUSED + VALUES if self.spelling == "unused" else 0
        return (tuple(map(form.format, range(first, first + VALUES))),)

    def codes(self, place: int) -> tuple[str, ...]:
        """The pieces of the codes that may stand at a place, 0 for the first code."""
        return self.stages[place if len(self.stages) > 1 else 0]

    @property
    def edge_gap(self) -> str:
        """What stands between two edges."""
        return {"words": " ", "digits": ","}.get(self.spelling, "")

    @property
    def code_gap(self) -> str:
        """What stands before a code."""
        return " " if self.spelling in ("words", "digits") else ""

    def spell(self, box: Sequence[int], codes: Sequence[int]) -> str:
        """The text of a box and its codes."""
        edges = self.edge_gap.join([self.edges[edge] for edge in box])
        rest = [self.code_gap + self.codes(place)[code] for place, code in enumerate(codes)]
        return edges + "".join(rest)

    def read(self, shape: str) -> tuple[list[int], list[int]] | None:
        """The box and the codes that `spell` makes `shape` of; None where there are none.

        What stands around the numbers of all pieces is taken off once for all, and the rest looked
        up: half the time of a pattern.
        """
        head, tail = _AROUND[self.spelling]
        if len(shape) > self._longest or not (shape.startswith(head) and shape.endswith(tail)):
            return None
        units = shape[len(head) : len(shape) - len(tail)].split(tail + self.code_gap + head)
        edges, rest = units[:4], units[4:]
        if self.edge_gap != self.code_gap:  # `103,250,388,771 12 993 5`
            edges, rest = units[0].split(self.edge_gap), units[1:]
        if len(edges) != 4 or len(rest) > STAGES:
            return None
        values = self._code_values
        try:
            box = [*map(self._edge_values.__getitem__, edges)]
            if len(values) == 1:
                return box, [*map(values[0].__getitem__, rest)]
            return box, [own[unit] for own, unit in zip(values, rest, strict=False)]
        except KeyError:
            return None

    @cached_property
    def _longest(self) -> int:
        longest = max(len(self.edges[-1]), max(map(len, self.stages[0])), 10)
        return (4 + STAGES) * (longest + 1)

    @cached_property
    def unit(self) -> re.Pattern[str]:
        """Matches a piece, of any number."""
        return re.compile(_UNITS[self.spelling])

    @cached_property
    def _edge_values(self) -> dict[str, int]:
        return self._inner(self.edges)

    @cached_property
    def _code_values(self) -> list[dict[str, int]]:
        return [self._inner(stage) for stage in self.stages]

    def _inner(self, pieces: Sequence[str]) -> dict[str, int]:
        """The value of each piece, by what it is without `_AROUND`."""
        head, tail = _AROUND[self.spelling]
        return {piece.removeprefix(head).removesuffix(tail): n for n, piece in enumerate(pieces)}
