"""IoU: its definition, its corner cases, and the means over objects."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import arrays, sizes

from maskcodec import Mask, MaskCodecError
from maskcodec.answer_scores import Overlap
from maskcodec.metrics import (
    IouTally,
    answer_iou,
    iou,
    label_iou,
    mean_iou,
    size_class,
    union_of,
)

Bits = npt.NDArray[np.bool_]


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Bits, Bits]:
    """Two arrays of one size."""
    size = draw(sizes(30))
    return draw(arrays(size)), draw(arrays(size))


@given(pairs())
def test_iou_counts_pixels_one_by_one(pair: tuple[Bits, Bits]) -> None:
    first, second = ({(int(y), int(x)) for y, x in np.argwhere(mask)} for mask in pair)
    expected = len(first & second) / len(first | second) if first | second else 1.0
    assert iou(*pair) == expected
    assert iou(*pair[::-1]) == expected


def half(side: str) -> Bits:
    mask = np.zeros((4, 4), dtype=np.bool_)
    mask[:, :2] = side == "left"
    mask[:, 2:] = side == "right"
    return mask


EMPTY = half("none")


def test_both_empty_is_one_and_one_empty_is_zero() -> None:
    assert iou(EMPTY, EMPTY) == 1
    assert iou(EMPTY, half("left")) == 0
    assert iou(half("left"), half("right")) == 0


def test_masks_of_other_shapes_are_an_error() -> None:
    with pytest.raises(MaskCodecError, match=r"\(4, 4\) and \(4, 5\)"):
        iou(EMPTY, np.zeros((4, 5), dtype=np.bool_))


def masks(*sides: str) -> list[Mask]:
    return [Mask(half(side), side) for side in sides]


def test_mean_iou_matches_by_position_and_counts_what_has_no_partner() -> None:
    assert mean_iou(masks("left", "right"), masks("left", "right")) == 1
    assert mean_iou(masks("left", "right"), masks("right", "left")) == 0
    assert mean_iou(masks("left"), masks("left", "right")) == 0.5
    assert mean_iou(masks("left", "right"), masks("left")) == 0.5
    assert mean_iou([], []) == 1


def test_label_iou_joins_objects_of_a_label() -> None:
    parts = [Mask(half("left"), "dog"), Mask(half("right"), "dog")]
    whole = [Mask(half("left") | half("right"), "dog")]
    assert label_iou(whole, parts) == 1
    assert label_iou(whole, [*parts, Mask(EMPTY, "cat")]) == 0.5
    assert label_iou([], []) == 1


def test_labels_are_one_however_their_letters_are_composed() -> None:
    array = np.eye(4, dtype=np.bool_)
    said, true = [Mask(array, "caf\xe9")], [Mask(array, "cafe\u0301")]
    assert label_iou(said, true) == 1.0
    scores = Overlap()
    assert scores.add(said, true, (4, 4), "semantic") == 1.0
    assert scores.ciou == 1.0


def test_answer_iou_ignores_the_label_of_a_single_object_only() -> None:
    size = (4, 4)
    assert answer_iou([Mask(half("left"), "hound")], [Mask(half("left"), "dog")], size) == 1
    assert answer_iou([], [], size) == 1
    assert answer_iou([Mask(half("left"), "dog")], [], size) == 0
    swapped = [Mask(half("right"), "left"), Mask(half("left"), "right")]
    assert answer_iou(swapped, masks("left", "right"), size) == 0


def test_union_of_nothing_is_empty() -> None:
    assert not union_of([], (4, 4)).any()
    assert union_of(masks("left", "right"), (4, 4)).all()


@pytest.mark.parametrize(
    ("area", "expected"),
    [(0, "small"), (1023, "small"), (1024, "medium"), (9215, "medium"), (9216, "large")],
)
def test_size_classes_are_those_of_coco(area: int, expected: str) -> None:
    assert size_class(area) == expected


def test_a_tally_takes_ratios_at_the_end() -> None:
    tally = IouTally()
    assert tally.count == 0
    assert tally.mean() is None
    assert tally.zero_share() is None
    for value, area in [(1.0, 10), (0.0, 10), (0.5, 2000), (0.5, 2000)]:
        tally.add(value, area)
    assert tally.count == 4
    assert tally.mean() == 0.5
    assert tally.mean("small") == 0.5
    assert tally.mean("medium") == 0.5
    assert tally.mean("large") is None
    assert tally.zero_share() == 0.25


def test_label_iou_counts_labels_of_one_side_alone() -> None:
    assert label_iou(masks("left", "right"), masks("left")) == 0.5
    assert label_iou(masks("left"), masks("left", "right")) == 0.5
    assert label_iou(masks("left"), []) == 0
