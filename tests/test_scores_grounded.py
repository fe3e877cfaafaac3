"""Grounded conversation against pycocotools, a plain telling of GLaMM's program, and by hand."""

from __future__ import annotations

import contextlib
import io
import json
import math
from typing import Any

import numpy as np
import pycocotools.mask
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from score_pairs import block
from strategies import arrays

from maskcodec import Mask, MaskCodecError
from maskcodec.errors import RecordError
from maskcodec.metrics import iou
from maskcodec.records import Record
from maskcodec.scores.grounded import (
    CONVENTIONS,
    GroundedColumns,
    GroundedRow,
    compare,
    summarize,
    word_similarity,
)
from maskcodec.scores.pair import Pair

PHRASES = ("a dog", "the dog", "dog", "a white dog", "two cats", "")


@st.composite
def answers(draw: st.DrawFn, scored: bool = False) -> list[Pair]:
    """Answers with distinct ids."""
    size = (9, 9)
    confidence = st.sampled_from([0.1, 0.5, 0.9]) if scored else st.none()
    mask = st.builds(Mask, arrays(size), st.sampled_from(PHRASES), confidence)
    count = draw(st.integers(0, 5))
    return [
        Pair(str(7 * index), size, tuple(draw(st.lists(mask, max_size=4))),
             tuple(draw(st.lists(mask, max_size=4))), task="grounded")
        for index in range(count)
    ]  # fmt: skip


def coco_ap50(samples: list[Pair]) -> float:
    def shape(mask: Mask) -> dict[str, Any]:
        return dict(pycocotools.mask.encode(np.asfortranarray(mask.array.astype(np.uint8))))

    truth: list[dict[str, Any]] = []
    results: list[dict[str, Any]] = []
    for sample in samples:
        for mask in sample.targets:
            truth.append({"id": len(truth) + 1, "image_id": int(sample.id), "category_id": 1,
                          "segmentation": shape(mask), "area": 1, "iscrowd": 0})  # fmt: skip
        for mask in sample.preds:
            score = 1.0 if mask.score is None else mask.score
            results.append({"image_id": int(sample.id), "category_id": 1,
                            "segmentation": shape(mask), "score": score})  # fmt: skip
    coco = COCO()
    coco.dataset = {
        "images": [{"id": int(sample.id), "height": 9, "width": 9} for sample in samples],
        "categories": [{"id": 1}],
        "annotations": truth,
    }
    with contextlib.redirect_stdout(io.StringIO()):
        coco.createIndex()
        if not results:
            return 0.0 if truth else math.nan
        run = COCOeval(coco, coco.loadRes(results), "segm")
        run.evaluate()
        run.accumulate()
    precision = run.eval["precision"][0, :, 0, 0, 2]  # at 0.5, of all areas, 100 a picture
    return math.nan if (precision < 0).all() else float(precision.mean())


@given(st.booleans().flatmap(lambda scored: answers(scored=scored)))
@settings(max_examples=60, deadline=None)
def test_ap50_is_that_of_pycocotools(samples: list[Pair]) -> None:
    expected = coco_ap50(samples)
    found = summarize([compare(sample) for sample in samples[::-1]], "glamm")["AP50"]
    assert (found is None and math.isnan(expected)) or found == pytest.approx(expected, abs=1e-9)


def table(sample: Pair) -> list[list[float]]:
    """IoU of each true mask with each predicted one; nothing with nothing has none."""
    return [
        [iou(target.array, pred.array) if target.array.any() else 0.0 for pred in sample.preds]
        for target in sample.targets
    ]


def best_of(ious: list[list[float]]) -> tuple[float, int, int]:
    best = max((value for line in ious for value in line), default=0.0)
    for row, line in enumerate(ious):
        if best in line:
            return best, row, line.index(best)
    return 0.0, 0, 0


def without(ious: list[list[float]], row: int, column: int) -> list[list[float]]:
    return [
        [0.0 if at == row or place == column else value for place, value in enumerate(line)]
        for at, line in enumerate(ious)
    ]


def plain_glamm(samples: list[Pair], similar: Any) -> tuple[float | None, float | None]:
    shares, found, all_targets = [], 0, 0
    for sample in samples:
        ious, paired = table(sample), []
        while (best := best_of(ious))[0] > 0:
            paired.append(best[0])
            ious = without(ious, *best[1:])
        shares.append(sum(paired) / len(paired) if paired else 0.0)
        ious = table(sample)
        all_targets += len(sample.targets)
        while (best := best_of(ious))[0] >= 0.5:
            if not similar(sample.preds[best[2]].label, sample.targets[best[1]].label):
                break
            found += 1
            ious = without(ious, *best[1:])
    return (
        sum(shares) / len(shares) if shares else None,
        found / all_targets if all_targets else None,
    )


@given(answers())
@settings(max_examples=60)
def test_miou_and_recall_are_glamms(samples: list[Pair]) -> None:
    def same_start(one: str, other: str) -> bool:
        return one[:1] == other[:1]

    distinct = [one for one in samples if len({v for r in table(one) for v in r if v}) ==
                sum(v > 0 for r in table(one) for v in r)]  # fmt: skip
    rows = [compare(sample) for sample in distinct]
    expected = plain_glamm(distinct, same_start)
    found = summarize(rows, "glamm", similarity=same_start)
    assert (found["mIoU"], found["recall"]) == pytest.approx(expected)


SIZE = (10, 10)


def answer(
    preds: list[tuple[int, int, str]], targets: list[tuple[int, int, str]], **more: Any
) -> Pair:
    """Masks as (start, pixels, phrase)."""
    sides = [
        tuple(Mask(block(count, SIZE, start), phrase) for start, count, phrase in side)
        for side in (preds, targets)
    ]
    return Pair("a", SIZE, sides[0], sides[1], task="grounded", **more)


def test_a_mask_without_a_partner_counts_or_not() -> None:
    row = compare(answer([(0, 20, "dog")], [(0, 20, "dog"), (50, 20, "cat")]))
    assert summarize([row], "glamm")["mIoU"] == 1
    assert summarize([row], "maskcodec")["mIoU"] == 0.5
    assert summarize([row], "maskcodec")["recall"] == 0.5
    extra = compare(answer([(0, 20, "dog"), (50, 20, "cat")], [(0, 20, "dog")]))
    assert summarize([extra], "glamm")["mIoU"] == 1
    assert summarize([extra], "maskcodec")["mIoU"] == 0.5
    assert summarize([extra], "maskcodec")["recall"] == 1


def test_a_wrong_phrase_stops_glamms_search() -> None:
    row = compare(answer(
        [(0, 20, "dog"), (50, 19, "cat")], [(0, 20, "horse"), (50, 20, "cat")]))  # fmt: skip
    assert summarize([row], "glamm:phrases=equal")["recall"] == 0
    assert summarize([row], "glamm:phrases=equal,stop=never")["recall"] == 0.5
    assert summarize([row], "maskcodec")["recall"] == 0.5
    assert summarize([row], "maskcodec:phrases=any")["recall"] == 1


def test_nothing_against_nothing() -> None:
    nothing = compare(answer([], []))
    assert summarize([nothing], "glamm") == {"AP50": None, "mIoU": 0, "recall": None}
    assert summarize([nothing], "maskcodec")["mIoU"] == 1
    assert summarize([nothing], "maskcodec:empty=drop")["mIoU"] is None
    failed = compare(answer([], [], status="invalid"))
    assert summarize([failed], "maskcodec")["mIoU"] == 0
    assert summarize([]) == {"AP50": None, "mIoU": None, "recall": None}


def test_ties_are_ranked_together_or_in_the_order_of_ids() -> None:
    right = answer([(0, 20, "dog")], [(0, 20, "dog")])
    wrong = answer([(50, 20, "dog")], [(0, 20, "dog")])
    pairs = [("1", right), ("2", wrong)], [("1", wrong), ("2", right)]
    rows = [
        [compare(Pair(name, SIZE, one.preds, one.targets)) for name, one in order]
        for order in pairs
    ]
    in_order = [summarize(one, "glamm")["AP50"] for one in rows]
    together = [summarize(one, "maskcodec")["AP50"] for one in rows]
    assert in_order[0] == pytest.approx(51 / 101)
    assert in_order[1] == pytest.approx(51 / 101 / 2)
    assert together[0] == together[1] == pytest.approx(51 / 101 / 2)


def test_an_iou_of_exactly_a_half_is_found() -> None:
    row = compare(answer([(0, 10, "dog")], [(0, 20, "dog")]))
    assert row.overlaps == ((0, 0, 0.5),)
    for how in CONVENTIONS:
        assert summarize([row], how) == {"AP50": 1, "mIoU": 0.5, "recall": 1}
    less = compare(answer([(0, 9, "dog")], [(0, 20, "dog")]))
    assert summarize([less], "maskcodec") == {"AP50": 0, "mIoU": 0.45, "recall": 0}


def test_ap_looks_at_the_hundred_most_confident() -> None:
    wrong = [Mask(block(1, SIZE, 90), "dog", 0.9)] * 99
    found, target = Mask(block(20), "dog", 0.8), Mask(block(20), "dog")
    for more, expected in ((0, 0.01), (1, 0.0)):
        pair = Pair("a", SIZE, (*wrong, *wrong[:more], found), (target,))
        assert summarize([compare(pair)], "glamm")["AP50"] == pytest.approx(expected)


def test_ignored_pixels_are_left_out() -> None:
    ignore = block(10, SIZE, 20)
    row = compare(answer([(0, 30, "dog")], [(0, 20, "dog")], ignore=ignore))
    assert row.overlaps == ((0, 0, 1.0),)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("a dog", "The DOG.", 1.0),
        ("white dog", "black dog", 0.5),
        ("dog", "cat", 0.0),
        ("", "a", 0.0),
        ("", "", 1.0),
    ],
)
def test_phrases_are_compared_by_their_words(one: str, other: str, expected: float) -> None:
    assert word_similarity(one, other) == word_similarity(other, one) == expected


@given(answers(scored=True), answers())
def test_rows_merge_and_come_back(first: list[Pair], second: list[Pair]) -> None:
    rows = [compare(sample) for sample in (*first, *second)]
    again = [
        GroundedRow.from_record(Record("r", 1, json.loads(json.dumps(row.fields()))))
        for row in rows
    ]
    assert again == rows
    columns = GroundedColumns.of(rows)
    numbers = np.arange(len(rows))[::-1]
    for how in CONVENTIONS:
        expected = summarize(rows, how, ("mIoU", "recall"))
        found = summarize(columns.take(numbers), how, ("mIoU", "recall"))
        assert found == pytest.approx(expected)
    half = columns.take(np.arange(len(rows)) % 2 == 0)
    assert summarize(half) == pytest.approx(summarize(rows[::2]))
    assert len(columns.take([])) == 0


ROW = compare(answer([(0, 20, "dog"), (30, 5, "cat")], [(5, 20, "dog")])).fields()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", None),
        ("status", "odd"),
        ("phrases", "dog"),
        ("phrases", ["dog", 3]),
        ("phrases", ["dog"]),
        ("confidences", [None, 2]),
        ("confidences", [True, None]),
        ("targets", None),
        ("overlaps", [[0, 0]]),
        ("overlaps", [[0, 0, 0]]),
        ("overlaps", [[0, 1, 0.5]]),
        ("overlaps", [[2, 0, 0.5]]),
        ("overlaps", [[-1, 0, 0.5]]),
        ("overlaps", [[0.0, 0, 0.5]]),
        ("overlaps", [[0, 0, 0.5], [0, 0, 0.4]]),
        ("overlaps", [[0, 0, "x"]]),
    ],
)
def test_a_wrong_field_is_refused(field: str, value: Any) -> None:
    GroundedRow.from_record(Record("r", 1, ROW))
    with pytest.raises(RecordError, match="r:1"):
        GroundedRow.from_record(Record("r", 1, ROW | {field: value}))


def test_an_unknown_convention_is_named() -> None:
    with pytest.raises(MaskCodecError, match=r"no convention 'glam' \(did you mean 'glamm'"):
        summarize([], "glam")
    with pytest.raises(MaskCodecError, match="no score 'AP'; there are: AP50"):
        summarize([], names=["AP"])
