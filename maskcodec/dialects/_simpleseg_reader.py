"""Reads lists of polygons: exactly, or under repair by their numbers and brackets."""

from __future__ import annotations

import re

from ..codec import MAX_OBJECTS
from ..decoded import RepairLog
from ..geometry.polygon import MAX_VERTICES, Polygons
from ._ring_items import Collector, Item, to_polygons

LARGEST = 1_000
"""Thousandths of a side."""

NONE = "[]"

_NUMBER = r"(?:0\.[0-9]{3}|1\.000)"
_POINT = rf"\[{_NUMBER},{_NUMBER}\]"
_RING = rf"\[{_POINT}(?:,{_POINT}){{2,}}\]"
_OBJECT = re.compile(rf"\[{_RING}(?:,{_RING})*\]")  # no "*+": see `_polygon_tags`
_DIGITS = re.compile(_NUMBER)
_POINTS = re.compile(_POINT)
# A number with a sign or a letter before it, with a zero too many, or that goes on as none does is
# none of ours; brackets tell which point lost it.
_PIECE = re.compile(
    r"(?P<open>\[\s{0,4}(?:\[\s{0,4}){0,8})|(?P<close>\](?:\s{0,4}\]){0,8})"
    r"|(?<![\w.+-])(?!0[0-9])(?P<number>[0-9]{1,6}(?:\.[0-9]{1,12})?|\.[0-9]{1,12})"
    r"(?!\w|\.[^\s,])"
)


def read(log: RepairLog) -> Polygons:
    """All objects of a text.

    Raises:
        DecodeError: the log is strict, and the text is not in the format.
    """
    items, fault = _exact(log.text)
    if fault >= 0:
        found = repr(log.text[fault : fault + 40]) if fault < len(log.text) else "the end"
        what = "a line of polygons like '[[[0.100,0.200],[0.300,0.200],[0.300,0.400]]]'"
        log.note("format", fault, what, found, "reads the numbers that are there")
        items = _loose(log, items, fault)
    return to_polygons(items, LARGEST + 1, log)


def _exact(text: str) -> tuple[list[Item], int]:
    """The objects to the letter, and where the text leaves the format; -1 if it never does."""
    items: list[Item] = []
    if text == NONE:
        return items, -1
    position = vertices = 0
    while len(items) < MAX_OBJECTS:
        match = _OBJECT.match(text, position)
        if match is None:
            return items, position
        rings = match[0].split("]],[[")
        item = Item("", [[_thousandths(word) for word in _DIGITS.findall(r)] for r in rings])
        vertices += sum(map(len, item.rings)) // 2
        if vertices > MAX_VERTICES:
            return items, position
        items.append(item)
        position = match.end()
        if position == len(text):
            return items, -1
        if text[position] != "\n" or position + 1 == len(text):
            return items, position
        position += 1
    return items, position


def _thousandths(word: str) -> int:
    return int(word[0] + word[2:])


def _loose(log: RepairLog, items: list[Item], start: int) -> list[Item]:
    found = Collector(log, LARGEST, items)
    place = start
    for piece in _PIECE.finditer(log.text, start):
        at, place = piece.start(), piece.end()
        if found.is_full(at):
            return found.items
        if piece.lastgroup == "number":
            found.take(min(round(float(piece[0]) * LARGEST), 2 * LARGEST), at)
            continue
        depth = piece[0].count("[") + piece[0].count("]")
        if depth >= 3:
            found.end_object(at)
        elif depth == 2:
            found.end_ring(at)
        else:
            found.end_vertex(at)
    found.end_object(place)
    return found.items
