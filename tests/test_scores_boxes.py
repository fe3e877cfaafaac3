"""Boxes: IoU, reading them from texts, and accuracy."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pycocotools.mask
import pytest
from hypothesis import given
from hypothesis import strategies as st
from score_pairs import block, pair_of
from strategies import boxes

from maskcodec import Mask, MaskCodecError
from maskcodec.errors import RecordError
from maskcodec.records import Record
from maskcodec.scores.boxes import (
    BoxRow,
    box_iou,
    compare,
    mask_boxes,
    ratios,
    read_boxes,
    summarize,
)
from maskcodec.scores.pair import Pair
from maskcodec.scores.referring import compare as compare_masks
from maskcodec.scores.referring import summarize as summarize_masks

SIZE = (40, 50)


@given(boxes(SIZE), boxes(SIZE))
def test_iou_is_that_of_pycocotools_and_of_pixels(
    one: tuple[int, int, int, int], other: tuple[int, int, int, int]
) -> None:
    found = box_iou(one, other)
    as_coco = [[[box[0], box[1], box[2] - box[0], box[3] - box[1]]] for box in (one, other)]
    assert found == pytest.approx(float(pycocotools.mask.iou(*as_coco, [False])[0, 0]))
    painted = np.zeros((2, *SIZE), np.bool_)
    for plane, (x0, y0, x1, y1) in zip(painted, (one, other), strict=True):
        plane[y0:y1, x0:x1] = True
    union = int((painted[0] | painted[1]).sum())
    assert found == pytest.approx(int((painted[0] & painted[1]).sum()) / union if union else 0)
    assert box_iou(one, None) == box_iou(None, other) == 0


def test_boxes_of_masks() -> None:
    array = np.zeros(SIZE, np.bool_)
    array[3:10, 5:8] = array[20, 30] = True
    assert mask_boxes([Mask(array), Mask(np.zeros(SIZE, np.bool_))]) == [(5, 3, 31, 21)]


@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        ("[12, 30, 40, 35]", {}, [(12, 30, 40, 35)]),
        ("It is at (12,30),(40,35).", {}, [(12, 30, 40, 35)]),
        ("<box>12 30 40 35</box>", {}, [(12, 30, 40, 35)]),
        ("[[1.5, 2, 3, 4.25], [5, 6, 7, 8]]", {}, [(1.5, 2, 3, 4.25), (5, 6, 7, 8)]),
        ("of the 3 dogs [12, 30, 40, 35], the 2nd", {}, [(12, 30, 40, 35)]),
        ("[12, 30, 99, 80]", {}, [(12, 30, 50, 40)]),
        ("[40, 35, 12, 30]", {}, [(12, 30, 40, 35)]),
        ("[-5, 0, 12, 30]", {}, [(0, 0, 12, 30)]),
        ("10 20 50 100", {"units": "percent"}, [(5, 8, 25, 40)]),
        ("<loc0256><loc0512><loc0768><loc1024>", {"units": "1024", "order": "yxyx"},
         [(25, 10, 50, 30)]),
        ("[0.5, 0.5, 1.0, 1.0]", {"units": "one"}, [(25, 20, 50, 40)]),
        ("[0.23333333333333334, .5, 1., 1e0]", {"units": "one"}, [(35 / 3, 20, 50, 40)]),
        ("[1e-05, 5E-1, 0.5, 1.0]", {"units": "one"}, [(0.0005, 20, 25, 40)]),
        ("[1, 2, 3, 4]", {"order": "xywh"}, [(1, 2, 4, 6)]),
        ("1 2 3", {}, []),
        ("", {}, []),
        ("1, 2, 3 and 4", {}, []),
        ("no box", {}, []),
    ],
)  # fmt: skip
def test_boxes_are_read_from_texts(text: str, options: Any, expected: Any) -> None:
    found = read_boxes(text, SIZE, **options)
    assert [pytest.approx(box) for box in found] == expected


@given(st.text(alphabet="0123456789 ,[](){}<>loc.-e", max_size=200))
def test_any_text_gives_boxes_inside_the_image(text: str) -> None:
    for left, top, right, bottom in read_boxes(text, SIZE, "1000"):
        assert 0 <= left <= right <= SIZE[1]
        assert 0 <= top <= bottom <= SIZE[0]


def test_long_texts_are_read_in_their_time() -> None:
    assert read_boxes("9" * 100_000, SIZE) == []
    assert read_boxes("1 " * 2 + "[" * 100_000, SIZE) == []
    assert len(read_boxes("1 2 3 4;" * 10_000, SIZE)) == 1_000


def test_unknown_units_and_orders_are_refused() -> None:
    with pytest.raises(MaskCodecError, match="units are 'feet', expected pixels, one, percent"):
        read_boxes("", SIZE, "feet")  # type: ignore[arg-type]
    with pytest.raises(MaskCodecError, match="order is 'zz'"):
        read_boxes("", SIZE, order="zz")  # type: ignore[arg-type]


def sample(preds: list[Any], targets: list[Any], status: Any = "valid") -> BoxRow:
    return compare(Pair("a", SIZE, (), (), status=status), preds, targets)


def test_accuracy_is_a_share_of_the_expressions_with_a_target() -> None:
    rows = [
        sample([(0, 0, 10, 10)], [(0, 0, 10, 5)]),  # an IoU of exactly 0.5
        sample([(0, 0, 10, 10)], [(0, 0, 10, 4)]),
        sample([], [(0, 0, 10, 10)]),
        sample([(0, 0, 10, 10)], []),
        sample([], []),
        sample([], [], "invalid"),
    ]
    found = summarize(rows, ["REC@0.5", "REC@0.4", "box_mIoU", "GREC@0.5", "N-acc", "T-acc"])
    assert found["REC@0.5"] == 1 / 3
    assert found["REC@0.4"] == 2 / 3
    assert found["box_mIoU"] == pytest.approx(0.9 / 3)
    assert found["GREC@0.5"] == 2 / 6
    assert found["N-acc"] == 1 / 3
    assert found["T-acc"] == 2 / 3
    assert set(summarize([]).values()) == {None}


def test_several_boxes_must_all_be_found_and_none_be_left_over() -> None:
    one, two, far = (0, 0, 10, 10), (20, 20, 30, 30), (40, 0, 50, 10)
    assert summarize([sample([two, one], [one, two])], ["GREC@0.5"])["GREC@0.5"] == 1
    for preds, targets in (([one], [one, two]), ([one, two, far], [one, two]), ([one, one], [one])):
        assert summarize([sample(preds, targets)], ["GREC@0.5"])["GREC@0.5"] == 0
    near = (0, 0, 10, 9)
    assert sample([near, one], [one]).ious == (1.0,)
    assert sample([near, one], [one]).first == 0.9
    assert sample([one], [(0, 0, 10, 5), (0, 5, 10, 10)]).ious == (0.5,)


def test_masks_give_the_same_accuracy_in_both_families() -> None:
    pairs = [
        pair_of(block(50), block(100)),
        pair_of(block(30), block(100)),
        pair_of(None, block(5)),
        pair_of(block(5), None),
    ]
    boxed = summarize([compare(pair) for pair in pairs], ["REC@0.5"])
    assert boxed == summarize_masks([compare_masks(pair) for pair in pairs], names=["REC@0.5"])
    assert boxed["REC@0.5"] == 1 / 3


def test_rows_come_back_and_merge() -> None:
    rows = [sample([(0, 0, 10, 10)], [(0, 0, 10, 5)]), sample([], []), sample([(0, 0, 1, 1)], [])]
    for row in rows:
        assert BoxRow.from_record(Record("r", 1, json.loads(json.dumps(row.fields())))) == row
    whole = ratios(rows)
    parts = [ratios(rows[:1]), ratios(rows[1:])]
    assert (whole.upper.sum(0) == sum(part.upper.sum(0) for part in parts)).all()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", None), ("targets", -1), ("targets", 10**6), ("preds", "1"), ("ious", [1.5]),
        ("ious", ["x"]), ("ious", [0.5, 0.5]), ("first", 2), ("first", None), ("first", "a"),
        ("status", "odd"), ("ious", None),
    ],
)  # fmt: skip
def test_a_wrong_field_is_refused(field: str, value: Any) -> None:
    fields = sample([(0, 0, 10, 10)], [(0, 0, 10, 5)]).fields()
    with pytest.raises(RecordError, match="r:1"):
        BoxRow.from_record(Record("r", 1, fields | {field: value}))


def test_an_unknown_score_lists_what_there_is() -> None:
    with pytest.raises(MaskCodecError, match=r"no score 'REC@5'; there are: REC@0\.5"):
        summarize([], ["REC@5"])
