"""Contour tracing against its twin, and against the mask itself."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import arrays, sizes

from maskcodec._ext import contour as kernels
from maskcodec._reference import contour as reference

Bools = npt.NDArray[np.bool_]

DEGENERATE = {
    "0x5": np.zeros((0, 5), np.bool_),
    "5x0": np.zeros((5, 0), np.bool_),
    "1x1 clear": np.zeros((1, 1), np.bool_),
    "1x1 set": np.ones((1, 1), np.bool_),
    "all clear": np.zeros((9, 140), np.bool_),
    "all set": np.ones((9, 140), np.bool_),
    "checkerboard": np.indices((17, 75)).sum(axis=0) % 2 == 0,
    "ring in a ring": np.array(
        [[min(y, x, 8 - y, 8 - x) % 2 == 0 for x in range(9)] for y in range(9)]
    ),
    "holes that touch": np.array(
        [[1, 1, 1, 1], [1, 0, 1, 1], [1, 1, 0, 1], [1, 1, 1, 1]], np.bool_
    ),
}


def trace(mask: Bools, room: int = 20_000) -> list[reference.Ring]:
    xy = np.full((room, 2), -9, np.int32)
    starts = np.full(room // 4 + 1, -9, np.int32)
    hole = np.full(room // 4, 9, np.uint8)
    corners, rings = kernels.trace(mask, xy, starts, hole)
    assert corners == starts[rings]
    return [(xy[starts[r] : starts[r + 1]], bool(hole[r])) for r in range(rings)]


def check(mask: Bools) -> None:
    found, wanted = trace(mask), reference.trace(mask)
    assert [(ring.tolist(), hole) for ring, hole in found] == [
        (ring.tolist(), hole) for ring, hole in wanted
    ]


@pytest.mark.parametrize("name", DEGENERATE)
def test_degenerate_masks(name: str) -> None:
    check(DEGENERATE[name])


@given(data=st.data())
def test_random_masks(data: st.DataObject) -> None:
    check(data.draw(arrays(data.draw(sizes(26)))))


@given(data=st.data())
def test_wide_masks(data: st.DataObject) -> None:
    """Rows longer than the blocks that the sweep skips."""
    check(data.draw(arrays((data.draw(st.integers(1, 5)), data.draw(st.integers(60, 200))))))


@given(data=st.data())
def test_crossing_parity_gives_the_mask_back(data: st.DataObject) -> None:
    mask = data.draw(arrays(data.draw(sizes(40))))
    inside = np.zeros((mask.shape[0] + 1, mask.shape[1] + 1), np.int64)
    for ring, _ in trace(mask):
        for (ax, ay), (bx, by) in zip(ring, np.roll(ring, -1, axis=0), strict=True):
            assert (ax == bx) != (ay == by)
            if ay == by:
                inside[ay, min(ax, bx) : max(ax, bx)] += 1
    assert np.array_equal(np.cumsum(inside, axis=0)[:-1, :-1] % 2 == 1, mask)


def test_holes_follow_their_outer_ring() -> None:
    """Two frames side by side: their holes begin on one line, and are told apart."""
    mask = np.zeros((8, 20), np.bool_)
    mask[1:7, 1:8] = mask[0:7, 10:18] = True
    mask[3:5, 2:4] = mask[3:5, 5:7] = mask[3:5, 12:16] = False
    found = [(tuple(ring[0].tolist()), hole) for ring, hole in trace(mask)]
    assert found == [
        ((10, 0), False),
        ((12, 3), True),
        ((1, 1), False),
        ((2, 3), True),
        ((5, 3), True),
    ]


@given(data=st.data())
def test_too_little_room_says_how_much_is_needed(data: st.DataObject) -> None:
    mask = data.draw(arrays(data.draw(sizes(26))))
    wanted = sum(len(ring) for ring, _ in trace(mask))
    room = data.draw(st.integers(0, max(0, wanted - 1)))
    xy = np.full((room, 2), -9, np.int32)
    starts, hole = np.full(room // 4 + 1, -9, np.int32), np.full(room // 4, 9, np.uint8)
    corners, rings = kernels.trace(mask, xy, starts, hole)
    assert corners == wanted
    if wanted:
        assert rings == -1
        assert (xy == -9).all()


def test_exact_room_is_enough() -> None:
    mask = DEGENERATE["checkerboard"]
    wanted = sum(len(ring) for ring, _ in trace(mask))
    assert len(trace(mask, room=wanted)) == len(trace(mask))


def test_wrong_buffers_are_refused() -> None:
    mask = np.ones((3, 3), np.bool_)
    room = np.empty((8, 2), np.int32)
    with pytest.raises(ValueError, match="starts"):
        kernels.trace(mask, room, np.empty(2, np.int32), np.empty(2, np.uint8))
    with pytest.raises(ValueError, match="xy"):
        kernels.trace(
            mask, np.empty((8, 3), np.int32), np.empty(3, np.int32), np.empty(2, np.uint8)
        )
