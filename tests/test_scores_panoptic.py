"""Panoptic quality against COCO's algorithm written as loops, torchmetrics, and by hand."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maskcodec import Mask, RecordError
from maskcodec.records import Record
from maskcodec.scores.label_map import LabelSet
from maskcodec.scores.pair import Pair
from maskcodec.scores.panoptic import (
    PanopticColumns,
    PanopticRow,
    compare,
    label_table,
    summarize,
)

NAMES = ("dog", "cat", "sky", "grass")
STUFF = ("sky", "grass")
LABELS = LabelSet(NAMES)
VOID = 0
Map = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Scene:
    """Panoptic maps: each value is a segment, 0 is none; and the label of each segment."""

    truth: Map
    pred: Map
    true_labels: dict[int, str]
    pred_labels: dict[int, str]
    crowds: frozenset[int]

    def pair(self) -> Pair:
        """The same as masks."""
        targets = [
            Mask(self.truth == at, label)
            for at, label in self.true_labels.items()
            if at not in self.crowds
        ]
        crowds = [Mask(self.truth == at, self.true_labels[at]) for at in sorted(self.crowds)]
        preds = [Mask(self.pred == at, label) for at, label in self.pred_labels.items()]
        size = (self.truth.shape[0], self.truth.shape[1])
        return Pair(
            "a", size, tuple(preds), tuple(targets), self.truth == VOID, crowds=tuple(crowds)
        )


@st.composite
def scenes(draw: st.DrawFn, *, crowds: bool = True, empty: bool = True) -> Scene:
    """Random segments; those of the prediction are mostly the true ones with noise."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    size = (int(random.integers(1, 12)), int(random.integers(1, 12)))
    most = int(random.integers(1, 6))
    low = 0 if empty else 1
    blocks = random.integers(low, most + 1, (3, 3))
    truth = blocks[np.ix_(np.arange(size[0]) * 3 // size[0], np.arange(size[1]) * 3 // size[1])]
    noise = random.integers(low, most + 1, size)
    pred = np.where(
        random.random(size) < draw(st.sampled_from((0.0, 0.2, 0.45, 1.0))), noise, truth
    )
    true_labels = _labels(random, truth)
    same = draw(st.booleans())
    pred_labels = {
        at: true_labels[at] if same and at in true_labels else label
        for at, label in _labels(random, pred).items()
    }
    pred, pred_labels = _merge_stuff(pred, pred_labels)
    truth, true_labels = _merge_stuff(truth, true_labels)
    chosen: set[int] = set()
    seen: set[str] = set()
    for at, label in true_labels.items():  # one crowd a label, as COCO has it
        if crowds and label not in STUFF and label not in seen and random.random() < 0.4:
            chosen.add(at)
            seen.add(label)
    return Scene(truth, pred, true_labels, pred_labels, frozenset(chosen))


def _labels(random: np.random.Generator, values: Map) -> dict[int, str]:
    return {at: NAMES[int(random.integers(4))] for at in np.unique(values).tolist() if at != VOID}


def _merge_stuff(values: Map, labels: dict[int, str]) -> tuple[Map, dict[int, str]]:
    """One segment a label of stuff, as the format demands."""
    first: dict[str, int] = {}
    values = values.copy()
    for at, label in labels.items():
        if label in STUFF:
            values[values == at] = first.setdefault(label, at)
    present = set(np.unique(values).tolist())
    return values, {at: label for at, label in labels.items() if at in present}


def looped(scene: Scene) -> dict[str, list[float]]:
    """TP, FP, FN and the sum of IoU of each label, by the published definition."""
    pixels: dict[tuple[int, int], int] = {}
    for t, p in zip(scene.truth.ravel().tolist(), scene.pred.ravel().tolist(), strict=True):
        pixels[t, p] = pixels.get((t, p), 0) + 1
    area = {p: sum(n for (_, q), n in pixels.items() if q == p) for p in scene.pred_labels}
    true_area = {t: sum(n for (s, _), n in pixels.items() if s == t) for t in scene.true_labels}
    found: dict[str, list[float]] = {name: [0, 0, 0, 0.0] for name in NAMES}
    matched: set[tuple[str, int]] = set()
    for (t, p), n in pixels.items():
        if t not in scene.true_labels or p not in scene.pred_labels or t in scene.crowds:
            continue
        if scene.true_labels[t] != scene.pred_labels[p]:
            continue
        iou = n / (area[p] + true_area[t] - n - pixels.get((VOID, p), 0))
        if iou > 0.5:
            found[scene.true_labels[t]][0] += 1
            found[scene.true_labels[t]][3] += iou
            matched |= {("true", t), ("pred", p)}
    for t, label in scene.true_labels.items():
        if ("true", t) not in matched and t not in scene.crowds:
            found[label][2] += 1
    crowd_of = {scene.true_labels[t]: t for t in scene.crowds}
    for p, label in scene.pred_labels.items():
        if ("pred", p) in matched:
            continue
        outside = pixels.get((VOID, p), 0)
        if label in crowd_of:
            outside += pixels.get((crowd_of[label], p), 0)
        if outside / area[p] <= 0.5:
            found[label][1] += 1
    return found


def quality(sums: dict[str, list[float]], names: tuple[str, ...]) -> list[float] | None:
    """PQ, SQ, RQ as means over labels that occur."""
    known = []
    for name in names:
        tp, fp, fn, iou = sums[name]
        if tp + fp + fn:
            weight = tp + fp / 2 + fn / 2
            known.append((iou / weight, iou / tp if tp else 0.0, tp / weight))
    return [sum(each) / len(known) for each in zip(*known, strict=True)] if known else None


@settings(deadline=None, max_examples=150)
@given(st.lists(scenes(), min_size=1, max_size=3))
def test_scores_are_those_of_coco(images: list[Scene]) -> None:
    rows = [compare(scene.pair(), LABELS, stuff=STUFF) for scene in images]
    sums: dict[str, list[float]] = {name: [0, 0, 0, 0.0] for name in NAMES}
    for row, scene in zip(rows, images, strict=True):
        expected = looped(scene)
        for name in NAMES:
            found = row.labels.get(name, (0, 0, 0, 0.0))
            assert list(found[:3]) == expected[name][:3], name
            assert math.isclose(found[3], expected[name][3])
            sums[name] = [a + b for a, b in zip(sums[name], expected[name], strict=True)]
    scores = summarize(rows, "coco", LABELS, stuff=STUFF)
    for suffix, names in (("", NAMES), ("_th", NAMES[:2]), ("_st", NAMES[2:])):
        expected_scores = quality(sums, names)
        for at, name in enumerate(("PQ", "SQ", "RQ")):
            value = scores[name + suffix]
            if expected_scores is None:
                assert value is None
            else:
                assert value == pytest.approx(expected_scores[at], abs=1e-12)


@settings(deadline=None, max_examples=25)
@given(st.lists(scenes(crowds=False), min_size=1, max_size=3))
def test_torchmetrics_agrees(images: list[Scene]) -> None:
    import torch
    from torchmetrics.detection import PanopticQuality

    numbers = {name: at for at, name in enumerate(NAMES)}
    options: dict[str, Any] = {
        "things": {0, 1},
        "stuffs": {2, 3},
        "allow_unknown_preds_category": True,
        "return_sq_and_rq": True,
    }
    each: Any = PanopticQuality(**options, return_per_class=True)
    mean: Any = PanopticQuality(**options)
    for scene in images:
        sides = []
        for values, labels in ((scene.pred, scene.pred_labels), (scene.truth, scene.true_labels)):
            categories = np.full(values.shape, 9)  # no category that is known: void
            for at, label in labels.items():
                categories[values == at] = numbers[label]
            sides.append(torch.tensor(np.stack([categories, values], axis=-1)[None]))
        each.update(*sides)
        mean.update(*sides)
    columns = PanopticColumns.of(
        [compare(scene.pair(), LABELS, stuff=STUFF) for scene in images], LABELS
    )
    table = label_table(columns, "torchmetrics", stuff=STUFF)
    for line, expected in zip(table, each.compute().tolist(), strict=True):
        found = [line["pq"], line["sq"], line["rq"]]
        if found != [None] * 3:
            assert found == pytest.approx(expected, abs=1e-6)
    if any(line["pq"] is not None for line in table):
        scores = summarize(columns, "torchmetrics", stuff=STUFF)
        found = [scores[name] for name in ("PQ", "SQ", "RQ")]
        assert found == pytest.approx(mean.compute().tolist(), abs=1e-6)


def row_of(
    pred: Sequence[tuple[str, Any]], truth: Sequence[tuple[str, Any]], **more: Any
) -> PanopticRow:
    sides = [
        tuple(Mask(np.array(values, np.bool_)[None], label) for label, values in side)
        for side in (pred, truth)
    ]
    width = len((*pred, *truth)[0][1])
    return compare(Pair("a", (1, width), sides[0], sides[1], **more), LABELS, stuff=STUFF)


def test_figures_by_hand() -> None:
    row = row_of(
        [("dog", (1, 1, 1, 0, 0, 0)), ("dog", (0, 0, 0, 1, 0, 0)), ("sky", (0, 0, 0, 0, 1, 1))],
        [("dog", (1, 1, 0, 0, 0, 0)), ("cat", (0, 0, 1, 1, 0, 0)), ("sky", (0, 0, 0, 0, 1, 1))],
    )
    assert row.labels == {"dog": (1, 1, 0, 2 / 3), "cat": (0, 0, 1, 0.0), "sky": (1, 0, 0, 1.0)}
    scores = summarize([row], "coco", LABELS, stuff=STUFF)
    assert scores["PQ"] == pytest.approx((4 / 9 + 0 + 1) / 3)
    assert scores["SQ"] == pytest.approx((2 / 3 + 0 + 1) / 3)
    assert scores["RQ"] == pytest.approx((2 / 3 + 0 + 1) / 3)
    assert scores["PQ_th"] == pytest.approx(2 / 9)
    assert scores["PQ_st"] == 1.0


def test_an_iou_of_one_half_is_no_match() -> None:
    row = row_of([("dog", (1, 0))], [("dog", (1, 1))])
    assert row.labels == {"dog": (0, 1, 1, 0.0)}


def test_void_and_crowds_excuse_what_matches_nothing() -> None:
    # More than half of the prediction lies in no true segment.
    assert row_of([("dog", (1, 1, 1, 0))], [("cat", (1, 0, 0, 0))]).labels == {
        "cat": (0, 0, 1, 0.0)
    }
    # Just half does not excuse it.
    assert row_of([("dog", (1, 1, 0, 0))], [("cat", (1, 0, 0, 0))]).labels == {
        "cat": (0, 0, 1, 0.0),
        "dog": (0, 1, 0, 0.0),
    }
    ignore = np.array([[0, 1, 1, 0]], np.bool_)
    row = row_of([("dog", (1, 1, 1, 0))], [("cat", (1, 1, 1, 1))], ignore=ignore)
    assert row.labels == {"cat": (0, 0, 1, 0.0)}
    many = Mask(np.array([[1, 1, 1, 0]], np.bool_), "dog")
    assert row_of([("dog", (1, 1, 1, 0))], [("cat", (0, 0, 0, 1))], crowds=(many,)).labels == {
        "cat": (0, 0, 1, 0.0)
    }
    # A crowd of another label excuses nothing.
    other = Mask(many.array, "cat")
    assert row_of([("dog", (1, 1, 1, 0))], [("cat", (0, 0, 0, 1))], crowds=(other,)).labels == {
        "cat": (0, 0, 1, 0.0),
        "dog": (0, 1, 0, 0.0),
    }


def test_masks_of_stuff_are_one_segment_and_overlaps_go_to_the_later() -> None:
    row = row_of(
        [("sky", (1, 1, 0, 0)), ("sky", (0, 0, 1, 1)), ("dog", (0, 0, 0, 1))],
        [("sky", (1, 1, 1, 0)), ("dog", (0, 0, 0, 1))],
    )
    assert row.labels == {"sky": (1, 0, 0, 1.0), "dog": (1, 0, 0, 1.0)}
    assert (row.overlap, row.vanished) == (1, 0)
    row = row_of([("dog", (1, 0)), ("cat", (1, 1))], [("cat", (1, 1))])
    assert row.labels == {"cat": (1, 0, 0, 1.0)}
    assert (row.overlap, row.vanished) == (1, 1)


def test_panopticapi_leaves_repeated_stuff_apart() -> None:
    row = row_of(
        [("sky", (1, 1, 0, 0, 0)), ("sky", (0, 0, 1, 0, 0)), ("dog", (0, 0, 0, 1, 1))],
        [("sky", (1, 1, 1, 0, 0)), ("dog", (0, 0, 0, 1, 1))],
    )
    assert row.labels == {"sky": (1, 0, 0, 1.0), "dog": (1, 0, 0, 1.0)}
    assert row.apart == {"sky": (1, 1, 0, pytest.approx(2 / 3)), "dog": (1, 0, 0, 1.0)}
    assert PanopticRow.from_record(Record("r", 1, row.fields())) == row
    scores = summarize([row], "panopticapi", LABELS, stuff=STUFF)
    assert scores["PQ_st"] == pytest.approx(2 / 3 / 1.5)
    assert summarize([row], "coco", LABELS, stuff=STUFF)["PQ_st"] == 1


def test_panopticapi_sees_the_last_crowd_of_a_label() -> None:
    crowds = tuple(
        Mask(np.array([values], np.bool_), "dog") for values in ((1, 1, 0, 0), (0, 0, 1, 1))
    )
    row = row_of([("dog", (1, 1, 0, 0))], [], crowds=crowds)
    assert row.labels == {}
    assert row.apart == {"dog": (0, 1, 0, 0.0)}


@settings(deadline=None, max_examples=25)
@given(scenes())
def test_what_repeats_nothing_counts_alike_in_panopticapi(scene: Scene) -> None:
    row = compare(scene.pair(), LABELS, stuff=STUFF)
    assert row.apart == row.labels
    assert "apart" not in row.fields()


@settings(deadline=None, max_examples=25)
@given(scenes())
def test_the_truth_itself_is_right(scene: Scene) -> None:
    pair = scene.pair()
    same = dataclasses.replace(pair, preds=pair.targets)
    for how in ("coco", "torchmetrics"):
        found = summarize([compare(same, LABELS, stuff=STUFF)], how, LABELS, stuff=STUFF)
        assert found["PQ"] in (None, 1.0)
        assert found["RQ"] in (None, 1.0)


def test_labels_that_are_not_scored_are_counted() -> None:
    row = row_of(
        [("Zebra", (1, 1, 0)), ("cat", (0, 0, 1))], [("dog", (1, 1, 0)), ("cat", (0, 0, 1))]
    )
    assert row.labels == {"dog": (0, 0, 1, 0.0), "cat": (1, 0, 0, 1.0)}
    assert row.strays == {"zebra": 1}
    # The true segment of a label that is not scored is void.
    row = row_of([("cat", (1, 1, 1))], [("zebra", (1, 1, 0)), ("cat", (0, 0, 1))])
    assert row.labels == {"cat": (1, 0, 0, 1.0)}


def test_a_missing_prediction_misses_every_segment() -> None:
    row = row_of([], [("dog", (1, 0)), ("cat", (0, 1))], status="missing")
    assert row.labels == {"dog": (0, 0, 1, 0.0), "cat": (0, 0, 1, 0.0)}
    assert summarize([row], "coco", LABELS, stuff=STUFF)["PQ"] == 0
    assert set(summarize([], "coco", LABELS).values()) == {None}


@settings(deadline=None, max_examples=25)
@given(st.lists(scenes(), min_size=1, max_size=4), st.data())
def test_drawn_rows_count_as_often_as_they_are_drawn(
    images: list[Scene], data: st.DataObject
) -> None:
    rows = [compare(scene.pair(), LABELS, stuff=STUFF) for scene in images]
    drawn = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=6))
    found = summarize(PanopticColumns.of(rows, LABELS).take(drawn), "coco", stuff=STUFF)
    expected = summarize([rows[at] for at in drawn], "coco", LABELS, stuff=STUFF)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name] == (None if value is None else pytest.approx(value)), name


@settings(deadline=None, max_examples=25)
@given(scenes())
def test_rows_survive_being_written(scene: Scene) -> None:
    row = compare(scene.pair(), LABELS, stuff=STUFF)
    assert PanopticRow.from_record(Record("rows.jsonl", 1, row.fields())) == row


GOOD = {
    "id": "a", "status": "valid", "size": [2, 3], "labels": {"dog": [2, 0, 1, 1.7]},
    "strays": {}, "overlap": 0, "vanished": 0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": {"dog": [1, 0, 0]}}, "expected .TP, FP, FN, sum of IoU"),
        ({"labels": {"dog": [1, 0, 0, 0.4]}}, "holds 0.4 as the IoU of 1 matches"),
        ({"labels": {"dog": [1, 0, 0, 1.5]}}, "holds 1.5 as the IoU of 1 matches"),
        ({"labels": {"dog": [1, 0, 0, True]}}, "holds true as the IoU of 1 matches"),
        ({"labels": {"dog": [-1, 0, 0, 0.0]}}, "expected 3 whole numbers from 0"),
        ({"lenient": {"dog": "x"}}, "holds 'x', expected .TP"),
        ({"labels": 3}, "expected an object"),
        ({"vanished": 1.5}, "expected a whole number"),
    ],
)
def test_hostile_rows(change: Mapping[str, Any], message: str) -> None:
    PanopticRow.from_record(Record("rows.jsonl", 4, dict(GOOD)))
    with pytest.raises(RecordError, match=message):
        PanopticRow.from_record(Record("rows.jsonl", 4, {**GOOD, **change}))
