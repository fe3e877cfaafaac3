"""Runs of labels as text, in plain Python: the specification of `_ext/grid_text.pyx`.

A text is lines, and a line is runs. Where a line is exactly as the codec writes it, it means what
the grammar says. Any other line is read loosely: labels end at a star or a bar, white space around
them is dropped, and each kind of departure is noted once a line, with the byte where it was seen.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

LINE_START, BLANK, SPACING, SEPARATOR, STAR, NO_COUNT, COUNT_FORM, NO_LABEL, STRAY = range(9)

MOST_CELLS = 1 << 20

_LABEL = rb"[^*|\n ](?:[^*|\n]*[^*|\n ])?"
_COUNTED = re.compile(rb"(" + _LABEL + rb") \*([1-9][0-9]*)")
_SINGLE = re.compile(rb"(" + _LABEL + rb")()")
_SPACE = b" \t\n\v\f\r"
_TIMES = re.compile(rb"(.*?[^ \t\v\f\r])[ \t\v\f\r]*[ \t\v\f\r][xX][ \t\v\f\r]*([0-9]+)", re.DOTALL)


@dataclass
class Scanned:
    """What a text says.

    Attributes:
        runs: name and count of each run; a missing name is empty.
        lines: for each line the end of its runs, its first byte and its cells.
        notes: kind and byte of each departure from the grammar.
        is_open: whether the text ends within a line.
    """

    runs: list[tuple[bytes, int]] = field(default_factory=list)
    lines: list[tuple[int, int, int]] = field(default_factory=list)
    notes: list[tuple[int, int]] = field(default_factory=list)
    is_open: bool = False

    def fits(self, rows: int, columns: int) -> bool:
        """Whether all lines are exact and make a grid."""
        cells = [line[2] for line in self.lines]
        return not self.is_open and not self.notes and cells == [columns] * rows


def scan(text: bytes, start: int, stop: int, counted: bool) -> Scanned:
    """Read the runs of text[start:stop]; see the kernel for what the arguments mean."""
    scanned = Scanned(is_open=stop == start or text[stop - 1] != 10)
    begin = start
    while begin < stop:
        newline = text.find(b"\n", begin, stop)
        end = stop if newline < 0 else newline
        runs = _exact(text[begin:end], begin == start, counted)
        if runs is None:
            _Loose(text, begin, end, begin == start, counted, scanned).read()
        else:
            scanned.runs += runs
            cells = sum(count for _, count in runs)
            scanned.lines.append((len(scanned.runs), begin, cells))
        begin = end + 1
    return scanned


def _exact(line: bytes, first: bool, counted: bool) -> list[tuple[bytes, int]] | None:
    """The runs of a line that is as the grammar has it, else None."""
    if not first:
        if not line.startswith(b" "):
            return None
        line = line[1:]
    runs = [(_COUNTED if counted else _SINGLE).fullmatch(run) for run in line.split(b"| ")]
    if not all(runs):
        return None
    return [(run[1], min(int(run[2] or 1), MOST_CELLS)) for run in runs if run]


class _Loose:
    """The loose reading of text[start:end], a line without its newline."""

    def __init__(
        self, text: bytes, start: int, end: int, first: bool, counted: bool, scanned: Scanned
    ) -> None:
        self.text, self.start, self.end = text, start, end
        self.first, self.counted, self.scanned = first, counted, scanned
        self.noted: set[int] = set()
        self.cells = 0
        self.parted = True

    def note(self, kind: int, byte: int) -> None:
        if kind not in self.noted:
            self.noted.add(kind)
            self.scanned.notes.append((kind, byte))

    def skip_space(self, at: int) -> int:
        while at < self.end and self.text[at] in _SPACE:
            at += 1
        return at

    def star(self, at: int) -> int:
        """The bytes of a star or of a multiplication sign at `at`."""
        if not self.counted:
            return 0
        if self.text[at] == ord("*"):
            return 1
        return 2 if self.text[at : min(at + 2, self.end)] == "×".encode() else 0

    def read(self) -> None:
        at = self.skip_space(self.start)
        if at == self.end:
            self.note(BLANK, self.start)
            return
        indent = b"" if self.first else b" "
        if self.text[self.start : at] != indent:
            self.note(LINE_START, self.start)
        marked = any(self.text[i] == ord("|") or self.star(i) for i in range(at, self.end))
        while at < self.end:
            at = self.run(at, b"" if marked else b",;")
        self.scanned.lines.append((len(self.scanned.runs), self.start, self.cells))

    def run(self, start: int, separators: bytes) -> int:
        """Read a run; return where the next one begins."""
        mark = start
        while mark < self.end and not (self.text[mark] in b"|" + separators or self.star(mark)):
            mark += 1
        star = self.star(mark) if mark < self.end else 0
        label = self.text[start:mark].rstrip(_SPACE)
        at = start + len(label)
        count = 1
        if star:
            if star == 2:
                self.note(STAR, mark)
            if label and self.text[at:mark] != b" ":
                self.note(SPACING, at)
            at, count = self.count(mark + star)
        elif label and self.parted and self.counted:
            times = _TIMES.fullmatch(label)
            if times:
                self.note(STAR, start + len(times[1]))
                label, count = times[1], min(int(times[2]), MOST_CELLS)
            else:
                self.note(NO_COUNT, at)
        if not label:
            self.note(NO_LABEL, start)
        elif not (star or self.parted):
            self.note(STRAY, start)
        if star or (label and self.parted):
            self.scanned.runs.append((label, count))
            self.cells += count
        return self.separator(at)

    def count(self, at: int) -> tuple[int, int]:
        """Where the count ends that stands at `at`, and what it is."""
        found = re.compile(rb"([ \t\v\f\r]*)([+-]*)([0-9]+)").match(self.text, at, self.end)
        if not found:
            self.note(NO_COUNT, at)
            return at, 1
        if found[1]:
            self.note(SPACING, at)
        if found[2] or found[3].startswith(b"0"):
            self.note(COUNT_FORM, found.start(2))
        return found.end(), min(int(found[3]), MOST_CELLS)

    def separator(self, at: int) -> int:
        """Where the next run begins after what parts it from the one that ends at `at`."""
        mark = self.skip_space(at)
        self.parted = True
        if mark != at:
            self.note(SPACING, at)
        if mark == self.end:
            return mark
        following = self.skip_space(mark + 1)
        if self.text[mark] == ord("|"):
            if following == self.end:
                self.note(NO_LABEL, mark)
            elif self.text[mark + 1 : following] != b" ":
                self.note(SPACING, mark + 1)
            return following
        self.note(SEPARATOR, mark)
        if self.text[mark] in b",;":
            return following
        self.parted = False
        return mark
