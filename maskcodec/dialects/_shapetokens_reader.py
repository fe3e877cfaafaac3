"""Reads the text of `shapetokens`: exactly, or as much of it as can be made out."""

from __future__ import annotations

import re

from ..codec import MAX_OBJECTS
from ..decoded import RepairLog
from ._object_lines import NONE, is_label, note_blank_lines
from ._shapetokens_loose import EMPTY, MAX_MARKS, Found, Item, LooseLine, in_order
from ._shapetokens_pieces import Pieces

_MAX_LINES = 4 * MAX_OBJECTS

_LINE = re.compile(r"[^\n]+")


class Reader:
    """Reads one text.

    Args:
        pieces: how edges and codes are spelt.
        fewest: the fewest codes of an object that has pixels.
        most: the most codes of an object.
        log: gets every departure from the format; it holds the text.
    """

    def __init__(self, pieces: Pieces, fewest: int, most: int, log: RepairLog) -> None:
        self._pieces = pieces
        self._fewest = fewest
        self._most = most
        self._log = log
        self._found = Found()

    def read(self) -> list[Item]:
        """All objects of the text.

        Raises:
            DecodeError: where the log is strict and the text leaves the format.
        """
        if self._log.text == NONE:
            return []
        note_blank_lines(self._log)
        for count, line in enumerate(_LINE.finditer(self._log.text)):
            if self._full(count):
                limit = f"at most {MAX_OBJECTS:,} objects"
                self._log.note("too-many-objects", line.start(), limit, "more", "drops the rest")
                break
            item = self._exact(line[0])
            if item:
                self._found.take(item, self._most)
            else:
                LooseLine(
                    self._pieces, self._fewest, self._most, self._log, self._found, line
                ).read()
        return self._found.items

    def _full(self, lines: int) -> bool:
        found = self._found
        return len(found.items) >= MAX_OBJECTS or lines >= _MAX_LINES or found.marks >= MAX_MARKS

    def _exact(self, line: str) -> Item | None:
        """An object that is in the format to the letter."""
        label, _, rest = line.partition(": ")
        if not is_label(label, self._log.codec):
            return None
        if rest == NONE:
            return Item(label, EMPTY, [])
        shape = self._pieces.read(rest)
        if shape is None or not self._fewest <= len(shape[1]) <= self._most:
            return None
        return Item(label, *shape) if in_order(shape[0]) else None
