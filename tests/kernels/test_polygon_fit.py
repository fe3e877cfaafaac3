"""Fitting vertices on the lattice of bins against its twin, and what it promises."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import draw_array

from maskcodec._ext import polygon_fit as kernels
from maskcodec._reference import contour, raster
from maskcodec._reference import polygon_fit as reference

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int32]


def bounds(mask: Bools) -> tuple[int, int, int, int]:
    ys, xs = np.nonzero(mask)
    return int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1


def outline(mask: Bools, bins: int, every: int) -> tuple[Ints, Ints]:
    """Every so many corners of the contour, in bins, with the first vertex of each ring."""
    side = np.array(mask.shape[::-1])
    rings = [ring[::every] * (bins - 1) // side for ring, _ in contour.trace(mask)]
    starts = np.cumsum([0, *map(len, rings)]).astype(np.int32)
    return np.concatenate(rings).astype(np.int32), starts


def fit(
    mask: Bools, bins: int, xy: Ints, starts: Ints, step: int, rounds: int
) -> tuple[Ints, tuple[int, int]]:
    moved = xy.copy()
    sums = kernels.fit(mask, *bounds(mask), bins, moved, starts, step, rounds)
    return moved, sums


@settings(max_examples=30)
@given(
    kind=st.sampled_from(("rectangle", "ellipses", "noise", "line", "dot")),
    size=st.tuples(st.integers(2, 14), st.integers(2, 14)),
    seed=st.integers(0, 2**32 - 1),
    bins=st.sampled_from((2, 9, 14, 40)),
    step=st.integers(0, 3),
)
def test_equals_the_twin(kind: str, size: tuple[int, int], seed: int, bins: int, step: int) -> None:
    mask = draw_array(kind, size, seed)
    if mask.any():
        xy, starts = outline(mask, bins, every=2)
        moved, sums = fit(mask, bins, xy, starts, step, 3)
        wanted, wanted_sums = reference.fit(mask, bins, xy, starts, step, 3)
        assert np.array_equal(moved, wanted)
        assert sums == wanted_sums


@pytest.mark.parametrize("seed", range(12))
def test_the_sums_are_those_of_the_raster(seed: int) -> None:
    """Without a step the sums say how many pixels the rings cover, which COCO's rule confirms."""
    mask = draw_array("ellipses", (40, 56), seed)
    bins = 57
    xy, starts = outline(mask, bins, every=1)
    _, (common, own) = fit(mask, bins, xy, starts, 0, 0)
    hole = np.array([hole for _, hole in contour.trace(mask)])
    lattice = np.array(
        [[reference.fifths(x, 56, bins), reference.fifths(y, 40, bins)] for x, y in xy]
    )
    painted = raster.paint_rings(lattice.astype(np.int32), starts, hole, (40, 56))
    assert own == painted.sum()
    assert common == (painted & mask).sum()


@pytest.mark.parametrize("seed", range(12))
def test_iou_never_falls(seed: int) -> None:
    mask = draw_array("ellipses", (60, 80), seed)
    xy, starts = outline(mask, 81, every=5)
    _, (common, own) = fit(mask, 81, xy, starts, 0, 0)
    before = common / (mask.sum() + own - common)
    moved, (common, own) = fit(mask, 81, xy, starts, 2, 4)
    assert common / (mask.sum() + own - common) > before
    assert not np.array_equal(moved, xy)


def test_an_exact_ring_stays() -> None:
    mask = draw_array("ellipses", (30, 30), 3)
    xy, starts = outline(mask, 31, every=1)
    moved, _ = fit(mask, 31, xy, starts, 2, 4)
    assert np.array_equal(moved, xy)


def test_bad_arguments_are_refused() -> None:
    mask = np.ones((4, 5), np.bool_)
    xy, starts = np.zeros((3, 2), np.int32), np.array([0, 3], np.int32)
    with pytest.raises(ValueError, match="box"):
        kernels.fit(mask, 0, 0, 6, 4, 10, xy, starts, 1, 1)
    with pytest.raises(ValueError, match="bins"):
        kernels.fit(mask, 0, 0, 5, 4, 1, xy, starts, 1, 1)
    with pytest.raises(ValueError, match="vertices"):
        kernels.fit(mask, 0, 0, 5, 4, 10, xy + np.int32(10), starts, 1, 1)
    for bad in ([0], [0, 4], [1, 3], [0, 3, 1, 3]):
        with pytest.raises(ValueError, match=r"starts|xy"):
            kernels.fit(mask, 0, 0, 5, 4, 10, xy, np.array(bad, np.int32), 1, 1)
