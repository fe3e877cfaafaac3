"""Expressions for several objects of a scene, or for none."""

from __future__ import annotations

from collections.abc import Sequence

from .draw import Draw
from .question import Question
from .scene_constraints import Constraint, Where
from .scene_expressions import (
    all_of,
    apart,
    description_of,
    half,
    make_question,
    side,
    touching,
    where_of,
)
from .scene_relations import Description, has, select
from .scene_words import Wording
from .scenes import Scene

_ABSENT_TRIES = 8


def generalised(scene: Scene, draw: Draw, words: Wording) -> Question | None:
    """An expression of several objects, or of none."""
    form = draw.pick(("plural", "plural", "absent", "absent", "negated", "related", "pair"))
    if form == "absent":
        return _of_none(scene, draw, words)
    if form == "pair":
        return _of_two(scene, draw, words)
    one = draw.pick(scene.objects)
    where = where_of(one, draw.pick(((), ("noun",), ("colour",), ("texture",), ("size",))))
    description = Description(where)
    if form == "negated":
        key = draw.pick(("noun", "colour", "colour", "texture"))
        description = Description((), where_of(one, (key,)))
    elif form == "related":
        relation = draw.pick((side, half, touching, apart))(scene, draw)
        description = Description(where, (), relation)
        if relation is None:
            return None
    targets = select(scene, description)
    if targets is None or len(targets) < 2:
        return None
    constraints = [*all_of(len(targets)), *description.constraints()]
    if description.relation is None:
        constraints.append(description.covered())
    return make_question("generalised", scene, words, words.all(description), targets, constraints)


def absent(scene: Scene, draw: Draw) -> Where | None:
    """A colour and shape, or one of both, that no object has, mostly close to what is there."""
    for _ in range(_ABSENT_TRIES):
        found = _maybe_absent(scene, draw)
        if not any(has(each, found) for each in scene.objects):
            return found
    return None


def _maybe_absent(scene: Scene, draw: Draw) -> Where:
    one, other = draw.pick(scene.objects), draw.pick(scene.objects)
    where = {"noun": one.noun, "colour": other.colour}
    if draw.chance(0.5):
        where[draw.pick(("colour", "noun"))] = ""
    for key, values in (("colour", scene.options.colours), ("noun", nouns(scene))):
        if where[key] == "":
            where[key] = draw.pick(values)
    if draw.chance(0.2):
        del where[draw.pick(("colour", "noun"))]
    return tuple(sorted(where.items()))


def nouns(scene: Scene) -> Sequence[str]:
    """What objects of such scenes are called."""
    silhouettes = scene.options.silhouettes
    return [one.noun for one in silhouettes] if silhouettes else scene.options.shapes


def _of_none(scene: Scene, draw: Draw, words: Wording) -> Question | None:
    where = absent(scene, draw)
    if where is None:
        return None
    description = Description(where)
    phrase = words.all(description) if draw.chance(0.5) else words.the(description)
    constraints = [Constraint.make("count", n=0)]
    return make_question("generalised", scene, words, phrase, (), constraints)


def _of_two(scene: Scene, draw: Draw, words: Wording) -> Question | None:
    if len(scene.objects) < 2:
        return None
    targets = sorted(draw.shuffled(range(len(scene.objects)))[:2])
    names = [description_of(scene, index, draw) for index in targets]
    constraints = all_of(2)
    phrases = []
    for subject, name in enumerate(names):
        if name is None:
            return None
        constraints += name.constraints(subject)
        phrases.append(words.the(name))
    return make_question(
        "generalised", scene, words, " and ".join(phrases), tuple(targets), constraints
    )
