"""Rows of referring segmentation: written, read back, and refused where no masks count so."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from score_pairs import pairs

from maskcodec.errors import RecordError
from maskcodec.records import Record, dump_line, parse_json
from maskcodec.scores.pair import Pair
from maskcodec.scores.referring import NAMES, ReferringRow, compare, summarize

ROW = ReferringRow(
    id="refcoco/1#2",
    task="referring",
    status="repaired",
    height=10,
    width=20,
    targets=1,
    preds=2,
    truth=50,
    pred=60,
    intersection=40,
    ignored=12,
    pred_ignored=3,
    group="object 7",
    repairs=("short-row", "unknown-label"),
    tokens=77,
    boundary=(10, 30),
    ceiling=(50, 45, 2),
    ceiling_boundary=(20, 30),
    box_iou=0.75,
    step=(1, 2),
    answer_right=True,
    constraints=(0, 3),
)


def read(fields: dict[str, Any]) -> ReferringRow:
    return ReferringRow.from_record(Record("rows.jsonl", 3, fields))


def test_a_row_comes_back_from_its_line() -> None:
    assert read(parse_json(dump_line(ROW.fields()), "rows.jsonl")) == ROW
    assert set(ROW.fields()) == {field.name for field in dataclasses.fields(ReferringRow)}


@given(pairs(), st.booleans(), st.booleans())
def test_every_comparison_comes_back(sample: Pair, boundary: bool, best: bool) -> None:
    row = compare(sample, boundary=boundary, ceiling=sample.targets if best else None)
    assert read(json.loads(json.dumps(row.fields()))) == row


WRONG: list[tuple[str, Any, str]] = [
    ("id", None, "id"),
    ("id", "", "id"),
    ("status", "fine", "expected one of valid, repaired, invalid, missing"),
    ("task", "riding", "expected one of referring"),
    ("group", 7, "expected a string"),
    ("repairs", "short-row", "expected a list"),
    ("repairs", [1], "something else than strings"),
    ("tokens", -1, "tokens"),
    ("tokens", True, "tokens"),
    ("height", 0, "no image's"),
    ("height", 2**40, "height"),
    ("width", 8, "room for"),
    ("targets", 0, "there is no target"),
    ("preds", 0, "there is no predicted mask"),
    ("truth", -1, "truth"),
    ("truth", 39, "40 pixels of the intersection"),
    ("truth", 190, "room for"),
    ("pred", 1.5, "pred"),
    ("pred", 39, "40 pixels of the intersection"),
    ("pred", "60", "pred"),
    ("intersection", 51, "51 pixels of the intersection"),
    ("intersection", None, "intersection"),
    ("ignored", 2, "room for"),
    ("pred_ignored", 13, "room for"),
    ("boundary", [31, 30], "the part is greater than the whole"),
    ("boundary", [1], "boundary"),
    ("boundary", [1, 2.5], "boundary"),
    ("boundary", "1,2", "boundary"),
    ("ceiling", [50, 51, 0], "51 pixels of the intersection"),
    ("ceiling", [50, 45], "ceiling"),
    ("ceiling", [50, 45, 13], "room for"),
    ("ceiling_boundary", [-1, 2], "ceiling_boundary"),
    ("box_iou", 1.01, "a share from 0 to 1"),
    ("box_iou", True, "a share from 0 to 1"),
    ("box_iou", "1", "a share from 0 to 1"),
    ("step", [3, 2], "the part is greater than the whole"),
    ("answer_right", 1, "true or false"),
    ("constraints", {}, "constraints"),
]


@pytest.mark.parametrize(("field", "value", "message"), WRONG)
def test_a_wrong_field_is_named(field: str, value: Any, message: str) -> None:
    fields = ROW.fields() | {field: value}
    with pytest.raises(RecordError, match=r"rows\.jsonl:3") as caught:
        read(fields)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "field",
    [
        "id",
        "task",
        "status",
        "height",
        "width",
        "targets",
        "preds",
        "truth",
        "pred",
        "intersection",
    ],
)
def test_a_missing_field_is_named(field: str) -> None:
    fields = ROW.fields()
    del fields[field]
    with pytest.raises(RecordError, match="is missing") as caught:
        read(fields)
    assert caught.value.field == field


VALUES = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
)


@given(
    st.dictionaries(
        st.sampled_from(sorted(ROW.fields())),
        VALUES | st.lists(VALUES, max_size=3) | st.dictionaries(st.text(max_size=3), VALUES),
    )
)
def test_whatever_is_read_scores_between_0_and_1(changes: dict[str, Any]) -> None:
    try:
        row = read(ROW.fields() | changes)
    except RecordError:
        return
    for how in ("maskcodec", "himtok", "lisa:ignore=background", "gsva:reject=50,unit=group"):
        scores = summarize([row, ROW], how)
        assert set(scores) == set(NAMES)
        assert all(value is None or 0 <= value <= 1 for value in scores.values())
