"""The grammar of PaliGemma's objects in tokens, in EBNF.

A blank may go on with a label or begin the joint ` ; `. Engines that cut a text into the longest
terminals would choose wrongly there, so labels and joints are spelt character by character.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..grammar import literal
from ..labels import check_label
from . import _paligemma_reader as reader

_WIDE = r"\xa0\u1680\u2000-\u200a\u202f\u205f\u3000"

# A label that is not listed: what `check_label` allows, without the characters of the format. One
# blank may be the joint's, after two there must be more of the label.
_FREE = (
    'rest ::= (" " (next | visible more))?',
    'more ::= (visible more | wide inner | " " spaced)?',
    "spaced ::= next | visible more | blank inner",
    "inner ::= blank inner | visible more",
    rf"visible ::= [^\x00-\x20;<>\x7f-\x9f\u2028\u2029{_WIDE}]",
    rf"wide ::= [{_WIDE}]",
    rf"blank ::= [ {_WIDE}]",
)


def grammar(labels: Sequence[str] | None) -> str:
    """EBNF of the texts; `labels=None` leaves the labels free.

    Raises:
        EncodeError: a label that the format can't hold.
    """
    if labels is not None and not labels:
        return f'root ::= "{reader.NONE}"\n'
    loc, seg, count = reader.LOC, reader.SEG, len(reader.CODES.stages)
    rules = [
        f'root ::= "{reader.NONE}" | object',
        f'object ::= loc{{4}} " "? seg{{{count}}} rest',
        f'loc ::= "{loc.before}" ({loc.expression}) "{loc.after}"',
        f'seg ::= "{seg.before}" ({seg.expression}) "{seg.after}"',
        'next ::= ";" " " object',
        *(_FREE if labels is None else _listed(labels)),
    ]
    return "\n".join(rules) + "\n"


def _listed(labels: Sequence[str]) -> list[str]:
    for label in labels:
        check_label(label, "paligemma", reader.FORBIDDEN)
    spelt = (" ".join(map(literal, label)) for label in dict.fromkeys(labels))
    # In the rule of the joint, since a rule of literals alone would be one terminal to an engine.
    return [f'rest ::= " " ({" | ".join(spelt)}) (" " next)?']
