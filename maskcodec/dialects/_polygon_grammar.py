"""The grammar of `polygon` in EBNF: exact but for the limits on a text's size."""

from __future__ import annotations

from collections.abc import Sequence

from ..grammar import FREE_LABEL, choice, literal
from ._polygon_words import Words


def grammar(words: Words, labels: Sequence[str] | None) -> str:
    """EBNF of the texts with these words; `labels=None` leaves the labels free."""
    if labels is not None and not labels:
        return 'root ::= "none"\n'
    between = f"{literal(words.between)} " if words.between else ""
    lines = [
        'root ::= "none" | object ("\\n" object)*',
        'object ::= label ": " ("none" | ring ((" + " | " - ") ring)*)',
        *(FREE_LABEL if labels is None else [f"label ::= {choice(labels)}"]),
        'ring ::= vertex " " vertex (" " vertex)+',
        f"vertex ::= x {between}y",
        f"x ::= {_number(words, words.digits[0])}",
        f"y ::= {_number(words, words.digits[1])}",
    ]
    return "\n".join(lines) + "\n"


def _number(words: Words, digits: str) -> str:
    """All numbers of 0 to bins - 1: those that fall below the largest at their first digit, those
    that do at their second, and so on, and the largest itself.
    """
    largest: list[int] = []
    rest = words.bins - 1
    for _ in range(words.width):
        rest, digit = divmod(rest, words.base)
        largest.insert(0, digit)
    free = f"[{digits[0]}-{digits[-1]}]"
    alternatives = []
    for place, digit in enumerate(largest):
        if digit:
            below = f"[{digits[0]}-{digits[digit - 1]}]"
            tail = [free] * (words.width - place - 1)
            alternatives.append(" ".join([*_exactly(largest[:place], digits), below, *tail]))
    return " | ".join([*alternatives, " ".join(_exactly(largest, digits))])


def _exactly(places: Sequence[int], digits: str) -> list[str]:
    return [literal("".join(digits[place] for place in places))] if places else []
