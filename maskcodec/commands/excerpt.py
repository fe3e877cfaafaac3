"""A line of a text with a caret under one of its characters."""

from __future__ import annotations

import unicodedata

from .terminal import printable

AROUND = 36
"""Characters shown on either side of the place."""


def place_of(text: str, position: int) -> tuple[int, int]:
    """The line and the column, both 1-based, of character `position` (0-based)."""
    start = text.rfind("\n", 0, position) + 1
    return 1 + text.count("\n", 0, position), 1 + position - start


def excerpt(text: str, position: int) -> tuple[str, str]:
    """The piece of the line around a character, and a line with a caret under it.

    Control characters are shown as escapes, and wide characters counted twice, so that the caret
    stands right in a terminal.
    """
    position = min(position, len(text))
    start = text.rfind("\n", 0, position) + 1
    end = text.find("\n", position)
    end = len(text) if end < 0 else end
    left, right = max(start, position - AROUND), min(end, position + AROUND)
    before = ("..." if left > start else "") + printable(text[left:position])
    after = printable(text[position:right]) + ("..." if right < end else "")
    return before + after, " " * width(before) + "^"


def width(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(
        0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF")
        for c in text
    )
