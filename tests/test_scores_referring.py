"""Scores of referring segmentation against other programs' and against plain loops."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import pycocotools.mask
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from score_pairs import maps, pairs, same, scores, several

from maskcodec.boundary import boundary
from maskcodec.metrics import iou, union_of
from maskcodec.scores.conventions import CONVENTIONS
from maskcodec.scores.pair import Pair
from maskcodec.scores.referring import (
    ReferringColumns,
    compare,
    ious,
    ratios,
    summarize,
)

Scores = dict[str, float | None]
Labels = npt.NDArray[np.int64]


def mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


# Other programs, each told again from what it does, pixel by pixel.


def counted(pred: Labels, truth: Labels) -> Iterator[tuple[int, int]]:
    """(predicted, true) of each pixel that is annotated."""
    for ours, theirs in zip(pred.flat, truth.flat, strict=True):
        if theirs != 255:
            yield int(ours), int(theirs)


def plain_lisa(samples: list[Pair]) -> Scores:
    both = either = 0
    shares = []
    for pred, truth in map(maps, samples):
        inter = sum(1 for ours, theirs in counted(pred, truth) if ours == theirs == 1)
        union = sum(1 for ours, theirs in counted(pred, truth) if 1 in (ours, theirs))
        shares.append(1.0 if union == 0 else inter / (union + 1e-5))
        both, either = both + inter, either + union
    return {"gIoU": mean(shares), "cIoU": both / either if either else None}


def plain_gsva(samples: list[Pair]) -> Scores:
    table = {"TP": 0, "TN": 0, "FP": 0, "FN": 0}
    shares, hits, aimed = [], 0, 0
    both = either = 0
    for pred, truth in map(maps, samples):
        rejects, absent = not pred.any(), not truth.any()
        inter, union = int((pred * truth).sum()), int(np.maximum(pred, truth).sum())
        if absent:
            table["TP" if rejects else "FN"] += 1
            shares.append(1.0 if rejects else 0.0)
            either += 0 if rejects else union
            continue
        table["FP" if rejects else "TN"] += 1
        shares.append(inter / (union + 1e-8))
        both, either = both + inter, either + union
        aimed += 1
        hits += shares[-1] >= 0.7
    absent_count, present = table["TP"] + table["FN"], table["TN"] + table["FP"]
    return {
        "gIoU": mean(shares),
        "cIoU": both / either if either else None,
        "P@0.7": hits / aimed if aimed else None,
        "N-acc": table["TP"] / absent_count if absent_count else None,
        "T-acc": table["TN"] / present if present else None,
    }


def plain_himtok(samples: list[Pair]) -> Scores:
    both = either = 0
    shares = []
    for pred, truth in map(maps, samples):
        ours, theirs = pred.copy(), truth.copy()
        ours[truth == 255] = theirs[truth == 255] = 1
        inter, union = int((ours & theirs).sum()), int((ours | theirs).sum())
        shares.append(inter / (union + 1e-10) if union else 1.0)
        both, either = both + inter, either + union
    return {"gIoU": mean(shares), "cIoU": both / either if either else None}


def plain_lavt(samples: list[Pair]) -> Scores:
    shares = []
    for pred, truth in map(maps, samples):
        cells = list(counted(pred, truth))
        inter, union = cells.count((1, 1)), len(cells) - cells.count((0, 0))
        shares.append(inter / union if union else 0.0)
    found: Scores = {"gIoU": mean(shares)}
    for bound in (0.5, 0.9):
        found[f"P@{bound}"] = mean([float(share >= bound) for share in shares])
    return found


def plain_cris(samples: list[Pair]) -> Scores:
    shares = []
    for pred, truth in map(maps, samples):
        cells = list(counted(pred, truth))
        shares.append(cells.count((1, 1)) / (len(cells) - cells.count((0, 0)) + 1e-6))
    return {"gIoU": mean(shares), "P@0.5": mean([float(share > 0.5) for share in shares])}


def plain_maskcodec(samples: list[Pair]) -> Scores:
    shares, near = [], []
    right = absent = 0
    for sample in samples:
        ignore = np.zeros(sample.size, np.bool_) if sample.ignore is None else sample.ignore
        pred, truth = (union_of(side, sample.size) for side in (sample.preds, sample.targets))
        failed = sample.status in ("invalid", "missing")
        shares.append(0.0 if failed else iou(pred & ~ignore, truth & ~ignore))
        width = max(1, round(0.02 * math.hypot(*sample.size)))
        edges = [boundary(side, width) & ~ignore for side in (pred, truth)]
        near.append(0.0 if failed else iou(*edges))
        if not (truth & ~ignore).any():
            absent += 1
            right += not failed and not (pred & ~ignore).any()
    return {
        "gIoU": mean(shares),
        "boundary_IoU": mean(near),
        "P@0.6": mean([float(share >= 0.6) for share in shares]),
        "N-acc": right / absent if absent else None,
    }


PROGRAMS: list[tuple[str, Callable[[list[Pair]], Scores], bool]] = [
    ("lisa", plain_lisa, True),
    ("gsva", plain_gsva, False),
    ("himtok", plain_himtok, True),
    ("lavt", plain_lavt, True),
    ("cris", plain_cris, True),
    ("maskcodec", plain_maskcodec, True),
]


@pytest.mark.parametrize(("how", "program", "ignoring"), PROGRAMS)
@given(data=st.data())
@settings(max_examples=25)
def test_each_convention_counts_as_its_program(
    how: str, program: Callable[[list[Pair]], Scores], ignoring: bool, data: st.DataObject
) -> None:
    samples = data.draw(several(ignoring=ignoring))
    expected = program(samples)
    found = scores(samples, how, *expected)
    for name, value in expected.items():
        assert same(found[name], value), (name, found[name], value)


@given(several(least=1, ignoring=False))
@settings(max_examples=25)
def test_single_ious_are_those_of_pycocotools(samples: list[Pair]) -> None:
    columns = ReferringColumns.of(map(compare, samples))
    for sample, found in zip(samples, ious(columns, "pycocotools"), strict=True):
        ours, theirs = (
            pycocotools.mask.encode(np.asfortranarray(side.astype(np.uint8)))
            for side in maps(sample)
        )
        assert found == pycocotools.mask.iou([ours], [theirs], [False])[0, 0]


@given(several(ignoring=False))
@settings(max_examples=10, deadline=None)
def test_means_are_those_of_torchmetrics(samples: list[Pair]) -> None:
    torch = pytest.importorskip("torch")
    segmentation = pytest.importorskip("torchmetrics.segmentation")
    metric = segmentation.MeanIoU(2, include_background=False, input_format="index")
    expected = math.nan
    for pred, truth in map(maps, samples):
        metric.update(torch.from_numpy(pred)[None], torch.from_numpy(truth)[None])
    if any(pred.any() or truth.any() for pred, truth in map(maps, samples)):
        expected = float(metric.compute())  # of nothing but empty samples it is no number
    assert same(scores(samples, "torchmetrics", "gIoU")["gIoU"], expected, 1e-6)


@given(several(least=1))
@settings(max_examples=10, deadline=None)
def test_ciou_is_the_jaccard_index_of_all_pixels(samples: list[Pair]) -> None:
    torch = pytest.importorskip("torch")
    classification = pytest.importorskip("torchmetrics.classification")
    metric = classification.BinaryJaccardIndex(ignore_index=255)
    for pred, truth in map(maps, samples):
        metric.update(torch.from_numpy(pred), torch.from_numpy(truth))
    found = scores(samples, "lisa", "cIoU")["cIoU"]
    assert same(0.0 if found is None else found, float(metric.compute()), 1e-6)


@given(pairs(), several(), st.sampled_from(sorted(CONVENTIONS)))
@settings(max_examples=30)
def test_a_convention_without_ignored_pixels_or_failures_differs_only_where_it_says(
    sample: Pair, others: list[Pair], how: str
) -> None:
    """Where every sample has pixels on both sides, all conventions agree but for the epsilon."""
    plain = [
        Pair("x", one.size, one.preds, one.targets)
        for one in (sample, *others)
        if union_of(one.preds, one.size).any() and union_of(one.targets, one.size).any()
    ]
    names = ("gIoU", "cIoU", "P@0.7713", "boundary_IoU", "boundary_cIoU", "T-acc", "N-acc")
    expected, found = scores(plain, "maskcodec", *names), scores(plain, how, *names)
    for name in names:
        assert same(found[name], expected[name], 2e-5)


@given(several(least=1))
@settings(max_examples=30)
def test_groups_by_a_plain_loop(samples: list[Pair]) -> None:
    for how in ("lisa", "torchmetrics"):
        values = ious(ReferringColumns.of(map(compare, samples)), how)
        groups: dict[object, list[float]] = {}
        for index, (sample, value) in enumerate(zip(samples, values, strict=True)):
            if not math.isnan(value):
                groups.setdefault(sample.group or index, []).append(value)
        expected = mean([sum(group) / len(group) for group in groups.values()])
        assert same(scores(samples, f"{how}:unit=group", "gIoU")["gIoU"], expected)


@given(pairs(largest=20))
def test_rows_count_what_is_there(sample: Pair) -> None:
    row = compare(sample)
    pred, truth = maps(sample)
    cells = list(counted(pred, truth))
    assert row.truth == sum(theirs for _, theirs in cells)
    assert row.pred == sum(ours for ours, _ in cells)
    assert row.intersection == cells.count((1, 1))
    assert row.ignored == int((truth == 255).sum())
    assert row.pred_ignored == int(pred[truth == 255].sum())
    assert (row.height, row.width) == sample.size
    assert (row.targets, row.preds) == (len(sample.targets), len(sample.preds))


@given(several(), several(), st.sampled_from(sorted(CONVENTIONS)))
@settings(max_examples=30)
def test_parts_merge_by_concatenation(first: list[Pair], second: list[Pair], how: str) -> None:
    rows = [compare(sample) for sample in (*first, *second)]
    whole = ratios(ReferringColumns.of(rows), how)
    parts = [
        ratios(ReferringColumns.of(part), how) for part in (rows[: len(first)], rows[len(first) :])
    ]
    for side in ("upper", "lower"):
        sums = sum(getattr(part, side).sum(axis=0) for part in parts)
        np.testing.assert_allclose(getattr(whole, side).sum(axis=0), sums, atol=1e-9)
    backwards = summarize(rows[::-1], how)
    assert all(same(backwards[name], value) for name, value in summarize(rows, how).items())


@given(several(least=1), st.integers(0, 2**32 - 1))
@settings(max_examples=20)
def test_columns_are_taken_by_number_and_by_flag(samples: list[Pair], seed: int) -> None:
    rows = [compare(sample) for sample in samples]
    columns = ReferringColumns.of(rows)
    numbers = np.random.default_rng(seed).integers(0, len(rows), len(rows))
    again = ReferringColumns.of([rows[index] for index in numbers])
    assert summarize(columns.take(numbers)) == summarize(again)
    flags = np.arange(len(rows)) % 2 == 0
    assert summarize(columns.take(flags)) == summarize(rows[::2])
    assert len(columns.take([])) == 0
