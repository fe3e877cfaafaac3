"""The report of scores: its sentences are true of its document, whatever that lacks or says."""

from __future__ import annotations

import ast
import copy
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from page_reader import HOSTILE, Page

import maskcodec
from eval import score_page_plots as plots
from eval.score_page import write_page
from eval.score_page_options import option
from eval.score_page_summary import lead, tenths, title
from eval.score_page_words import REPAIRS, TASKS, dataset, metric
from maskcodec import Mask, Repair
from maskcodec.scores import boxes, detection, grounded, panoptic, referring, semantic, video
from maskcodec.scores.conventions import CONVENTIONS
from maskcodec.sheet import Answer, Example, Group

FAMILIES = (semantic, panoptic, detection, video, grounded)


def score(name: str, value: float | None, ceiling: float | None = None) -> dict[str, Any]:
    low, high = (None, None) if value is None else (value - 0.01, value + 0.01)
    return {"name": name, "value": value, "low": low, "high": high, "ceiling": ceiling}


def made() -> dict[str, Any]:
    """A document with everything in it."""
    return {
        "schema": 1,
        "program": "maskcodec score",
        "command": "maskcodec score predictions.jsonl",
        "versions": {"maskcodec": "0.1.0"},
        "machine": {"cores": 2},
        "seed": 7,
        "kind": "referring",
        "preset": "refcoco",
        "dataset": "refcoco",
        "split": "val",
        "system": "ours",
        "convention": CONVENTIONS["lisa"].describe(),
        "inputs": {
            "predictions": [
                {"file": "p.jsonl", "sha256": "ab" * 32, "records": 99, "specs": ["text4seg"]}
            ],
            "truth": [{"file": "t.jsonl", "sha256": "cd" * 32, "records": 100}],
        },
        "counts": {
            "truth": 100,
            "scored": 100,
            "missing": 1,
            "invalid": 4,
            "repaired": 9,
            "extra": 2,
            "duplicate": 1,
            "rejected": 0,
        },
        "repairs": {"row-length": 11, "never-heard-of": 2},
        "scores": [score("cIoU", 0.741, 0.912), score("P@0.5", 0.8, 0.97), score("N-acc", None)],
        "groups": [
            {"name": "small", "count": 30, "scores": [score("cIoU", 0.4, 0.5)]},
            {"name": "no-target", "count": 0, "scores": []},
        ],
        "histogram": {"edges": [0, 0.5, 1], "counts": [20, 80], "ceiling": [3, 97]},
        "labels": [
            {"name": "cat", "count": 3, "iou": 0.7, "acc": 0.8},
            {"name": "dog", "count": 0, "iou": None, "acc": None},
            {"name": "cow", "count": 5, "iou": 0.2, "acc": 0.4},
        ],
        "comparison": {
            "system": "theirs",
            "scores": [
                {
                    "name": "cIoU",
                    "value": 0.741,
                    "other": 0.709,
                    "difference": 0.032,
                    "low": 0.02,
                    "high": 0.044,
                    "p": 0.0002,
                }
            ],
            "better": 60,
            "worse": 30,
            "same": 10,
            "test": "paired bootstrap",
        },
        "rows": "rows.jsonl",
    }


def example(name: str = "sample 1") -> Example:
    mask = Mask(np.eye(8, dtype=np.bool_), "cat")
    answer = Answer("text4seg", "<seg>", [mask], iou=0.3, repairs=[Repair("row", 0, "what")])
    return Example(
        name, "IoU .30", np.zeros((8, 8, 3), np.uint8), [Group("the cat", [mask], [answer])]
    )


def page(document: dict[str, Any], cases: list[Example] | None = None) -> Page:
    stream = io.BytesIO()
    write_page(stream, document, iter(cases or []))
    return Page(stream.getvalue().decode("utf-8"))


def test_a_page_says_who_lost_what() -> None:
    text = page(made(), [example()]).text
    for said in (
        "ours on RefCOCO val",
        "ours was scored on 100 questions of RefCOCO val",
        "Its cIoU is 74.1 % (95 % interval 73.1 to 75.1)",
        "keep 91.2 %: of the 25.9 points lost, the codec lost 8.8 and the model 17.1.",
        "Of the answers 4 could not be read, 9 were read after repair and 1 is missing",
        "ours scores better than theirs by 3.2 points of cIoU (95 % interval +2.0 to +4.4).",
        "ours is better on 60 questions, worse on 30 questions, the same on 10 questions",
        "a row of another length",
        "never-heard-of",
        "convention 'lisa'",
        "text4seg",
        "abababababababab",
        "sample 1",
        "the cat",
        "predictions for samples that the truth does not have",
    ):
        assert said in text, said


def test_links_of_the_page_lead_to_its_sections() -> None:
    found = page(made(), [example()])
    assert len(found.links) == 9
    assert found.links == found.ids


def test_labels_stand_lowest_first_and_absent_ones_last() -> None:
    text = page(made()).text
    assert text.index("cow") < text.index(" cat ") < text.index("dog")
    assert "1 of them occurs neither" in text


def test_labels_without_an_iou_are_led_by_another_figure() -> None:
    document = made()
    document["labels"] = [
        {"name": "sky", "count": 2, "iou": None, "stuff": True, "pq": 0.9, "tp": 2},
        {"name": "car", "count": 3, "iou": None, "stuff": False, "pq": 0.4, "tp": 1},
    ]
    text = page(document).text
    assert text.index(" car ") < text.index(" sky ")
    assert "occur" not in text.split("Labels")[2].split("Answers that failed")[0]
    assert "PQ" in text


def test_a_score_means_what_it_does_in_its_kind() -> None:
    assert "labels" in metric("mIoU", "semantic")
    assert "gIoU" in metric("mIoU", "referring")
    assert "things" in metric("PQ_th", "panoptic")


def test_the_sentence_adds_up_as_it_is_printed() -> None:
    document = made()
    document["scores"] = [score("gIoU", 0.7445, 0.91249)]
    sentence = lead(document)[2]
    lost, codec, model = map(float, re.findall(r"(\d+\.\d)(?!\d* %)", sentence)[-3:])
    assert round(codec + model, 1) == lost


def test_predictions_above_the_ceiling_are_not_called_a_loss() -> None:
    document = made()
    document["scores"] = [score("gIoU", 0.95, 0.9)]
    assert "less than the predictions reach" in lead(document)[2]
    page(document)


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(0.01, 0.05, "better"), (-0.05, -0.01, "worse"), (-0.01, 0.02, "may be chance")],
)
def test_a_comparison_says_what_its_interval_says(low: float, high: float, said: str) -> None:
    document = made()
    document["comparison"]["scores"][0] |= {"low": low, "high": high}
    assert said in lead(document)[-1]
    shown = {"may be chance": "unclear"}.get(said, said)
    assert shown in page(document).text


@pytest.mark.parametrize("missing", [*made()])
def test_a_page_does_without_anything(missing: str) -> None:
    document = made()
    del document[missing]
    page(document)
    page({**document, missing: None})


@pytest.mark.parametrize("kind", [*TASKS, "new"])
def test_every_kind_has_a_page(kind: str) -> None:
    assert "ours was scored on 100 " in page({**made(), "kind": kind}).text


def test_nothing_at_all_is_said_so() -> None:
    text = page({}).text
    assert "There is no score" in text
    assert "Scores of predictions" in text
    zero = made() | {"counts": {"truth": 0}, "scores": [score("cIoU", None)]}
    zero["histogram"] = {"edges": [0, 1], "counts": [0], "ceiling": None}
    assert "There is no score" in page(zero).text


def test_no_figures_but_values() -> None:
    document = made()
    for one in (*document["scores"], *document["groups"][0]["scores"]):
        one.update(low=None, high=None, ceiling=None)
    document["histogram"]["ceiling"] = None
    text = page(document).text
    assert "no codec is known" in text
    assert "95 % interval" not in text.split("Two systems")[0].split("ours scores better")[0]


def test_all_right_answers_are_praised() -> None:
    document = made()
    document["counts"] = {"truth": 3, "scored": 3}
    assert "Every answer is there and could be read as it stands." in lead(document)


def _poisoned(value: Any, text: str) -> Any:
    """The document with every string but the names of its fields replaced."""
    if isinstance(value, str):
        return text
    if isinstance(value, dict):
        fields = {key: _poisoned(part, text) for key, part in value.items()}
        if value and all(isinstance(part, int) for part in value.values()):
            fields[text] = 1  # kinds of repair are keys, and come from anywhere
        return fields
    return [_poisoned(part, text) for part in value] if isinstance(value, list) else value


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_strings_are_shown_and_not_obeyed(text: str) -> None:
    document = _poisoned(made(), text)
    stream = io.BytesIO()
    write_page(stream, document, [example(text)])
    found = stream.getvalue().decode("utf-8")
    Page(found)
    assert "<script" not in found
    assert "\x1b" not in found


def test_a_document_is_not_changed() -> None:
    document = made()
    before = copy.deepcopy(document)
    page(document, [example()])
    assert document == before


def test_bars_show_shares_of_their_width() -> None:
    drawn = plots.loss_bar(0.5, 0.4, 0.6, 0.75, "cIoU")
    widths = {
        ink: float(width)
        for ink, width in re.findall(r'<rect class="(\w+)"[^>]* width="([\d.]+)"', drawn)
    }
    assert widths["kept"] == pytest.approx(widths["track"] / 2, abs=0.1)
    assert widths["model"] == pytest.approx(widths["track"] / 4, abs=0.1)
    assert widths["codec"] == pytest.approx(widths["track"] / 4, abs=0.1)


def test_a_histogram_has_a_bar_for_each_bin_that_is_not_empty() -> None:
    drawn = plots.histogram({"edges": [0, 0.25, 0.5, 1], "counts": [1, 0, 3], "ceiling": None})
    heights = [float(height) for height in re.findall(r'<rect[^>]* height="([\d.]+)"', drawn)]
    assert len(heights) == 2
    assert heights[1] == pytest.approx(3 * heights[0], abs=0.3)


@pytest.mark.parametrize("most", [0.01, 0.04, 0.17, 0.33, 0.5, 0.99, 1.0])
def test_ticks_are_few_and_round(most: float) -> None:
    found = plots.ticks(most)
    assert 3 <= len(found) <= 6
    assert found[0] == 0
    assert found[-1] <= most + 1e-9


def test_words() -> None:
    assert metric("P@0.5") == "the share of samples with an IoU of .50 or more"
    assert metric("P@50") == metric("P@0.5")
    assert "box" in metric("REC@0.5")
    assert metric("unheard") == ""
    assert dataset({"dataset": "refcoco+", "split": None}) == "RefCOCO+"
    assert title({"system": "x"}) == "Scores of x"
    assert tenths(0.7449) == 745
    assert option("small", 1024) == ("an object is small below", "1,024 pixels")
    assert option("unheard", "x") == ("unheard", "x")
    assert all(text == text.strip() and not text.endswith(".") for text in REPAIRS.values())


def test_every_option_of_every_convention_has_words() -> None:
    families = (CONVENTIONS, *(family.CONVENTIONS for family in FAMILIES))
    for convention in (one for family in families for one in family.values()):
        for name, value in convention.options.items():
            what, said = option(name, value)
            assert what != name
            assert said != value or name == "frames", (name, value)


def test_every_score_has_words() -> None:
    others = ("mIoU", "fwIoU", "pAcc", "mAcc", "AP", "AP50", "AP75", "PQ", "SQ_th", "RQ_st")
    videos = ("J&F", "J", "F", "J_recall", "F_decay")
    for name in (*referring.NAMES, *boxes.NAMES, *grounded.NAMES, *others, *videos):
        assert metric(name), name


def test_a_part_is_said_to_be_one() -> None:
    assert "Parts 1/3, 2/3 are lacking" in page({**made(), "lacking": ["1/3", "2/3"]}).text


def test_warnings_stand_at_the_top() -> None:
    text = page({**made(), "warnings": ["run lengths look turned"]}).text
    assert text.index("Run lengths look turned") < text.index("The codec turns")


def test_equal_systems_are_the_same() -> None:
    document = made()
    document["comparison"]["scores"][0] |= {"difference": 0.0, "low": 0.0, "high": 0.0}
    assert lead(document)[-1] == "ours scores the same as theirs."


def html(document: dict[str, Any]) -> str:
    stream = io.BytesIO()
    write_page(stream, document, iter([]))
    return stream.getvalue().decode("utf-8")


def test_colours_are_explained_before_they_are_used() -> None:
    found = html(made())
    assert found.index("lost by the codec</li>") < found.index("<tbody>")


def test_parts_are_explained_by_their_names() -> None:
    row = re.search("<th scope=row>small(.*?)</tr>", html(made()), re.DOTALL)
    assert row is not None
    assert row[1].startswith("<small>true masks under 32² pixels</small></th>")


def _kinds(call: ast.Call) -> set[str]:
    """The kinds of repair that a call notes, where they are written out."""
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    if name not in ("note", "_note", "Repair"):
        return set()
    nodes = [node for first in call.args[:1] for node in ast.walk(first)]
    values = [node.value for node in nodes if isinstance(node, ast.Constant)]
    return {value for value in values if isinstance(value, str) and value}


def test_every_kind_of_repair_has_words() -> None:
    package = Path(maskcodec.__file__).parent
    kinds: set[str] = set()
    for path in package.rglob("*.py"):
        calls = (one for one in ast.walk(ast.parse(path.read_text("utf-8"))))
        kinds = kinds.union(*(_kinds(one) for one in calls if isinstance(one, ast.Call)))
    assert {"rows-missing", "row", "more", "picture"} <= kinds
    assert kinds - REPAIRS.keys() == set()
