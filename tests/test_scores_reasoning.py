"""Step consistency, answer-guided IoU and constraint satisfaction."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from maskcodec import Mask
from maskcodec.chat import tag
from maskcodec.datasets.scene_facts import SceneFacts
from maskcodec.datasets.scene_options import SceneOptions
from maskcodec.datasets.scene_questions import make_questions
from maskcodec.datasets.scenes import Scene, make_scene
from maskcodec.scores.pair import Pair
from maskcodec.scores.reasoning import examine, facts_of_scene, plain, right_answer
from maskcodec.scores.referring import compare, summarize

SIZE = (100, 100)


def box(left: int, top: int, right: int, bottom: int, label: str = "star") -> Mask:
    array = np.zeros(SIZE, np.bool_)
    array[top:bottom, left:right] = True
    return Mask(array, label)


def pair(preds: list[Mask], targets: list[Mask], **fields: Any) -> Pair:
    return Pair("a", SIZE, tuple(preds), tuple(targets), task="reasoning", **fields)


LEFT = box(10, 40, 30, 60)
TEXT = f"Its centre is at 20 50. It covers 4 percent of the image. {tag('x')}"


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return [make_scene(seed, SceneOptions(size=(96, 96))) for seed in range(12)]


def asked(scene: Scene, task: str) -> Pair | None:
    """A sample whose answer is the truth."""
    questions = make_questions(scene, 0, tasks=[task])
    if not questions:
        return None
    masks = tuple(questions[0].masks(scene))
    return Pair(
        f"scene-{scene.seed}#0",
        scene.size,
        masks,
        masks,
        task=task,
        constraints=tuple(one.to_json() for one in questions[0].constraints),
        text=" ".join([*questions[0].reasons, tag("x")]),
    )


def test_the_truth_keeps_everything(scenes: list[Scene]) -> None:
    statements = constraints = 0
    for scene in scenes:
        sample = asked(scene, "reasoning")
        if sample is None:
            continue
        found = examine(sample, SceneFacts.from_json(scene.facts()))
        assert found.answer_right is True
        assert found.constraints == (len(sample.constraints or ()),) * 2
        assert found.step is None or found.step[0] == found.step[1]
        statements += found.step is not None
        constraints += found.constraints[1]
    assert statements > 3
    assert constraints > 10


def test_another_object_breaks_something(scenes: list[Scene]) -> None:
    for scene in scenes:
        sample = asked(scene, "reasoning")
        if sample is None or len(scene.objects) < 2:
            continue
        wrong = next(one for one in scene.objects if (one.mask != sample.preds[0].array).any())
        answer = Pair(sample.id, sample.size, (Mask(wrong.mask, "x"),), sample.targets,
                      constraints=sample.constraints, text=sample.text)  # fmt: skip
        found = examine(answer, SceneFacts.from_json(scene.facts()))
        assert found.constraints is not None
        assert found.constraints[0] < found.constraints[1]


def test_statements_are_measured_on_the_predicted_mask() -> None:
    found = examine(pair([LEFT], [LEFT], text=TEXT))
    assert found.step is not None
    statements = found.step[1]
    assert found.step == (statements, statements)
    assert statements >= 1
    other = examine(pair([box(60, 0, 100, 100)], [LEFT], text=TEXT))
    assert other.step == (0, statements)
    assert examine(pair([], [LEFT], text=TEXT)).step == (0, statements)


def test_statements_are_read_with_tags_and_without() -> None:
    for text in ("Its centre is at 20 50.", "its CENTRE is at 20 50. dog: 1,2,3,4 az"):
        assert examine(pair([LEFT], [LEFT], text=text)).step == (1, 1)


def test_every_statement_has_a_word_that_is_looked_for(scenes: list[Scene]) -> None:
    found = 0
    for scene in scenes:
        for question in make_questions(scene, 0, tasks=["reasoning"]):
            for sentence in question.reasons:
                found += 1
                facts = SceneFacts.from_json(scene.facts())
                masks = tuple(question.masks(scene))
                said = examine(Pair("a", scene.size, masks, masks, text=sentence), facts).step
                assert said == (1, 1), sentence
    assert found > 10


def test_without_prose_there_is_nothing_to_check() -> None:
    assert examine(pair([LEFT], [LEFT])).step is None
    assert examine(pair([LEFT], [LEFT], text="dog *12\n others *4")).step is None
    assert examine(pair([LEFT], [LEFT], text=f"Here it is: {tag('x')}")).step is None
    inside = tag("Its centre is at 20 50.")
    assert examine(pair([LEFT], [LEFT], text=f"Here: {inside}")).step is None


def test_without_facts_only_what_stands_alone_is_checked() -> None:
    constraints = (
        {"kind": "half", "side": "left"},
        {"kind": "half", "side": "right"},
        {"kind": "side", "side": "left", "ref": 0},
        {"kind": "rank", "by": "largest", "rank": 0, "where": {}},
    )
    assert examine(pair([LEFT], [LEFT], constraints=constraints)).constraints == (1, 2)
    facts = SceneFacts(SIZE, ())
    assert examine(pair([LEFT], [LEFT], constraints=constraints), facts).constraints == (2, 3)
    assert examine(pair([LEFT], [LEFT], constraints=constraints[2:])).constraints is None


@pytest.mark.parametrize(
    "value", [7, None, {}, {"kind": "odd"}, {"kind": "half"}, {"kind": "side", "side": "left"}]
)
def test_constraints_that_cannot_be_read_are_not_counted(value: Any) -> None:
    constraints = (value, {"kind": "half", "side": "left"})
    assert examine(pair([LEFT], [LEFT], constraints=constraints)).constraints == (1, 1)


@pytest.mark.parametrize(
    ("preds", "targets", "expected"),
    [
        (["star"], ["star"], True),
        (["The  Star."], ["star"], True),
        (["star", "star"], ["star"], True),
        (["star"], ["dog", "star"], False),
        (["dog"], ["star"], False),
        ([], ["star"], False),
        ([""], ["star"], False),
        (["star"], [""], None),
        (["star"], [], None),
    ],
)
def test_an_answer_is_right_by_its_labels(
    preds: list[str], targets: list[str], expected: bool | None
) -> None:
    sides = [[box(0, 0, 5, 5, label) for label in labels] for labels in (preds, targets)]
    assert right_answer(pair(*sides)) is expected


def test_phrases_are_compared_without_case_articles_and_punctuation() -> None:
    assert plain("  The Red-Star!") == "red star"
    assert plain("a") == "a"
    assert plain("An apple") == "apple"
    assert plain("Äpfel") == "äpfel"


def test_scores_of_the_indicators() -> None:
    half = box(10, 40, 30, 50)
    rows = [
        compare(pair([LEFT], [LEFT], text=TEXT, constraints=({"kind": "half", "side": "left"},))),
        compare(pair([half], [LEFT], constraints=(
            {"kind": "half", "side": "right"}, {"kind": "half", "side": "left"}))),
        compare(pair([box(10, 40, 30, 60, "dog")], [LEFT])),
    ]  # fmt: skip
    found = summarize(rows)
    assert found["answer_accuracy"] == 2 / 3
    assert found["answer_guided_IoU"] == (1 + 0.5) / 2
    assert found["constraint_satisfaction"] == 2 / 3
    assert found["all_constraints"] == 1 / 2
    assert found["step_consistency"] == 1
    assert summarize(rows[2:])["step_consistency"] is None


def test_a_scene_is_known_again_by_its_number(scenes: list[Scene]) -> None:
    scene = make_scene(3)
    sample = asked(scene, "referring")
    assert sample is not None
    facts = facts_of_scene(sample)
    assert facts is not None
    assert len(facts.objects) == len(scene.objects)
    assert facts_of_scene(sample, SceneOptions.tiny()) is None
    moved = Pair(sample.id, sample.size, (), (Mask(np.roll(sample.targets[0].array, 1, 0)),))
    assert facts_of_scene(moved) is None
    assert facts_of_scene(pair([], [])) is None
    assert facts_of_scene(Pair("scene-x#1", SIZE, (), ())) is None
