"""Shortlists of hypotheses and counts of overlaps, against their NumPy twins."""

from __future__ import annotations

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


def run_overlaps(
    values: Floats, levels: Floats, target: npt.NDArray[np.uint8]
) -> tuple[list[int], list[int]]:
    both, painted = np.full((2, len(values)), -1, np.int32)
    kernels.overlaps(values, levels, target, both, painted)
    return both.tolist(), painted.tolist()


@given(rows=st.integers(0, 6), cells=st.integers(0, 70), seed=st.integers(0, 999))
def test_overlaps_equal_their_twin(rows: int, cells: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    values = np.rint(random.normal(size=(rows, cells)) * 2).astype(np.float32)
    levels = np.rint(random.normal(size=cells)).astype(np.float32)
    target = random.integers(0, 2, cells, np.uint8)
    both, painted = reference.overlaps(values, levels, target)
    assert run_overlaps(values, levels, target) == (both.tolist(), painted.tolist())


def test_a_value_at_its_level_is_not_above_it() -> None:
    values = np.array([[0, 1, -1, 0], [5, 5, 5, 5]], np.float32)
    levels = np.array([0, 0, 0, -1], np.float32)
    assert run_overlaps(values, levels, np.array([1, 1, 1, 0], np.uint8)) == ([1, 3], [2, 4])


def test_overlaps_refuse_wrong_shapes() -> None:
    values, levels = np.zeros((3, 4), np.float32), np.zeros(4, np.float32)
    target, counts = np.zeros(4, np.uint8), np.zeros(3, np.int32)
    for wrong in (
        (values, levels[:3], target, counts, counts),
        (values, levels, target[:3], counts, counts),
        (values, levels, target, counts[:2], counts),
        (values, levels, target, counts, counts[:2]),
    ):
        with pytest.raises(ValueError, match="shapes"):
            kernels.overlaps(*wrong)
