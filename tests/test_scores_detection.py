"""Mask AP and boundary AP against pycocotools, faster-coco-eval, and figures worked out by hand."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import draw_array

from maskcodec import Mask, MaskCodecError, RecordError, rle
from maskcodec.records import Record
from maskcodec.scores.detection import (
    DetectionColumns,
    DetectionRow,
    compare,
    label_table,
    summarize,
)
from maskcodec.scores.label_map import LabelSet
from maskcodec.scores.pair import Pair

NAMES = ("dog", "cat", "bird")
LABELS = LabelSet(NAMES)
KEYS = (
    "AP", "AP50", "AP75", "AP_S", "AP_M", "AP_L", "AR1", "AR10", "AR100", "AR_S", "AR_M", "AR_L",
)  # fmt: skip


@st.composite
def images(
    draw: st.DrawFn, *, scored: bool = True, least: int = 1, largest: int = 130
) -> list[Pair]:
    """Images with true objects, crowds, and predictions that are near them or not."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    found = []
    for number in range(draw(st.integers(1, 4))):
        size = (int(random.integers(least, largest)), int(random.integers(least, largest)))
        masks = [
            Mask(
                draw_array(
                    str(
                        random.choice(
                            ["rectangle", "ellipses", "empty", "dot", "full"],
                            p=[0.5, 0.35, 0.05, 0.05, 0.05],
                        )
                    ),
                    size,
                    int(random.integers(2**32)),
                ),
                str(random.choice(NAMES)),
            )
            for _ in range(int(random.integers(0, 7)))
        ]
        crowded = [bool(random.random() < 0.2) for _ in masks]
        preds = []
        for _ in range(int(random.integers(0, 9))):
            mask = masks[int(random.integers(len(masks)))] if masks else None
            if mask is None or random.random() < 0.2:
                mask = Mask(draw_array("rectangle", size, int(random.integers(2**32))), "dog")
            shift = tuple(int(one) for one in random.integers(-3, 4, 2))
            label = mask.label if random.random() < 0.8 else str(random.choice(NAMES))
            score = float(random.choice([0.1, 0.25, 0.5, 0.75, 0.9])) if scored else None
            preds.append(Mask(np.roll(mask.array, shift, (0, 1)), label, score))
        found.append(
            Pair(
                str(number),
                size,
                tuple(preds),
                tuple(m for m, c in zip(masks, crowded, strict=True) if not c),
                crowds=tuple(m for m, c in zip(masks, crowded, strict=True) if c),
            )
        )
    return found


def documents(pairs: Sequence[Pair]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Truth and predictions as COCO writes them."""
    annotations: list[dict[str, Any]] = []
    results: list[dict[str, Any]] = []
    for pair in pairs:
        for at, mask in enumerate((*pair.targets, *pair.crowds)):
            said = pair.areas[at] if pair.areas and at < len(pair.targets) else mask.area
            annotations.append(
                entry(mask, pair)
                | {
                    "id": len(annotations) + 1,
                    "area": said,
                    "iscrowd": int(at >= len(pair.targets)),
                }
            )
        for mask in pair.preds:
            score = 1.0 if mask.score is None else mask.score
            results.append(entry(mask, pair) | {"score": score})
    document = {
        "info": {},
        "images": [
            {"id": int(pair.id), "height": pair.size[0], "width": pair.size[1]} for pair in pairs
        ],
        "categories": [{"id": at, "name": name} for at, name in enumerate(NAMES, start=1)],
        "annotations": annotations,
    }
    return document, results


def entry(mask: Mask, pair: Pair) -> dict[str, Any]:
    return {
        "image_id": int(pair.id),
        "category_id": NAMES.index(mask.label) + 1,
        "segmentation": {
            "size": list(pair.size),
            "counts": rle.to_string(rle.encode(mask.array)).decode("ascii"),
        },
    }


def by_pycocotools(pairs: Sequence[Pair]) -> list[float]:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    document, results = documents(pairs)
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = document
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(results), "segm")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return [float(value) for value in evaluation.stats[:12]]


def by_faster_coco_eval(pairs: Sequence[Pair], kind: str) -> list[float]:
    faster = pytest.importorskip("faster_coco_eval")
    document, results = documents(pairs)
    truth = faster.COCO(document)
    evaluation = faster.COCOeval_faster(
        truth, truth.loadRes(results), kind, print_function=lambda *_: None, extra_calc=False
    )
    evaluation.run()
    return [float(value) for value in evaluation.all_stats[:12]]


def agree(found: Mapping[str, float | None], expected: Sequence[float], prefix: str = "") -> None:
    """COCO writes -1 where nothing is to be found."""
    values = [found[prefix + key] for key in KEYS]
    assert [-1.0 if value is None else value for value in values] == pytest.approx(
        list(expected), abs=1e-12
    )


@settings(deadline=None, max_examples=40)
@given(images())
def test_pycocotools_agrees(pairs: list[Pair]) -> None:
    if any(pair.preds for pair in pairs):
        rows = [compare(pair, LABELS, boundary=False) for pair in pairs]
        found = summarize(rows, "coco", LABELS)
        assert not any(key.startswith("boundary") for key in found)
        agree(found, by_pycocotools(pairs))


# In images of one or two rows its boundaries differ from those of its own OpenCV backend.
@settings(deadline=None, max_examples=30)
@given(images(least=3))
def test_faster_coco_eval_agrees(pairs: list[Pair]) -> None:
    if any(pair.preds for pair in pairs):
        found = summarize([compare(pair, LABELS) for pair in pairs], "coco", LABELS)
        agree(found, by_faster_coco_eval(pairs, "segm"))
        agree(found, by_faster_coco_eval(pairs, "boundary"), "boundary_")


@settings(deadline=None, max_examples=20)
@given(images(scored=False))
def test_predictions_without_confidence_rank_as_they_come(pairs: list[Pair]) -> None:
    if any(pair.preds for pair in pairs):
        rows = [compare(pair, LABELS, boundary=False) for pair in pairs]
        agree(summarize(rows, "coco", LABELS), by_pycocotools(pairs))
        # The order of rows is not the order of images.
        agree(summarize(rows[::-1], "coco", LABELS), by_pycocotools(pairs))


WIDTH = 12


def band(start: int, stop: int, label: str = "dog", score: float | None = None) -> Mask:
    """A mask of the columns from `start` to `stop` of an image of 12 columns."""
    array = np.zeros((4, WIDTH), np.bool_)
    array[:, start:stop] = True
    return Mask(array, label, score)


def row_of(
    preds: Sequence[Mask], truth: Sequence[Mask], name: str = "1", **more: Any
) -> DetectionRow:
    return compare(Pair(name, (4, WIDTH), tuple(preds), tuple(truth), **more), LABELS)


def test_figures_by_hand() -> None:
    preds = [band(0, 4, score=0.9), band(5, 7, score=0.8), band(8, 12, score=0.7)]
    scores = summarize([row_of(preds, [band(0, 4), band(8, 12)])], "coco", LABELS)
    assert scores["AP"] == pytest.approx((51 + 50 * 2 / 3) / 101)
    assert (scores["AR1"], scores["AR10"]) == (0.5, 1.0)
    assert (scores["AP_S"], scores["AP_M"]) == (scores["AP"], None)
    # An IoU of 3/4 is right at six of the ten thresholds.
    scores = summarize([row_of([band(0, 3)], [band(0, 4)])], "coco", LABELS)
    assert scores["AP"] == pytest.approx(0.6)
    assert (scores["AP50"], scores["AP75"]) == (1.0, 1.0)


def test_a_true_mask_is_matched_once() -> None:
    twice = [band(0, 4, score=0.9), band(0, 4, score=0.8)]
    scores = summarize([row_of(twice, [band(0, 4), band(6, 9)])], "coco", LABELS)
    assert scores["AP"] == pytest.approx(51 / 101)
    inside = [band(0, 4, score=0.5), band(6, 8, score=0.9), band(9, 11, score=0.8)]
    assert (
        summarize([row_of(inside, [band(0, 4)], crowds=(band(6, 12),))], "coco", LABELS)["AP"]
        == 1.0
    )


def test_equal_confidences_may_rank_at_once() -> None:
    right, wrong = [band(0, 4)], [band(6, 9)]
    truth = [band(0, 4)]
    first = [row_of(right, truth, "1"), row_of(wrong, [], "2")]
    second = [row_of(wrong, [], "1"), row_of(right, truth, "2")]
    assert summarize(first, "coco", LABELS)["AP"] == 1.0
    assert summarize(second, "coco", LABELS)["AP"] == pytest.approx(0.5)
    for rows in (first, second):
        assert summarize(rows, "maskcodec", LABELS)["AP"] == pytest.approx(0.5)
        assert summarize(rows, "coco:ties=together", LABELS)["AP"] == pytest.approx(0.5)


@settings(deadline=None, max_examples=20)
@given(images(), st.randoms())
def test_ranked_at_once_no_order_matters(pairs: list[Pair], random: Any) -> None:
    rows = [compare(pair, LABELS, boundary=False) for pair in pairs]
    expected = summarize(rows, "maskcodec", LABELS)
    names = list(range(len(rows)))
    random.shuffle(names)
    renamed = [
        DetectionRow.from_record(Record("r", 1, row.fields() | {"id": str(name)}))
        for row, name in zip(rows, names, strict=True)
    ]
    found = summarize(renamed, "maskcodec", LABELS)
    for key in set(KEYS) - {"AR1", "AR10"}:
        assert found[key] == (None if expected[key] is None else pytest.approx(expected[key])), key


def test_areas_of_the_data_set_decide_the_sizes() -> None:
    truth, preds = [band(0, 4), band(6, 10)], [band(0, 4)]
    scores = summarize([row_of(preds, truth, areas=(2_000.0, 48.0))], "coco", LABELS)
    assert (scores["AR_S"], scores["AR_M"]) == (0.0, 1.0)
    scores = summarize([row_of(preds, truth)], "coco", LABELS)
    assert (scores["AR_S"], scores["AR_M"]) == (0.5, None)


def test_areas_must_be_those_of_the_true_masks() -> None:
    with pytest.raises(MaskCodecError, match="1: 1 areas for 2 true masks"):
        row_of([], [band(0, 4), band(6, 10)], areas=(3.0,))
    with pytest.raises(MaskCodecError, match="a mask of the truth's crowds is"):
        Pair("1", (2, 2), (), (), crowds=(band(0, 4),))


def test_pixels_that_nobody_annotated_are_taken_out() -> None:
    ignore = band(4, 8).array
    row = row_of([band(0, 6), band(5, 7)], [band(0, 4)], ignore=ignore)
    assert row.dropped == 1
    assert summarize([row], "coco", LABELS)["AP"] == 1.0
    # An empty mask is a prediction, and wrong.
    row = row_of([band(3, 3, score=0.9), band(0, 4, score=0.5)], [band(0, 4)], ignore=ignore)
    assert row.dropped == 0
    assert summarize([row], "coco", LABELS)["AP"] == pytest.approx(0.5)


def test_contours_end_where_the_annotation_does() -> None:
    # The prediction differs from the truth in ignored pixels alone.
    ignore = band(8, 12).array
    row = row_of([band(0, 8)], [band(0, 12)], ignore=ignore)
    assert summarize([row], "coco", LABELS)["boundary_AP"] == 1.0


@settings(deadline=None, max_examples=15)
@given(images(largest=40))
def test_the_truth_itself_is_right(pairs: list[Pair]) -> None:
    rows = []
    for pair in pairs:
        shown = tuple(mask for mask in pair.targets if mask.area)
        rows.append(compare(Pair(pair.id, pair.size, shown, shown, crowds=pair.crowds), LABELS))
    scores = summarize(rows, "coco", LABELS)
    assert scores["AP"] in (None, 1.0)
    assert scores["boundary_AP"] in (None, 1.0)


def test_labels_that_are_not_scored_are_counted() -> None:
    row = row_of([band(0, 4, "Zebra"), band(0, 4, " DOG")], [band(0, 4), band(5, 7, "zebra")])
    assert row.strays == {"zebra": 1}
    assert list(row.labels) == ["dog"]
    assert summarize([row], "coco", LABELS)["AP"] == 1.0
    pair = Pair("1", (4, WIDTH), (band(0, 4, "Zebra"),), (band(0, 4),))
    assert summarize([compare(pair)])["AP"] == 0.0
    assert summarize([compare(pair, with_labels=False)])["AP"] == 1.0


def test_predictions_of_a_label_without_a_true_mask_show_in_the_table() -> None:
    rows = [row_of([band(0, 4), band(0, 4, "cat")], [band(0, 4)])]
    columns = DetectionColumns.of(rows, LABELS)
    assert summarize(columns)["AP"] == 1.0
    dog, cat, bird = label_table(columns)
    assert dog == {
        "name": "dog", "count": 1, "preds": 1, "ap": 1.0, "ap50": 1.0, "ap75": 1.0, "ar": 1.0,
    }  # fmt: skip
    assert (cat["count"], cat["preds"], cat["ap"]) == (0, 1, None)
    assert (bird["count"], bird["preds"]) == (0, 0)


@pytest.mark.parametrize("status", ["invalid", "missing"])
def test_a_missing_prediction_is_a_miss(status: Any) -> None:
    row = row_of([], [band(0, 4)], status=status)
    scores = summarize([row], "coco", LABELS)
    assert (scores["AP"], scores["AR100"], scores["boundary_AP"]) == (0.0, 0.0, 0.0)
    assert set(summarize([], "coco", LABELS).values()) == {None}


def test_at_most_a_hundred_predictions_of_a_label_take_part() -> None:
    preds = [band(6, 9, score=0.5)] * 100 + [band(0, 4, score=0.4)]
    assert summarize([row_of(preds, [band(0, 4)])], "coco", LABELS)["AP"] == 0.0
    assert summarize([row_of(preds[1:], [band(0, 4)])], "coco", LABELS)["AR100"] == 1.0


@settings(deadline=None, max_examples=15)
@given(images(largest=40), st.data())
def test_drawn_rows_count_as_often_as_they_are_drawn(
    pairs: list[Pair], data: st.DataObject
) -> None:
    rows = [compare(pair, LABELS) for pair in pairs]
    drawn = data.draw(st.lists(st.integers(0, len(rows) - 1), min_size=1, max_size=5))
    copies = [
        DetectionRow.from_record(Record("r", 1, rows[at].fields() | {"id": str(number)}))
        for number, at in enumerate(drawn)
    ]
    found = summarize(DetectionColumns.of(rows, LABELS).take(drawn), "maskcodec")
    expected = summarize(copies, "maskcodec", LABELS)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name] == (None if value is None else pytest.approx(value)), name


@settings(deadline=None, max_examples=15)
@given(images(largest=40))
def test_rows_survive_being_written(pairs: list[Pair]) -> None:
    for pair in pairs:
        row = compare(pair, LABELS)
        assert DetectionRow.from_record(Record("rows.jsonl", 1, row.fields())) == row


DOG = {"truth": [1, 1, 0, 0], "scores": [0.5], "verdicts": [[1023, 1023, 0, 0]]}
GOOD = {"id": "a", "status": "valid", "size": [2, 3], "strays": {}, "dropped": 0}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"truth": [1, 1, 0]}, "expected 4 whole numbers"),
        ({"scores": ["x"]}, "holds 'x', expected a number or null"),
        ({"scores": [True]}, "holds true, expected a number or null"),
        ({"scores": [0.5] * 101}, "at most 100 are ranked"),
        ({"verdicts": []}, "are 0, expected 1, one a score"),
        ({"verdicts": [[1 << 20, 0, 0, 0]]}, "expected 4 whole numbers from 0 to 1048575"),
        ({"verdicts": [[1 + (1 << 10), 0, 0, 0]]}, "both right and wrong"),
        ({"boundary": [[0]]}, "expected 4 whole numbers"),
    ],
)
def test_hostile_rows(change: Mapping[str, Any], message: str) -> None:
    DetectionRow.from_record(Record("rows.jsonl", 4, {**GOOD, "labels": {"dog": DOG}}))
    with pytest.raises(RecordError, match=message):
        DetectionRow.from_record(
            Record("rows.jsonl", 4, {**GOOD, "labels": {"dog": {**DOG, **change}}})
        )
