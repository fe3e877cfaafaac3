"""Reads PaliGemma's objects in tokens, `<loc…>` four times, `<seg…>` 16 times and a label."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ..codec import MAX_OBJECTS
from ..decoded import RepairLog
from ..errors import EncodeError
from ..labels import check_label
from ._code_items import Alphabet, Box, Item, is_full
from ._code_tags import CUT, CodeTag, Found, find_tags

NONE = "none"
JOINT = " ; "
FORBIDDEN = (";", "<", ">")
"""What a label may not hold."""

LONGEST_LABEL = 1_000

LOC = CodeTag("<loc", ">", 4, 0, 1023)
SEG = CodeTag("<seg", ">", 3, 0, 127)
CODES = Alphabet((SEG,) * 16, 16)

_OBJECT = re.compile(rf"((?:{LOC.pattern}){{4}}) ?({CODES.pattern})(?: ([^;<>]+?))?(?= ; |\Z)")
_NUMBER = re.compile(r"[0-9]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff<>]")


@dataclass(slots=True)
class _Object:
    """An object as it is read.

    Attributes:
        start: its place in the text.
        locs: the tokens of its box.
        codes: the tokens of its mask; not many more than there may be.
        count: how many codes it has.
        end: the place after its last token.
    """

    start: int
    locs: list[Found] = field(default_factory=list)
    codes: list[Found] = field(default_factory=list)
    count: int = 0
    end: int = 0


def read_objects(log: RepairLog) -> list[Item]:
    """All objects of a text.

    Raises:
        DecodeError: where the log is strict and the text leaves the format.
    """
    if log.text == NONE:
        return []
    items = _exact(log.text)
    if items is None:
        items = _Scanner(log).read()
        if not log.repairs:
            expected = f"objects of {LOC.write(0)} and {SEG.write(0)} tokens, or {NONE!r}"
            log.note("object", 0, expected, repr(log.text[:40]), "reads what it can")
    return items


def order_box(box: Box, place: int, log: RepairLog) -> Box:
    """The box with its edges in order, which is noted where they were not."""
    left, top, right, bottom = box
    if left <= right and top <= bottom:
        return box
    found = f"left, top, right, bottom {box}"
    log.note("box-order", place, "a box from its top left", found, "swaps its edges")
    return min(left, right), min(top, bottom), max(left, right), max(top, bottom)


def is_label(label: str) -> bool:
    """Whether a text can hold a label; an empty one is none at all."""
    try:
        check_label(label or "x", "paligemma", FORBIDDEN)
    except EncodeError:
        return False
    return True


def _exact(text: str) -> list[Item] | None:
    """The objects of a text that is in the format to the letter."""
    items: list[Item] = []
    position = 0
    while len(items) < MAX_OBJECTS:
        match = _OBJECT.match(text, position)
        if match is None or not is_label(match[3] or ""):
            return None
        top, left, bottom, right = map(int, _NUMBER.findall(match[1]))
        if left > right or top > bottom:
            return None
        codes = [int(number) for number in _NUMBER.findall(match[2])]
        items.append(Item(codes, match[3] or "", (left, top, right, bottom)))
        position = match.end()
        if position == len(text):
            return items
        position += len(JOINT)
    return None


class _Scanner:
    """Reads a text that is not in the format to the letter."""

    def __init__(self, log: RepairLog) -> None:
        self._log = log
        self._text = log.text
        self._items: list[Item] = []
        self._object: _Object | None = None

    def read(self) -> list[Item]:
        position = 0
        for tag in find_tags(self._text):
            if tag.kind in ("open", "close"):  # of another family; an open one begins a mask there
                if self._object is not None and self._object.count:
                    self._settle(self._text[position : tag.start], joint=False)
                    position = tag.start
                continue  # it counts as words
            self._between(position, tag.start, tag.kind)
            position = tag.end
            if self._object is None:
                if is_full(len(self._items), tag.start, self._log):
                    return self._items
                self._object = _Object(tag.start)
            self._add(self._object, tag)
        self._last(position)
        return self._items

    def _add(self, item: _Object, tag: Found) -> None:
        item.end = tag.end
        if tag.kind == "loc":
            item.locs.append(tag)
        else:
            item.count += 1
            if len(item.codes) <= len(CODES.stages):
                item.codes.append(tag)

    def _between(self, start: int, stop: int, kind: str) -> None:
        """What stands before a token: nothing, the end of an object, or words to skip."""
        gap = self._text[start:stop]
        item = self._object
        if item is None:
            if gap:
                self._words(gap, start, "skips it")
            return
        box_is_over = kind == "loc" and (item.count > 0 or len(item.locs) == 4)
        if box_is_over or ";" in gap:
            self._settle(gap, joint=gap.endswith(JOINT))
        elif gap and not (gap == " " and kind == "code" and item.count == 0):
            self._words(gap, start, "goes on with the object")

    def _last(self, position: int) -> None:
        cut = CUT.search(self._text, max(position, len(self._text) - 26))
        stop = len(self._text)
        if cut is not None:
            self._log.note("cut-token", cut.start(), "a token", repr(cut[0]), "leaves it out")
            stop = cut.start()
        gap = self._text[position:stop]
        if self._object is not None:
            self._settle(gap, joint=True)
        elif gap:
            self._words(gap, position, "skips it")

    def _words(self, gap: str, start: int, act: str) -> None:
        self._log.note("words", start, "a token", repr(gap[:40]), act)

    def _settle(self, gap: str, *, joint: bool) -> None:
        """End the object that is being read; `gap` is what follows it, its label first."""
        item, self._object = self._object, None
        if item is None:
            return
        box = self._box(item)
        codes = CODES.settle(item.codes, item.count, item.end, self._log)
        self._items.append(Item(codes, self._label(gap, item.end, joint=joint), box))

    def _box(self, item: _Object) -> Box:
        if len(item.locs) != 4:
            found = f"{len(item.locs)}"
            self._log.note("box", item.start, "four <loc…> tokens", found, "reads an empty mask")
            return 0, 0, 0, 0
        numbers = []
        for tag in item.locs:
            if not LOC.low <= tag.number <= LOC.high:
                act = f"reads {LOC.high}"
                self._log.note("box-range", tag.start, "0 to 1023", repr(tag.text), act)
            elif tag.text != LOC.write(tag.number):
                expected = LOC.write(tag.number)
                self._log.note("spelling", tag.start, expected, repr(tag.text), "reads it as that")
            numbers.append(tag.number if LOC.low <= tag.number <= LOC.high else LOC.high)
        top, left, bottom, right = numbers
        return order_box((left, top, right, bottom), item.start, self._log)

    def _label(self, gap: str, place: int, *, joint: bool) -> str:
        """The label that follows an object."""
        spelt, semicolon, rest = gap.partition(";")
        label = spelt.removesuffix(" ") if semicolon else spelt
        exact = label == "" or (label.startswith(" ") and is_label(label[1:]) and len(label) > 1)
        if not exact or not joint or rest.strip() or (semicolon and not spelt.endswith(" ")):
            expected = f"a label, then {JOINT!r} or the end"
            self._log.note("label", place, expected, repr(gap[:40]), "reads what it can")
        return " ".join(_CONTROL.sub(" ", label.partition("<")[0][:LONGEST_LABEL]).split())
