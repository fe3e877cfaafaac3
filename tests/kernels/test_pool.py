"""Pooling, sampling and the best cells, against their NumPy twin."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import KINDS, draw_array, sizes

from maskcodec import resample
from maskcodec._ext import pool as kernels
from maskcodec._reference import pool as reference

Ints = npt.NDArray[np.int32]
SIDES = st.integers(1, 12)


def run_coverage(
    mask: npt.NDArray[np.bool_], y_edges: Ints, x_edges: Ints, corner: tuple[int, int] = (0, 0)
) -> tuple[Ints, Ints]:
    """Call the kernel on arrays that hold rubbish."""
    shape = (len(y_edges) - 1, len(x_edges) - 1)
    covered, total = np.full(shape, -7, np.int32), np.full(shape, -7, np.int32)
    height, width = mask.shape
    kernels.coverage([(mask, height, width, *corner, y_edges, x_edges, covered, total)])
    return covered, total


def edges_of(cuts: list[int]) -> Ints:
    return np.array(sorted(cuts), np.int32)


@given(size=sizes(), rows=SIDES, columns=SIDES, kind=st.sampled_from(KINDS), seed=st.integers(0))
def test_coverage_equals_its_twin(
    size: tuple[int, int], rows: int, columns: int, kind: str, seed: int
) -> None:
    mask = draw_array(kind, size, seed)
    edges = resample.cell_edges(size[0], rows), resample.cell_edges(size[1], columns)
    np.testing.assert_array_equal(run_coverage(mask, *edges), reference.coverage(mask, *edges))


@given(data=st.data(), size=sizes(40), seed=st.integers(0))
def test_coverage_takes_any_ascending_edges(
    data: st.DataObject, size: tuple[int, int], seed: int
) -> None:
    mask = draw_array("noise", size, seed)
    y0, x0 = (data.draw(st.integers(0, side)) for side in size)
    y_edges, x_edges = (
        edges_of(data.draw(st.lists(st.integers(0, side - start), min_size=2, max_size=9)))
        for side, start in zip(size, (y0, x0), strict=True)
    )
    np.testing.assert_array_equal(
        run_coverage(mask, y_edges, x_edges, (y0, x0)),
        reference.coverage(mask[y0:, x0:], y_edges, x_edges),
    )


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (0, 0), (1, 1), (600, 3), (2, 700), (300, 300)])
@pytest.mark.parametrize("grid", [(1, 1), (1, 2), (3, 1), (5, 7)])
def test_coverage_of_degenerate_and_of_wide_cells(
    size: tuple[int, int], grid: tuple[int, int]
) -> None:
    """Wide cells overflow neither the uint8 sums of a column nor the 16-bit sums of a cell."""
    mask = np.ones(size, np.bool_)
    edges = resample.cell_edges(size[0], grid[0]), resample.cell_edges(size[1], grid[1])
    covered, total = run_coverage(mask, *edges)
    np.testing.assert_array_equal(covered, reference.coverage(mask, *edges)[0])
    np.testing.assert_array_equal(covered, total)


@pytest.mark.parametrize("height", [35, 36, 37, 255, 256])
def test_coverage_of_narrow_cells_of_any_height(height: int) -> None:
    """Their sums are taken in one byte as long as that holds them."""
    mask = np.ones((height + 1, 21), np.bool_)
    edges = edges_of([0, height, height + 1]), edges_of([0, 7, 7, 13, 20, 21])
    covered, total = run_coverage(mask, *edges)
    np.testing.assert_array_equal(covered, reference.coverage(mask, *edges)[0])
    np.testing.assert_array_equal(covered, total)


def test_several_masks_are_all_counted_or_none() -> None:
    work = []
    for seed, (size, grid) in enumerate(
        (((30, 50), (7, 9)), ((5, 9), (12, 3)), ((64, 700), (1, 1)))
    ):
        edges = resample.cell_edges(size[0], grid[0]), resample.cell_edges(size[1], grid[1])
        counts = np.full((2, *grid), -7, np.int32)
        work.append((draw_array("noise", size, seed), *size, 0, 0, *edges, counts[0], counts[1]))
    with pytest.raises(ValueError, match="array's length"):
        kernels.coverage([*work, (work[0][0], 31, *work[0][2:])])
    assert all((covered == -7).all() for *_, covered, _ in work)
    kernels.coverage(work)
    for mask, _, _, _, _, y_edges, x_edges, covered, total in work:
        np.testing.assert_array_equal((covered, total), reference.coverage(mask, y_edges, x_edges))
    kernels.coverage([])


def test_coverage_counts_every_true_byte_once() -> None:
    """A uint8 array seen as bool may hold any byte."""
    mask = np.full((20, 30), 255, np.uint8).view(np.bool_)
    covered, total = run_coverage(mask, edges_of([0, 10, 20]), edges_of([0, 7, 30]))
    np.testing.assert_array_equal(covered, total)


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.uint16, np.int32])
@pytest.mark.parametrize("size", [(1, 1), (3, 70), (64, 5)])
def test_sample_equals_its_twin(dtype: type[Any], size: tuple[int, int]) -> None:
    random = np.random.default_rng(0)
    values = random.integers(0, 2**31, size).astype(dtype)
    for rows, columns in itertools.product((0, 1, 6), (0, 1, 9)):
        ys = random.integers(0, size[0], rows).astype(np.int32)
        xs = random.integers(0, size[1], columns).astype(np.int32)
        out = np.zeros((rows, columns), dtype)
        kernels.sample(values, values.itemsize, *size, ys, xs, out)
        np.testing.assert_array_equal(out, reference.sample(values, ys, xs))


def run_best(covered: Ints, total: Ints, area: int) -> npt.NDArray[np.bool_]:
    keep = np.ones(covered.shape, np.bool_)
    assert kernels.best_cells(covered, total, covered.size, area, keep)
    return keep


@given(data=st.data(), rows=SIDES, columns=SIDES, outside=st.integers(0, 50))
def test_best_cells_equal_their_twin(
    data: st.DataObject, rows: int, columns: int, outside: int
) -> None:
    cell = st.integers(0, 9).flatmap(lambda n: st.tuples(st.integers(0, max(1, n)), st.just(n)))
    cells = data.draw(st.lists(cell, min_size=rows * columns, max_size=rows * columns))
    covered, total = np.array(cells, np.int32).T.reshape(2, rows, columns).copy()
    area = int(covered.sum(where=total > 0)) + outside
    np.testing.assert_array_equal(
        run_best(covered, total, area), reference.best_cells(covered, total, area)
    )


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=8))
def test_no_other_choice_of_cells_has_a_higher_iou(cells: list[tuple[int, int]]) -> None:
    covered = np.array([[inside for inside, _ in cells]], np.int32)
    total = covered + np.array([[outside for _, outside in cells]], np.int32)
    area = int(covered.sum())
    choices = np.array(list(itertools.product((False, True), repeat=len(cells))))
    inside = choices @ covered[0]
    union = area + choices @ (total - covered)[0]
    keep = run_best(covered, total, area)[0]
    if area == 0:
        assert not keep.any()
        return
    best = max(range(len(choices)), key=lambda k: inside[k] / union[k])
    chosen = int(covered[0][keep].sum()), area + int((total - covered)[0][keep].sum())
    assert keep.any()
    assert chosen[0] * union[best] == inside[best] * chosen[1]


@given(seed=st.integers(0), most=st.sampled_from([20, 63, 64, 65, 300]), full=st.floats(0, 1))
def test_best_cells_of_small_cells_and_large_ones(seed: int, most: int, full: float) -> None:
    """Small ones are counted by kind; most of a mask's are full or empty."""
    random = np.random.default_rng(seed)
    total = random.integers(0, most, (9, 13), np.int32, endpoint=True)
    share = np.where(random.random(total.shape) < full, random.integers(0, 2), random.random())
    covered = np.minimum(total, np.rint(share * total)).astype(np.int32)
    area = int(covered.sum()) + int(random.integers(0, 99))
    np.testing.assert_array_equal(
        run_best(covered, total, area), reference.best_cells(covered, total, area)
    )


def test_best_cells_of_the_largest_image_stay_exact() -> None:
    covered = np.array([[2**30 - 1, 1, 2**29]], np.int32)
    total = np.array([[2**30 - 1, 2**29, 2**29]], np.int32)
    area = int(covered.sum())
    assert run_best(covered, total, area).tolist() == [[True, False, True]]
    assert run_best(covered[:, 1:2], total[:, 1:2], 1).tolist() == [[True]]


@pytest.mark.parametrize(
    ("covered", "total", "area"),
    [(-1, 2, 5), (1, -2, 5), (3, 2, 5), (2, 3, 1), (2, 3, 2**31), (2**30, 2**31 - 1, 2**31)],
)
def test_best_cells_say_what_are_no_counts(covered: int, total: int, area: int) -> None:
    keep = np.zeros((1, 2), np.bool_)
    counts = np.array([[1, covered]], np.int32), np.array([[1, total]], np.int32)
    assert not kernels.best_cells(*counts, 2, area, keep)


def test_kernels_refuse_what_would_leave_an_array() -> None:
    mask = np.zeros((4, 6), np.bool_)
    good = edges_of([0, 2, 4]), edges_of([0, 3, 6])
    out = np.zeros((2, 2), np.int32)
    small = np.zeros((1, 2), np.int32)
    bad_calls: list[tuple[Any, ...]] = [
        (mask, 4, 7, 0, 0, *good, out, out),
        (mask, 4, 6, 1, 0, *good, out, out),
        (mask, 4, 6, 0, 1, *good, out, out),
        (mask, 4, 6, -1, 0, *good, out, out),
        (mask, 4, 6, 0, 0, np.array([0, 3, 2], np.int32), good[1], out, out),
        (mask, 4, 6, 0, 0, np.array([-1, 2, 4], np.int32), good[1], out, out),
        (mask, 4, 6, 0, 0, *good, small, out),
        (mask, 4, 6, 0, 0, *good, out, small),
        (mask, 4, 6, 0, 0, good[0][:1], good[1], out, out),
    ]
    for arguments in bad_calls:
        with pytest.raises(ValueError, match=r"array's length|cell edges"):
            kernels.coverage([arguments])
    index = np.zeros(2, np.int32)
    byte = np.zeros((2, 2), np.bool_)
    for ys, xs in ((index + 4, index), (index, index + 6), (index - 1, index)):
        with pytest.raises(ValueError, match="outside the image"):
            kernels.sample(mask, 1, 4, 6, ys, xs, byte)
    with pytest.raises(ValueError, match="1, 2 or 4"):
        kernels.sample(mask, 3, 4, 2, index, index, byte)
    with pytest.raises(ValueError, match="array's length"):
        kernels.best_cells(out, out, 3, 0, byte)
