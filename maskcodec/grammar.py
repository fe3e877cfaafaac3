"""Pieces of EBNF as xgrammar, llguidance, vLLM and SGLang read it (the GBNF dialect).

A grammar is a list of rules, one a line: `name ::= expression`. Its start symbol is `root`.
"""

from __future__ import annotations

from collections.abc import Iterable

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}

# A label that is not listed and that ": " ends: what `maskcodec.labels.check_label` allows, so no
# control character and no white space at its ends; a blank after a colon must be a wide one.
FREE_LABEL = (
    'label ::= (visible* solid blank+ | visible* ":" wide blank*)* visible+',
    r"visible ::= [^\x00-\x20\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]",
    r"solid ::= [^\x00-\x20:\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]",
    r"blank ::= [ \xa0\u1680\u2000-\u200a\u202f\u205f\u3000]",
    r"wide ::= [\xa0\u1680\u2000-\u200a\u202f\u205f\u3000]",
)


def literal(text: str) -> str:
    r"""The terminal that matches `text` and nothing else.

    >>> print(literal('say "a"' + chr(10)))
    "say \"a\"\n"
    """
    return f'"{"".join(_ESCAPES.get(character, character) for character in text)}"'


def choice(texts: Iterable[str]) -> str:
    """An expression that matches any of `texts`; each is listed once.

    >>> print(choice(["dog", "cat", "dog"]))
    "dog" | "cat"
    """
    return " | ".join(map(literal, dict.fromkeys(texts)))


def repeat(expression: str, count: int) -> str:
    """`expression` exactly `count` times; nothing for 0."""
    return f"({expression}){{{count}}}" if count else ""


def run_rules(total: int, label: str, star: str, separator: str) -> list[str]:
    """Rules for runs, `label star count`, whose counts sum to `total`; they start at `r<total>`.

    There is a rule for each number of cells that may remain. For 12 of them,

        r12 ::= label " *" ("1| " r11 | "2| " r10 | ... | "9| " r3 | "1" d1x2)

    where `d1x2` stands for one more digit, of 2 at most, and what follows it. Digit by digit, the
    number of rules grows with `total` and not with its square.

    Args:
        total: the sum, 1 or more.
        label: the name of the rule for a label.
        star: the text between a label and its count.
        separator: the text between a count and the next label.
    """
    rules = {}
    open_tails: dict[tuple[int, int], None] = {}

    def counts(digits: int, rest: int, first: int) -> list[str]:
        """A digit from `first` on that leaves `rest` at 0 or more, and what follows it."""
        unit = 10 ** (digits - 1)
        alternatives = []
        for digit in range(first, min(9, rest // unit) + 1):
            left = rest - digit * unit
            if digits > 1:
                open_tails[digits - 1, left] = None
                alternatives.append(f'"{digit}" d{digits - 1}x{left}')
            elif left:
                alternatives.append(f"{literal(f'{digit}{separator}')} r{left}")
            else:
                alternatives.append(f'"{digit}"')
        return alternatives

    for rest in range(total, 0, -1):
        lengths = range(1, len(str(rest)) + 1)
        alternatives = [number for digits in lengths for number in counts(digits, rest, 1)]
        rules[f"r{rest}"] = f"{label} {literal(star)} ({' | '.join(alternatives)})"
    while open_tails:
        digits, rest = open_tails.popitem()[0]
        if f"d{digits}x{rest}" not in rules:
            rules[f"d{digits}x{rest}"] = " | ".join(counts(digits, rest, 0))
    return [f"{name} ::= {expression}" for name, expression in rules.items()]
