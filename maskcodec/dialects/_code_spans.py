"""Spans of codes between two tokens, `<|mt_start|>…<|mt_end|>`: HiMTok, ALTo and SAMTok.

Spans follow each other with nothing between them; `none` says that there is no object.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ..codec import MAX_OBJECTS
from ..decoded import RepairLog
from ._code_items import Alphabet, Item, is_full
from ._code_tags import CUT, Found, find_tags

NONE = "none"

_NUMBER = re.compile(r"[0-9]+")


@dataclass(frozen=True)
class SpanFormat:
    """How a family writes a mask.

    Attributes:
        start: the token before the codes.
        end: the token after them.
        alphabet: the codes.
    """

    start: str
    end: str
    alphabet: Alphabet

    def write(self, codes: list[int]) -> str:
        """One mask."""
        return f"{self.start}{self.alphabet.write(codes)}{self.end}"

    @property
    def pattern(self) -> str:
        """A regular expression of one mask."""
        return re.escape(self.start) + self.alphabet.pattern + re.escape(self.end)

    @property
    def tokens(self) -> tuple[str, ...]:
        """All tokens: start, end, then the codes."""
        stages = dict.fromkeys(self.alphabet.stages)
        return (self.start, self.end, *(token for stage in stages for token in stage.tokens))


@dataclass(slots=True)
class Span:
    """A mask as it is read.

    Attributes:
        tags: its codes; not many more than there may be.
        count: how many codes it has.
        end: the place after its last token.
    """

    tags: list[Found] = field(default_factory=list)
    count: int = 0
    end: int = 0

    def add(self, tag: Found, most: int) -> None:
        """Take a further code."""
        self.count += 1
        self.end = tag.end
        if len(self.tags) <= most:
            self.tags.append(tag)


def read_spans(form: SpanFormat, log: RepairLog) -> list[Item]:
    """All masks of a text.

    Raises:
        DecodeError: where the log is strict and the text leaves the format.
    """
    text = log.text
    if text == NONE:
        return []
    exact = _exact(form, text)
    if exact is not None:
        return exact
    items = _Scanner(form, log).read()
    if not log.repairs:  # no token, and nothing else to speak of
        log.note("no-object", 0, f"{form.start} or {NONE!r}", repr(text[:40]), "reads no object")
    return items


def _exact(form: SpanFormat, text: str) -> list[Item] | None:
    pattern = re.compile(form.pattern)
    items: list[Item] = []
    position = 0
    head, tail = len(form.start), len(form.end)
    while position < len(text) or not items:
        span = pattern.match(text, position)
        if span is None or len(items) == MAX_OBJECTS:
            return None
        numbers = _NUMBER.findall(text, position + head, span.end() - tail)
        items.append(Item([int(number) for number in numbers]))
        position = span.end()
    return items


class _Scanner:
    """Reads a text that is not in the format to the letter."""

    def __init__(self, form: SpanFormat, log: RepairLog) -> None:
        self._form = form
        self._log = log
        self._text = log.text
        self._items: list[Item] = []
        self._span: Span | None = None

    def read(self) -> list[Item]:
        position = 0
        for tag in find_tags(self._text):
            self._between(position, tag.start)
            position = tag.end
            if tag.kind == "close":
                self._close(tag)
            elif tag.kind == "loc":
                self._log.note("words", tag.start, "a code", repr(tag.text), "skips it")
            elif self._span is None and is_full(len(self._items), tag.start, self._log):
                return self._items
            elif tag.kind == "open":
                self._open(tag)
            else:
                self._code(tag)
        self._between(position, len(self._text))
        self._settle(len(self._text), closed=False)
        return self._items[:MAX_OBJECTS]

    def _between(self, start: int, stop: int) -> None:
        """What stands between two tokens, where nothing should."""
        if start == stop:
            return
        place = "in a mask" if self._span else "outside a mask"
        cut = CUT.search(self._text, max(start, stop - 26)) if stop == len(self._text) else None
        if cut is not None:
            self._log.note("cut-token", cut.start(), "a token", repr(cut[0]), "leaves it out")
            stop = cut.start()
        gap = self._text[start:stop]
        words = gap.strip()
        if words:
            start += gap.index(words[0])
            self._log.note("words", start, f"nothing {place}", repr(words[:40]), "skips it")
        elif gap:
            self._log.note("space", start, f"nothing {place}", "white space", "skips it")

    def _open(self, tag: Found) -> None:
        self._settle(tag.start, closed=False)
        self._check(tag, self._form.start)
        self._span = Span(end=tag.end)

    def _close(self, tag: Found) -> None:
        if self._span is None:
            self._log.note("stray-end", tag.start, self._form.start, repr(tag.text), "skips it")
            return
        self._check(tag, self._form.end)
        self._settle(tag.start, closed=True)

    def _code(self, tag: Found) -> None:
        if self._span is None:
            expected = self._form.start
            self._log.note("missing-start", tag.start, expected, repr(tag.text), "begins a mask")
            self._span = Span(end=tag.end)
        self._span.add(tag, len(self._form.alphabet.stages))

    def _check(self, tag: Found, expected: str) -> None:
        if tag.text != expected:
            self._log.note("spelling", tag.start, expected, repr(tag.text), "reads it as that")

    def _settle(self, place: int, *, closed: bool) -> None:
        """End the mask that is being read."""
        span, self._span = self._span, None
        if span is None:
            return
        if not closed:
            self._log.note("missing-end", place, self._form.end, "none", "ends the mask here")
        codes = self._form.alphabet.settle(span.tags, span.count, span.end, self._log)
        self._items.append(Item(codes))


def grammar(form: SpanFormat) -> str:
    """EBNF of the texts of a family of spans."""
    return "\n".join([f'root ::= "{NONE}" | mask+', *mask_rules(form)]) + "\n"


def mask_rules(form: SpanFormat) -> list[str]:
    """The rule `mask`, and those that it needs."""
    names = {stage: f"code{n}" for n, stage in enumerate(dict.fromkeys(form.alphabet.stages))}
    body = []
    for stage, name in names.items():
        count = form.alphabet.stages.count(stage)
        least = form.alphabet.least if len(names) == 1 else count
        body.append(name + ("" if count == 1 else f"{{{least},{count}}}"))
    return [
        f'mask ::= "{form.start}" {" ".join(body)} "{form.end}"',
        *(
            f'{name} ::= "{stage.before}" ({stage.expression}) "{stage.after}"'
            for stage, name in names.items()
        ),
    ]
