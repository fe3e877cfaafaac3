"""`Span`: what a piece of a codec's text says, so that a loss can weigh it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["label", "where", "shape"]


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a text.

    Attributes:
        start: its first character.
        stop: the character after its last one.
        kind: "label" names what is seen; "where" says whether and where it is (a box, `none`);
            "shape" says the rest.
        place: how many pieces of this kind stand before it in its object: 0 to 3 for the edges of a
            box, and for codes that go from coarse to fine, how fine it is.
    """

    start: int
    stop: int
    kind: Kind
    place: int = 0


def lines(text: str) -> Iterator[tuple[int, str]]:
    """Each line of a text and where it starts."""
    start = 0
    for line in text.split("\n"):
        yield start, line
        start += len(line) + 1


def label_and_rest(text: str) -> Iterator[tuple[list[Span], int, str]]:
    """For each line `LABEL: REST` the span of its label, where the rest starts, and the rest.

    A rest of `none`, or a line of it alone, is a span of where the object is: nowhere.
    """
    for start, line in lines(text):
        found = [Span(start, start + line.find(": ") + 1, "label")] if ": " in line else []
        at = start + (line.find(": ") + 2 if found else 0)
        rest = line[at - start :]
        if rest == "none":
            yield [*found, Span(at, at + 4, "where")], at, ""
        else:
            yield found, at, rest


def pieces(pattern: re.Pattern[str], text: str, start: int, where: int = 0) -> list[Span]:
    """A span for each match of a pattern: `where` of them say where, the others what shape.

    Args:
        pattern: matches one piece.
        text: a part of a text.
        start: where that part starts.
        where: how many pieces at the beginning say where the object is.
    """
    found = []
    for index, match in enumerate(pattern.finditer(text)):
        kind: Kind = "where" if index < where else "shape"
        place = index if index < where else index - where
        found.append(Span(start + match.start(), start + match.end(), kind, place))
    return found
