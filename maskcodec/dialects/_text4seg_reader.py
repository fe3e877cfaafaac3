"""Reads the text of `text4seg`: exactly, or as much of it as can be made out."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from .._ext import grid_text
from ..codec import MAX_OBJECTS
from ..decoded import Errors, Repair, RepairLog, check_text
from ..geometry.grid import Cells, Grid, in_reading_order
from ._text4seg_labels import NAME, read_label
from ._text4seg_layout import Line, Lines, cells_of
from ._text4seg_span import CLOSE, exact_span, loose_span, whole_runs_end

_MAX_TEXT = 2**31 - 2
_MAX_RUNS = 1 << 20
_MAX_LINES = 1 << 12
_MAX_NOTES = 1 << 11
_LIMITS = f"at most {_MAX_RUNS:,} runs, {_MAX_LINES:,} lines and {MAX_OBJECTS:,} labels"

_INT32 = np.dtype(np.int32)

_IS_OPEN, _IS_FULL, _IS_GRID = 1, 2, 4  # flags of `grid_text.scan`

_TIMES = re.compile(rb"(?:\xc3\x97|\s[xX]) ?[0-9]")

# What the kinds of `grid_text.scan` mean: kind, expected, found ("" for what stands there), action.
_DEPARTURES = (
    ("line-start", "a line break and one space before a row", "other space", "reads the row"),
    ("blank-line", "a row of runs", "a blank line", "skips it"),
    ("spacing", "'LABEL *COUNT| LABEL *COUNT'", "other space in the row", "reads the runs"),
    ("separator", "'| ' between two runs", "", "starts a run there"),
    ("star", "'*' before a count", "a times sign", "reads it as one"),
    ("count", "a count after the label", "none", "counts one cell"),
    ("count-form", "a count of 1 or more without sign and leading zeros", "", "reads its digits"),
    ("label", "a label", "", "skips it, or takes its cells as background"),
    ("stray", "'| ' or the end of the row", "", "skips the words"),
)


@dataclass(frozen=True)
class Form:
    """The options of a codec that its text depends on."""

    rows: int
    columns: int
    rle: str
    background: str
    escape: bool

    @cached_property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the grid."""
        return self.rows, self.columns

    @cached_property
    def lines(self) -> tuple[int, int]:
        """Lines of a text, and cells of each."""
        return self.shape if self.rle == "row" else (1, self.rows * self.columns)

    @cached_property
    def background_bytes(self) -> bytes:
        """The background as it stands in a text."""
        return self.background.encode()


_Found: TypeAlias = tuple[int, int, int, int, int]
"""Flags, and how many runs, lines, labels (the background too) and notes there are."""


class _Scan:
    """Room for what `grid_text.scan` finds in texts of up to `length` bytes."""

    def __init__(self, length: int) -> None:
        # A run, a line, a label or a note takes two bytes at the least.
        count = min(length // 2 + 2, _MAX_RUNS)
        self.room = np.empty(9 * count, _INT32)
        self.runs = self.room[: 2 * count].reshape(-1, 2)
        self.lines = self.room[2 * count : 5 * count].reshape(-1, 3)
        self.labels = self.room[5 * count : 7 * count].reshape(-1, 2)
        self.notes = self.room[7 * count :].reshape(-1, 2)

    def fill(
        self, data: bytes, start: int, stop: int, counted: bool, form: Form
    ) -> tuple[_Found, Cells]:
        """Scan data[start:stop]; the cells are of use where the flags are the grid flag alone."""
        cells = np.empty(form.shape, _INT32)
        rows, columns = form.lines
        background = form.background_bytes
        found = grid_text.scan(
            data, start, stop, counted, background, rows, columns, self.room, cells
        )
        return found, cells


class _Room(threading.local):
    """Room for usual texts, taken once a thread: to get it anew takes longer than to use it."""

    length = 1 << 15

    def __init__(self) -> None:
        self.scan = _Scan(self.length)


_room = _Room()


def read(text: str, form: Form, errors: Errors) -> tuple[Grid, list[Repair]]:
    """Read an answer; see `Codec.parse`."""
    check_text(text, NAME)
    data = text.encode("utf-8", "surrogatepass")
    span = exact_span(data) if len(data) <= _MAX_TEXT else None
    scan = _room.scan if len(data) <= _Room.length else _Scan(len(data))
    if span is not None:
        found, cells = scan.fill(data, *span, form.rle != "none", form)
        if found[0] == _IS_GRID and errors in ("strict", "repair"):
            table = _exact_table(data, scan.labels, found[3], form)
            if table is not None:
                return Grid(table, cells), []
    return _repair(data, form, scan, RepairLog(NAME, text, errors))


def _exact_table(
    data: bytes, labels: npt.NDArray[np.int32], count: int, form: Form
) -> tuple[str, ...] | None:
    """The label of each number; None where one is misspelt."""
    background, escape = form.background, form.escape
    table = [background]
    for start, end in labels[1:count].tolist():
        label, wanted = read_label(data[start:end], background, escape)
        if wanted or label is None:
            return None
        table.append(label)
    return (*table,)


def _table(
    data: bytes, labels: npt.NDArray[np.int32], count: int, form: Form
) -> tuple[tuple[str | None, ...], list[tuple[int, str, str]]]:
    """The label of each number, and byte, expected and found of each that is misspelt."""
    table: list[str | None] = [form.background]
    faults = []
    for start, end in labels[1:count].tolist():
        label, wanted = read_label(data[start:end], form.background, form.escape)
        table.append(label)
        if wanted:
            faults.append((start, wanted, repr(data[start:end].decode("utf-8", "replace"))))
    return (*table,), faults


class _Notes:
    """Departures by byte, to be sorted and reported by character."""

    def __init__(self) -> None:
        self.entries: list[tuple[int, int, str, str, str, str]] = []

    def __call__(
        self, kind: str, byte: int, expected: str, found: str, action: str, after: int = 0
    ) -> None:
        """See `RepairLog.note`; what is noted up to the byte `after` comes first."""
        self.entries.append((max(byte, after), byte, kind, expected, found, action))

    def report(self, data: bytes, log: RepairLog) -> None:
        self.entries.sort(key=lambda entry: entry[0])
        places = character_offsets(data, [entry[1] for entry in self.entries])
        for _, byte, kind, expected, found, action in self.entries:
            place = places[byte]
            shown = found or repr(log.text[place : place + 12])
            log.note(kind, place, expected, shown, action)


def character_offsets(data: bytes, offsets: Iterable[int]) -> dict[int, int]:
    """The character of each byte offset into UTF-8 text."""
    characters, before, place = {}, 0, 0
    is_start = (np.frombuffer(data, np.uint8) & 0xC0) != 0x80
    for offset in sorted(set(offsets)):
        place += int(np.count_nonzero(is_start[before:offset]))
        before = offset
        characters[offset] = place
    return characters


def _repair(data: bytes, form: Form, scan: _Scan, log: RepairLog) -> tuple[Grid, list[Repair]]:
    note = _Notes()
    if len(data) > _MAX_TEXT:
        note("text-length", _MAX_TEXT, "a text below 2 GiB", "more", "leaves the rest")
        data = data[:_MAX_TEXT]
    start, stop, closed = loose_span(data, note)
    counted = _is_counted(data[start:stop], form)
    if counted == (form.rle == "none") and data[start:stop].strip():
        expected, seen = ("no counts", "counts") if counted else ("counts", "none")
        note("counts", start, expected, seen, "reads the labels as they stand")
    if not counted and b"|" not in data[start:stop] and form.shape != (1, 1):
        data = _with_bars(data, start, stop, note)
    if not closed:
        stop = whole_runs_end(data, start, stop, counted)
    found, cells = scan.fill(data, start, stop, counted, form)
    flags, _, line_count, label_count, noted = found
    listed = min(noted, _MAX_NOTES, len(scan.notes))
    for kind, byte in scan.notes[:listed].tolist():
        name, expected, seen, action = _DEPARTURES[kind]
        note(name, byte, expected, seen, action)
    if flags & _IS_FULL or line_count > _MAX_LINES:
        note("limits", start, _LIMITS, "more", "reads as much as there is room for")
    if flags & _IS_OPEN and closed and stop > start:
        note("last-newline", stop, f"a line break before {CLOSE}", "none", "ends the row")
    if flags != _IS_GRID:
        line_list = _lines(data, scan.lines[: min(line_count, _MAX_LINES)], stop)
        cut = bool(flags & _IS_OPEN) and not closed
        lines = Lines(scan.runs, line_list, cut, closed, start, stop)
        if cut and not counted and data[stop : stop + 1] != b"|":
            lines = _without_new_label(lines)
        cells = cells_of(lines, form.shape, form.rle, note)
    table, faults = _table(data, scan.labels, label_count, form)
    for byte, expected, seen in faults:
        note("label-form", byte, expected, seen, "reads the label that is meant")
    note.report(data, log)
    log.skip(noted - listed)
    return in_reading_order(table, cells), log.repairs


def _is_counted(span: bytes, form: Form) -> bool:
    """Whether there are counts: stars, or times signs in a text that has too few labels without."""
    if b"*" in span:
        return True
    few = 2 * (span.count(b"|") + 1) < form.rows * form.columns
    return (few or form.rle != "none") and _TIMES.search(span) is not None


def _with_bars(data: bytes, start: int, stop: int, note: _Notes) -> bytes:
    """Put bars for commas and line breaks for semicolons, in labels that nothing else parts."""
    comma = data.find(b",", start, stop)
    if comma < 0:
        return data
    note("separator", comma, "'| ' between two labels", "", "parts labels there")
    span = data[start:stop].replace(b",", b"|").replace(b";", b"\n")
    return data[:start] + span + data[stop:]


def _lines(data: bytes, found: npt.NDArray[np.int32], stop: int) -> list[Line]:
    lines, first = [], 0
    ends = [*found[1:, 1].tolist(), stop]  # one too many where there is no line
    for (last, byte, cells), end in zip(found.tolist(), ends, strict=False):
        start = byte + (data[byte] == 32)
        tail = max(data.rfind(b"| ", start, end) + 2, start)
        lines.append(Line(first, last, cells, start, tail, end))
        first = last
    return lines


def _without_new_label(lines: Lines) -> Lines:
    """Drop the last label of a text that breaks off, unless it stood there before."""
    *others, line = lines.lines or [Line(0, 0, 0, 0, 0, 0)]
    known = {0, *lines.runs[: max(0, line.last - 1), 0].tolist()}
    if line.first == line.last or lines.runs[line.last - 1, 0] in known:
        return lines
    return replace(lines, lines=[*others, line._replace(last=line.last - 1, cells=line.cells - 1)])
