"""Constraints as JSON and as measures, with hostile input."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskcodec import MaskCodecError, RecordError, rle
from maskcodec.datasets.scene_checks import check
from maskcodec.datasets.scene_constraints import KINDS, Constraint
from maskcodec.datasets.scene_facts import SceneFacts
from maskcodec.datasets.scene_questions import MASK_TASKS, make_questions
from maskcodec.datasets.scenes import SceneOptions, make_scene

Bits = npt.NDArray[np.bool_]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
NAMES = sorted({name for needed, possible in KINDS.values() for name in needed | possible})
near_misses = st.fixed_dictionaries(
    {"kind": st.sampled_from(sorted(KINDS))},
    optional=dict.fromkeys((*NAMES, "subject", "self", "kind "), json_values),
)


def block(size: tuple[int, int], y: int, x: int, height: int, width: int) -> Bits:
    mask = np.zeros(size, dtype=np.bool_)
    mask[y : y + height, x : x + width] = True
    return mask


def facts_of(*objects: tuple[str, str, Bits]) -> dict[str, Any]:
    return {
        "size": list(objects[0][2].shape),
        "objects": [
            {"noun": noun, "colour": colour, "counts": rle.to_string(rle.encode(mask)).decode()}
            for colour, noun, mask in objects
        ],
    }


SIZE = (40, 100)
LEFT = block(SIZE, 10, 5, 20, 20)
MIDDLE = block(SIZE, 10, 40, 10, 10)
RIGHT = block(SIZE, 10, 50, 10, 30)
FACTS = facts_of(("red", "square", LEFT), ("red", "box", MIDDLE), ("blue", "box", RIGHT))
EMPTY = np.zeros(SIZE, dtype=np.bool_)


def holds(kind: str, *masks: Bits, subject: int | None = None, **args: Any) -> bool:
    return check(Constraint.make(kind, subject, **args), masks, FACTS)


def test_counting() -> None:
    assert holds("count", LEFT, MIDDLE, n=2)
    assert holds("count", LEFT, EMPTY, n=1)
    assert holds("count", n=0)
    assert not holds("count", LEFT, n=0)
    assert holds("distinct", LEFT, MIDDLE)
    assert not holds("distinct", MIDDLE, MIDDLE)
    assert holds("covers", LEFT, MIDDLE, where={"colour": "red"})
    assert not holds("covers", LEFT, where={"colour": "red"})
    assert holds("covers", RIGHT, where={}, without={"colour": "red"})


def test_attributes() -> None:
    assert holds("attribute", LEFT, MIDDLE, where={"colour": "red"})
    assert not holds("attribute", LEFT, RIGHT, where={"colour": "red"})
    assert holds("attribute", LEFT, RIGHT, subject=0, where={"colour": "red"})
    assert holds("attribute", RIGHT, where={}, without={"colour": "red"})
    assert not holds("attribute", ~(LEFT | MIDDLE | RIGHT), where={})
    assert not holds("attribute", EMPTY, where={})
    assert not holds("attribute", where={})
    assert holds("only", LEFT, key="noun")
    assert not holds("only", LEFT, key="colour")
    assert holds("other", LEFT, ref=1)
    assert not holds("other", MIDDLE, ref=1)


def test_places() -> None:
    assert holds("side", LEFT, side="left", ref=1)
    assert not holds("side", LEFT, side="right", ref=1)
    assert not holds("side", MIDDLE, side="above", ref=2)
    assert holds("half", LEFT, side="left")
    assert not holds("half", RIGHT, side="left")
    assert holds("half", MIDDLE, side="above")
    assert holds("point", LEFT, x=5, y=10)
    assert not holds("point", LEFT, x=10, y=5)
    assert not holds("point", LEFT, x=500, y=10)
    assert holds("box", LEFT, box=[5, 10, 25, 32])
    assert not holds("box", LEFT, box=[5, 10, 60, 30])


def test_orders() -> None:
    assert holds("rank", RIGHT, by="right", rank=0, where={})
    assert holds("rank", MIDDLE, by="right", rank=1, where={})
    assert holds("rank", MIDDLE, by="right", rank=0, where={"colour": "red"})
    assert holds("rank", LEFT, by="largest", rank=0, where={})
    assert holds("rank", MIDDLE, by="smallest", rank=0, where={})
    assert holds("rank", RIGHT, by="nearest", rank=0, where={}, ref=1)
    assert not holds("rank", LEFT, by="nearest", rank=0, where={}, ref=1)
    assert holds("rank", LEFT, by="farthest", rank=0, where={}, ref=2)
    assert not holds("rank", MIDDLE, by="nearest", rank=0, where={}, ref=1)


def test_contact() -> None:
    assert holds("touching", MIDDLE, ref=2)
    assert not holds("touching", LEFT, ref=2)
    assert holds("apart", LEFT, ref=2)
    assert holds("apart", LEFT)
    assert not holds("apart", MIDDLE)
    assert not holds("apart", EMPTY)
    assert not holds("touching", MIDDLE, ref=1)


def test_measures_that_were_said() -> None:
    assert holds("area", LEFT, percent=10)
    assert holds("area", LEFT, percent=12)
    assert not holds("area", LEFT, percent=13)
    assert not holds("area", EMPTY, percent=0)
    assert holds("centre", LEFT, x=15, y=50)
    assert holds("centre", LEFT, x=19, y=46)
    assert not holds("centre", LEFT, x=50, y=15)


@given(st.integers(0, 2**32))
def test_constraints_survive_json(seed: int) -> None:
    scene = make_scene(seed, SceneOptions(backgrounds=("plain",)))
    for question in make_questions(scene, 0, MASK_TASKS):
        for constraint in question.constraints:
            assert Constraint.from_json(constraint.to_json()) == constraint


@given(json_values | near_misses)
def test_hostile_constraints_are_refused_or_sound(value: object) -> None:
    try:
        constraint = Constraint.from_json(value)
    except MaskCodecError:
        return
    assert Constraint.from_json(constraint.to_json()) == constraint
    if (constraint.get("ref") or 0) > 2:
        with pytest.raises(MaskCodecError, match="refers to object"):
            check(constraint, [LEFT], FACTS)
    else:
        assert check(constraint, [LEFT], FACTS) in (True, False)


@given(json_values)
def test_hostile_facts_are_refused(value: object) -> None:
    for facts in (value, {"size": value, "objects": []}, {"size": [40, 100], "objects": value}):
        try:
            SceneFacts.from_json(facts)
        except RecordError:
            continue
        assert isinstance(facts, dict)


@pytest.mark.parametrize(
    "broken",
    [
        {"noun": "dog"},
        {"noun": "dog", "counts": 7},
        {"noun": "dog", "counts": "\x00"},
        {"noun": "dog", "counts": "0"},
        {"noun": 7, "counts": rle.to_string(rle.encode(LEFT)).decode()},
        {"noun": "dog", "counts": rle.to_string(rle.encode(EMPTY)).decode()},
        {"noun": "dog", "counts": rle.to_string(rle.encode(LEFT[:-1])).decode()},
    ],
)
def test_broken_objects_are_named(broken: dict[str, object]) -> None:
    with pytest.raises(RecordError, match=r"objects\[1\]"):
        SceneFacts.from_json({"size": [40, 100], "objects": [FACTS["objects"][0], broken]})


def test_what_does_not_fit_the_scene_is_refused() -> None:
    count = Constraint.make("count", n=1)
    with pytest.raises(MaskCodecError, match="expected bool"):
        check(count, [LEFT.T], FACTS)
    with pytest.raises(MaskCodecError, match="expected bool"):
        check(count, [LEFT.astype(np.uint8)], FACTS)
    with pytest.raises(MaskCodecError, match="object 9; the scene has 3"):
        check(Constraint.make("other", ref=9), [LEFT], FACTS)
    with pytest.raises(MaskCodecError, match="needs 'ref'"):
        Constraint.make("rank", by="nearest", rank=0, where={})
    assert check(count, [LEFT], FACTS)


def test_facts_say_what_the_scene_is() -> None:
    scene = make_scene(5, SceneOptions.tiny())
    facts = SceneFacts.from_json(scene.facts())
    for fact, one in zip(facts.objects, scene.objects, strict=True):
        assert np.array_equal(fact.mask, one.mask)
        assert (fact.area, fact.centre) == (one.area, one.centre)
        assert fact.attributes["colour"] == one.colour
