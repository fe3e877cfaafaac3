"""Reads the text of `boxgrid`: exactly, or as much of it as can be made out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice, pairwise

from ..codec import MAX_OBJECTS
from ..decoded import RepairLog
from ..geometry.boxgrid import BINS, COLUMNS, MAX_ROWS
from ._object_lines import NONE, clean_label, is_label, label_of_none, note_blank_lines

FULL = bytes((0, COLUMNS))

_LONGEST = 38  # characters of a row with all 13 runs
_MAX_LINES = MAX_OBJECTS * (MAX_ROWS + 1)

_LINE = re.compile(r"[^\n]+")
_WORD = re.compile(r"[^\s,;|]+")
_ROW = re.compile(r"-|[a-z]{2}(?:\.[a-z]{2})*")
_LOOSE_ROW = re.compile(r"[A-Za-z.+_-]{1,40}|[–—~]")
_NUMBER = r"(0|[1-9][0-9]{0,2})"
_BOX = re.compile(",".join([_NUMBER] * 4))
_LOOSE_NUMBER = r"([0-9]{1,9})(?:\.[0-9]{1,9})?"
# Every quantifier is bounded, so that a search takes time in proportion to the text.
_LOOSE_BOX = re.compile(
    r"(?<![0-9.])[\[({<]{0,3} ?"
    + r"[ ,;\t]{1,3}".join([_LOOSE_NUMBER] * 4)
    + r" ?[\])}>]{0,3}(?![0-9])"
)


@dataclass(slots=True)
class Item:
    """One object as it stands in the text.

    Attributes:
        label: its label.
        box: left, top, right, bottom in 0..999.
        rows: the places of each row's runs.
        words: position and text of each word after the box, where it was not read exactly.
    """

    label: str
    box: tuple[int, ...]
    rows: list[bytes] = field(default_factory=list)
    words: list[tuple[int, str]] | None = None


def read_row(word: str) -> bytes | None:
    """The places of a row's runs; None for a word that is no row."""
    return _read_row(word) if len(word) <= _LONGEST else None


@lru_cache(maxsize=1 << 12)
def _read_row(word: str) -> bytes | None:
    if not _ROW.fullmatch(word):
        return None
    places = bytes(ord(letter) - 97 for letter in word if letter >= "a")
    if any(a >= b for a, b in pairwise(places)):
        return None
    return places


def spell_row(places: bytes) -> str:
    """The word of a row: `cq` for one run, `cf.kq` for two, `-` for none."""
    letters = bytes(place + 97 for place in places).decode("ascii")
    if len(letters) == 2:
        return letters
    return ".".join(letters[at : at + 2] for at in range(0, len(letters), 2)) or "-"


def guess_row(word: str) -> bytes | None:
    """The places of a damaged row: runs are sorted and joined where they touch; None if there are
    none to be seen.
    """
    places = [ord(letter) - 97 for letter in word.lower() if "a" <= letter <= "z"]
    if not places:
        return None if word.strip("-–—_~.") else b""
    runs: list[list[int]] = []
    for start, end in sorted(map(sorted, zip(places[::2], places[1::2], strict=False))):
        start = min(start, COLUMNS - 1)
        end = max(end, start + 1)
        if runs and start <= runs[-1][1]:
            runs[-1][1] = max(end, runs[-1][1])
        else:
            runs.append([start, end])
    return bytes(place for run in runs for place in run) or None


class Reader:
    """Reads one text.

    Args:
        rows: rows an object.
        log: gets every departure from the format; it holds the text.
    """

    def __init__(self, rows: int, log: RepairLog) -> None:
        self._rows = rows
        self._log = log
        self._text = log.text
        self._items: list[Item] = []
        self._heading = ""  # a line without a box that may be the label of the next one

    def read(self) -> list[Item]:
        """All objects of the text, each with exactly as many rows as it should have.

        Raises:
            DecodeError: where the log is strict and the text leaves the format.
        """
        if self._text == NONE:
            return []
        note_blank_lines(self._log)
        for count, line in enumerate(_LINE.finditer(self._text)):
            if len(self._items) >= MAX_OBJECTS or count >= _MAX_LINES:
                self._log.note(
                    "too-many-objects",
                    line.start(),
                    f"at most {MAX_OBJECTS} objects",
                    "more",
                    "drops the rest",
                )
                break
            item = self._exact(line[0])
            if item:
                self._items.append(item)
            else:
                if self._log.full:
                    self._log.skip(1)
                else:
                    self._log.note(*self._first_fault(line[0], line.start()))
                self._mend(line[0], line.start())
        for index, item in enumerate(self._items):
            if item.words is not None:
                self._settle(item, last=index + 1 == len(self._items))
        return self._items

    def _exact(self, line: str) -> Item | None:
        """An object that is in the format to the letter."""
        label, colon, rest = line.partition(": ")
        if not colon or not is_label(label, self._log.codec):
            return None
        if rest == NONE:
            return Item(label, (0, 0, 0, 0), [b""] * self._rows)
        words = rest.split(" ", self._rows + 1)
        box = _BOX.fullmatch(words[0])
        if not box or len(words) != self._rows + 1:
            return None
        rows = [row for word in words[1:] if (row := read_row(word)) is not None]
        if len(rows) != self._rows:
            return None
        return Item(label, tuple(map(int, box.groups())), rows)

    def _first_fault(self, line: str, at: int) -> tuple[str, int, str, str, str]:
        """What is wrong with a line first, as arguments for the log."""
        label, colon, rest = line.partition(": ")
        act = "reads what it can"
        if not colon:
            return "object", at, "LABEL: BOX ROWS", repr(line[:40]), act
        if not is_label(label, self._log.codec):
            return "label", at, "a label", repr(label[:40]), act
        place = at + len(label) + 2
        words = rest.split(" ", self._rows + 1)
        if not _BOX.fullmatch(words[0]):
            return "box", place, "a box like 0,0,999,999", repr(words[0][:40]), act
        for number, word in enumerate(words[1 : self._rows + 1], 1):
            place += len(words[number - 1]) + 1
            if read_row(word) is None:
                return "row", place, f"row {number} as letters in order", repr(word[:40]), act
        if len(words) > self._rows + 1:
            found = f"{rest.count(' ')} words"
            return "row-count", place, f"{self._rows} rows", found, act
        return "row-count", at + len(line), f"{self._rows} rows", f"{len(words) - 1}", act

    # What follows runs under repair only: the log has raised otherwise.

    def _mend(self, line: str, at: int) -> None:
        """Read what can be read of a line: objects, or rows of the object above."""
        room = MAX_OBJECTS - len(self._items)
        boxes = list(islice(_LOOSE_BOX.finditer(line), room))
        if not boxes:
            self._mend_without_box(line, at)
            return
        label = clean_label(line[: boxes[0].start()]) or self._heading
        self._heading = ""
        for box, after in zip(boxes, [*boxes[1:], None], strict=True):
            stop = after.start() if after else len(line)
            words = self._words(line, box.end(), stop, at)
            numbers = tuple(min(int(number), BINS) for number in box.groups())
            item = Item(clean_label(label), numbers, words=words)
            self._items.append(item)
            label = self._split_label(words) if after else ""
            if words and words[0][1].casefold() == NONE:
                item.words, item.rows = None, [b""] * self._rows

    def _mend_without_box(self, line: str, at: int) -> None:
        words = self._words(line, 0, len(line), at)
        above = self._items[-1].words if self._items else None
        if above is not None and len(above) < self._rows and all(map(_row_like, words)):
            above.extend(words)
            return
        self._heading = line if line.rstrip().endswith(":") else ""
        label = label_of_none(line)
        if label:
            self._items.append(Item(label, (0, 0, 0, 0), [b""] * self._rows))

    def _words(self, line: str, start: int, stop: int, at: int) -> list[tuple[int, str]]:
        """The words of a part of a line; not many more than there should be rows."""
        found = islice(_WORD.finditer(line, start, stop), 2 * self._rows)
        return [(at + word.start(), word[0]) for word in found]

    def _split_label(self, words: list[tuple[int, str]]) -> str:
        """Take the label of the next object on the line off the end of the words of this one."""
        split = len(words)
        while split > 0 and (
            len(words[split - 1][1]) > _LONGEST or not read_row(words[split - 1][1])
        ):
            split -= 1
        split = max(split, min(self._rows, len(words) - 1))
        label = " ".join(word for _, word in words[split:])
        del words[split:]
        return label

    def _settle(self, item: Item, *, last: bool) -> None:
        """Turn the words of a damaged object into the rows that it should have."""
        rows = self._read_rows(item.words or [], last=last)
        missing = self._rows - len(rows)
        place = item.words[-1][0] if item.words else len(self._text)
        if not rows:
            self._log.note("no-rows", place, f"{self._rows} rows", "none", "fills the box")
            rows = [FULL] * self._rows
        elif missing > 0 and (last or 4 * len(rows) < 3 * self._rows):
            self._log.note(
                "rows-missing", place, f"{self._rows} rows", f"{len(rows)}", "repeats the last one"
            )
            rows += [rows[-1]] * missing
        elif missing:
            self._log.note(
                "row-count",
                place,
                f"{self._rows} rows",
                f"{len(rows)}",
                "spreads them over the box",
            )
            rows = [
                rows[(2 * row + 1) * len(rows) // (2 * self._rows)] for row in range(self._rows)
            ]
        item.rows = rows

    def _read_rows(self, words: list[tuple[int, str]], *, last: bool) -> list[bytes]:
        """The rows of words; one that can't be read is as the one above, or else the one below."""
        rows: list[bytes | None] = []
        for place, word in words:
            row = read_row(word)
            if row is None and last and place + len(word) == len(self._text):
                self._log.note("cut-row", place, "a row", repr(word[:40]), "leaves it out")
                break
            if row is None:
                row = guess_row(word[: 2 * _LONGEST])
                act = "takes the row above" if row is None else f"reads {spell_row(row)!r}"
                self._log.note("row", place, "a row as letters in order", repr(word[:40]), act)
            rows.append(row)
        readable = next((row for row in rows if row is not None), None)
        if readable is None:
            return []
        found: list[bytes] = []
        for row in rows:
            readable = row if row is not None else readable
            found.append(readable)
        return found


def _row_like(word: tuple[int, str]) -> bool:
    return bool(_LOOSE_ROW.fullmatch(word[1]))
