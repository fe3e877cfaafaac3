"""Scores of referring segmentation where programs disagree, worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from score_pairs import block, pair_of, same, scores

from maskcodec import MaskCodecError
from maskcodec.scores.conventions import CONVENTIONS, convention
from maskcodec.scores.pair import Pair
from maskcodec.scores.referring import (
    NAMES,
    ReferringColumns,
    ReferringRow,
    compare,
    size_groups,
    summarize,
)

EMPTY = np.zeros((10, 10), np.bool_)
FULL = ~EMPTY


def one(pair: Pair, how: str, name: str = "gIoU") -> float | None:
    return scores([pair], how, name)[name]


@pytest.mark.parametrize(
    ("how", "expected"),
    [("maskcodec", 1.0), ("lisa", 1.0), ("gsva", 1.0), ("himtok", 1.0), ("lavt", 0.0),
     ("pycocotools", 0.0), ("torchmetrics", None)],
)  # fmt: skip
def test_nothing_against_nothing(how: str, expected: float | None) -> None:
    for right in (pair_of(None, None), pair_of(EMPTY, EMPTY), pair_of(EMPTY, None)):
        assert one(right, how) == expected
        assert one(right, how, "cIoU") is None
        assert one(right, how, "N-acc") == 1
        assert one(right, how, "T-acc") is None


@pytest.mark.parametrize("how", sorted(CONVENTIONS))
def test_one_side_empty_is_wrong(how: str) -> None:
    assert one(pair_of(None, FULL), how) == 0
    assert one(pair_of(FULL, None), how) == 0
    assert one(pair_of(FULL, EMPTY), how, "N-acc") == 0
    assert one(pair_of(EMPTY, FULL), how, "T-acc") == 0
    assert one(pair_of(None, FULL), how, "REC@0.5") == 0
    assert one(pair_of(FULL, None), how, "REC@0.5") is None


@pytest.mark.parametrize("how", sorted(CONVENTIONS))
def test_no_samples_have_no_score(how: str) -> None:
    assert set(summarize([], how).values()) == {None}


@pytest.mark.parametrize("status", ["invalid", "missing"])
def test_a_failed_answer_is_right_only_for_those_who_hide_it(status: str) -> None:
    failed = pair_of(None, None, status=status)
    assert one(failed, "maskcodec") == 0
    assert one(failed, "maskcodec", "N-acc") == 0
    assert one(failed, "maskcodec", "boundary_IoU") == 0
    assert one(failed, "maskcodec:failed=empty") == 1
    assert one(failed, "lisa") == 1
    assert one(failed, "lisa", "N-acc") == 1
    assert one(failed, "lisa:failed=wrong", "N-acc") == 0
    assert one(pair_of(None, FULL, status=status), "maskcodec", "T-acc") == 0


@pytest.mark.parametrize("how", ["maskcodec", "lisa", "maskcodec:ignore=background"])
def test_masks_of_a_failed_answer_are_not_looked_at(how: str) -> None:
    ignore = block(20)
    failed = pair_of(FULL, block(50, start=50), ignore=ignore, status="invalid")
    empty = pair_of(None, block(50, start=50), ignore=ignore, status="invalid")
    names = ("gIoU", "cIoU", "N-acc", "T-acc")
    assert scores([failed], how, *names) == scores([empty], how, *names)
    assert scores([failed], how, "cIoU")["cIoU"] == 0
    with_another = [failed, pair_of(FULL, FULL)]
    assert scores(with_another, how, "cIoU")["cIoU"] == 100 / 150


def test_ignored_pixels_are_dropped_or_hit_or_background() -> None:
    ignore = block(20, start=80)
    sample = pair_of(block(30, start=60), block(15, start=60), ignore=ignore)
    # Predicted: 60 to 89, of which 10 ignored; true: 60 to 74; ignored: 80 to 99.
    assert one(sample, "maskcodec") == 15 / 20
    assert one(sample, "maskcodec:ignore=hit") == 35 / 40
    assert one(sample, "maskcodec:ignore=background") == 15 / 30
    everything = pair_of(FULL, FULL, ignore=FULL)
    assert one(everything, "maskcodec") == 1
    assert one(everything, "maskcodec", "cIoU") is None
    assert one(everything, "himtok", "cIoU") == 1
    assert one(everything, "maskcodec:ignore=background") == 0
    assert one(everything, "torchmetrics") is None


def test_a_missed_rejection_adds_its_union_or_not() -> None:
    samples = [pair_of(block(50), block(50)), pair_of(block(50), None)]
    assert scores(samples, "gsva", "cIoU")["cIoU"] == 0.5
    assert scores(samples, "gsva:missed=leave", "cIoU")["cIoU"] == 1
    assert scores(samples, "gsva:missed=leave", "N-acc", "P@0.7") == {"N-acc": 0, "P@0.7": 1}
    gious = [scores(samples, how, "gIoU")["gIoU"] for how in ("gsva", "gsva:missed=leave")]
    assert gious[0] == gious[1]


def test_few_pixels_may_be_taken_for_nothing() -> None:
    few = pair_of(block(5), None)
    assert one(few, "gsva") == 0
    assert one(few, "gsva:reject=6") == 1
    assert one(few, "gsva:reject=6", "N-acc") == 1
    assert one(few, "gsva:reject=6", "cIoU") is None
    assert one(few, "gsva:reject=5", "N-acc") == 0
    wrong = pair_of(block(5), block(5))
    assert one(wrong, "gsva:reject=6") == 0
    assert one(wrong, "gsva:reject=6", "T-acc") == 0
    assert one(wrong, "gsva:reject=6", "cIoU") == 0


def test_precision_counts_the_bound_itself_or_not() -> None:
    half = pair_of(block(50), FULL)
    assert one(half, "maskcodec", "P@0.5") == 1
    assert one(half, "maskcodec:reach=above", "P@0.5") == 0
    assert one(pair_of(block(70), FULL), "maskcodec", "P@0.7") == 1
    assert one(pair_of(block(69), FULL), "maskcodec", "P@0.7") == 0
    assert one(half, "maskcodec", "P@0.25") == 1


def test_precision_is_a_share_of_all_or_of_those_with_a_target() -> None:
    samples = [pair_of(FULL, FULL), pair_of(None, None), pair_of(FULL, None), pair_of(None, FULL)]
    assert scores(samples, "maskcodec", "P@0.7")["P@0.7"] == 2 / 4
    assert scores(samples, "maskcodec:among=targets", "P@0.7")["P@0.7"] == 1 / 2


def test_groups_are_averaged_first() -> None:
    samples = [
        pair_of(FULL, FULL, group="a"),
        pair_of(FULL, FULL, group="a"),
        pair_of(FULL, FULL, group="a"),
        pair_of(block(50), FULL, group="b"),
        pair_of(None, FULL),
        pair_of(None, FULL),
    ]
    assert scores(samples, "maskcodec", "gIoU")["gIoU"] == 3.5 / 6
    found = scores(samples, "maskcodec:unit=group", "gIoU", "cIoU", "P@0.9")
    assert same(found["gIoU"], 1.5 / 4)
    assert same(found["cIoU"], 150 / 400)
    assert same(found["P@0.9"], 1 / 4)


def test_sizes_are_those_of_the_true_mask() -> None:
    shape = (200, 200)
    areas = [0, 1, 1023, 1024, 9215, 9216, 40000]
    rows = [compare(pair_of(None, block(area, shape))) for area in areas]
    columns = ReferringColumns.of(rows)
    found = {name: flags.tolist() for name, flags in size_groups(columns).items()}
    assert [name for flags in zip(*found.values(), strict=True)
            for name, flag in zip(found, flags, strict=True) if flag] == [
        "no-target", "small", "small", "medium", "medium", "large", "large"
    ]  # fmt: skip
    other = size_groups(columns, "lisa:small=2,large=10000")
    assert other["small"].sum() == 1
    assert other["large"].sum() == 1


def test_the_ceiling_is_scored_as_if_it_had_been_predicted() -> None:
    target, best, ignore = block(40), block(30, start=5), block(10)
    sample = pair_of(None, target, ignore=ignore, status="invalid")
    ceiling = pair_of(best, None).preds
    row = compare(sample, ceiling=ceiling)
    columns = ReferringColumns.of([row, compare(pair_of(FULL, FULL))]).ceiling()
    assert columns is not None
    assert len(columns) == 1
    for how in (*CONVENTIONS, "maskcodec:ignore=background"):
        expected = scores([pair_of(best, target, ignore=ignore)], how, "gIoU", "boundary_IoU")
        assert summarize(columns, how, ("gIoU", "boundary_IoU")) == expected
    assert ReferringColumns.of([compare(sample)]).ceiling() is None
    with pytest.raises(MaskCodecError, match=r"ceiling is \(4, 4\), the sample is \(10, 10\)"):
        compare(sample, ceiling=pair_of(block(1, (4, 4)), None).preds)


def test_an_unknown_score_or_convention_lists_what_there_is() -> None:
    with pytest.raises(MaskCodecError, match=r"no score 'P@2'; there are: gIoU"):
        summarize([], "lisa", ["P@2"])
    with pytest.raises(MaskCodecError, match=r"no convention 'lissa' \(did you mean 'lisa'\?\)"):
        summarize([], "lissa")
    assert summarize([], "lisa", ["oIoU", "mIoU"]) == {"oIoU": None, "mIoU": None}
    assert tuple(summarize([])) == NAMES


def test_a_sample_of_one_pixel() -> None:
    dot = np.ones((1, 1), np.bool_)
    assert one(pair_of(dot, dot), "maskcodec", "boundary_IoU") == 1
    assert one(pair_of(dot, dot), "lisa") == 1 / (1 + 1e-5)
    assert one(pair_of(dot, ~dot), "maskcodec", "cIoU") == 0


def test_a_row_is_counted_without_boundaries() -> None:
    row = compare(pair_of(FULL, FULL), boundary=False)
    assert row.boundary is None
    found = summarize([row, compare(pair_of(None, FULL))], "maskcodec")
    assert found["boundary_IoU"] == found["boundary_cIoU"] == 0
    assert found["gIoU"] == 0.5
    assert summarize([row])["boundary_IoU"] is None


def test_conventions_are_passed_as_they_are() -> None:
    rows = [compare(pair_of(block(50), FULL)), ReferringRow(
        "b", "referring", "valid", 2, 2, 1, 1, 4, 4, 4)]  # fmt: skip
    assert summarize(rows, convention("lisa:epsilon=0"))["gIoU"] == 0.75
