"""Questions about scenes: their truth keeps their constraints, and nothing else does."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from maskcodec import MaskCodecError
from maskcodec.datasets.question import Question
from maskcodec.datasets.scene_checks import check
from maskcodec.datasets.scene_constraints import Constraint
from maskcodec.datasets.scene_facts import SceneFacts
from maskcodec.datasets.scene_questions import MASK_TASKS, TASKS, TEXT_TASKS, make_questions
from maskcodec.datasets.scene_statements import read_statements
from maskcodec.datasets.scene_words import plural, with_article
from maskcodec.datasets.scenes import Scene, SceneOptions, make_scene
from maskcodec.datasets.silhouettes import Silhouette

Bits = npt.NDArray[np.bool_]

seeds = st.integers(0, 2**32)
KINDS = {
    "tiny": SceneOptions.tiny(),
    "full": SceneOptions(objects=(1, 6), backgrounds=("plain",)),
    "crowded": SceneOptions(
        size=(80, 100),
        objects=(4, 8),
        extents=(0.15, 0.4),
        colours=("red", "blue", "green"),
        shapes=("circle", "star", "square"),
        backgrounds=("plain",),
    ),
}
kinds = st.sampled_from(sorted(KINDS))


def ask(seed: int, kind: str) -> tuple[Scene, SceneFacts, list[Question]]:
    scene = make_scene(seed, KINDS[kind])
    tasks = (*MASK_TASKS, "referring", "reasoning", "generalised", "prompted")
    return scene, SceneFacts.from_json(scene.facts()), make_questions(scene, seed, tasks)


def satisfied(
    constraints: Sequence[Constraint], masks: Sequence[Bits], facts: SceneFacts
) -> list[bool]:
    return [check(one, masks, facts) for one in constraints]


def arrays(question: Question, scene: Scene) -> list[Bits]:
    return [mask.array for mask in question.masks(scene)]


@given(seeds, kinds)
def test_the_truth_keeps_every_constraint(seed: int, kind: str) -> None:
    scene, facts, questions = ask(seed, kind)
    for question in questions:
        kept = satisfied(question.constraints, arrays(question, scene), facts)
        assert all(kept), (question, kept)
        assert question.constraints or not question.asks_masks


@given(seeds, kinds)
def test_a_wrong_object_breaks_a_constraint(seed: int, kind: str) -> None:
    scene, facts, questions = ask(seed, kind)
    for question in questions:
        right = arrays(question, scene)
        if question.task in ("semantic", "grounded"):
            continue
        for place in range(len(right)):
            for index, other in enumerate(scene.objects):
                if index not in question.targets:
                    wrong = [*right[:place], other.mask, *right[place + 1 :]]
                    kept = satisfied(question.constraints, wrong, facts)
                    assert not all(kept), (question, index)


@given(seeds, kinds)
def test_one_too_few_or_too_many_breaks_a_constraint(seed: int, kind: str) -> None:
    scene, facts, questions = ask(seed, kind)
    for question in questions:
        right = arrays(question, scene)
        if not question.asks_masks:
            continue
        for wrong in [right[:-1]] if right else []:
            assert not all(satisfied(question.constraints, wrong, facts)), question
        more = [*right, scene.objects[0].mask]
        assert not all(satisfied(question.constraints, more, facts)), question
        empty = [np.zeros(scene.size, dtype=np.bool_) for _ in right]
        assert not right or not all(satisfied(question.constraints, empty, facts))


@given(seeds, kinds)
def test_swapped_phrases_of_a_caption_break_a_constraint(seed: int, kind: str) -> None:
    scene, facts, questions = ask(seed, kind)
    for question in questions:
        if question.task == "grounded" and len({*question.labels}) == len(question.labels) > 1:
            wrong = arrays(question, scene)[::-1]
            if len(wrong) % 2 == 0:
                assert not all(satisfied(question.constraints, wrong, facts)), question


@given(seeds, kinds)
def test_a_mask_that_is_a_pixel_off_still_keeps_what_it_understood(seed: int, kind: str) -> None:
    """Constraints measure understanding: a small fault of the outline breaks none of these."""
    scene, facts, questions = ask(seed, kind)
    for question in questions:
        right = arrays(question, scene)
        assume(all(mask.sum() > 80 for mask in right))
        shifted = [np.roll(mask, 1, axis=1) for mask in right]
        for constraint, kept in zip(
            question.constraints, satisfied(question.constraints, shifted, facts), strict=True
        ):
            if constraint.kind in ("count", "distinct", "side", "covers", "only"):
                assert kept, (question, constraint)


@given(seeds, kinds)
def test_questions_are_sound(seed: int, kind: str) -> None:
    scene = make_scene(seed, KINDS[kind])
    questions = make_questions(scene, 3, TASKS * 2)
    assert len({(one.text, one.prompts) for one in questions}) == len(questions)
    for one in questions:
        assert len(one.targets) == len(one.labels)
        assert all(0 <= index < len(scene.objects) for index in (*one.targets, *one.prompts))
        assert one.text.count("{mask}") == len(one.prompts)
        assert not re.search(r"[{}]|  ", one.text.replace("{mask}", ""))
        if one.task in TEXT_TASKS:
            assert one.answer
            assert not one.masks(scene)
        if one.answer is not None:
            assert "".join(text for text, _ in one.pieces()) == one.answer


def test_answers_in_words_are_true() -> None:
    answers: Counter[str] = Counter()
    for seed in range(150):
        scene = make_scene(seed, KINDS["tiny"])
        for one in make_questions(scene, 0, TEXT_TASKS):
            assert one.answer is not None
            answers[one.task] += 1
            if one.task == "count":
                assert int(one.answer) == len(one.targets)
                colour = next((c for c in scene.options.colours if f" {c} " in one.text), None)
                if colour and re.search(rf"{colour} (objects|things|shapes)", one.text):
                    assert int(one.answer) == sum(o.colour == colour for o in scene.objects)
            elif one.task == "locate":
                for part, index in zip(one.answer.split(", "), one.targets, strict=True):
                    edges = [value * 64 / 100 for value in map(int, part.split())]
                    assert np.abs(np.subtract(edges, scene.objects[index].box)).max() <= 0.33
            elif one.task == "name":
                named = scene.objects[one.targets[0]]
                assert one.answer in (named.label, named.colour, named.noun)
                if place := re.search(r"at (\d+) (\d+)", one.text):
                    x, y = (int(value) * 64 // 100 for value in place.groups())
                    assert named.mask[y, x]
            else:
                answers[one.answer] += 1
                words = one.text.rstrip("?").split()
                said = [w for w in words if w in {*scene.options.colours, *scene.options.shapes}]
                there = any({*said} <= {o.colour, o.noun} for o in scene.objects)
                assert one.answer == "no" or there
                assert one.answer == "yes" or not there
    assert all(answers[task] > 130 for task in TEXT_TASKS)
    assert 0.35 < answers["no"] / answers["exist"] < 0.65


def test_every_kind_of_constraint_and_of_answer_occurs() -> None:
    kinds_seen: Counter[str] = Counter()
    per_task: Counter[str] = Counter()
    none = several = 0
    for seed in range(120):
        _, _, questions = ask(seed, "crowded")
        for question in questions:
            per_task[question.task] += 1
            kinds_seen.update({constraint.kind for constraint in question.constraints})
            if question.task == "generalised":
                none += not question.targets
                several += len(question.targets) > 1
    assert {"touching", "apart", "only", "half", "rank", "side", "other", "point", "box"} <= {
        *kinds_seen
    }
    assert min(per_task[task] for task in MASK_TASKS) > 100
    assert none > 30
    assert several > 50


def test_silhouettes_are_named_by_their_category() -> None:
    bar = np.ones((10, 40), dtype=np.bool_)
    corner = np.ones((30, 30), dtype=np.bool_)
    corner[:15, :15] = False
    options = SceneOptions(
        silhouettes=(Silhouette("wine glass", bar), Silhouette("person", corner)),
        backgrounds=("plain",),
        objects=(2, 4),
    )
    texts = ""
    for seed in range(30):
        scene = make_scene(seed, options)
        assert {one.noun for one in scene.objects} <= {"wine glass", "person"}
        for one in make_questions(scene, 0, TASKS):
            texts += one.text + "\n"
    assert "people" in texts
    assert "wine glasses" in texts
    assert "shape" not in texts


def test_label_maps_join_what_has_one_name() -> None:
    scene = make_scene(3, KINDS["crowded"])
    (question,) = make_questions(scene, 0, ("semantic",))
    masks = question.masks(scene)
    assert [mask.label for mask in masks] == list(dict.fromkeys(o.noun for o in scene.objects))
    for mask in masks:
        parts = [one.mask for one in scene.objects if one.noun == mask.label]
        assert np.array_equal(mask.array, np.logical_or.reduce(parts))


def test_questions_repeat_and_differ_by_seed() -> None:
    scene = make_scene(11, KINDS["crowded"])
    assert make_questions(scene, 4, TASKS) == make_questions(scene, 4, TASKS)
    assert make_questions(scene, 4, TASKS) != make_questions(scene, 5, TASKS)
    with pytest.raises(MaskCodecError, match="no task 'draw'"):
        make_questions(scene, 0, ("draw",))
    with pytest.raises(MaskCodecError, match="seed"):
        make_questions(scene, -1)


@given(seeds, kinds)
def test_reasons_are_read_back_and_true(seed: int, kind: str) -> None:
    scene = make_scene(seed, KINDS[kind])
    facts = SceneFacts.from_json(scene.facts())
    for question in make_questions(scene, seed, ("reasoning",) * 3):
        masks = arrays(question, scene)
        found = read_statements("So. " + " ".join(question.reasons) + " Done", facts)
        assert tuple(one.text for one in found) == question.reasons
        for statement in found:
            assert statement.constraint is not None
            assert check(statement.constraint, masks, facts), statement


def test_statements_of_a_model() -> None:
    scene = make_scene(1, KINDS["crowded"])
    facts = SceneFacts.from_json(scene.facts())
    noun = scene.objects[0].noun
    text = f"of the small RED {noun}s, it is the largest. It covers 7 percent of the image."
    ranked, sized = read_statements(text, facts)
    assert ranked.constraint is not None
    assert ranked.constraint.get("where") == (("colour", "red"), ("noun", noun), ("size", "small"))
    assert sized.constraint == Constraint.make("area", 0, percent=7)
    (unknown,) = read_statements("Of the green unicorns, it is the largest.", facts)
    assert unknown.constraint is None
    assert read_statements("It is nice. It covers many percent of the image.", facts) == []


@given(st.text(max_size=200))
def test_any_text_can_be_read(text: str) -> None:
    facts = SceneFacts.from_json(make_scene(1, KINDS["tiny"]).facts())
    for wrapped in (text, f"Of the {text}, it is the largest.", f"Its centre is at {text} 7."):
        for statement in read_statements(wrapped, facts):
            assert statement.text in wrapped


def test_words() -> None:
    many = {"cross": "crosses", "bus": "buses", "knife": "knives", "baby": "babies"}
    many |= {"toy": "toys", "hot dog": "hot dogs", "skis": "skis", "sandwich": "sandwiches"}
    assert {noun: plural(noun) for noun in many} == many
    assert with_article("orange ring") == "an orange ring"
    assert with_article("red ring") == "a red ring"
