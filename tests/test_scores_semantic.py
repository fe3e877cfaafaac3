"""Semantic segmentation against loops, torchmetrics, and figures worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import arrays, sizes

from maskcodec import Mask, MaskCodecError, RecordError
from maskcodec.records import Record
from maskcodec.scores.label_map import LabelSet
from maskcodec.scores.pair import Pair
from maskcodec.scores.semantic import (
    SemanticColumns,
    SemanticRow,
    compare,
    label_table,
    strays,
    summarize,
)

NAMES = ("wall", "sky", "tree", "Road Sign")
LABELS = LabelSet(NAMES)
Map = npt.NDArray[np.int64]


def pair_of(
    pred: Map, truth: Map, ignore: npt.NDArray[np.bool_] | None = None, name: str = "a"
) -> Pair:
    """A pair from maps of indices into `NAMES`; what is below 0 has no mask."""
    preds, targets = (
        tuple(Mask(values == at, NAMES[at]) for at in np.unique(values).tolist() if at >= 0)
        for values in (pred, truth)
    )
    return Pair(name, (pred.shape[0], pred.shape[1]), preds, targets, ignore)


@st.composite
def maps(draw: st.DrawFn) -> tuple[Map, Map, npt.NDArray[np.bool_]]:
    """A predicted map, a true one, and pixels to ignore."""
    size = draw(sizes(12))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    low = draw(st.integers(-1, 2))
    pred, truth = (random.integers(low, 4, size) for _ in range(2))
    truth = np.where(random.random(size) < draw(st.sampled_from((0, 0.7, 1.0))), pred, truth)
    return pred, truth, draw(arrays(size))


def looped(
    images: Sequence[tuple[Map, Map, npt.NDArray[np.bool_]]],
) -> dict[str, Any]:
    """The scores pixel by pixel: labels that occur nowhere are left out."""
    right, predicted, true = [0] * 4, [0] * 4, [0] * 4
    for pred, truth, ignore in images:
        for p, t, out in zip(
            pred.ravel().tolist(), truth.ravel().tolist(), ignore.ravel().tolist(), strict=True
        ):
            if out:
                continue
            if p >= 0:
                predicted[p] += 1
            if t >= 0:
                true[t] += 1
                right[t] += p == t
    seen = [c for c in range(4) if predicted[c] + true[c]]
    ious = {c: right[c] / (predicted[c] + true[c] - right[c]) for c in seen}
    shown = [c for c in seen if true[c]]
    return {
        "mIoU": sum(ious.values()) / len(seen) if seen else None,
        "fwIoU": sum(true[c] * ious[c] for c in shown) / sum(true) if shown else None,
        "pAcc": sum(right) / sum(true) if shown else None,
        "mAcc": sum(right[c] / true[c] for c in shown) / len(shown) if shown else None,
        "mIoU of four": sum(ious.values()) / 4,
        "mIoU of true": sum(ious[c] for c in shown) / len(shown) if shown else None,
    }


def same(found: float | None, expected: float | None) -> bool:
    if found is None or expected is None:
        return found is expected
    return math.isclose(found, expected, rel_tol=1e-12, abs_tol=1e-12)


@settings(deadline=None)
@given(st.lists(maps(), max_size=4))
def test_scores_are_those_of_a_loop(images: list[tuple[Map, Map, npt.NDArray[np.bool_]]]) -> None:
    rows = [compare(pair_of(*image), LABELS) for image in images]
    expected = looped(images)
    found = summarize(rows, "mmseg", LABELS)
    assert found.keys() == {"mIoU", "fwIoU", "pAcc", "mAcc"}
    for name, value in found.items():
        assert same(value, expected[name]), name
    if rows:
        assert same(summarize(rows, "ade20k", LABELS)["mIoU"], expected["mIoU of four"])
    assert same(summarize(rows, "detectron2", LABELS)["mIoU"], expected["mIoU of true"])
    each = [looped([image])["mIoU"] for image in images]
    known = [value for value in each if value is not None]
    by_image = summarize(rows, "image", LABELS)["mIoU"]
    assert same(by_image, sum(known) / len(known) if known else None)
    # Without a set of labels all that occur are scored, under names of lower case.
    assert same(summarize([compare(pair_of(*image)) for image in images])["mIoU"], found["mIoU"])


@settings(deadline=None, max_examples=12)
@given(maps(), maps())
def test_torchmetrics_agrees(
    one: tuple[Map, Map, npt.NDArray[np.bool_]], other: tuple[Map, Map, npt.NDArray[np.bool_]]
) -> None:
    import torch
    from torchmetrics.classification import MulticlassAccuracy, MulticlassJaccardIndex

    metric: Any = MulticlassJaccardIndex(4, average="macro", ignore_index=255)
    weighted: Any = MulticlassJaccardIndex(4, average="weighted", ignore_index=255)
    accuracy: Any = MulticlassAccuracy(4, average="micro", ignore_index=255)
    rows = []
    for pred, truth, ignore in (one, other):
        pred, truth = np.maximum(pred, 0), np.maximum(truth, 0)  # it knows no unlabelled pixels
        rows.append(compare(pair_of(pred, truth, ignore), LABELS))
        shown = torch.tensor(pred.ravel()), torch.tensor(np.where(ignore, 255, truth).ravel())
        for each in (metric, weighted, accuracy):
            each.update(*shown)
    found = summarize(rows, "mmseg", LABELS)
    if found["pAcc"] is None:
        return
    assert found["mIoU"] == pytest.approx(float(metric.compute()), abs=1e-6)
    assert found["fwIoU"] == pytest.approx(float(weighted.compute()), abs=1e-6)
    assert found["pAcc"] == pytest.approx(float(accuracy.compute()), abs=1e-6)


def test_figures_by_hand() -> None:
    truth = np.array([[0, 0, 1, 1], [0, 0, 1, -1]])
    pred = np.array([[0, 0, 0, 1], [0, 2, 1, 1]])
    ignore = np.zeros((2, 4), np.bool_)
    ignore[0, 0] = True
    row = compare(pair_of(pred, truth, ignore), LABELS)
    assert row.labels == {"wall": (2, 3, 3), "sky": (2, 3, 3), "tree": (0, 1, 0)}
    assert (row.ignored, row.unlabelled, row.overlap) == (1, 1, 0)
    scores = summarize([row], "mmseg", LABELS)
    assert scores["mIoU"] == pytest.approx((2 / 4 + 2 / 4 + 0) / 3)
    assert scores["pAcc"] == pytest.approx(4 / 6)
    assert scores["fwIoU"] == pytest.approx(0.5)
    assert summarize([row], "detectron2", LABELS)["mIoU"] == pytest.approx(0.5)
    assert summarize([row], "ade20k", LABELS)["mIoU"] == pytest.approx(1 / 4)


@settings(deadline=None, max_examples=25)
@given(maps())
def test_the_truth_itself_is_right(image: tuple[Map, Map, npt.NDArray[np.bool_]]) -> None:
    _, truth, ignore = image
    row = compare(pair_of(truth, truth, ignore), LABELS)
    for how in ("mmseg", "detectron2", "image"):
        assert all(value in (None, 1.0) for value in summarize([row], how, LABELS).values())


def test_the_later_of_overlapping_predictions_wins() -> None:
    every = np.ones((4, 4), np.bool_)
    half = every.copy()
    half[:, 2:] = False
    truth = (Mask(half, "wall"), Mask(~half, "sky"))
    row = compare(Pair("a", (4, 4), (Mask(every, "sky"), Mask(half, "wall")), truth), LABELS)
    assert row.labels == {"wall": (8, 8, 8), "sky": (8, 8, 8)}
    assert row.overlap == 8
    row = compare(Pair("a", (4, 4), (Mask(half, "wall"), Mask(every, "sky")), truth), LABELS)
    assert row.labels == {"wall": (0, 0, 8), "sky": (8, 16, 8)}


def test_labels_that_are_not_scored_are_wrong_and_counted() -> None:
    every = Mask(np.ones((2, 3), np.bool_), "wall")
    stray = Mask(np.array([[1, 1, 0], [0, 0, 0]], np.bool_), "Ceiling ")
    row = compare(Pair("a", (2, 3), (every, stray), (every,)), LABELS)
    assert row.labels == {"wall": (4, 4, 6)}
    assert row.strays == {"ceiling": 2}
    assert strays([row, row]) == {"ceiling": 4}
    # True pixels of a label that is not scored are as if nobody had annotated them.
    row = compare(Pair("a", (2, 3), (every,), (every, stray)), LABELS)
    assert row.labels == {"wall": (6, 6, 6)}
    only = compare(Pair("a", (2, 3), (every,), (stray,)), LABELS)
    assert only.labels == {"wall": (0, 4, 0)}
    assert only.ignored == 2


def test_spelling_of_labels() -> None:
    sign = np.ones((1, 1), np.bool_)
    row = compare(
        Pair("a", (1, 1), (Mask(sign, " road  sign"),), (Mask(sign, "Road Sign"),)), LABELS
    )
    assert row.labels == {"Road Sign": (1, 1, 1)}
    row = compare(Pair("a", (1, 1), (Mask(sign, "caf\xe9"),), (Mask(sign, "cafe\u0301"),)))
    assert list(row.labels.values()) == [(1, 1, 1)]
    with pytest.raises(MaskCodecError, match="'a B' and 'A  b' can't be told apart"):
        LabelSet(("a B", "A  b"))
    with pytest.raises(MaskCodecError, match="no labels to score"):
        LabelSet(())


def test_background_is_a_label_where_the_data_set_has_it() -> None:
    labels = LabelSet(("background", "dog"))
    dog = np.array([[1, 1, 0, 0]], np.bool_)
    pred = np.array([[1, 0, 0, 0]], np.bool_)
    ignore = np.array([[0, 0, 0, 1]], np.bool_)
    pair = Pair("a", (1, 4), (Mask(pred, "dog"),), (Mask(dog, "dog"),), ignore)
    row = compare(pair, labels, background="background")
    assert row.labels == {"background": (1, 2, 1), "dog": (1, 1, 2)}
    assert summarize([row], "mmseg", labels)["mIoU"] == pytest.approx(0.5)
    assert compare(pair, labels).labels == {"dog": (1, 1, 2)}


@pytest.mark.parametrize("status", ["invalid", "missing"])
def test_what_is_not_there_is_scored_as_wrong(status: Any) -> None:
    every = Mask(np.ones((2, 3), np.bool_), "wall")
    row = compare(Pair("a", (2, 3), (), (every,), status=status), LABELS)
    assert row.status == status
    assert summarize([row], "mmseg", LABELS)["mIoU"] == 0
    assert summarize([], "mmseg", LABELS) == dict.fromkeys(("mIoU", "fwIoU", "pAcc", "mAcc"))


@settings(deadline=None, max_examples=30)
@given(st.lists(maps(), min_size=1, max_size=5), st.data())
def test_drawn_rows_count_as_often_as_they_are_drawn(
    images: list[tuple[Map, Map, npt.NDArray[np.bool_]]], data: st.DataObject
) -> None:
    rows = [compare(pair_of(*image), LABELS) for image in images]
    columns = SemanticColumns.of(rows, LABELS)
    drawn = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=6))
    for how in ("mmseg", "ade20k", "detectron2", "image"):
        expected = summarize([rows[at] for at in drawn], how, LABELS)
        found = summarize(columns.take(drawn), how)
        if drawn:
            assert all(same(found[name], value) for name, value in expected.items()), how
    assert len(columns.take(drawn)) == len(drawn)


def test_table_of_labels() -> None:
    truth = np.array([[0, 0, 1]])
    pred = np.array([[0, 1, 1]])
    table = label_table(SemanticColumns.of([compare(pair_of(pred, truth), LABELS)] * 2, LABELS))
    assert [line["name"] for line in table] == list(NAMES)
    assert table[0] == {
        "name": "wall", "count": 2, "iou": 0.5, "acc": 0.5, "predicted": 2, "true": 4,
    }  # fmt: skip
    assert (table[2]["iou"], table[2]["acc"], table[2]["count"]) == (None, None, 0)


@settings(deadline=None, max_examples=30)
@given(maps())
def test_rows_survive_being_written(image: tuple[Map, Map, npt.NDArray[np.bool_]]) -> None:
    row = compare(pair_of(*image), LABELS)
    assert SemanticRow.from_record(Record("rows.jsonl", 1, row.fields())) == row


GOOD = {
    "id": "a", "status": "valid", "size": [2, 3], "labels": {"wall": [1, 2, 3]},
    "strays": {"x": 1}, "unlabelled": 0, "overlap": 0, "ignored": 0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": {"wall": [1, 2]}}, "expected 3 whole numbers from 0 to 6"),
        ({"labels": {"wall": [1, 2, 7]}}, "expected 3 whole numbers from 0 to 6"),
        ({"labels": {"wall": [1, True, 3]}}, "expected 3 whole numbers"),
        ({"labels": {"wall": [3, 2, 3]}}, "more right pixels of 'wall' than there are"),
        ({"labels": []}, "expected an object"),
        ({"strays": {"x": -1}}, "expected 1 whole numbers from 0 to 6"),
        ({"status": "good"}, "expected one of valid, repaired, invalid, missing"),
        ({"ignored": 7}, "expected pixels of the image"),
        ({"size": [0, 3]}, "each side must be 1 to"),
        ({"id": None}, "expected a name or a whole number"),
    ],
)
def test_hostile_rows(change: Mapping[str, Any], message: str) -> None:
    SemanticRow.from_record(Record("rows.jsonl", 4, dict(GOOD)))
    with pytest.raises(RecordError, match=message) as raised:
        SemanticRow.from_record(Record("rows.jsonl", 4, {**GOOD, **change}))
    assert str(raised.value).startswith("rows.jsonl:4")


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("mmsegg", r"no convention 'mmsegg' \(did you mean 'mmseg'\?\); there are: mmseg, ade20k"),
        ("mmseg:unity=image", r"no option 'unity' \(did you mean 'unit'\?\)"),
        ("mmseg:unit=picture", "unit=picture is not one of dataset, image"),
        ("mmseg:unit=image,unit=image", "'unit' stands twice"),
    ],
)
def test_unknown_conventions(how: str, message: str) -> None:
    with pytest.raises(MaskCodecError, match=message):
        summarize([], how)
