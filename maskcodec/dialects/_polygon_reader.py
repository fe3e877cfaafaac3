"""Reads the text of `polygon`: exactly, or as much of it as can be made out."""

from __future__ import annotations

import re
from itertools import accumulate

import numpy as np

from ..codec import MAX_OBJECTS
from ..decoded import RepairLog
from ..errors import EncodeError
from ..geometry.polygon import MAX_VERTICES, NO_RINGS, Polygons, Rings
from ..labels import check_label
from ._polygon_limits import within_cover
from ._polygon_loose import Found, Item, LooseLine
from ._polygon_words import Words

NONE = "none"
FORBIDDEN = (": ",)
"""What a label may not hold: it ends at the first of these."""

SIGNS = {False: " + ", True: " - "}
"""What stands before a further ring, by whether it is a hole."""

MAX_LINES = 4 * MAX_OBJECTS

_LINE = re.compile(r"[^\n]+")
_SIGN = re.compile(r" ([+-]) ")


class Reader:
    """Reads one text.

    Args:
        words: the spelling of vertices.
        log: gets every departure from the format; it holds the text.
    """

    def __init__(self, words: Words, log: RepairLog) -> None:
        self._words = words
        self._log = log
        self._text = log.text
        self._found = Found()

    def read(self) -> Polygons:
        """All objects of the text.

        Raises:
            DecodeError: where the log is strict and the text leaves the format.
        """
        if self._text != NONE:
            self._note_blank_lines()
            for number, line in enumerate(_LINE.finditer(self._text), 1):
                if not self._exact(line[0], line.start()):
                    self._log.note(*self._first_fault(line[0], line.start()))
                    LooseLine(self._words, self._log, self._found, line[0], line.start()).read()
                if self._full(number, line.end()):
                    break
        items = self._found.items
        objects = within_cover([self._rings(item) for item in items], self._words.bins, self._log)
        return Polygons(tuple(item.label for item in items), self._words.bins, tuple(objects))

    def _full(self, lines: int, at: int) -> bool:
        """Whether a limit is reached although more text follows; notes it."""
        full = at < len(self._text) and (self._found.full or lines >= MAX_LINES)
        if full:
            limit = f"at most {MAX_OBJECTS:,} objects of {MAX_VERTICES:,} vertices in all"
            self._log.note("too-many", at, limit, "more", "drops the rest")
        return full

    def _note_blank_lines(self) -> None:
        blank = 0 if self._text[:1] in ("", "\n") else self._text.find("\n\n")
        if blank < 0 and self._text.endswith("\n"):
            blank = len(self._text) - 1
        if blank >= 0:
            self._log.note("blank-line", blank, f"objects or {NONE!r}", "an empty line", "skips it")

    def _exact(self, line: str, at: int) -> bool:
        """Take in an object that is in the format to the letter; False for any other line."""
        label, _, shape = line.partition(": ")
        if not _is_label(label):
            return False
        item = Item(label)
        if shape != NONE:
            parts = _SIGN.split(shape)
            if not all(map(self._words.ring.fullmatch, parts[::2])):
                return False
            item.texts = parts[::2]
            if self._words.beyond(" ".join(item.texts)):
                return False
            item.lengths = [self._words.count(ring) for ring in parts[::2]]
            item.holes = [False, *(sign == "-" for sign in parts[1::2])]
        count = sum(item.lengths)
        if self._found.take(count) == count:
            self._found.items.append(item)
        else:
            limit = f"at most {MAX_VERTICES:,} vertices in all"
            self._log.note("too-many", at, limit, "more", "drops the object")
        return True

    def _first_fault(self, line: str, at: int) -> tuple[str, int, str, str, str]:
        """What is wrong with a line first, as arguments for the log."""
        label, colon, _ = line.partition(": ")
        act = "reads what it can"
        if not colon:
            return "object", at, "LABEL: VERTICES", repr(line[:40]), act
        if not _is_label(label):
            return "label", at, "a label", repr(label[:40]), act
        place, example = len(label) + 2, self._words.spell(np.array([[1, 2]], np.int32))
        good = self._words.rings.match(line, place)
        if good:
            large = self._beyond(good[0])
            if large is not None:
                found = repr(line[place + large : place + large + len(example)])
                return "range", at + place + large, f"bins below {self._words.bins}", found, act
            place = good.end()
            sign = _SIGN.match(line, place)
            if not sign:
                return "separator", at + place, "a blank and a vertex", _show(line, place), act
            place = sign.end()
        run = self._words.run.match(line, place)
        if not run:
            return "vertex", at + place, f"a vertex like {example!r}", _show(line, place), act
        place = run.end()
        if place < len(line) and not _SIGN.match(line, place):
            return "separator", at + place, "a blank and a vertex", _show(line, place), act
        count = f"{self._words.count(run[0])}"
        return "ring", at + place, "three vertices a ring", count, act

    def _beyond(self, shape: str) -> int | None:
        """Where in a text of rings the first vertex with a bin out of range stands."""
        parts = _SIGN.split(shape)[::2]
        large = (self._words.read(" ".join(parts)) >= self._words.bins).any(axis=1)
        if not large.any():
            return None
        vertex = int(large.argmax())
        ends = np.cumsum([self._words.count(ring) for ring in parts])
        signs = int(np.searchsorted(ends, vertex, side="right"))
        return vertex * self._words.stride + signs * (len(SIGNS[True]) - 1)

    def _rings(self, item: Item) -> Rings:
        """The rings of an object."""
        if not item.lengths:
            return NO_RINGS
        xy = self._words.read(" ".join(item.texts))
        if self._words.spare:
            np.minimum(xy, self._words.bins - 1, out=xy)
        starts = np.array([0, *accumulate(item.lengths)], np.int32)
        return Rings(xy, starts, np.array(item.holes, np.bool_))


def _is_label(label: str) -> bool:
    try:
        check_label(label, "polygon", FORBIDDEN)
    except EncodeError:
        return False
    return True


def _show(line: str, place: int) -> str:
    return repr(line[place : place + 40]) if place < len(line) else "the end"
