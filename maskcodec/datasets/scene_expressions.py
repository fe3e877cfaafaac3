"""Expressions for objects of a scene: of one, of several, of none, and those to be reasoned out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from .draw import Draw
from .question import Question
from .scene_constraints import RANKS, SIDES, Constraint, Where
from .scene_relations import Description, Relation, has, select
from .scene_words import Wording, unique_name
from .scenes import Scene, SceneObject

Form = Callable[[Scene, Draw], "Description | None"]


def where_of(one: SceneObject, keys: Iterable[str]) -> Where:
    """Some attributes of an object."""
    return tuple(sorted((key, str(getattr(one, key))) for key in keys))


def referring(scene: Scene, draw: Draw, words: Wording) -> Question | None:
    """An expression that means exactly one object."""
    return _of_one("referring", scene, words, draw_description(scene, draw))


def draw_description(scene: Scene, draw: Draw) -> Description | None:
    """A description such as `referring` asks for; `select` tells whether it means one object."""
    return draw.pick(_REFERRING)(scene, draw)


def reasoning(scene: Scene, draw: Draw, words: Wording) -> Question | None:
    """An expression of one object that takes a comparison of several to find."""
    if draw.chance(0.15):
        return _of_same(scene, draw, words)
    description = draw.pick(_REASONING)(scene, draw)
    return _of_one("reasoning", scene, words, description)


def description_of(scene: Scene, index: int, draw: Draw) -> Description | None:
    """Attributes that only one object has, in a drawn choice; None where it has a twin."""
    keys: list[str] = []
    one = scene.objects[index]
    for key in _drawn_keys(one, draw):
        keys.append(key)
        where = where_of(one, keys)
        if sum(has(other, where) for other in scene.objects) == 1:
            # More than is needed is said as well.
            if draw.chance(0.3):
                where = where_of(one, {*keys, draw.pick(("noun", "colour"))})
            return Description(tuple(sorted(where)))
    return None


def _drawn_keys(one: SceneObject, draw: Draw) -> list[str]:
    """Attributes in a drawn order, noun and colour mostly first."""
    first = draw.shuffled(("noun", "colour"))
    later = draw.shuffled(("size", "texture"))
    return [later[0], *first, later[1]] if draw.chance(0.15) else [*first, *later]


def make_question(
    task: str,
    scene: Scene,
    words: Wording,
    phrase: str,
    targets: tuple[int, ...],
    constraints: Sequence[Constraint],
) -> Question:
    labels = tuple(scene.objects[index].label for index in targets)
    text = words.pick(task if task != "reasoning" else "referring").format(ref=phrase)
    return Question(task, text, targets, labels, constraints=tuple(constraints))


def all_of(count: int) -> list[Constraint]:
    return [Constraint.make("count", n=count), Constraint.make("distinct")]


def _of_one(
    task: str, scene: Scene, words: Wording, description: Description | None
) -> Question | None:
    if description is None:
        return None
    targets = select(scene, description)
    if targets is None or len(targets) != 1:
        return None
    constraints = [Constraint.make("count", n=1), *description.constraints()]
    return make_question(task, scene, words, words.the(description), targets, constraints)


def _by_name(scene: Scene, draw: Draw) -> Description | None:
    return description_of(scene, draw.below(len(scene.objects)), draw)


def _related(make: Callable[[Scene, Draw], Relation | None]) -> Form:
    """Some attributes and a relation, mostly where the attributes alone would not do."""

    def form(scene: Scene, draw: Draw) -> Description | None:
        relation = make(scene, draw)
        if relation is None or len(scene.objects) < 2:
            return None
        one = draw.pick(scene.objects)
        where = where_of(one, draw.pick(((), ("noun",), ("colour",), ("noun", "colour"))))
        alone = sum(has(other, where) for other in scene.objects) == 1
        if alone and (relation.kind == "rank" or draw.chance(0.7)):
            return None
        return Description(where, (), relation)

    return form


def _reference(scene: Scene, draw: Draw) -> int | None:
    index = draw.below(len(scene.objects))
    return None if unique_name(scene, index) is None else index


def side(scene: Scene, draw: Draw) -> Relation | None:
    ref = _reference(scene, draw)
    return None if ref is None else Relation("side", draw.pick(SIDES), ref)


def half(_scene: Scene, draw: Draw) -> Relation | None:
    return Relation("half", draw.pick(SIDES))


def touching(scene: Scene, draw: Draw) -> Relation | None:
    ref = _reference(scene, draw) if scene.options.overlap else None
    return None if ref is None else Relation("touching", "", ref)


def apart(scene: Scene, draw: Draw) -> Relation | None:
    ref = _reference(scene, draw) if scene.options.overlap else None
    return None if ref is None else Relation("apart", "", ref)


def _alone(scene: Scene, _draw: Draw) -> Relation | None:
    return Relation("apart") if scene.options.overlap and len(scene.objects) > 2 else None


def _first(_scene: Scene, draw: Draw) -> Relation | None:
    return Relation("rank", draw.pick(SIDES))


def _by_area(_scene: Scene, draw: Draw) -> Relation | None:
    return Relation("rank", draw.pick(("largest", "smallest")))


def _by_distance(scene: Scene, draw: Draw) -> Relation | None:
    ref = _reference(scene, draw)
    if ref is None or len(scene.objects) < 3:
        return None
    return Relation("rank", draw.pick(("nearest", "nearest", "farthest")), ref)


def _second(scene: Scene, draw: Draw) -> Relation | None:
    return Relation("rank", draw.pick(RANKS[:6]), None, 1) if len(scene.objects) > 2 else None


def _single(scene: Scene, draw: Draw) -> Description | None:
    """The only one of its colour or shape, where others are not the only ones of theirs."""
    if len(scene.objects) < 3:
        return None
    return Description((), (), Relation("only", draw.pick(("noun", "colour"))))


_REFERRING: tuple[Form, ...] = (
    *(_by_name,) * 6,
    *(_related(side),) * 4,
    *(_related(_first),) * 2,
    _related(half),
    _related(touching),
    _related(apart),
)

_REASONING: tuple[Form, ...] = (
    *(_related(_by_area),) * 3,
    *(_related(_by_distance),) * 2,
    *(_related(_second),) * 2,
    _related(_alone),
    *(_single,) * 2,
)


def _of_same(scene: Scene, draw: Draw, words: Wording) -> Question | None:
    """The other one of the colour or shape of an object that is named without it."""
    key, by = draw.pick((("colour", "noun"), ("noun", "colour")))
    ref = draw.below(len(scene.objects))
    one = scene.objects[ref]
    name, shared = where_of(one, (by,)), where_of(one, (key,))
    targets = [i for i, other in enumerate(scene.objects) if i != ref and has(other, shared)]
    if sum(has(other, name) for other in scene.objects) != 1 or len(targets) != 1:
        return None
    form = "kind" if key == "noun" and scene.options.silhouettes else key
    phrase = words.pick("same", form).format(one=words.kind(()), ref="the " + words.kind(name))
    constraints = [
        Constraint.make("count", n=1),
        Constraint.make("attribute", where=dict(shared)),
        Constraint.make("other", ref=ref),
    ]
    return make_question("reasoning", scene, words, phrase, (targets[0],), constraints)
