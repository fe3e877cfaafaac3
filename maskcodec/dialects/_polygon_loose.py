"""Reads a line of `polygon` text that is not in the format: whatever vertices can be found."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from ..codec import MAX_OBJECTS
from ..decoded import RepairLog
from ..geometry.polygon import MAX_VERTICES
from ..labels import plain_label
from ._polygon_words import Words

MAX_MARKS = 100_000
"""Signs and colons that are looked at in lines that are not in the format."""

_TAG = re.compile(r"</?[a-zA-Z]{1,20}>")
_NONE = re.compile(r"\W*none\b", re.IGNORECASE)
_AROUND = " :,;-*#`\"'([{<=|"
_LONGEST_LABEL = 1_000  # characters of a label that is not read exactly


@dataclass(slots=True)
class Item:
    """One object: its label, its vertices as they are spelt (one or more a text), and for each ring
    their number and whether it is a hole.
    """

    label: str
    texts: list[str] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    holes: list[bool] = field(default_factory=list)


@dataclass(slots=True)
class Found:
    """What was read so far.

    Attributes:
        items: the objects.
        vertices: how many they have, and those of rings that are being read.
        marks: signs and colons in lines that are not in the format.
        heading: a label that stood on a line of its own.
    """

    items: list[Item] = field(default_factory=list)
    vertices: int = 0
    marks: int = 0
    heading: str = ""

    @property
    def full(self) -> bool:
        """Whether no more is taken in."""
        return (
            len(self.items) >= MAX_OBJECTS
            or self.vertices >= MAX_VERTICES
            or self.marks >= MAX_MARKS
        )

    def take(self, count: int) -> int:
        """Count so many vertices more, and return for how many there is room."""
        room = min(count, MAX_VERTICES - self.vertices)
        self.vertices += room
        return room


@lru_cache(maxsize=64)
def _tokens(words: Words) -> re.Pattern[str]:
    """Finds what matters in a damaged line: vertices in the format or nearly so, and marks.

    Every quantifier is bounded, or runs over what is read, so that a search takes time in
    proportion to the text.
    """
    width = words.width
    if words.alphabet == "letters":
        run = rf"(?<![a-z]){words.run.pattern}(?![A-Z])"
        pair = rf"(?<![a-z])([a-z]{{{width}}})[^A-Za-z\n:]{{0,3}}([A-Z]{{{width}}})(?![A-Z])"
        solid = r"(?!)"
    else:
        run = rf"(?<![0-9.]){words.run.pattern}(?![0-9])"
        number = rf"[0-9]{{1,{width + 1}}}"
        pair = rf"(?<![0-9.])({number})[^0-9\n:.+-]{{1,3}}({number})(?![0-9]|\.[0-9])"
        solid = rf"(?<![0-9.])(?:[0-9]{{{2 * width}}})+(?![0-9])"
    marks = r"(?P<sign>(?<!\S)[+-](?!\S))|(?P<colon>(?<=[^\s:]):(?!\S))"
    return re.compile(f"(?P<run>{run})|(?P<solid>{solid})|(?P<pair>{pair})|{marks}")


class LooseLine:
    """Reads one line, under repair.

    Args:
        words: the spelling of vertices.
        log: gets every repair.
        found: takes the objects in.
        line: the line.
        at: where it begins in the text.
    """

    def __init__(self, words: Words, log: RepairLog, found: Found, line: str, at: int) -> None:
        self._words = words
        self._log = log
        self._found = found
        self._line = line
        self._at = at
        self._item: Item | None = None  # the object that is being read
        self._named = False  # whether a colon ended its label
        self._begun = 0  # where its shape begins
        self._end = 0  # where the last vertex or mark ended
        self._ring: list[str] = []
        self._count = 0  # vertices of the ring
        self._hole = False

    def read(self) -> None:
        """Take in all objects that can be found."""
        tokens = _tokens(self._words)
        x_group = tokens.groupindex["pair"] + 1
        for token in tokens.finditer(self._line):
            kind, start, text = token.lastgroup, token.start(), token[0]
            if kind == "run":
                self._vertices(text, start, token.end())
            elif kind == "pair":
                pair = self._pair(token[x_group], token[x_group + 1], start)
                self._vertices(pair, start, token.end())
            elif kind == "solid":
                length = 2 * self._words.width
                vertices = (text[k : k + length] for k in range(0, len(text), length))
                self._vertices(" ".join(vertices), start, token.end())
            else:
                self._found.marks += 1
                self._mark(text, start)
            if self._found.full:
                break
        self._close_item(len(self._line))

    def _pair(self, x: str, y: str, start: int) -> str:
        """The vertex of two words, as it should be spelt."""
        if self._words.alphabet == "letters":
            return f"{x} {y}"
        largest, width = self._words.bins - 1, self._words.width
        if max(int(x), int(y)) > largest:
            self._note_range(start)
        return "".join(f"{min(int(number), largest):0{width}d}" for number in (x, y))

    def _vertices(self, text: str, start: int, end: int) -> None:
        """Take in vertices that stand together."""
        if self._item is None:
            self._open(_clean(self._line, 0, start), start, named=False)
        self._note_junk(start)
        if self._words.beyond(text):
            self._note_range(start)
        self._end = end
        count = self._words.count(text)
        room = self._found.take(count)
        if room:
            self._ring.append(text if room == count else text[: room * self._words.stride - 1])
            self._count += room

    def _note_range(self, at: int) -> None:
        limit = f"bins below {self._words.bins}"
        self._note("range", at, limit, "larger ones", "takes the largest")

    def _note_junk(self, at: int) -> None:
        """Note what lies between the last vertex and `at`, if it is anything."""
        junk = self._line[self._end : at].strip()
        if junk:
            self._note("junk", self._end, "a blank", repr(junk[:40]), "skips it")

    def _mark(self, mark: str, at: int) -> None:
        """A sign begins a ring. A colon ends the label of an object, which began after the last
        vertex.
        """
        if mark != ":":
            self._close_ring(at)
            self._hole, self._end = mark == "-", at + 1
            return
        if self._item and not self._ring and not self._item.lengths:
            none = _NONE.match(self._line, self._begun)
            self._end = none.end() if none else self._end
        label = _clean(self._line, self._end, at) or self._odd_label(at)
        if label:
            self._close_item(self._end)
            self._open(label, at + 1, named=True)
        else:
            self._end = at + 1

    def _odd_label(self, at: int) -> str:
        """The line up to a colon, where that is a label all the same: one of quotes alone, or one
        that looks like a vertex or two. Else the line would go on with the object above.
        """
        if self._item is None:
            return plain_label(self._line[self._end : at][-_LONGEST_LABEL:])
        if self._named or self._item.lengths or self._count > 2:
            return ""
        self._ring, self._count = [], 0
        return _clean(self._line, 0, at)

    def _open(self, label: str, begun: int, *, named: bool) -> None:
        self._item, self._named = Item(label), named
        self._begun = self._end = begun
        self._hole = False

    def _close_ring(self, at: int) -> None:
        if self._count >= 3 and self._item:
            self._item.texts += self._ring
            self._item.lengths.append(self._count)
            self._item.holes.append(self._hole)
        elif self._count:
            self._note("ring", at, "three vertices a ring", f"{self._count}", "drops the ring")
        self._ring, self._count = [], 0

    def _close_item(self, at: int) -> None:
        if self._item is None:
            return
        bare = not (self._ring or self._item.lengths)
        self._close_ring(at)
        item, self._item = self._item, None
        wordy = not self._named and not item.lengths  # prose, two of whose words look like a vertex
        if wordy or (bare and not _NONE.match(self._line, self._begun)):
            found = repr(self._line[self._begun : self._begun + 40])
            self._note("no-vertices", self._begun, "vertices", found, "drops the object")
            self._found.heading = item.label if self._named else ""
            return
        if not bare:
            self._note_junk(at)
        if not item.label and not self._found.heading and self._found.items:
            above = self._found.items[-1]
            above.texts += item.texts
            above.lengths += item.lengths
            above.holes += item.holes
            return
        item.label = item.label or self._found.heading
        self._found.heading = ""
        self._found.items.append(item)

    def _note(self, kind: str, place: int, expected: str, found: str, action: str) -> None:
        self._log.note(kind, self._at + place, expected, found, action)


def _clean(line: str, start: int, end: int) -> str:
    """A part of a line as a label: without a sentence before it, tags, or what surrounds it in
    lists and markdown.
    """
    part = _TAG.sub(" ", line[max(start, end - _LONGEST_LABEL) : end])
    label = plain_label(part).strip(_AROUND)
    return label.rpartition(": ")[2].strip(_AROUND)
