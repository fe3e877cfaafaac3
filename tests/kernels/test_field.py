"""Painting of fields, against the twin, which computes in fractions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskcodec._ext import field as kernels
from maskcodec._reference import field as reference

Ints = npt.NDArray[np.int32]

MOST = 2**25
"""Fields stay within it."""


def run_paint(fields: Ints, boxes: npt.ArrayLike, size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    planes = np.ones((len(fields), *size), np.bool_)  # as memory that was used
    kernels.paint(fields, np.asarray(boxes, np.int32), [(planes, False)])
    return planes


def draw_field(cells: int, seed: int, most: int = MOST) -> Ints:
    """Whole numbers of any size, smooth or not, and zeros."""
    random = np.random.default_rng(seed)
    values = random.integers(-most, most, (cells, cells), np.int32, endpoint=True)
    kind = seed % 4
    if kind == 0:
        return values
    if kind == 1:  # few levels, so that sums of exactly 0 happen
        return np.asarray(np.sign(values) * (values % 3))
    if kind == 2:
        y, x = np.mgrid[:cells, :cells]
        return np.asarray(MOST // cells * (y + x - cells), np.int32)
    return np.where(values > 0, most, -most).astype(np.int32)


@given(
    cells=st.integers(2, 9),
    seed=st.integers(0, 400),
    box=st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(1, 22), st.integers(1, 22)),
)
def test_paint_equals_its_twin(cells: int, seed: int, box: tuple[int, int, int, int]) -> None:
    left, top, width, height = box
    field = draw_field(cells, seed)
    size = (top + height + 2, left + width + 1)
    planes = run_paint(field[None], [[left, top, left + width, top + height]], size)
    wanted = np.zeros(size, np.bool_)
    wanted[top : top + height, left : left + width] = reference.paint(field, height, width)
    np.testing.assert_array_equal(planes[0], wanted)


@pytest.mark.parametrize("size", [(1, 1), (1, 64), (64, 1), (63, 65), (64, 64), (7, 200), (130, 3)])
@pytest.mark.parametrize("seed", range(4))
def test_fields_of_64_cells(size: tuple[int, int], seed: int) -> None:
    """Boxes of one pixel, smaller than the field, as large, and larger."""
    field = draw_field(64, seed)
    planes = run_paint(field[None], [[0, 0, size[1], size[0]]], size)
    np.testing.assert_array_equal(planes[0], reference.paint(field, *size))


def test_a_box_as_large_as_the_field_takes_its_signs() -> None:
    field = draw_field(64, 0)
    planes = run_paint(field[None], [[0, 0, 64, 64]], (64, 64))
    np.testing.assert_array_equal(planes[0], field > 0)


@pytest.mark.parametrize("size", [(1, 65_536), (65_536, 1)])
def test_the_longest_sides_at_the_largest_values(size: tuple[int, int]) -> None:
    """Sums come to 2**59 there: an overflow would flip their signs."""
    stripes = np.where(np.arange(64) % 3 == 0, MOST, -MOST).astype(np.int32)
    field = np.ascontiguousarray(
        np.broadcast_to(stripes if size[0] == 1 else stripes[:, None], (64, 64))
    )
    painted = run_paint(field[None], [[0, 0, size[1], size[0]]], size).ravel()
    place = np.clip((np.arange(65_536) + 0.5) / 1_024 - 0.5, 0, 63)
    cell = np.minimum(place.astype(np.int64), 62)
    value = stripes[cell] * (1 - (place - cell)) + stripes[cell + 1] * (place - cell)
    np.testing.assert_array_equal(painted, value > 0)
    for extreme in (MOST, -MOST):
        whole = run_paint(np.full((1, 64, 64), extreme, np.int32), [[0, 0, size[1], size[0]]], size)
        assert whole.all() == (extreme > 0)
        assert whole.any() == (extreme > 0)


def test_0_is_not_set() -> None:
    assert not run_paint(np.zeros((1, 2, 2), np.int32), [[0, 0, 5, 5]], (5, 5)).any()
    # Three pixels over two cells: the middle one is exactly between -1 and 1.
    field = np.array([[[-1, 1], [-1, 1]]], np.int32)
    assert run_paint(field, [[0, 0, 3, 1]], (1, 3)).tolist() == [[[False, False, True]]]


def test_several_objects_and_boxes_without_area() -> None:
    fields = np.stack([draw_field(8, seed) for seed in range(5)])
    boxes = [[0, 0, 9, 7], [3, 2, 3, 7], [1, 4, 8, 4], [0, 0, 0, 0], [8, 6, 9, 7]]
    planes = run_paint(fields, boxes, (7, 9))
    np.testing.assert_array_equal(planes[0], reference.paint(fields[0], 7, 9))
    assert not planes[1:4].any()
    assert planes[4].sum() == reference.paint(fields[4], 1, 1).sum()


def test_no_objects() -> None:
    assert run_paint(np.zeros((0, 64, 64), np.int32), np.zeros((0, 4)), (5, 6)).shape == (0, 5, 6)


@pytest.mark.parametrize(
    "box", [[-1, 0, 4, 4], [0, -1, 4, 4], [0, 0, 7, 4], [0, 0, 4, 6], [4, 0, 3, 4], [0, 4, 4, 3]]
)
def test_boxes_that_leave_the_plane(box: list[int]) -> None:
    with pytest.raises(ValueError, match="leaves its plane"):
        run_paint(np.ones((2, 4, 4), np.int32), [[0, 0, 1, 1], box], (5, 6))


def test_wrong_arguments() -> None:
    canvas = [(np.zeros((2, 5, 6), np.bool_), True)]
    boxes = np.zeros((2, 4), np.int32)
    for shape in ((1, 4, 4), (2, 4, 5), (2, 1, 1), (2, 1_025, 1_025)):
        with pytest.raises(ValueError, match="shapes"):
            kernels.paint(np.zeros(shape, np.int32), boxes, canvas)
    fields = np.zeros((2, 4, 4), np.int32)
    for wrong in (np.zeros((3, 4), np.int32), np.zeros((2, 5), np.int32)):
        with pytest.raises(ValueError, match="shapes"):
            kernels.paint(fields, wrong, canvas)
    with pytest.raises(ValueError, match="shapes"):
        kernels.paint(fields, boxes, [(canvas[0][0][:1], True)])
    with pytest.raises(ValueError, match="a side is longer"):
        kernels.paint(fields, boxes, [(np.zeros((2, 1, 65_537), np.uint8), True)])
    for wrong_planes in (np.zeros((5, 6), np.bool_), np.zeros((2, 5, 6), np.int32)):
        with pytest.raises(ValueError, match="planes are"):
            kernels.paint(fields, boxes, [(wrong_planes, True)])  # type: ignore[list-item]


def test_objects_of_several_images() -> None:
    fields = np.stack([draw_field(6, seed) for seed in range(3)])
    boxes = np.array([[0, 0, 5, 6], [1, 0, 4, 3], [2, 1, 9, 5]], np.int32)
    canvases = [(np.ones((2, 6, 5), np.bool_), False), (np.zeros((1, 5, 9), np.bool_), True)]
    kernels.paint(fields, boxes, canvases)
    assert np.array_equal(canvases[0][0], run_paint(fields[:2], boxes[:2], (6, 5)))
    assert np.array_equal(canvases[1][0], run_paint(fields[2:], boxes[2:], (5, 9)))


# --- counts ---


@given(
    cells=st.integers(2, 9),
    seed=st.integers(0, 400),
    box=st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 22), st.integers(0, 40)),
)
def test_overlaps_equal_their_twin(cells: int, seed: int, box: tuple[int, int, int, int]) -> None:
    left, top, width, height = box
    fields = np.stack([draw_field(cells, seed), draw_field(cells, seed + 1)])
    boxes = np.array([[left, top, left + width, top + height], [0, 0, left, top]], np.int32)
    mask = np.random.default_rng(seed).random((top + height + 1, left + width + 2)) < 0.5
    counts = np.full((2, 2), -1, np.int64)
    kernels.overlaps(fields, boxes, mask.view(np.uint8), *counts)
    wanted = [reference.overlaps(*pair, mask) for pair in zip(fields, boxes, strict=True)]
    assert counts.T.tolist() == [list(pair) for pair in wanted]


def test_long_runs_are_counted_whole() -> None:
    """Bytes are added eight at a time, as far as a byte holds the sum."""
    for width in (7, 8, 2_039, 2_040, 2_041, 5_003):
        mask = np.ones((2, width), np.uint8)
        counts = np.zeros((2, 1), np.int64)
        kernels.overlaps(
            np.full((1, 2, 2), 5, np.int32), np.array([[0, 0, width, 2]], np.int32), mask, *counts
        )
        assert counts.tolist() == [[2 * width], [2 * width]]


def test_overlaps_refuse_what_would_leave_an_array() -> None:
    mask, fields = np.zeros((7, 9), np.uint8), np.zeros((1, 4, 4), np.int32)
    box, counts = np.array([[0, 0, 9, 7]], np.int32), np.zeros((2, 1), np.int64)
    for wrong in ([0, 0, 10, 7], [0, 0, 9, 8], [-1, 0, 9, 7], [0, -1, 9, 7], [5, 0, 4, 7]):
        with pytest.raises(ValueError, match="leaves its plane"):
            kernels.overlaps(fields, np.array([wrong], np.int32), mask, *counts)
    for bad in (
        (np.zeros((1, 4, 3), np.int32), box, mask, *counts),
        (np.zeros((1, 1, 1), np.int32), box, mask, *counts),
        (fields, box[:, :3].copy(), mask, *counts),
        (fields, box, mask, counts[0][:0], counts[1]),
        (fields, box, mask, counts[0], counts[1][:0]),
    ):
        with pytest.raises(ValueError, match="shapes"):
            kernels.overlaps(*bad)
