"""The grammar of `boxgrid` in EBNF: letters in order make a regular language, so it is exact."""

from __future__ import annotations

import string
from collections.abc import Sequence

from ..grammar import FREE_LABEL, choice

_LETTERS = string.ascii_lowercase


def grammar(rows: int, labels: Sequence[str] | None) -> str:
    """EBNF of the texts with `rows` rows an object; `labels=None` leaves the labels free."""
    if labels is not None and not labels:
        return 'root ::= "none"\n'
    lines = [
        'root ::= "none" | object ("\\n" object)*',
        'object ::= label ": " (box rows | "none")',
        *(FREE_LABEL if labels is None else [f"label ::= {choice(labels)}"]),
        'box ::= number "," number "," number "," number',
        'number ::= "0" | [1-9] | [1-9] [0-9] | [1-9] [0-9] [0-9]',
        f"rows ::= {' '.join(['row'] * rows)}",
        'row ::= " " ("-" | run-a)',
        *_runs(),
    ]
    return "\n".join(lines) + "\n"


def _runs() -> list[str]:
    """Rules for runs whose start is at a letter or later, and for ends at a letter or later."""
    rules = []
    for first in range(len(_LETTERS) - 1):
        starts = (f'"{_LETTERS[k]}" end-{_LETTERS[k + 1]}' for k in range(first, len(_LETTERS) - 1))
        rules.append(f"run-{_LETTERS[first]} ::= {' | '.join(starts)}")
    for first in range(1, len(_LETTERS)):
        ends = (_end(k) for k in range(first, len(_LETTERS)))
        rules.append(f"end-{_LETTERS[first]} ::= {' | '.join(ends)}")
    return rules


def _end(place: int) -> str:
    """An end at `place`, and the runs that may follow it."""
    if place > len(_LETTERS) - 3:
        return f'"{_LETTERS[place]}"'
    return f'"{_LETTERS[place]}" ("." run-{_LETTERS[place + 1]})?'
