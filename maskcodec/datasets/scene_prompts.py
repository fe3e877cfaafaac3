"""Questions that point: at a place, a box or a mask. Places are whole percent of the image."""

from __future__ import annotations

import numpy as np

from .draw import Draw
from .question import Question
from .scene_constraints import Constraint
from .scene_expressions import where_of
from .scene_measures import box_iou
from .scene_relations import has
from .scene_words import Wording, with_article
from .scenes import Scene

_CLEAR_IOU = 0.35
_PLACES = 8


def prompted(scene: Scene, draw: Draw, words: Wording) -> Question | None:
    """Segment or describe what is pointed at, or find the others like it."""
    form = draw.pick(("point", "box", "describe", "noun", "colour"))
    index = draw.below(len(scene.objects))
    if form == "point":
        return _at_point(scene, draw, words, index)
    if form == "box":
        return _in_box(scene, words, index)
    if form == "describe":
        one = scene.objects[index]
        keys = ["noun", "colour", "size"] + ["texture"] * (one.texture != "plain")
        answer = with_article(words.kind(where_of(one, keys)))
        return Question("prompted", words.pick("prompted", form), answer=answer, prompts=(index,))
    return _others(scene, words, index, form)


def percent_box(box: tuple[int, int, int, int], size: tuple[int, int]) -> tuple[int, ...]:
    """A box, xyxy and half-open in pixels, as whole percent of width and height, 0 to 100.

    Halves are rounded up.
    """
    height, width = size
    sides = (width, height, width, height)
    return tuple((200 * edge + side) // (2 * side) for edge, side in zip(box, sides, strict=True))


def percent_text(values: tuple[int, ...]) -> str:
    """Numbers with spaces between, e.g. "12 30 40 62"."""
    return " ".join(map(str, values))


def draw_point(scene: Scene, draw: Draw, index: int) -> tuple[int, int] | None:
    """A place (x, y) in whole percent, 0 to 99, whose pixel and its neighbours are the object's.

    The pixel of a place is the one that holds it: `x * width // 100`, `y * height // 100`.
    """
    height, width = scene.size
    mask = scene.objects[index].mask
    flat = np.flatnonzero(mask)
    for attempt in range(_PLACES):
        y, x = divmod(int(flat[draw.below(flat.size)]), width)
        across, down = (100 * x + 50) // width, (100 * y + 50) // height
        x, y = across * width // 100, down * height // 100
        near = mask[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2]
        if near.all() or (attempt * 2 >= _PLACES and mask[y, x]):
            return across, down
    return None


def _at_point(scene: Scene, draw: Draw, words: Wording, index: int) -> Question | None:
    place = draw_point(scene, draw, index)
    if place is None:
        return None
    height, width = scene.size
    x, y = place[0] * width // 100, place[1] * height // 100
    constraint = Constraint.make("point", x=x, y=y)
    return _pointed(scene, words, index, "point", place, constraint)


def _in_box(scene: Scene, words: Wording, index: int) -> Question | None:
    box = scene.objects[index].box
    for other, one in enumerate(scene.objects):
        if other != index and box_iou(one.box, box) > _CLEAR_IOU:
            return None
    place = percent_box(box, scene.size)
    if box_iou(_pixels(place, scene.size), box) < 0.75:  # so small that whole percent are coarse
        return None
    constraint = Constraint.make("box", box=list(box))
    return _pointed(scene, words, index, "box", place, constraint)


def _pixels(place: tuple[int, ...], size: tuple[int, int]) -> tuple[float, ...]:
    sides = (size[1], size[0], size[1], size[0])
    return tuple(value * side / 100 for value, side in zip(place, sides, strict=True))


def _pointed(
    scene: Scene,
    words: Wording,
    index: int,
    form: str,
    place: tuple[int, ...],
    constraint: Constraint,
) -> Question:
    text = words.pick("prompted", form).format(at=percent_text(place))
    constraints = (Constraint.make("count", n=1), constraint)
    label = scene.objects[index].label
    return Question("prompted", text, (index,), (label,), constraints=constraints)


def _others(scene: Scene, words: Wording, index: int, key: str) -> Question:
    shared = where_of(scene.objects[index], (key,))
    targets = tuple(
        other for other, one in enumerate(scene.objects) if other != index and has(one, shared)
    )
    form = "kind" if key == "noun" and scene.options.silhouettes else key
    constraints = [Constraint.make("count", n=len(targets))]
    if targets:
        constraints += [
            Constraint.make("distinct"),
            Constraint.make("attribute", where=dict(shared)),
            Constraint.make("other", ref=index),
        ]
    labels = tuple(scene.objects[other].label for other in targets)
    text = words.pick("prompted", form)
    return Question(
        "prompted", text, targets, labels, prompts=(index,), constraints=tuple(constraints)
    )
