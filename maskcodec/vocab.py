"""Which tokens a codec needs in a tokenizer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Vocab:
    """Tokens to add to a tokenizer before training.

    Attributes:
        tokens: the tokens, in the order in which they are to be added; empty for a codec of plain
            text. They are ordinary tokens, not special ones: `skip_special_tokens=True` would
            remove those from a model's answer.
    """

    tokens: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.tokens)
