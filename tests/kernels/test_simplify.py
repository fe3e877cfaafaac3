"""Simplification of rings against its twin, and what it promises."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import arrays, draw_array, sizes

from maskcodec._ext import simplify as kernels
from maskcodec._reference import contour
from maskcodec._reference import simplify as reference

Rings = list[npt.NDArray[np.int32]]
Result = list[list[tuple[float, float]]]
NO_BUDGET = 2**31 - 1


def traced(mask: npt.NDArray[np.bool_]) -> tuple[Rings, list[bool]]:
    found = contour.trace(mask)
    return [ring for ring, _ in found], [hole for _, hole in found]


def simplify(rings: Rings, hole: list[bool], limit: float, budget: int) -> Result:
    xy = np.concatenate([np.zeros((0, 2)), *rings]).astype(np.int32)
    starts = np.cumsum([0, *map(len, rings)]).astype(np.int32)
    out, left = np.full((2 * len(xy), 2), np.nan), np.full(len(rings), -9, np.int32)
    count = kernels.simplify(xy, starts, np.array(hole, np.bool_), limit, budget, out, left)
    assert count == left.sum()
    ends = np.cumsum([0, *left.tolist()])
    return [[(float(x), float(y)) for x, y in out[a:b]] for a, b in pairwise(ends)]


def area(ring: list[tuple[float, float]]) -> float:
    x, y = np.array(ring).T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


@given(
    data=st.data(),
    limit=st.sampled_from([-1.0, 0.0, 0.5, 2.0, 10.0, 1e9]),
    budget=st.sampled_from([0, 3, 5, 9, 16, NO_BUDGET]),
)
def test_equals_the_twin(data: st.DataObject, limit: float, budget: int) -> None:
    rings, hole = traced(data.draw(arrays(data.draw(sizes(14)))))
    assert simplify(rings, hole, limit, budget) == reference.simplify(rings, hole, limit, budget)


@given(data=st.data(), budget=st.integers(0, 40))
def test_a_budget_is_kept_and_an_object_too(data: st.DataObject, budget: int) -> None:
    rings, hole = traced(data.draw(arrays(data.draw(sizes(40)))))
    left = simplify(rings, hole, -1.0, budget)
    assert all(len(ring) == 0 or len(ring) >= 3 for ring in left)
    if rings:
        before = sum(len(reference.cut_corners(ring)) for ring in rings)
        assert min(before, 3) <= sum(map(len, left)) <= max(3, min(before, budget))
        assert any(ring and not h for ring, h in zip(left, hole, strict=True))


@pytest.mark.parametrize("seed", range(20))
def test_area_is_kept_while_no_ring_goes(seed: int) -> None:
    rings, hole = traced(draw_array("ellipses", (60, 80), seed))
    left = simplify(rings, hole, -1.0, 8 * len(rings))
    for before, after in zip(rings, left, strict=True):
        if len(after) > 3:
            cut = [(x, y) for x, y in reference.cut_corners(before)]
            assert area(after) == pytest.approx(area(cut), rel=1e-9, abs=1e-6)


def test_a_rectangle_stays_but_for_half_a_pixel() -> None:
    rings, hole = traced(np.ones((5, 9), np.bool_))
    (ring,) = simplify(rings, hole, 0.2 * 45, NO_BUDGET)
    wanted = np.array([(0, 0), (9, 0), (9, 5), (0, 5)])
    near = abs(np.array(ring)[:, None] - wanted).max(axis=2) < 0.5
    assert near.any(axis=1).all()
    assert near.any(axis=0).all()
    assert len(ring) == 4


def test_a_staircase_becomes_the_line_along_its_middle() -> None:
    (ring,) = simplify(*traced(np.tri(40, dtype=np.bool_)), 3.0, NO_BUDGET)
    assert len(ring) <= 5
    assert area(ring) == pytest.approx(40 * 41 / 2, rel=0.002)  # its ends lose half a pixel each


def test_holes_go_with_their_outer_ring() -> None:
    mask = np.zeros((30, 60), np.bool_)
    mask[1:9, 1:9] = mask[2:28, 20:58] = True
    mask[3:7, 3:7] = False
    rings, hole = traced(mask)
    assert hole == [False, True, False]
    left = simplify(rings, hole, -1.0, 4)
    assert [len(ring) for ring in left] == [0, 0, 4]


def test_many_vertices_take_n_log_n() -> None:
    """A comb of 100,000 teeth: work that grew with the square would not end."""
    teeth = 100_000
    x = np.arange(2 * teeth, dtype=np.int32)
    ring = np.stack([np.repeat(x, 2), np.tile([0, 1, 1, 0], teeth) * 7], axis=1).astype(np.int32)
    (left,) = simplify([ring], [False], -1.0, 100)
    assert len(left) == 100


def test_bad_arguments_are_refused() -> None:
    ring, hole = np.zeros((3, 2), np.int32), np.zeros(1, np.bool_)
    out, left = np.empty((6, 2)), np.empty(1, np.int32)
    for starts in ([0], [0, 2], [0, 4], [1, 3]):
        with pytest.raises(ValueError, match=r"starts|three"):
            kernels.simplify(ring, np.array(starts, np.int32), hole, 0.0, 3, out, left)
    with pytest.raises(ValueError, match="out"):
        kernels.simplify(ring, np.array([0, 3], np.int32), hole, 0.0, 3, out[:5], left)
