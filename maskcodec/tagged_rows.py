"""What an answer of prose with masks may say next: in prose, and between `<mask>` and `</mask>`.

A token does not stop where a tag does: `>dog` may end `<mask>`, and `>.` may end `</mask>`. So in
prose a token is barred that completes `<mask>` and goes on with what no mask begins with. Which
these are depends on nothing but the part of `<mask>` that the prose ends with; they are found once
for each part. What follows `</mask>` in a token is prose, and may begin the next `<mask>`. All of
it goes by bytes, since tokens may be parts of a letter.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from . import chat
from .codec import Codec
from .errors import MaskCodecError
from .logit_rows import Allowed, GrammarRow, GrammarRows, Row, RowMaker

OPEN = chat.OPEN.encode()
CLOSE = chat.CLOSE.encode()

_IN_CLOSE = {
    CLOSE[start:stop] for stop in range(1, len(CLOSE)) for start in range(stop)
}  # parts of it without its last letter


class TaggedRows(RowMaker):
    """Rows of prose in which mask text stands between tags.

    Args:
        inside: makes rows of mask text with its `</mask>`, after which anything may stand.
        codec: whose text it is.
        tokenizer: of transformers.
    """

    def __init__(self, inside: GrammarRows, codec: Codec[Any], tokenizer: Any) -> None:
        self._inside = inside
        self._tokenizer = tokenizer
        self._tokens = codec.vocab().tokens
        self._made: dict[int, _Vocabulary] = {}

    def __call__(self, vocabulary: int) -> Row:
        """See `RowMaker`."""
        if vocabulary not in self._made:
            self._made[vocabulary] = _Vocabulary(self._inside, vocabulary, self._stray())
        return _TaggedRow(self._made[vocabulary])

    def _stray(self) -> list[int]:
        """The tokens of the codec, which prose may not hold."""
        if not self._tokens:
            return []
        return list(self._tokenizer.convert_tokens_to_ids(list(self._tokens)))


class _Vocabulary:
    """What is known of the ids of one vocabulary, whatever was said before.

    Attributes:
        has_pieces: whether ids are barred in masks because tokens of the codec begin like them.
        unreadable: ids that hold a whole `<mask>` and then what no mask begins with.
    """

    def __init__(self, inside: GrammarRows, size: int, stray: Sequence[int]) -> None:
        compiled = inside.compiled(size)
        self._inside = inside
        self._size = size
        self._texts = compiled.engine.texts
        self._pieces = compiled.pieces
        plain = [number for number in range(len(self._texts)) if not compiled.special[number]]
        self._ends_tag = [number for number in plain if b">" in self._texts[number]]
        self._in_tag = [number for number in plain if self._texts[number] in _IN_CLOSE]
        self._free = np.ones(size, np.bool_)
        self._free[stray] = False
        self._in_prose: dict[bytes, Allowed] = {}
        self._closing: dict[bytes, list[int]] = {}
        self.has_pieces = bool(self._pieces.any())
        self.unreadable = [
            number
            for number in self._ends_tag
            if OPEN in self._texts[number] and not self._can_stand(self._texts[number])
        ]

    def text(self, number: int) -> bytes:
        """What an id says; nothing where a model has more logits than its tokenizer ids."""
        return self._texts[number] if number < len(self._texts) else b""

    def mask(self) -> GrammarRow:
        """The state just after a `<mask>`."""
        return self._inside(self._size)

    def in_prose(self, half: bytes) -> Allowed:
        """The ids that may come next in prose.

        Args:
            half: the part of `<mask>` that the prose ends with.
        """
        if half not in self._in_prose:
            allowed = self._free.copy()
            for number in self._ends_tag:
                _, opens, rest = (half + self._texts[number]).partition(OPEN)
                if opens and rest:
                    is_piece = bool(self._pieces[number])
                    allowed[number] &= not is_piece and self._can_stand(OPEN + rest)
            self._in_prose[half] = allowed
        return self._in_prose[half]

    def closing(self, half: bytes) -> list[int]:
        """The ids that go on with `</mask>`, or complete it and go on with anything.

        Args:
            half: the part of `</mask>` that the mask ends with.
        """
        if half not in self._closing:
            self._closing[half] = [
                number
                for number in (*self._in_tag, *self._ends_tag)
                if CLOSE.startswith(half + self._texts[number])
                or CLOSE in half + self._texts[number]
            ]
        return self._closing[half]

    def _can_stand(self, text: bytes) -> bool:
        """Whether prose may go on with a text that holds `<mask>`."""
        try:
            _TaggedRow(self).read_prose(text)
        except MaskCodecError:
            return False
        return True


class _TaggedRow(Row):
    def __init__(self, vocabulary: _Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._mask: GrammarRow | None = None
        self._half = b""  # the part of the next tag that was said, or a letter's after `</mask>`

    def feed(self, number: int) -> None:
        text = self._half + self._vocabulary.text(number)
        if self._mask is None:
            self.read_prose(text)
            return
        self._mask.feed(number)
        if self._mask.is_complete:
            self._mask = None
            self.read_prose(text.partition(CLOSE)[2])
        else:
            self._half = _half_closed(text)

    def read_prose(self, text: bytes) -> None:
        """Go on in prose, from the part of `<mask>` that was said on."""
        while OPEN in text:
            rest = text.partition(OPEN)[2]
            mask = self._vocabulary.mask()
            if not mask.read(rest):
                raise MaskCodecError(f"{rest!r} was not allowed after {chat.OPEN}")
            if not mask.is_complete:
                self._mask, self._half = mask, _half_closed(rest)
                return
            text = rest.partition(CLOSE)[2]
        self._half = _half_tag(text, OPEN)

    def fill(self, allowed: Allowed) -> None:
        if self._mask is None:
            allowed[:] = self._vocabulary.in_prose(self._half)
            return
        self._mask.fill(allowed)
        if self._vocabulary.has_pieces and self._mask.may_read(CLOSE[len(self._half) :]):
            self._fill_closing(self._mask, allowed)
        allowed[self._vocabulary.unreadable] = False

    def _fill_closing(self, mask: GrammarRow, allowed: Allowed) -> None:
        """Let `<` begin `</mask>` though tokens of the codec begin so, and then nothing else."""
        closing = [
            number for number in self._vocabulary.closing(self._half) if mask.accepts(number)
        ]
        if self._half:
            allowed[:] = False
        allowed[closing] = True


def _half_closed(text: bytes) -> bytes:
    """What of a mask's text must be kept to know what follows its `</mask>`."""
    # A mask is not complete while the letter after it is not: `>` and the first byte of a dash.
    return text[text.index(CLOSE) :] if CLOSE in text else _half_tag(text, CLOSE)


def _half_tag(text: bytes, tag: bytes) -> bytes:
    """The part of a tag that a text ends with; no part of a tag begins with `<` but its first."""
    start = text.rfind(tag[:1])
    half = text[start:] if start >= 0 else b""
    return half if tag.startswith(half) and half != tag else b""
