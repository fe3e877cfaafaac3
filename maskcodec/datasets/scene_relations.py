"""Which objects of a scene a description means; none where it is not clear by a margin."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .scene_checks import ahead, order
from .scene_constraints import Constraint, Where
from .scene_measures import AREA_RATIO, MARGIN, apart, come_near
from .scenes import Scene, SceneObject


@dataclass(frozen=True, slots=True)
class Relation:
    """What picks objects beyond their own attributes.

    Attributes:
        kind: `"side"`, `"half"`, `"rank"`, `"touching"`, `"apart"` or `"only"`.
        by: the side, what a rank goes by, or the attribute that occurs only once.
        ref: the object that it relates to; None where there is none.
        rank: how many come before it.
    """

    kind: str
    by: str = ""
    ref: int | None = None
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Description:
    """Attributes that objects have, and those that they don't have, and a relation."""

    where: Where = ()
    without: Where = ()
    relation: Relation | None = None

    def _attributes(self) -> dict[str, Any]:
        args: dict[str, Any] = {"where": dict(self.where)}
        return args | {"without": dict(self.without)} if self.without else args

    def covered(self) -> Constraint:
        """That no object with the attributes is forgotten."""
        return Constraint.make("covers", **self._attributes())

    def constraints(self, subject: int | None = None) -> list[Constraint]:
        """What each mask of an answer to it keeps."""
        found = [Constraint.make("attribute", subject, **self._attributes())]
        relation = self.relation
        if relation is None:
            return found
        args: dict[str, Any] = {} if relation.ref is None else {"ref": relation.ref}
        if relation.kind in ("side", "half"):
            args["side"] = relation.by
        elif relation.kind == "rank":
            args |= {"by": relation.by, "rank": relation.rank, "where": dict(self.where)}
        elif relation.kind == "only":
            args["key"] = relation.by
        return [*found, Constraint.make(relation.kind, subject, **args)]


def has(one: SceneObject, where: Where) -> bool:
    """Whether an object has all these attributes."""
    return all(getattr(one, key) == value for key, value in where)


def select(scene: Scene, description: Description) -> tuple[int, ...] | None:
    """The objects that a description means; None where an object is neither in nor out clearly."""
    where, without = description.where, description.without
    among = [
        index
        for index, one in enumerate(scene.objects)
        if has(one, where) and not (without and has(one, without))
    ]
    relation = description.relation
    if relation is None:
        return tuple(among)
    if relation.ref is not None:
        among = [index for index in among if index != relation.ref]
    if relation.kind == "rank":
        return _ranked(scene, among, relation)
    if relation.kind == "only":
        values = [getattr(one, relation.by) for one in scene.objects]
        return tuple(index for index in among if values.count(values[index]) == 1)
    inside = []
    for index in among:
        state = is_clearly_in(scene, index, relation)
        if state is None:
            return None
        if state:
            inside.append(index)
    return tuple(inside)


def is_clearly_in(scene: Scene, index: int, relation: Relation) -> bool | None:
    """Whether an object is in, by a margin; None where that is not clear."""
    if relation.kind in ("touching", "apart"):
        near = is_touching(scene, index, relation.ref)
        return near if near is None or relation.kind == "touching" else not near
    one, size = scene.objects[index], scene.size
    if relation.ref is None:
        away = ahead(relation.by, one.centre, (size[1] / 2, size[0] / 2), size)
    else:
        other = scene.objects[relation.ref].centre
        away = ahead(relation.by, one.centre, other, size)
        if away >= MARGIN and not _is_mainly(relation.by, one.centre, other):
            return None
    return None if abs(away) < MARGIN else away > 0


def _is_mainly(side: str, centre: Sequence[float], other: Sequence[float]) -> bool:
    """Whether nobody would rather say "above" than "left of", or the other way round."""
    across, down = abs(centre[0] - other[0]), abs(centre[1] - other[1])
    return 2 * across >= down if side in ("left", "right") else 2 * down >= across


def is_touching(scene: Scene, index: int, ref: int | None) -> bool | None:
    """Whether an object's pixels are next to those of `ref`, or of any; None if just not."""
    states = []
    for other in range(len(scene.objects)) if ref is None else (ref,):
        if other != index:
            states.append(_pair_touches(scene, index, other))
    if True in states:
        return True
    return None if None in states else False


def _pair_touches(scene: Scene, index: int, other: int) -> bool | None:
    first, second = scene.objects[index], scene.objects[other]
    far = apart(scene.size)
    ours, theirs = first.box, second.box
    if (
        max(theirs[0] - ours[2], ours[0] - theirs[2]) >= far
        or max(theirs[1] - ours[3], ours[1] - theirs[3]) >= far
    ):
        return False
    if come_near(first.mask, second.mask, 1):
        return True
    return None if come_near(first.mask, second.mask, far) else False


def _ranked(scene: Scene, among: list[int], relation: Relation) -> tuple[int, ...] | None:
    """The object of a rank; None where its neighbours in the order come close to it."""
    if relation.rank >= len(among):
        return ()
    reference = None if relation.ref is None else scene.objects[relation.ref].centre

    def value(index: int) -> float:
        one = scene.objects[index]
        return order(relation.by, one.area, one.centre, reference)

    ranked = sorted(among, key=value)
    at = relation.rank
    for before in (at - 1, at):
        if 0 <= before < len(ranked) - 1 and not _differ(
            relation.by, value(ranked[before]), value(ranked[before + 1]), scene.size
        ):
            return None
    return (ranked[at],)


def _differ(by: str, first: float, second: float, size: tuple[int, int]) -> bool:
    if by in ("largest", "smallest"):
        return max(abs(first), abs(second)) >= AREA_RATIO * min(abs(first), abs(second))
    if by in ("nearest", "farthest"):
        return abs(math.sqrt(abs(first)) - math.sqrt(abs(second))) >= MARGIN * min(size)
    side = size[1] if by in ("left", "right") else size[0]
    return abs(first - second) >= MARGIN * side
