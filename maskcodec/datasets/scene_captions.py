"""Answers about all of a scene: label maps, and captions whose phrases have masks."""

from __future__ import annotations

from .draw import Draw
from .question import Question
from .scene_constraints import SIDES, Constraint
from .scene_expressions import where_of
from .scene_relations import Relation, is_clearly_in
from .scene_words import Wording, with_article
from .scenes import Scene

_OPPOSITE = {"left": "right", "right": "left", "above": "below", "below": "above"}
_MOST_NAMED = 4


def semantic(scene: Scene, _draw: Draw, words: Wording) -> Question | None:
    """The label map: every pixel of an object by its noun; equal nouns are one region."""
    labels = tuple(one.noun for one in scene.objects)
    classes = tuple(dict.fromkeys(labels))
    constraints = [Constraint.make("count", n=len(classes))]
    for subject, noun in enumerate(classes):
        constraints.append(Constraint.make("attribute", subject, where={"noun": noun}))
        constraints.append(Constraint.make("covers", subject, where={"noun": noun}))
    targets = tuple(range(len(scene.objects)))
    text = words.pick("semantic")
    return Question("semantic", text, targets, labels, constraints=tuple(constraints))


def grounded(scene: Scene, draw: Draw, words: Wording) -> Question | None:
    """A caption: a list of objects, or how one lies to another."""
    related = _related(scene, draw, words) if draw.chance(0.4) else None
    return related or _listed(scene, draw, words)


def _listed(scene: Scene, draw: Draw, words: Wording) -> Question:
    targets = draw.shuffled(range(len(scene.objects)))[:_MOST_NAMED]
    if draw.chance(0.7):
        targets.sort()
    forms = [words.pick("grounded", "start")]
    for place in range(1, len(targets)):
        last = place == len(targets) - 1
        forms.append(words.pick("grounded", "and" if last else "list"))
    return _caption(scene, draw, words, targets, [[form] for form in forms], [])


def _related(scene: Scene, draw: Draw, words: Wording) -> Question | None:
    if len(scene.objects) < 2:
        return None
    first, second = draw.shuffled(range(len(scene.objects)))[:2]
    side = draw.pick(SIDES)
    if not is_clearly_in(scene, first, Relation("side", side, second)):
        return None
    constraints = [
        Constraint.make("side", 0, side=side, ref=second),
        Constraint.make("side", 1, side=_OPPOSITE[side], ref=first),
    ]
    before, between, after = _around(words.pick("grounded", "side", side))
    forms = [[before + "{0}"], [between + "{0}", after]]
    return _caption(scene, draw, words, [first, second], forms, constraints)


def _around(form: str) -> tuple[str, str, str]:
    before, _, rest = form.partition("{0}")
    between, _, after = rest.partition("{1}")
    return before, between, after


def _caption(
    scene: Scene,
    draw: Draw,
    words: Wording,
    targets: list[int],
    forms: list[list[str]],
    constraints: list[Constraint],
) -> Question:
    text = ""
    phrases = []
    found = [Constraint.make("count", n=len(targets)), Constraint.make("distinct"), *constraints]
    for place, (index, form) in enumerate(zip(targets, forms, strict=True)):
        one = scene.objects[index]
        keys = ["noun", "colour"]
        if draw.chance(0.3) and one.texture != "plain":
            keys.append("texture")
        if draw.chance(0.2):
            keys.append("size")
        where = where_of(one, keys)
        before, _, _ = form[0].partition("{0}")
        phrase = with_article(words.kind(where))
        if not text and not before:
            phrase = phrase[0].upper() + phrase[1:]
        start = len(text) + len(before)
        phrases.append((start, start + len(phrase), place))
        text += before + phrase + "".join(form[1:])
        found.append(Constraint.make("attribute", place, where=dict(where)))
    labels = tuple(scene.objects[index].label for index in targets)
    question = words.pick("grounded", "question")
    return Question(
        "grounded", question, tuple(targets), labels, text + ".", tuple(phrases), (), tuple(found)
    )
