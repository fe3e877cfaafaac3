"""What an answer may say next, row by row of a batch: by token id, by grammar, between tags."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .chat import OPEN
from .codec import Codec
from .errors import MaskCodecError
from .grammar_engine import Engine, load_xgrammar
from .token_constraint import TokenConstraint

Allowed = npt.NDArray[np.bool_]


class Row(ABC):
    """One answer as it grows."""

    @abstractmethod
    def feed(self, number: int) -> None:
        """Take the next id.

        Raises:
            MaskCodecError: it was not allowed.
        """

    @abstractmethod
    def fill(self, allowed: Allowed) -> None:
        """Set what may come next in `allowed`, bool (vocabulary,), all False so far."""


class RowMaker(ABC):
    """Makes the states of new answers."""

    @abstractmethod
    def __call__(self, vocabulary: int) -> Row:
        """The state before the first id, for so many logits."""


class IdRows(RowMaker):
    """Rows that a `TokenConstraint` holds."""

    def __init__(self, constraint: TokenConstraint, ends: Sequence[int]) -> None:
        self._constraint = constraint
        self._ends = list(ends)

    def __call__(self, vocabulary: int) -> Row:
        """See `RowMaker`."""
        return _IdRow(self._constraint, self._ends)


class _IdRow(Row):
    def __init__(self, constraint: TokenConstraint, ends: list[int]) -> None:
        self._constraint = constraint
        self._ends = ends
        self._state = constraint.start

    def feed(self, number: int) -> None:
        following = self._constraint.step(self._state, number)
        if following is None:
            raise MaskCodecError(f"id {number} was not allowed")
        self._state = following

    def fill(self, allowed: Allowed) -> None:
        found = self._constraint.next_ids(self._state)
        allowed[found] = True
        if allowed[self._constraint.end]:
            allowed[self._ends] = True


class GrammarRows(RowMaker):
    """Rows that a grammar holds.

    Args:
        codec: whose grammar it is.
        tokenizer: of transformers.
        labels: the labels that an answer may use; None leaves them free.
        ends: ids that end an answer.
        closes: what follows the codec's text: `</mask>`, or nothing, and then an answer ends.
    """

    def __init__(
        self,
        codec: Codec[Any],
        tokenizer: Any,
        labels: Sequence[str] | None,
        ends: Sequence[int],
        closes: str = "",
    ) -> None:
        blank = not closes and _begins_with_blank(tokenizer)
        self.grammar = _grammar(codec, labels, '" "? ' if blank else "", closes)
        self._tokenizer = tokenizer
        self._ends = tuple(ends)
        self._tokens = codec.vocab().tokens
        self._xgrammar = load_xgrammar(str(codec))
        self._made: dict[int, tuple[Any, Allowed, tuple[int, ...]]] = {}

    def __call__(self, vocabulary: int) -> _GrammarRow:
        """See `RowMaker`."""
        if vocabulary not in self._made:
            engine = Engine.of(self._tokenizer, vocabulary, self._ends)
            compiled = engine.compiler.compile_grammar(self.grammar)
            self._made[vocabulary] = compiled, self._barred(vocabulary), engine.skipped
        compiled, barred, skipped = self._made[vocabulary]
        matcher = self._xgrammar.GrammarMatcher(compiled)
        bits = self._xgrammar.allocate_token_bitmask(1, vocabulary)
        return _GrammarRow(matcher, bits, barred, skipped)

    def _barred(self, vocabulary: int) -> Allowed:
        """Ids that a grammar of characters would let pass: special ones, and parts of tokens."""
        barred = np.zeros(vocabulary, np.bool_)
        special = set(self._tokenizer.all_special_ids) - set(self._ends)
        barred[[number for number in special if number < vocabulary]] = True
        if self._tokens:
            own = set(self._tokenizer.convert_tokens_to_ids(list(self._tokens)))
            starts = {token[:length] for token in self._tokens for length in range(1, len(token))}
            longest = max(map(len, starts))
            for number in range(min(vocabulary, len(self._tokenizer))):
                text = str(self._tokenizer.decode([number]))
                ends = (text[-length:] for length in range(1, min(longest, len(text)) + 1))
                barred[number] |= number not in own and not starts.isdisjoint(ends)
        return barred


class _GrammarRow(Row):
    def __init__(self, matcher: Any, bits: Any, barred: Allowed, skipped: tuple[int, ...]) -> None:
        self.matcher = matcher
        self._bits = bits
        self._barred = barred
        self._skipped = skipped

    def feed(self, number: int) -> None:
        if not self.matcher.accept_token(number):
            raise MaskCodecError(f"id {number} was not allowed")

    def fill(self, allowed: Allowed) -> None:
        self.matcher.fill_next_token_bitmask(self._bits)
        bits = self._bits.numpy().view(np.uint8)[0]
        allowed[:] = np.unpackbits(bits, count=len(allowed), bitorder="little")
        for number in self._skipped:  # see `maskcodec.grammar_engine`
            if not allowed[number] and self.matcher.accept_token(number):
                self.matcher.rollback(1)
                allowed[number] = True
        kept = allowed & ~self._barred
        if kept.any():  # a label may hold what a token begins with, and then there is no other way
            allowed[:] = kept


class TaggedRows(RowMaker):
    """Rows of prose in which mask text stands between tags."""

    def __init__(self, inside: GrammarRows, codec: Codec[Any], tokenizer: Any) -> None:
        self._inside = inside
        self._tokenizer = tokenizer
        self._tokens = codec.vocab().tokens

    def __call__(self, vocabulary: int) -> Row:
        """See `RowMaker`."""
        return _TaggedRow(self._inside, self._tokenizer, self._stray(vocabulary), vocabulary)

    def _stray(self, vocabulary: int) -> Allowed:
        """The tokens of the codec, which prose may not hold."""
        stray = np.zeros(vocabulary, np.bool_)
        if self._tokens:
            stray[self._tokenizer.convert_tokens_to_ids(list(self._tokens))] = True
        return stray


class _TaggedRow(Row):
    def __init__(
        self, inside: GrammarRows, tokenizer: Any, stray: Allowed, vocabulary: int
    ) -> None:
        self._inside = inside
        self._tokenizer = tokenizer
        self._stray = stray
        self._vocabulary = vocabulary
        self._mask: _GrammarRow | None = None
        self._prose: list[int] = []

    def feed(self, number: int) -> None:
        if self._mask is not None:
            self._mask.feed(number)
            if self._mask.matcher.is_completed():
                self._mask, self._prose = None, []
            return
        self._prose.append(number)
        text = self._tokenizer.decode(self._prose)
        at = text.find(OPEN)
        if at < 0:
            return
        self._mask = self._inside(self._vocabulary)
        rest = text[at + len(OPEN) :]
        if rest and not self._mask.matcher.accept_string(rest):
            raise MaskCodecError(f"{rest!r} was not allowed after {OPEN}")

    def fill(self, allowed: Allowed) -> None:
        if self._mask is not None:
            self._mask.fill(allowed)
        else:
            allowed[:] = ~self._stray


def _begins_with_blank(tokenizer: Any) -> bool:
    """Whether a tokenizer puts a blank before a text, as Llama 2's does; decoding drops it."""
    pieces = tokenizer.convert_ids_to_tokens(tokenizer.encode("dog", add_special_tokens=False))
    return bool(pieces) and str(pieces[0]).startswith("\u2581")


def _grammar(codec: Codec[Any], labels: Sequence[str] | None, opens: str, closes: str) -> str:
    """The codec's grammar, between an expression of EBNF and a text that stand around it."""
    grammar = codec.grammar(labels)
    if grammar is None:
        if labels is None and codec.grammar(["label"]) is not None:
            raise MaskCodecError(
                f"{codec} can be constrained only where the labels are known: name them, or let "
                "answers be free"
            )
        raise MaskCodecError(f"{codec} has no grammar to constrain answers by; let them be free")
    if not opens and not closes:
        return grammar
    inner = re.sub(r"\broot\b", "mask_text", grammar)
    end = f' "{closes}"' if closes else ""
    return f"root ::= {opens}mask_text{end}\n{inner}"
