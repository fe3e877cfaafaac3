"""Questions that words answer: names, counts, boxes, yes and no."""

from __future__ import annotations

from .draw import Draw
from .question import Question
from .scene_expressions import draw_description, where_of
from .scene_prompts import draw_point, percent_box, percent_text
from .scene_relations import Description, has, select
from .scene_sets import absent
from .scene_words import Wording, with_article
from .scenes import Scene


def name(scene: Scene, draw: Draw, words: Wording) -> Question | None:
    """What an object is, or its colour or shape; it is pointed at, or named by the other one."""
    index = draw.below(len(scene.objects))
    one = scene.objects[index]
    form = draw.pick(("label", "label", "colour", "noun"))
    answer = str(getattr(one, form))
    spoken = "kind" if form == "noun" and scene.options.silhouettes else form
    if form != "label" and draw.chance(0.5):
        other = "noun" if form == "colour" else "colour"
        where = where_of(one, (other,))
        if sum(has(each, where) for each in scene.objects) != 1:
            return None
        text = words.pick("name", f"ref_{spoken}").format(ref="the " + words.kind(where))
        return Question("name", text, (index,), (one.label,), answer)
    place = draw_point(scene, draw, index)
    if place is None:
        return None
    text = words.pick("name", spoken).format(at=percent_text(place))
    return Question("name", text, (index,), (one.label,), answer)


def count(scene: Scene, draw: Draw, words: Wording) -> Question | None:
    """How many objects have some attributes; the answer is in digits."""
    one = draw.pick(scene.objects)
    keys = draw.pick(((), ("noun",), ("colour",), ("colour",), ("noun", "colour"), ("size",)))
    where = where_of(one, keys)
    if keys and draw.chance(0.2):
        where = absent(scene, draw) or where
    targets = select(scene, Description(where)) or ()
    text = words.pick("count").format(many=words.kind(where, many=True))
    labels = tuple(scene.objects[index].label for index in targets)
    return Question("count", text, targets, labels, str(len(targets)))


def locate(scene: Scene, draw: Draw, words: Wording) -> Question | None:
    """The box of one object, or the boxes of several from left to right, with "," between.

    A box is `left top right bottom` in whole percent of the width and height.
    """
    if draw.chance(0.8):
        description = draw_description(scene, draw)
        targets = None if description is None else select(scene, description)
        if description is None or targets is None or len(targets) != 1:
            return None
        text = words.pick("locate", "one").format(ref=words.the(description))
    else:
        keys = draw.pick(((), ("noun",), ("colour",)))
        description = Description(where_of(draw.pick(scene.objects), keys))
        targets = select(scene, description) or ()
        if len(targets) < 2:
            return None
        text = words.pick("locate", "many").format(ref=words.all(description))
    boxes = [percent_text(percent_box(scene.objects[i].box, scene.size)) for i in targets]
    labels = tuple(scene.objects[index].label for index in targets)
    return Question("locate", text, targets, labels, ", ".join(boxes))


def exist(scene: Scene, draw: Draw, words: Wording) -> Question | None:
    """Whether there is such an object: yes or no, as often the one as the other."""
    if draw.chance(0.5):
        keys = draw.pick((("noun",), ("colour",), ("noun", "colour"), ("noun", "colour", "size")))
        where, answer = where_of(draw.pick(scene.objects), keys), "yes"
    else:
        found = absent(scene, draw)
        if found is None:
            return None
        where, answer = found, "no"
    text = words.pick("exist").format(a=with_article(words.kind(where)))
    return Question("exist", text, answer=answer)
