"""Zeros that go past the caches: the same pixels, and none beyond a picture's ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskcodec import rle
from maskcodec._ext import bilinear, boxgrid, field, paint, raster, rle_decode
from maskcodec.blocks import Before

Bytes = npt.NDArray[np.uint8]
Box = tuple[int, int, int, int]
Painter = Callable[[Bytes, Box, int, Any], None]

GUARD = 64
RUBBISH = 9


def _boxgrid(out: Bytes, box: Box, before: int, random: Any) -> None:
    counts = np.ones((1, 5), np.uint8)
    runs = np.sort(random.permutation(24)[:10].astype(np.uint8).reshape(5, 2), axis=1)
    boxgrid.paint([(out[None], before)], np.array([box], np.int32), [(counts, runs)], 24)


def _field(out: Bytes, box: Box, before: int, random: Any) -> None:
    fields = random.integers(-999, 999, (1, 4, 4), np.int32)
    field.paint(fields, np.array([box], np.int32), [(out[None], before)])


def _raster(out: Bytes, box: Box, before: int, random: Any) -> None:
    x0, y0, x1, y1 = (5 * side for side in box)
    ring = np.array([[x0, y0], [x1, y0 + 3], [x1 - 7, y1], [x0, y1 + 20]], np.int32)
    starts, holes = np.array([0, 4], np.int32), np.zeros(1, np.bool_)
    raster.paint([(ring, starts, holes)], [(out[None], before)])


def _nearest(out: Bytes, box: Box, before: int, random: Any) -> None:
    cells = random.integers(0, 2, (3, 4), np.int32)
    x0, y0, x1, y1 = box
    y_edges = np.linspace(0, y1 - y0, 4).astype(np.int32)
    x_edges = np.linspace(0, x1 - x0, 5).astype(np.int32)
    plane = out[None].view(np.bool_)
    paint.planes([(cells, [1], *out.shape, y0, x0, y_edges, x_edges, plane, before)])


def _bilinear(out: Bytes, box: Box, before: int, random: Any) -> None:
    cells = random.integers(0, 2, (3, 4)).astype(np.bool_)
    x0, y0, x1, y1 = box
    picture = (cells, 3, 4, *out.shape, y0, x0, y1, x1, out.view(np.bool_), before)
    bilinear.bilinear([picture])


def _runs(out: Bytes, box: Box, before: int, random: Any) -> None:
    mask = np.zeros(out.shape, np.bool_)
    x0, y0, x1, y1 = box
    mask[y0:y1, x0:x1] = random.random((y1 - y0, x1 - x0)) < 0.9
    counts = rle.encode(mask)
    scratch = np.empty(out.shape[0] + counts.size, np.uint32)
    assert rle_decode.decode_sparse([counts], [out], scratch, before == Before.FAR) == 1
    assert np.array_equal(out.view(np.bool_), mask)


def painted(painter: Painter, size: tuple[int, int], box: Box, before: int, place: int) -> Bytes:
    """What a painter makes of rubbish that begins at a byte of any alignment."""
    memory = np.full(size[0] * size[1] + 3 * GUARD, RUBBISH, np.uint8)
    start = GUARD + place
    out = memory[start : start + size[0] * size[1]].reshape(size)
    painter(out, box, before, np.random.default_rng(place))
    assert (memory[:start] == RUBBISH).all()
    assert (memory[start + out.size :] == RUBBISH).all()
    assert out.max(initial=0) <= 1
    return out


@pytest.mark.parametrize("painter", [_boxgrid, _field, _raster, _nearest, _bilinear, _runs])
@given(
    size=st.tuples(st.integers(1, 90), st.integers(1, 150)),
    sides=st.tuples(*[st.integers(0, 150)] * 4),
    place=st.integers(0, GUARD - 1),
)
def test_far_memory_is_painted_as_any(
    painter: Painter, size: tuple[int, int], sides: tuple[int, ...], place: int
) -> None:
    x0, x1 = sorted(min(side, size[1]) for side in sides[:2])
    y0, y1 = sorted(min(side, size[0]) for side in sides[2:])
    box = (x0, y0, x1, y1)
    wanted = painted(painter, size, box, Before.DIRTY, place)
    assert np.array_equal(painted(painter, size, box, Before.FAR, place), wanted)


@pytest.mark.parametrize("painter", [_nearest, _bilinear])
@pytest.mark.parametrize("box", [(0, 0, 1000, 1100), (17, 30, 999, 1099), (500, 500, 510, 1100)])
def test_large_far_pictures(painter: Painter, box: Box) -> None:
    """Rows are cleared ahead there."""
    wanted = painted(painter, (1100, 1000), box, Before.DIRTY, 5)
    assert np.array_equal(painted(painter, (1100, 1000), box, Before.FAR, 5), wanted)
