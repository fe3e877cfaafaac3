"""Shortlists of hypotheses and counts of overlaps, against their NumPy twins."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskcodec._ext import shortlist as kernels
from maskcodec._reference import shortlist as reference

Floats = npt.NDArray[np.float32]
Job = tuple[Floats, Floats, Floats]


def run_cheapest(
    before: Floats, dots: Floats, energy: Floats, room: int
) -> tuple[Floats, npt.NDArray[np.int32]]:
    costs = np.full((len(dots), room), np.nan, np.float32)
    places = np.full((len(dots), room), -1, np.int32)
    kernels.cheapest(before, dots, energy, costs, places)
    return costs, places


def draw_job(masks: int, beam: int, codes: int, seed: int, whole: bool) -> Job:
    """What the search would hand over; in whole numbers many costs are equal."""
    random = np.random.default_rng(seed)
    parts = [random.normal(size=shape) for shape in ((masks, beam), (masks, beam, codes))]
    parts.append(random.normal(size=(masks, codes)))
    before, dots, energy = (
        np.asarray(np.rint(part) if whole else part * 100, np.float32) for part in parts
    )
    return before, dots, energy


def all_costs(job: Job) -> Floats:
    before, dots, energy = job
    return np.asarray((before[:, :, None] - 2 * dots + energy[:, None]).reshape(len(dots), -1))


@given(
    shape=st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(1, 100)),
    seed=st.integers(0, 999),
    whole=st.booleans(),
    part=st.floats(0, 1),
)
def test_cheapest_equals_its_twin(
    shape: tuple[int, int, int], seed: int, whole: bool, part: float
) -> None:
    job = draw_job(*shape, seed, whole)
    room = 1 + int(part * (shape[1] * shape[2] - 1))
    costs, places = run_cheapest(*job, room)
    wanted, wanted_places = reference.cheapest(*job, room)
    np.testing.assert_allclose(costs, wanted, rtol=1e-5, atol=1e-4)
    # Which of equal ones comes first is open: a place must have its cost, and stand but once.
    at_places = np.take_along_axis(all_costs(job), places.astype(np.int64), 1)
    np.testing.assert_allclose(at_places, costs, rtol=1e-5, atol=1e-4)
    assert all(len(set(row)) == room for row in places.tolist())
    if all(len(set(row)) == len(row) for row in all_costs(job).tolist()):
        np.testing.assert_array_equal(places, wanted_places)


def test_the_size_of_the_search() -> None:
    job = draw_job(3, 16, 1_024, 5, whole=False)
    costs, places = run_cheapest(*job, 64)
    wanted, wanted_places = reference.cheapest(*job, 64)
    np.testing.assert_array_equal(places, wanted_places)
    np.testing.assert_allclose(costs, wanted, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("order", [1, -1])
def test_costs_in_order_already(order: int) -> None:
    energy = np.arange(50, dtype=np.float32)[None, ::order].copy()
    costs, places = run_cheapest(
        np.zeros((1, 1), np.float32), np.zeros((1, 1, 50), np.float32), energy, 7
    )
    assert costs.tolist() == [list(range(7))]
    assert places.tolist() == [[*range(7)] if order == 1 else [*range(49, 42, -1)]]


def test_all_costs_equal() -> None:
    zeros = np.zeros((2, 3), np.float32), np.zeros((2, 3, 4), np.float32)
    costs, places = run_cheapest(*zeros, np.ones((2, 4), np.float32), 12)
    assert (costs == 1).all()
    assert [sorted(row) for row in places.tolist()] == [list(range(12))] * 2


def test_costs_that_are_no_numbers_are_never_taken() -> None:
    before, dots, energy = draw_job(1, 2, 5, 3, whole=False)
    dots[0, 1, 2] = np.nan
    _, places = run_cheapest(before, dots, energy, 9)
    assert sorted(places[0].tolist()) == [place for place in range(10) if place != 7]


def test_no_masks() -> None:
    job = draw_job(0, 2, 3, 0, whole=False)
    assert run_cheapest(*job, 4)[0].shape == (0, 4)


def test_cheapest_refuses_wrong_shapes() -> None:
    before, dots, energy = draw_job(2, 3, 4, 0, whole=False)
    for room in (0, 13):
        with pytest.raises(ValueError, match="shapes"):
            run_cheapest(before, dots, energy, room)
    for wrong in ((before[:1], dots, energy), (before, dots, energy[:1])):
        with pytest.raises(ValueError, match="shapes"):
            run_cheapest(*wrong, 2)
    with pytest.raises(ValueError, match="shapes"):
        run_cheapest(before[:, :2].copy(), dots, energy, 2)
    with pytest.raises(ValueError, match="shapes"):
        run_cheapest(before, dots, energy[:, :3].copy(), 2)
    with pytest.raises(ValueError, match="shapes"):
        kernels.cheapest(
            before, dots, energy, np.empty((2, 3), np.float32), np.empty((2, 4), np.int32)
        )


# --- overlaps ---

Counts = tuple[list[list[int]], list[list[int]]]


def run_overlaps(values: Floats, levels: Floats, targets: npt.NDArray[np.uint8]) -> Counts:
    both, painted = np.full((2, *values.shape[:2]), -1, np.int32)
    kernels.overlaps(values, levels, targets, both, painted)
    return both.tolist(), painted.tolist()


def draw_values(seed: int, *shape: int) -> Floats:
    """Whole numbers, so that some are at their levels."""
    return np.rint(np.random.default_rng(seed).normal(size=shape) * 2).astype(np.float32)


@given(
    masks=st.integers(0, 3), rows=st.integers(0, 6), cells=st.integers(0, 70), seed=st.integers(0)
)
def test_overlaps_equal_their_twin(masks: int, rows: int, cells: int, seed: int) -> None:
    values, levels = draw_values(seed, masks, rows, cells), draw_values(seed + 1, cells)
    targets = np.random.default_rng(seed).integers(0, 2, (masks, cells), np.uint8)
    both, painted = reference.overlaps(values, levels, targets)
    assert run_overlaps(values, levels, targets) == (both.tolist(), painted.tolist())


def test_a_value_at_its_level_is_not_above_it() -> None:
    values = np.array([[[0, 1, -1, 0], [5, 5, 5, 5]]], np.float32)
    levels = np.array([0, 0, 0, -1], np.float32)
    target = np.array([[1, 1, 1, 0]], np.uint8)
    assert run_overlaps(values, levels, target) == ([[1, 3]], [[2, 4]])


@given(
    masks=st.integers(0, 3),
    parents=st.integers(1, 4),
    codes=st.integers(1, 5),
    rows=st.integers(0, 6),
    cells=st.integers(0, 70),
    seed=st.integers(0),
)
def test_overlaps_of_sums_equal_their_twin(
    masks: int, parents: int, codes: int, rows: int, cells: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    job = (
        draw_values(seed, masks, parents, cells),
        random.integers(0, parents, (masks, rows), np.int32),
        draw_values(seed + 1, codes, cells),
        random.integers(0, codes, (masks, rows), np.int32),
        draw_values(seed + 2, cells),
        random.integers(0, 2, (masks, cells), np.uint8),
    )
    counts = np.full((2, masks, rows), -1, np.int32)
    kernels.overlaps_of_sums(*job, *counts)
    np.testing.assert_array_equal(counts, reference.overlaps_of_sums(*job))


def test_overlaps_refuse_wrong_shapes() -> None:
    values, levels = np.zeros((2, 3, 4), np.float32), np.zeros(4, np.float32)
    targets, counts = np.zeros((2, 4), np.uint8), np.zeros((2, 3), np.int32)
    for wrong in (
        (values, levels[:3], targets, counts, counts),
        (values, levels, targets[:, :3].copy(), counts, counts),
        (values, levels, targets[:1], counts, counts),
        (values, levels, targets, counts[:1], counts),
        (values, levels, targets, counts, counts[:, :2].copy()),
    ):
        with pytest.raises(ValueError, match="shapes"):
            kernels.overlaps(*wrong)


def test_overlaps_of_sums_refuse_wrong_shapes_and_places() -> None:
    values, steps = np.zeros((2, 3, 4), np.float32), np.zeros((5, 4), np.float32)
    places, levels = np.zeros((2, 6), np.int32), np.zeros(4, np.float32)
    targets, counts = np.zeros((2, 4), np.uint8), np.zeros((2, 6), np.int32)
    good = (values, places, steps, places, levels, targets, counts, counts)
    kernels.overlaps_of_sums(*good)
    for index in range(len(good)):
        wrong: list[Any] = [*good]
        wrong[index] = np.ascontiguousarray(good[index][..., :-1])
        with pytest.raises(ValueError, match="shapes"):
            kernels.overlaps_of_sums(*wrong)
    for index, place in ((1, 3), (1, -1), (3, 5), (3, -1)):
        wrong = [*good]
        wrong[index] = places.copy()
        wrong[index][1, 5] = place
        with pytest.raises(ValueError, match="places"):
            kernels.overlaps_of_sums(*wrong)
