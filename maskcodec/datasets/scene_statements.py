"""Statements about an object's size, place and order: written as sentences, read back, checked.

A reasoning answer may say what it saw before it prints a mask: "Of the red objects, it is the
largest. Its centre is at 35 60." `make_statements` writes such sentences of a scene's object;
`read_statements` finds them in any text, also in one that a model printed, as constraints that
`scene_checks.check` measures on the mask that was printed with them.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass

from .draw import Draw
from .scene_constraints import SIDES, Constraint, Where
from .scene_facts import SceneFacts
from .scene_options import SIZES
from .scene_paint import COLOURS, TEXTURES
from .scene_relations import Description, Relation, is_clearly_in, select
from .scene_words import Wording, plural, templates
from .scenes import Scene

_ORDERS = ("largest", "smallest", *SIDES)
_NUMBER = r"(\d{1,3})"
_FIELDS = {"{n}": _NUMBER, "{x}": _NUMBER, "{y}": _NUMBER, "{many}": r"([^.,]{1,60})"}


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence and what it claims of the mask.

    Attributes:
        text: the sentence as it stands.
        constraint: what it claims; None where it speaks of things that the scene doesn't know.
    """

    text: str
    constraint: Constraint | None


def make_statements(
    scene: Scene, index: int, draw: Draw, words: Wording, where: Where = ()
) -> list[Statement]:
    """True sentences about an object: its place in an order if it has a clear one, centre and area.

    Args:
        where: attributes of the objects among which it has its place in an order.
    """
    one, (height, width) = scene.objects[index], scene.size
    found = []
    if by := _order_of(scene, index, draw, where):
        text = words.pick("statements", "rank", by).format(many=words.kind(where, many=True))
        claim = Constraint.make("rank", 0, by=by, rank=0, where=dict(where))
        found.append(Statement(text, claim))
    if draw.chance(0.5):
        x, y = round(100 * one.centre[0] / width), round(100 * one.centre[1] / height)
        text = words.pick("statements", "centre").format(x=x, y=y)
        found.append(Statement(text, Constraint.make("centre", 0, x=x, y=y)))
    else:
        side = draw.pick(SIDES)
        if is_clearly_in(scene, index, Relation("half", side)):
            text = words.pick("statements", "half", side)
            found.append(Statement(text, Constraint.make("half", 0, side=side)))
    if draw.chance(0.5):
        percent = (200 * one.area + height * width) // (2 * height * width)
        text = words.pick("statements", "area").format(n=percent)
        found.append(Statement(text, Constraint.make("area", 0, percent=percent)))
    return found


def _order_of(scene: Scene, index: int, draw: Draw, where: Where) -> str | None:
    for by in draw.shuffled(_ORDERS):
        if select(scene, Description(where, (), Relation("rank", by))) == (index,):
            several = select(scene, Description(where))
            return by if several and len(several) > 1 else None
    return None


def read_statements(text: str, facts: SceneFacts) -> list[Statement]:
    """The statements in a text, in order; other sentences are passed over.

    Args:
        text: untrusted; the time follows its length.
        facts: of the scene that it speaks of: its nouns tell what "the stars" are.
    """
    nouns = {fact.attributes["noun"] for fact in facts.objects if "noun" in fact.attributes}
    found = []
    for kind, argument, pattern in _patterns():
        for match in pattern.finditer(text):
            claim = _claim(kind, argument, match.groups(), nouns)
            found.append((match.start(), Statement(match.group(), claim)))
    return [statement for _, statement in sorted(found, key=lambda pair: pair[0])]


def _claim(
    kind: str, argument: str, values: tuple[str, ...], nouns: Iterable[str]
) -> Constraint | None:
    if kind == "area":
        return Constraint.make(kind, 0, percent=int(values[0]))
    if kind == "centre":
        return Constraint.make(kind, 0, x=int(values[0]), y=int(values[1]))
    if kind == "half":
        return Constraint.make(kind, 0, side=argument)
    where = _read_kind(values[0], nouns)
    return (
        None
        if where is None
        else Constraint.make("rank", 0, by=argument, rank=0, where=dict(where))
    )


def _read_kind(phrase: str, nouns: Iterable[str]) -> Where | None:
    """Attributes of "small red stars"; None where a word is unknown."""
    known = dict.fromkeys(COLOURS, "colour")
    known |= dict.fromkeys(TEXTURES, "texture") | dict.fromkeys(SIZES, "size")
    words = phrase.lower().split()
    where = {}
    while words and words[0] in known and known[words[0]] not in where:
        where[known[words[0]]] = words[0]
        words = words[1:]
    head = " ".join(words)
    if head not in {plural(word) for kinds in templates()["generic"].values() for word in kinds}:
        noun = next((one for one in sorted(nouns) if plural(one) == head), None)
        if noun is None:
            return None
        where["noun"] = noun
    return tuple(sorted(where.items()))


@functools.cache
def _patterns() -> tuple[tuple[str, str, re.Pattern[str]], ...]:
    """(kind, argument, pattern) of every template."""
    found = []
    for kind, forms in templates()["statements"].items():
        for argument, texts in forms.items() if isinstance(forms, dict) else [("", forms)]:
            for text in texts:
                pattern = "".join(
                    _FIELDS.get(part) or re.escape(part) for part in re.split(r"(\{\w+\})", text)
                )
                found.append((kind, argument, re.compile(pattern, re.IGNORECASE)))
    return tuple(found)
