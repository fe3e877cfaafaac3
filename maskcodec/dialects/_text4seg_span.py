"""Where the rows of a `text4seg` answer begin and end: its tags, and what stands around them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice

from ._text4seg_layout import Note

OPEN, CLOSE = "<seg>", "</seg>"
_OPEN, _CLOSE = OPEN.encode(), CLOSE.encode()
_OPEN_LENGTH, _CLOSE_LENGTH = len(_OPEN), len(_CLOSE)

_MAX_TAGS = 1 << 11

_TAG = re.compile(rb"< ?(/?) ?seg ?>", re.IGNORECASE)
# What may stand at the end of an answer that broke off: end-of-text tokens, a piece of `</seg>`.
_ENDING = re.compile(rb"(?:<\|\w{1,40}\|>|</?s>|<eos>|<end_of_turn>)*(?:<(?:/(?:s(?:eg?)?)?)?)?\Z")


def exact_span(data: bytes) -> tuple[int, int] | None:
    """Where the rows begin and end if tags and what stands around them are as published.

    Tags among the rows are left to `read_label`, which no label with one passes.
    """
    if not data.endswith(_CLOSE):
        return None
    if data.startswith(_OPEN):  # as nearly all do
        return _OPEN_LENGTH, len(data) - _CLOSE_LENGTH
    start = data.find(_OPEN)
    if start > 0 and (start == 1 or data[start - 1] != 10 or data.find(_CLOSE, 0, start) >= 0):
        return None
    return (start + _OPEN_LENGTH, len(data) - _CLOSE_LENGTH) if start >= 0 else None


@dataclass(frozen=True, slots=True)
class _Span:
    """A piece of text between two tags; a tag is None at an end of the text."""

    before: re.Match[bytes] | None
    start: int
    stop: int
    after: re.Match[bytes] | None

    @property
    def closed(self) -> bool:
        return self.after is not None and bool(self.after[1])


def loose_span(data: bytes, note: Note) -> tuple[int, int, bool]:
    """Where the rows are: first byte, end, and whether `</seg>` stands there."""
    spans = _spans(data)
    marked = [span for span in spans if _is_marked(data, span)]
    span = next((span for span in marked if span.closed), (marked or spans)[0])
    start, stop = span.start, span.stop
    if span.before is None:
        start = _first_row(data, start, stop)
        note("open-tag", start, f"{OPEN} before the rows", "none", "begins with the first row")
    elif span.before[0] != _OPEN:
        note("open-tag", span.before.start(), OPEN, "", "reads it as that")
    elif span.before.start() == 1 or (span.before.start() and data[start - len(OPEN) - 1] != 10):
        expected = f"nothing, or a sentence and a line break, before {OPEN}"
        note("text-before", span.before.start(), expected, "other text", "ignores it")
    if len(spans) > 1:
        other = next(other for other in spans if other is not span)
        note("answers", other.start, f"one {OPEN}...{CLOSE}", "more", "reads one of them")
    if span.after is None or not span.closed:
        note("close-tag", stop, f"{CLOSE} after the rows", "none", "reads the rows that are there")
    elif span.after[0] != _CLOSE:
        note("close-tag", stop, CLOSE, "", "reads it as that")
    elif span.after.end() != len(data):
        note("text-after", span.after.end(), f"nothing after {CLOSE}", "", "ignores it")
    return start, stop, span.closed


def _spans(data: bytes) -> list[_Span]:
    """The pieces of text that `<seg>` opens or `</seg>` closes; all of it where there is no tag."""
    spans = []
    before: re.Match[bytes] | None = None
    start = 0
    for tag in islice(_TAG.finditer(data), _MAX_TAGS):
        if before is not None or tag[1]:
            spans.append(_Span(before, start, tag.start(), tag))
        before, start = (None if tag[1] else tag), tag.end()
    if before is not None or not spans:
        spans.append(_Span(before, start, len(data), None))
    return spans


def _is_marked(data: bytes, span: _Span) -> bool:
    return any(data.find(mark, span.start, span.stop) >= 0 for mark in (b"*", b"|", b"\n"))


def _first_row(data: bytes, start: int, stop: int) -> int:
    """The start of the first line that holds a star or a bar, without a sentence before a colon."""
    marks = [data.find(mark, start, stop) for mark in (b"*", b"|")]
    first = min((mark for mark in marks if mark >= 0), default=start)
    begin = max(data.rfind(b"\n", start, first), data.rfind(b":", start, first)) + 1 or start
    return begin + len(data[begin:first]) - len(data[begin:first].lstrip())


def whole_runs_end(data: bytes, start: int, stop: int, counted: bool) -> int:
    """Where an answer that breaks off should be cut, so that it ends with a whole run."""
    tail = data[max(start, stop - 200) : stop]
    ending = _ENDING.search(tail.rstrip())
    if ending is not None and ending[0]:
        stop -= len(tail) - ending.start()
    bar = data.rfind(b"|", start, stop)
    last = max(bar, data.rfind(b"\n", start, stop)) + 1 or start
    piece = data[last:stop].rstrip()
    if piece and not (counted and not piece[-1:].isdigit()):
        return stop
    return bar if last == bar + 1 > start else last
