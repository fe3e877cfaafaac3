"""The grammar of `shapetokens` in EBNF: four edges and a number of codes.

It is exact but for the order of edges: a right edge would have to remember the left one across the
upper one, in a rule for each pair of the two.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..grammar import FREE_LABEL, choice, literal, repeat
from ._shapetokens_pieces import Pieces

_PADDED = '"0" [0-9] [0-9] [0-9] | "10" ([01] [0-9] | "2" [0-3])'  # 0000 to 1023
_PLAIN = '[0-9] | [1-9] [0-9] | [1-9] [0-9] [0-9] | "10" ([01] [0-9] | "2" [0-3])'  # 0 to 1023
_FIRST_UNUSED = (  # 1024 to 2047
    '"102" [4-9] | "10" [3-9] [0-9] | "1" [1-9] [0-9] [0-9] | "20" ([0-3] [0-9] | "4" [0-7])'
)
_NEXT_UNUSED = (  # 2048 to 3071
    '"204" [89] | "20" [5-9] [0-9] | "2" [1-9] [0-9] [0-9] | "30" ([0-6] [0-9] | "7" [01])'
)


def grammar(pieces: Pieces, fewest: int, most: int, labels: Sequence[str] | None) -> str:
    """EBNF of the texts with `fewest` to `most` codes an object; `labels=None` leaves them free."""
    if labels is not None and not labels:
        return 'root ::= "none"\n'
    gap = f"{literal(pieces.edge_gap)} " if pieces.edge_gap else ""
    lines = [
        'root ::= "none" | object ("\\n" object)*',
        'object ::= label ": " (box codes | "none")',
        *(FREE_LABEL if labels is None else [f"label ::= {choice(labels)}"]),
        f"box ::= edge {gap}edge {gap}edge {gap}edge",
        *_codes(pieces, fewest, most),
        *_pieces(pieces),
    ]
    return "\n".join(lines) + "\n"


def _codes(pieces: Pieces, fewest: int, most: int) -> list[str]:
    """The rule `codes`: each code is of its own place where places have codes of their own."""
    if len(pieces.stages) == 1:
        gap = f"{literal(pieces.code_gap)} " if pieces.code_gap else ""
        always = [repeat(f"{gap}code", fewest)] if fewest else []
        rest = f"({gap}code){{0,{most - fewest}}}"
        return [f"codes ::= {' '.join([*always, rest] if most > fewest else always)}"]
    rules = ["codes ::= code-0"]
    for place in range(most):
        code = f'"<|m_{place:02d}_" number "|>"'
        after = f" code-{place + 1}" if place + 1 < most else ""
        if after and place + 1 >= fewest:
            after = f" ({after.strip()})?"
        rules.append(f"code-{place} ::= {code}{after}")
    return rules


def _pieces(pieces: Pieces) -> list[str]:
    """The rules `edge` and `code`."""
    if pieces.spelling == "words":
        return [f"edge ::= {choice(pieces.edges)}", f"code ::= {choice(pieces.stages[0])}"]
    if pieces.spelling == "unused":
        edge, code = f'"<unused" ({_FIRST_UNUSED}) ">"', f'"<unused" ({_NEXT_UNUSED}) ">"'
        return [f"edge ::= {edge}", f"code ::= {code}"]
    if pieces.spelling == "digits":
        return ["edge ::= number", "code ::= number", f"number ::= {_PLAIN}"]
    rules = ['edge ::= "<|b_" number "|>"', f"number ::= {_PADDED}"]
    if len(pieces.stages) == 1:
        rules.append('code ::= "<|m_" number "|>"')
    return rules
