"""Reads lists of boxes and pictures in JSON: exactly, or under repair by their keys."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ..codec import MAX_OBJECTS
from ..decoded import RepairLog
from ..geometry.raster import SURE, Rasters
from ._code_json import LONGEST_LABEL, STRING, exact_objects, read_label
from ._png import png_size, read_png

BINS = 1_000
HEAD = "data:image/png;base64,"

MAX_CELLS = 1 << 26
"""Places of all maps of one text together."""

_NUMBER_RULE = r"(?:0|[1-9][0-9]{0,3})"
_OBJECT = re.compile(
    rf'\{{"box_2d": \[({_NUMBER_RULE}), ({_NUMBER_RULE}), ({_NUMBER_RULE}), ({_NUMBER_RULE})\], '
    rf'"mask": "{HEAD}([A-Za-z0-9+/]+={{0,2}})", "label": {STRING}\}}'
)
_PIECE = re.compile(r'([{}])|"(box_2d|mask|label)"\s{0,8}:\s{0,8}', re.IGNORECASE)
_NUMBERS = re.compile(r"[\[(]([^\])}\"]{0,200})")
_NUMBER = re.compile(r"-?[0-9]{1,9}(?:\.[0-9]{1,9})?(?![0-9])")
_LOOSE_STRING = re.compile(rf'"((?:[^"\\]|\\.){{0,{LONGEST_LABEL}}})', re.DOTALL)
_PICTURE = re.compile(r'"?(?:data:image/[a-z]{1,8};base64,)?([A-Za-z0-9+/=\s]*)')
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

WHOLE = np.full((1, 1), SURE, np.uint8)
"""The map of an object of which the box alone is known."""


@dataclass(slots=True)
class _Item:
    start: int
    box: list[float] = field(default_factory=list)
    label: str = ""
    picture: tuple[int, int] | None = None
    keys: set[str] = field(default_factory=set)


class Reader:
    """Reads one text.

    Args:
        log: gets every departure from the format; it holds the text.
    """

    def __init__(self, log: RepairLog) -> None:
        self._log = log
        self._labels: list[str] = []
        self._boxes: list[tuple[int, int, int, int]] = []
        self._maps: list[npt.NDArray[np.uint8]] = []
        self._cells = 0

    def read(self) -> Rasters:
        """All objects of the text.

        Raises:
            DecodeError: where the log is strict and the text leaves the format.
        """
        found, fault = exact_objects(self._log.text, _OBJECT)
        for match in found:
            top, left, bottom, right = (float(match[k]) for k in range(1, 5))
            label = read_label(match[6]) or ""
            self._add(label, [top, left, bottom, right], match.span(5), match.start())
        if fault >= 0:
            text = self._log.text
            seen = repr(text[fault : fault + 40]) if fault < len(text) else "the end"
            what = 'a list of {"box_2d": [y0, x0, y1, x1], "mask": "data:…", "label": "…"}'
            self._log.note("format", fault, what, seen, "looks for objects by their keys")
            self._loose(fault)
        boxes = np.array(self._boxes, np.int32).reshape(-1, 4)
        return Rasters(tuple(self._labels), BINS, boxes, tuple(self._maps))

    def _add(self, label: str, box: list[float], span: tuple[int, int] | None, at: int) -> None:
        """Take in an object whose box is y0, x0, y1, x1 and whose picture stands at `span`."""
        numbers = [round(min(max(number, 0.0), float(BINS))) for number in box]
        if any(not 0 <= number <= BINS for number in box):
            found = f"{box}"
            self._log.note("range", at, f"a box in 0..{BINS}", found, "takes the nearest")
        top, bottom = sorted(numbers[::2])
        left, right = sorted(numbers[1::2])
        if [top, left, bottom, right] != numbers:
            act = "swaps its edges"
            self._log.note("box-order", at, "a box from its top left", f"{numbers}", act)
        self._labels.append(label)
        self._boxes.append((left, top, right, bottom))
        self._maps.append(self._map(span, at))

    def _map(self, span: tuple[int, int] | None, at: int) -> npt.NDArray[np.uint8]:
        """The picture in base64 at `span`; without one, the box is all that is known."""
        data = b"" if span is None else _decode(self._log.text[slice(*span)])
        size = png_size(data)
        cells = None
        if size is not None and self._cells + size[0] * size[1] <= MAX_CELLS:
            cells = read_png(data)
        if cells is None:
            where = at if span is None else span[0]
            found = "none that can be read"
            self._log.note("picture", where, "a PNG in base64", found, "fills the box")
            return WHOLE
        self._cells += cells.size
        return cells

    def _loose(self, position: int) -> None:
        """Find objects by their keys; a brace, or a key that comes twice, begins a new one."""
        text = self._log.text
        item: _Item | None = None
        while match := _PIECE.search(text, position):
            position = match.end()
            name = (match[2] or "").lower()
            if item is not None and (match[1] or name in item.keys):
                self._settle(item)
                item = None
            if len(self._labels) >= MAX_OBJECTS:
                limit = f"at most {MAX_OBJECTS:,} objects"
                self._log.note("too-many-objects", match.start(), limit, "more", "drops the rest")
                return
            if match[1]:
                continue
            item = item or _Item(match.start())
            item.keys.add(name)
            position = self._value(item, name, position)
        if item is not None:
            self._settle(item)

    def _value(self, item: _Item, name: str, position: int) -> int:
        """Read the value of a key; return the place after it."""
        text = self._log.text
        if name == "label" and (string := _LOOSE_STRING.match(text, position)):
            item.label = " ".join(_CONTROL.sub(" ", string[1].replace("\\", "")).split())
            return string.end()
        if name == "box_2d" and (numbers := _NUMBERS.match(text, position)):
            item.box = [float(number) for number in _NUMBER.findall(numbers[1])]
            return numbers.end()
        if name == "mask" and (picture := _PICTURE.match(text, position)):
            item.picture = picture.span(1)
            return picture.end()
        return position

    def _settle(self, item: _Item) -> None:
        if len(item.box) < 4:
            found = f"{len(item.box)}"
            self._log.note("box", item.start, "four numbers of a box", found, "drops the object")
            return
        self._add(item.label, item.box[:4], item.picture, item.start)


def _decode(spelt: str) -> bytes:
    """The bytes of base64; of one that is cut off, as many as there are."""
    spelt = "".join(spelt.split()).rstrip("=")
    try:
        return base64.b64decode(spelt[: len(spelt) // 4 * 4] + _rest(spelt))
    except (binascii.Error, ValueError):
        return b""


def _rest(spelt: str) -> str:
    """The last two or three characters, filled up."""
    rest = spelt[len(spelt) // 4 * 4 :]
    return rest + "=" * (4 - len(rest)) if len(rest) > 1 else ""
