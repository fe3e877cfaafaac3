"""Planes of a batch: shapes, contents, and memory that is shared and bounded."""

from __future__ import annotations

import gc
import mmap
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskcodec.planes import BLOCK, zero_planes

IMAGES = st.lists(
    st.tuples(st.integers(0, 3), st.tuples(st.integers(1, 3000), st.integers(1, 1500))), max_size=12
)


@given(IMAGES)
def test_planes_do_not_touch_each_other(images: list[tuple[int, tuple[int, int]]]) -> None:
    planes = zero_planes([count for count, _ in images], [size for _, size in images])
    assert [one.shape for one in planes] == [(count, *size) for count, size in images]
    for number, one in enumerate(planes):
        assert one.flags.c_contiguous
        assert one.flags.writeable
        assert not one.any()
        one[:] = True
        assert not any(later.any() for later in planes[number + 1 :])


def test_blocks_are_bounded() -> None:
    planes = zero_planes([1] * 100, [(480, 640)] * 100)
    blocks = {id(one.base): one.base for one in planes}
    assert 1 < len(blocks) < 10
    assert all(block is not None and block.nbytes <= BLOCK for block in blocks.values())
    [large] = zero_planes([2], [(4000, 4000)])
    assert large.base is not None
    assert large.base.nbytes == 2 * 4000 * 4000


def test_planes_outlive_their_neighbours() -> None:
    first, second = zero_planes([1, 1], [(1500, 1500)] * 2)
    first[:] = True
    copied = pickle.loads(pickle.dumps(first))
    del first
    gc.collect()
    assert not second.any()
    assert copied.all()


def test_without_large_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **named: object) -> object:
        raise OSError("no maps left")

    monkeypatch.setattr(mmap, "mmap", refuse)
    [plane] = zero_planes([1], [(2000, 2000)])
    assert plane.flags.writeable
    assert not plane.any()


def test_nothing() -> None:
    assert zero_planes([], []) == []
    assert np.array_equal(zero_planes([0], [(3, 4)])[0], np.zeros((0, 3, 4), np.bool_))
