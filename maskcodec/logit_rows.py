"""What an answer may say next, row by row of a batch: by token id or by grammar."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .codec import Codec
from .errors import MaskCodecError
from .grammar_engine import Engine, load_xgrammar
from .token_constraint import TokenConstraint

Allowed = npt.NDArray[np.bool_]

_ANYTHING = r"[\u0000-\U0010FFFF]*"


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


@dataclass(frozen=True, eq=False)
class Compiled:
    """A grammar that is ready for one vocabulary.

    Attributes:
        grammar: xgrammar's.
        engine: what it was compiled by.
        special: bool (vocabulary,), special ids, which a grammar of characters would let pass.
        pieces: bool (vocabulary,), ids that end with a part of a token of the codec.
    """

    grammar: Any
    engine: Engine
    special: Allowed
    pieces: Allowed


class GrammarRows(RowMaker):
    """Rows that a grammar holds.

    Args:
        codec: whose grammar it is.
        tokenizer: of transformers.
        labels: the labels that an answer may use; None leaves them free.
        ends: ids that end an answer.
        closes: what follows the codec's text: `</mask>` and then anything at all, or nothing, and
            then an answer ends.
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
        self._compiled: dict[int, Compiled] = {}

    def __call__(self, vocabulary: int) -> GrammarRow:
        """See `RowMaker`."""
        compiled = self.compiled(vocabulary)
        matcher = self._xgrammar.GrammarMatcher(compiled.grammar)
        bits = self._xgrammar.allocate_token_bitmask(1, vocabulary)
        return GrammarRow(matcher, bits, compiled)

    def compiled(self, vocabulary: int) -> Compiled:
        """The grammar for so many logits."""
        if vocabulary not in self._compiled:
            engine = Engine.of(self._tokenizer, vocabulary, self._ends)
            self._compiled[vocabulary] = Compiled(
                engine.compiler.compile_grammar(self.grammar),
                engine,
                self._special(vocabulary),
                self._pieces(vocabulary),
            )
        return self._compiled[vocabulary]

    def _special(self, vocabulary: int) -> Allowed:
        special = np.zeros(vocabulary, np.bool_)
        numbers = set(self._tokenizer.all_special_ids) - set(self._ends)
        special[[number for number in numbers if number < vocabulary]] = True
        return special

    def _pieces(self, vocabulary: int) -> Allowed:
        pieces = np.zeros(vocabulary, np.bool_)
        if self._tokens:
            own = set(self._tokenizer.convert_tokens_to_ids(list(self._tokens)))
            starts = {token[:length] for token in self._tokens for length in range(1, len(token))}
            longest = max(map(len, starts))
            for number in range(min(vocabulary, len(self._tokenizer))):
                text = str(self._tokenizer.decode([number]))
                ends = (text[-length:] for length in range(1, min(longest, len(text)) + 1))
                pieces[number] = number not in own and not starts.isdisjoint(ends)
        return pieces


class GrammarRow(Row):
    """An answer, or a part of one, that a grammar holds; see `GrammarRows`."""

    def __init__(self, matcher: Any, bits: Any, compiled: Compiled) -> None:
        self._matcher = matcher
        self._bits = bits
        self._barred = compiled.special | compiled.pieces
        self._skipped = compiled.engine.skipped

    @property
    def is_complete(self) -> bool:
        """Whether nothing need follow."""
        return bool(self._matcher.is_completed())

    def feed(self, number: int) -> None:
        """See `Row`."""
        if not self._matcher.accept_token(number):
            raise MaskCodecError(f"id {number} was not allowed")

    def read(self, text: bytes) -> bool:
        """Take text that is part of a token; False where it was not allowed."""
        return not text or bool(self._matcher.accept_string(text))

    def may_read(self, text: bytes) -> bool:
        """Whether text may come next."""
        if not text or not self._matcher.accept_string(text):
            return False
        self._matcher.rollback(1)
        return True

    def accepts(self, number: int) -> bool:
        """Whether the grammar lets an id come next, be it special or a piece."""
        if not self._matcher.accept_token(number):
            return False
        self._matcher.rollback(1)
        return True

    def fill(self, allowed: Allowed) -> None:
        """See `Row`."""
        self._matcher.fill_next_token_bitmask(self._bits)
        bits = self._bits.numpy().view(np.uint8)[0]
        allowed[:] = np.unpackbits(bits, count=len(allowed), bitorder="little")
        for number in self._skipped:  # see `maskcodec.grammar_engine`
            allowed[number] = allowed[number] or self.accepts(number)
        kept = allowed & ~self._barred
        if kept.any():  # a label may hold what a token begins with, and then there is no other way
            allowed[:] = kept


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
    if not closes:
        return f"root ::= {opens}mask_text\n{inner}"
    # A token that closes a mask may go on with prose.
    return f'root ::= {opens}mask_text "{closes}" {_ANYTHING}\n{inner}'
