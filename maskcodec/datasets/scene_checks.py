"""Whether predicted masks keep an expression's constraints: measured on the masks and the facts.

Nothing is asked of the text that a model printed: an answer that is right by chance counts, and one
that names the right object beside a mask elsewhere does not. A mask without pixels keeps none but
`count`, and `distinct`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import MaskCodecError
from .scene_constraints import Constraint
from .scene_facts import Fact, SceneFacts
from .scene_measures import CHECK_MARGIN, box_iou, come_near, measure, touching_gap

Bits = npt.NDArray[np.bool_]
Point = tuple[float, float]


def check(
    constraint: Constraint, masks: Sequence[Bits], facts: SceneFacts | dict[str, Any]
) -> bool:
    """Whether the predicted masks of an answer keep a constraint.

    Args:
        masks: bool (height, width) of the scene's size, in the order of the answer.
        facts: of the scene, as `Scene.facts()` gives them. To check many, read them once with
            `SceneFacts.from_json`.

    Raises:
        MaskCodecError: a mask is no bool array of the scene's size, or the constraint refers to an
            object that the scene doesn't have.
        RecordError: broken facts.
    """
    known = facts if isinstance(facts, SceneFacts) else SceneFacts.from_json(facts)
    for mask in masks:
        if getattr(mask, "dtype", None) != np.bool_ or mask.shape != known.size:
            raise MaskCodecError(
                f"a mask is {getattr(mask, 'dtype', type(mask).__name__)} "
                f"{getattr(mask, 'shape', '')}, expected bool {known.size}"
            )
    reference = constraint.get("ref")
    if reference is not None and reference >= len(known.objects):
        raise MaskCodecError(
            f"the constraint refers to object {reference}; the scene has {len(known.objects)}"
        )
    if constraint.kind == "count":
        return bool(sum(bool(mask.any()) for mask in masks) == constraint.get("n"))
    if constraint.kind == "distinct":
        return _are_distinct(masks, known)
    if constraint.kind == "covers":
        return _covers(constraint, _meant(constraint, masks), known)
    meant = _meant(constraint, masks)
    test = _TESTS[constraint.kind]
    return bool(meant) and all(bool(one.any()) and test(constraint, one, known) for one in meant)


def _meant(constraint: Constraint, masks: Sequence[Bits]) -> list[Bits]:
    if constraint.subject is None:
        return list(masks)
    return list(masks[constraint.subject : constraint.subject + 1])


def match(mask: Bits, facts: SceneFacts) -> int | None:
    """The object with which the mask shares most pixels; None where it lies on no object."""
    shared = [int(np.count_nonzero(mask & one.mask)) for one in facts.objects]
    best = max(range(len(shared)), key=shared.__getitem__, default=None)
    return best if best is not None and shared[best] > 0 else None


def _are_distinct(masks: Sequence[Bits], facts: SceneFacts) -> bool:
    """No two masks lie on the same object; where they lie on none, nothing is told."""
    found = [match(mask, facts) for mask in masks]
    told = [one for one in found if one is not None]
    return len(told) == len(set(told))


def _covers(constraint: Constraint, masks: Sequence[Bits], facts: SceneFacts) -> bool:
    """Half of each object that is meant lies under the masks."""
    union = np.zeros(facts.size, dtype=np.bool_)
    for mask in masks:
        union |= mask
    where, without = constraint.get("where"), constraint.get("without", ())
    return all(
        2 * int(np.count_nonzero(union & one.mask)) >= one.area
        for one in facts.objects
        if one.matches(where, without)
    )


def _attribute(constraint: Constraint, mask: Bits, facts: SceneFacts) -> bool:
    """More than half of the mask lies on objects that have the attributes."""
    where, without = constraint.get("where"), constraint.get("without", ())
    on = sum(
        int(np.count_nonzero(mask & one.mask))
        for one in facts.objects
        if one.matches(where, without)
    )
    return 2 * on > int(np.count_nonzero(mask))


def _side(constraint: Constraint, mask: Bits, facts: SceneFacts) -> bool:
    centre, other = measure(mask)[2], facts.objects[constraint.get("ref")].centre
    return ahead(constraint.get("side"), centre, other, facts.size) >= CHECK_MARGIN


def _half(constraint: Constraint, mask: Bits, facts: SceneFacts) -> bool:
    middle = (facts.size[1] / 2, facts.size[0] / 2)
    return ahead(constraint.get("side"), measure(mask)[2], middle, facts.size) > 0


def ahead(side: str, point: Point, other: Point, size: tuple[int, int]) -> float:
    """How far `point` lies to a side of `other`, in shares of the image's width or height."""
    if side in ("left", "right"):
        away = (other[0] - point[0]) / size[1]
        return away if side == "left" else -away
    away = (other[1] - point[1]) / size[0]
    return away if side == "above" else -away


def _rank(constraint: Constraint, mask: Bits, facts: SceneFacts) -> bool:
    """As many of the other objects that are meant come before the mask as its rank says."""
    by, where, ref = constraint.get("by"), constraint.get("where"), constraint.get("ref")
    own = match(mask, facts)
    if ref is not None and own == ref:
        return False
    _, area, centre = measure(mask)
    reference = None if ref is None else facts.objects[ref].centre
    value = order(by, area, centre, reference)
    before = [
        order(by, one.area, one.centre, reference) < value
        for index, one in enumerate(facts.objects)
        if index not in (own, ref) and one.matches(where)
    ]
    return bool(sum(before) == constraint.get("rank"))


def order(by: str, area: int, centre: Point, reference: Point | None) -> float:
    """What a rank is sorted by, ascending: pixels, an area, or a squared distance."""
    if by in ("left", "right"):
        return centre[0] if by == "left" else -centre[0]
    if by in ("above", "below"):
        return centre[1] if by == "above" else -centre[1]
    if by in ("largest", "smallest"):
        return area if by == "smallest" else -area
    assert reference is not None
    squared = (centre[0] - reference[0]) ** 2 + (centre[1] - reference[1]) ** 2
    return squared if by == "nearest" else -squared


def _touching(constraint: Constraint, mask: Bits, facts: SceneFacts) -> bool:
    ref = constraint.get("ref")
    if match(mask, facts) == ref:  # nothing touches itself
        return False
    return come_near(mask, facts.objects[ref].mask, touching_gap(facts.size))


def _apart(constraint: Constraint, mask: Bits, facts: SceneFacts) -> bool:
    ref, own = constraint.get("ref"), match(mask, facts)
    others: list[Fact] = (
        [facts.objects[ref]]
        if ref is not None
        else [one for index, one in enumerate(facts.objects) if index != own]
    )
    gap = touching_gap(facts.size)
    return not any(come_near(mask, one.mask, gap) for one in others)


def _only(constraint: Constraint, mask: Bits, facts: SceneFacts) -> bool:
    own, key = match(mask, facts), constraint.get("key")
    values = [one.attributes.get(key) for one in facts.objects]
    return own is not None and values.count(values[own]) == 1


def _other(constraint: Constraint, mask: Bits, facts: SceneFacts) -> bool:
    on = int(np.count_nonzero(mask & facts.objects[constraint.get("ref")].mask))
    return 2 * on < int(np.count_nonzero(mask))


def _point(constraint: Constraint, mask: Bits, facts: SceneFacts) -> bool:
    x, y = constraint.get("x"), constraint.get("y")
    return y < facts.size[0] and x < facts.size[1] and bool(mask[y, x])


def _box(constraint: Constraint, mask: Bits, facts: SceneFacts) -> bool:
    return box_iou(measure(mask)[0], constraint.get("box")) >= 0.5


def _area(constraint: Constraint, mask: Bits, facts: SceneFacts) -> bool:
    """The area is what was said, by a point or a fifth of it."""
    said = constraint.get("percent")
    percent = 100 * int(np.count_nonzero(mask)) / mask.size
    return bool(abs(percent - said) <= max(1.0, said / 5))


def _centre(constraint: Constraint, mask: Bits, facts: SceneFacts) -> bool:
    """The centre is where it was said, in percent of width and height, by four points."""
    x, y = measure(mask)[2]
    across = 100 * x / facts.size[1] - constraint.get("x")
    down = 100 * y / facts.size[0] - constraint.get("y")
    return bool(abs(across) <= 4 and abs(down) <= 4)


_TESTS: dict[str, Callable[[Constraint, Bits, SceneFacts], bool]] = {
    "attribute": _attribute,
    "side": _side,
    "half": _half,
    "rank": _rank,
    "touching": _touching,
    "apart": _apart,
    "only": _only,
    "other": _other,
    "point": _point,
    "box": _box,
    "area": _area,
    "centre": _centre,
}
