"""Words for scenes: plurals, articles, and noun phrases of descriptions, from templates as data."""

from __future__ import annotations

import functools
import json
from importlib import resources
from typing import Any

from .draw import Draw
from .scene_constraints import Where
from .scene_relations import Description, has
from .scenes import Scene

_IRREGULAR = {
    "person": "people",
    "man": "men",
    "woman": "women",
    "child": "children",
    "foot": "feet",
    "tooth": "teeth",
    "mouse": "mice",
    "knife": "knives",
    "leaf": "leaves",
    "shelf": "shelves",
    "wolf": "wolves",
    "sheep": "sheep",
    "fish": "fish",
    "deer": "deer",
    "scissors": "scissors",
    "skis": "skis",
    "broccoli": "broccoli",
}
_ORDER = ("size", "texture", "colour")


@functools.cache
def templates() -> dict[str, Any]:
    """The wording of everything, `scene_templates.json`."""
    text = resources.files(__package__).joinpath("scene_templates.json").read_text("utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def plural(noun: str) -> str:
    """The plural of an English noun, of its last word where there are several.

    >>> plural("wine glass"), plural("person"), plural("cross"), plural("toothbrush")
    ('wine glasses', 'people', 'crosses', 'toothbrushes')
    """
    head, space, last = noun.rpartition(" ")
    if last in _IRREGULAR:
        many = _IRREGULAR[last]
    elif last.endswith(("s", "x", "z", "ch", "sh")):
        many = last + "es"
    elif last.endswith("y") and last[-2:-1] not in "aeiou":
        many = last[:-1] + "ies"
    else:
        many = last + "s"
    return head + space + many


def with_article(phrase: str) -> str:
    """`phrase` with "a" or "an"."""
    return (
        "an " if phrase[:1].lower() in "aeio" or phrase.startswith("umbrella") else "a "
    ) + phrase


class Wording:
    """Makes phrases about one scene.

    Args:
        scene: what they are about.
        draw: chooses among ways to say the same.
    """

    def __init__(self, scene: Scene, draw: Draw) -> None:
        self._scene = scene
        self._draw = draw
        generic = templates()["generic"]
        self.generic: list[str] = generic["silhouette" if scene.options.silhouettes else "shape"]

    def pick(self, *path: str) -> str:
        """One of the templates at a path of keys."""
        node: Any = templates()
        for key in path:
            node = node[key]
        found: str = self._draw.pick(node)
        return found

    def kind(self, where: Where, *, many: bool = False) -> str:
        """Adjectives and noun, e.g. "small red circles"; a word like "object" for no noun."""
        wanted = dict(where)
        words = [wanted[key] for key in _ORDER if key in wanted]
        noun = wanted.get("noun") or self._draw.pick(self.generic)
        return " ".join([*words, plural(noun) if many else noun])

    def the(self, description: Description) -> str:
        """The description of exactly one object, with its article."""
        return self._related(description, many=False)

    def all(self, description: Description) -> str:
        """The description of several objects."""
        return self._related(description, many=True)

    def _related(self, description: Description, *, many: bool) -> str:
        relation = description.relation
        kinds = {
            "one": self.kind(description.where),
            "many": self.kind(description.where, many=True),
        }
        if relation is None or relation.kind != "rank":
            alone = relation is None and not description.without
            form = self.pick("plural", "plain" if alone else "related") if many else "the {one}"
            phrase = form.format(**kinds)
            if description.without:
                phrase += " " + self._negated(description.without, many=many)
            if relation is not None:
                phrase += " " + self._suffix(relation.kind, relation.by, relation.ref, many=many)
            return phrase
        ref = "" if relation.ref is None else self.reference(relation.ref)
        return self.pick("rank", str(relation.rank), relation.by).format(**kinds, ref=ref)

    def _suffix(self, kind: str, by: str, ref: int | None, *, many: bool) -> str:
        path = (
            ["touching"] if kind == "touching" else [kind, by or ("any" if ref is None else "one")]
        )
        form = self.pick("suffix", *path)
        words = {"touches": "touch" if many else "touches", "is": "are" if many else "is"}
        return form.format(ref="" if ref is None else self.reference(ref), **words)

    def _negated(self, without: Where, *, many: bool) -> str:
        wanted = dict(without)
        verb = "are" if many else "is"
        if "noun" in wanted:
            noun = self.kind(without, many=True) if many else with_article(self.kind(without))
            return f"that {verb} not {noun}"
        return f"that {verb} not {' and '.join(wanted.values())}"

    def reference(self, index: int) -> str:
        """The shortest name that only this object has; as a list of attributes, "the red star"."""
        where = unique_name(self._scene, index)
        return "the " + self.kind(where or ())


def unique_name(scene: Scene, index: int, draw: Draw | None = None) -> Where | None:
    """Attributes with a noun that no other object has together; None where there are none.

    The fewest that do, colour before size before texture; in a drawn order with `draw`.
    """
    one = scene.objects[index]
    keys = ["colour", "size", "texture"]
    if draw is not None:
        keys = draw.shuffled(keys)
    chosen = ["noun"]
    for key in [None, *keys]:
        if key is not None:
            chosen.append(key)
        where = tuple(sorted((name, str(getattr(one, name))) for name in chosen))
        if sum(has(other, where) for other in scene.objects) == 1:
            return where
    return None
