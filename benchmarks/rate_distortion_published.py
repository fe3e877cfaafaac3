"""Published formats whose pixels need a network that is not here: what a mask costs in tokens."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Layout(NamedTuple):
    """A format whose every mask has as many tokens.

    Attributes:
        codec: its name here.
        tokens: tokens a mask, as they are added to a vocabulary; "2 to 34" where it varies.
        parts: what they are.
    """

    codec: str
    tokens: str
    parts: str


LAYOUTS = (
    Layout("paligemma", "20", "4 for the box and 16 codes"),
    Layout("himtok", "34", "a start, 32 codes, an end"),
    Layout("alto", "3 to 34", "a start, 1 to 32 codes, an end"),
    Layout("samtok", "4", "a start, 2 codes, an end"),
)


def layouts_of(left_out: Iterable[str]) -> list[Layout]:
    """The layouts of specs that could not be measured."""
    names = {spec.partition(":")[0] for spec in left_out}
    return [layout for layout in LAYOUTS if layout.codec in names]
