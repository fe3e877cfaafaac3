"""Reads a line of `shapetokens` that is not in the format: the longest valid part of each object.

The line is taken apart into marks, which are the pieces of every spelling, with or without leading
zeros, and numbers. Four edges that stand together begin an object, and the codes that follow go
with it up to the first that can't.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from ..codec import MAX_OBJECTS
from ..decoded import SNIPPET, RepairLog
from ._object_lines import NONE, clean_label, label_of_none
from ._shapetokens_pieces import STAGES, UNUSED, VALUES, Pieces, word_values

EMPTY = [0, 0, 0, 0]
"""The box of an object without pixels."""

MAX_MARKS = (4 + STAGES + 4) * MAX_OBJECTS
"""Marks that are looked at in the lines of one text that are not in the format."""

_EDGE, _CODE, _NUMBER, _NONE = "edge", "code", "number", "none"

_BETWEEN = " \t\r,;|()[]{}"  # what may stand between two marks of one object
_BEFORE_BOX = " \t([{*`"  # what may stand between the colon after a label and its box
_DIGIT = re.compile("[0-9]")
_LONGEST_NUMBER = 9
_LONGEST_LABEL = 2_000

# No quantifier gives back what it took, so that a search takes time in proportion to the text.
_MARK = re.compile(
    r"<\|?(b|mt?)_([0-9]{1,9})(?:_([0-9]{1,9}))?\|?>"
    r"|<unused([0-9]{1,9})>"
    r"|(?<![0-9A-Za-z.])([0-9]++)(?:\.[0-9]++)?(?![A-Za-z])"
    r"|([A-Za-z]++)"
)


class Mark(NamedTuple):
    """A piece of a line.

    `place` is that of a code with a place of its own, -1 for any other; `joined` says that nothing
    but blanks, commas and brackets stands between this mark and the one before it.
    """

    kind: str
    value: int
    place: int
    start: int
    end: int
    joined: bool


@dataclass(slots=True)
class Item:
    """One object: its label, its box in 0..1023 and its codes."""

    label: str
    box: list[int]
    codes: list[int]


@dataclass(slots=True)
class Found:
    """What was read so far.

    Attributes:
        items: the objects.
        marks: marks in lines that are not in the format.
        heading: a line that may be the label of the object below it.
        open: whether codes on a line of their own would go with the last object.
    """

    items: list[Item] = field(default_factory=list)
    marks: int = 0
    heading: str = ""
    open: bool = False

    def take(self, item: Item, most: int) -> None:
        """Add an object that may have `most` codes."""
        self.items.append(item)
        self.heading = ""
        self.open = item.box != EMPTY and len(item.codes) < most


def marks_of(line: str) -> Iterator[Mark]:
    """The marks of a line; other words are passed over."""
    words = word_values()
    last = 0
    for found in _MARK.finditer(line):
        group = found.lastindex
        place = -1
        if group == 6:
            word = found[6].lower()
            value = words.get(word, -1)
            if value < 0 and word != NONE:
                continue
            kind = _NONE if value < 0 else _EDGE if value < VALUES else _CODE
        elif group == 5:
            kind, value = _NUMBER, _int(found[5])
        elif group == 4:
            value = int(found[4]) - UNUSED
            if value < 0:
                continue
            kind = _EDGE if value < VALUES else _CODE
        else:
            kind, value = (_EDGE if found[1] == "b" else _CODE), int(found[2])
            if found[3]:
                place, value = value, int(found[3])
        if kind == _CODE and group in (4, 6):
            value -= VALUES
        start = found.start()
        yield Mark(kind, value, place, start, found.end(), not line[last:start].strip(_BETWEEN))
        last = found.end()


def in_order(box: list[int]) -> bool:
    """Whether a box is given by its left upper and its right lower corner."""
    return box[0] <= box[2] and box[1] <= box[3]


def _int(digits: str) -> int:
    return int(digits) if len(digits) <= _LONGEST_NUMBER else 10**_LONGEST_NUMBER


class LooseLine:
    """Reads one line, under repair; where the log is strict, it raises at the first fault.

    Args:
        pieces: how edges and codes should be spelt.
        fewest: the fewest codes of an object that has pixels.
        most: the most codes of an object.
        log: gets every repair.
        found: takes the objects in.
        line: the line, as a match in the whole text.
    """

    def __init__(
        self,
        pieces: Pieces,
        fewest: int,
        most: int,
        log: RepairLog,
        found: Found,
        line: re.Match[str],
    ) -> None:
        self._pieces = pieces
        self._fewest = fewest
        self._most = most
        self._log = log
        self._found = found
        self._line = line[0]
        self._at = line.start()
        self._marks: list[Mark] = []
        self._end = 0  # where the last object ended
        self._noted = False
        self._first = len(found.items)  # the index of the line's first object

    def read(self) -> None:
        """Take in all objects that can be found."""
        for mark in marks_of(self._line):
            self._marks.append(mark)
            self._found.marks += 1
            if self._found.marks >= MAX_MARKS:
                break
        at = self._go_on()
        while at < len(self._marks) and len(self._found.items) < MAX_OBJECTS:
            at = self._next(at)
        if len(self._found.items) == self._first and not self._end:
            self._without_box()
        if not self._noted:
            self._note_spelling()

    def _note(self, kind: str, place: int, expected: str, found: str, action: str) -> None:
        self._noted = True
        self._log.note(kind, self._at + place, expected, found, action)

    def _snippet(self, place: int) -> str:
        return repr(self._line[place : place + SNIPPET]) if place < len(self._line) else "the end"

    def _note_spelling(self) -> None:
        """Say where the line first differs from what it should have been."""
        place, expected = 0, "LABEL: BOX CODES"
        if len(self._found.items) > self._first:
            item = self._found.items[self._first]
            shape = self._pieces.spell(item.box, item.codes) if item.box != EMPTY else NONE
            spelt = f"{item.label}: {shape}"
            pairs = zip(spelt, self._line, strict=False)
            differing = (k for k, (a, b) in enumerate(pairs) if a != b)
            place = next(differing, min(len(spelt), len(self._line)))
            expected = repr(spelt[place : place + SNIPPET]) if place < len(spelt) else "the end"
        self._note("object", place, expected, self._snippet(place), "reads what it can")

    def _go_on(self) -> int:
        """Give codes on a line of their own to the object above; the number of marks taken."""
        found = self._found
        going_on = (
            found.open
            and bool(self._marks)
            and self._marks[0].kind == _CODE
            and self._marks[0].joined
        )
        if not going_on:
            return 0
        self._note("line", 0, "codes on the line of their box", "a line break", "joins the lines")
        return self._codes(found.items[-1], 0)

    def _next(self, at: int) -> int:
        """Read an object, or skip what is none; the index of the mark after it."""
        mark = self._marks[at]
        if mark.kind == _NONE:
            before = self._before(mark.start)
            if before.rstrip().endswith(":") and (label := clean_label(before)):
                self._found.take(Item(label, EMPTY, []), self._most)
                self._end = mark.end
            return at + 1
        edges = self._count(at, (_EDGE, _NUMBER), 4)
        surplus = edges == 4 and self._is_after_codes(at)
        rest = edges == 4 and self._is_rest_of_box(at)
        if edges == 4 and not (surplus or rest or self._is_cut(at + 3)):
            return self._object(at)
        stop = at + edges
        stop += self._count(stop, (_CODE, _NUMBER), len(self._marks), begun=edges > 0)
        in_label = self._line.startswith(": ", self._marks[stop - 1].end)
        if in_label:
            return stop
        if surplus:
            self._note("stray-codes", mark.start, "a label before a box", "numbers", "drops them")
            self._end = self._marks[stop - 1].end
        # One number alone is nothing unusual.
        elif stop - at > 1 or mark.kind != _NUMBER:
            found = "a damaged one" if rest else f"{edges}"
            self._note("box", mark.start, "a box of four edges", found, "drops the object")
        return stop

    def _is_after_codes(self, at: int) -> bool:
        """Whether four numbers may be codes of the object before, behind a damaged one.

        A label with its colon or commas between them would say that they are a box.
        """
        if len(self._found.items) == self._first or self._found.items[-1].box == EMPTY:
            return False
        before = self._before(self._marks[at].start)
        if before.rstrip(_BEFORE_BOX).endswith(":") and clean_label(before):
            return False
        return self._commas(at) == 0

    def _is_rest_of_box(self, at: int) -> bool:
        """Whether four numbers are the edges behind a damaged one, and codes: `1,2x,3,4 5 6`."""
        before = self._before(self._marks[at].start).rpartition(": ")[2].rstrip(" ")
        is_edge = "," in before and " " not in before and _DIGIT.search(before) is not None
        return is_edge and not before[0].isalpha() and 0 <= self._commas(at) < 3

    def _commas(self, at: int) -> int:
        """How many of the gaps between four numbers have a comma; -1 if they aren't all numbers."""
        marks = self._marks[at : at + 4]
        if any(mark.kind != _NUMBER for mark in marks):
            return -1
        return sum("," in self._line[a.end : b.start] for a, b in pairwise(marks))

    def _before(self, place: int) -> str:
        """What stands between the object before and a place, if not all of it."""
        return self._line[max(self._end, place - _LONGEST_LABEL) : place]

    def _count(self, at: int, kinds: tuple[str, str], most: int, begun: bool = False) -> int:
        """How many marks of these kinds stand together from `at` on, `most` at most."""
        count = 0
        while (
            count < most
            and at + count < len(self._marks)
            and self._marks[at + count].kind in kinds
            and (self._marks[at + count].joined or not (count or begun))
        ):
            count += 1
        return count

    def _is_cut(self, at: int) -> bool:
        """Whether a number ends with the text and may have lost digits."""
        mark = self._marks[at]
        ends = self._at + mark.end == len(self._log.text)
        return ends and mark.kind == _NUMBER and 0 < 10 * mark.value < VALUES

    def _object(self, at: int) -> int:
        """Read the object whose box begins at a mark."""
        marks, found = self._marks, self._found
        box = []
        for mark in marks[at : at + 4]:
            if mark.value >= VALUES:
                act = f"takes {VALUES - 1}"
                self._note("edge", mark.start, f"an edge below {VALUES}", f"{mark.value}", act)
            box.append(min(mark.value, VALUES - 1))
        if not in_order(box):
            expected = "left, top, right and bottom in order"
            self._note("box-order", marks[at].start, expected, f"{box}", "swaps edges")
            box = [*map(min, box[:2], box[2:]), *map(max, box[:2], box[2:])]
        label = clean_label(self._before(marks[at].start)) or clean_label(found.heading)
        item = Item(label, box, [])
        at += 4
        if at < len(marks) and marks[at].joined and marks[at].kind == _NONE:
            item.box, at = EMPTY, at + 1
            found.take(item, self._most)
        else:
            found.take(item, self._most)
            at = self._codes(item, at)
        self._end = marks[at - 1].end
        return at

    def _codes(self, item: Item, at: int) -> int:
        """Give an object the codes that stand from a mark on, and skip those that it can't have."""
        stop = at + self._count(at, (_CODE, _NUMBER), len(self._marks), begun=True)
        for index in range(at, stop):
            if fault := self._fault(index, len(item.codes)):
                kind, expected = fault
                start = self._marks[index].start
                self._note(kind, start, expected, self._snippet(start), "drops the codes from here")
                self._found.open = False
                break
            item.codes.append(self._marks[index].value)
        if len(item.codes) < self._fewest:
            place = self._marks[stop - 1].end
            expected = f"{self._fewest} codes or more"
            self._note("codes-missing", place, expected, f"{len(item.codes)}", "keeps these")
        self._found.open &= stop == len(self._marks) and len(item.codes) < self._most
        self._end = max(self._end, self._marks[stop - 1].end)
        return stop

    def _fault(self, index: int, place: int) -> tuple[str, str] | None:
        """Why a mark can't be the code at a place: the kind of repair, and what should stand."""
        mark = self._marks[index]
        if place >= self._most:
            return "code-count", f"at most {self._most} codes"
        if not 0 <= mark.value < VALUES:
            return "code-range", f"a code below {VALUES}"
        if mark.place not in (-1, place):
            return "code-place", f"code {place} of the object"
        if place + 1 < self._most and self._is_cut(index):
            return "cut-code", "a whole number"
        return None

    def _without_box(self) -> None:
        """A line without an object may say so, or be the label of the next one."""
        self._found.open = False
        self._found.heading = self._line if self._line.rstrip().endswith(":") else ""
        label = label_of_none(self._line)
        if label:
            self._found.take(Item(label, EMPTY, []), self._most)
