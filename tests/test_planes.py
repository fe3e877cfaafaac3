"""Planes of a batch: shapes, contents, and memory that is shared, bounded and used again."""

from __future__ import annotations

import gc
import mmap
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskcodec import Mask, blocks, get_codec
from maskcodec.blocks import BLOCK
from maskcodec.planes import Planes, new_planes

IMAGES = st.lists(
    st.tuples(st.integers(0, 3), st.tuples(st.integers(1, 3000), st.integers(1, 1500))), max_size=12
)

SIZE = (480, 640)
MANY = 2 * BLOCK // (480 * 640)
"""Masks of `SIZE` that fill about two blocks."""

large_pages = pytest.mark.skipif(
    not hasattr(mmap, "MADV_HUGEPAGE"), reason="no large pages on this system"
)


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    blocks.forget()
    yield
    blocks.forget()


@given(IMAGES)
def test_planes_do_not_touch_each_other(images: list[tuple[int, tuple[int, int]]]) -> None:
    planes = new_planes([count for count, _ in images], [size for _, size in images])
    assert [one.array.shape for one in planes] == [(count, *size) for count, size in images]
    assert [one.size for one in planes] == [size for _, size in images]
    for one in planes:
        assert one.array.flags.c_contiguous
        assert one.array.flags.writeable
        assert not one.is_clear or not one.array.any()
        assert not one.cleared().any()
    for number, one in enumerate(planes):
        one.array[:] = True
        assert not any(later.array.any() for later in planes[number + 1 :])


def test_blocks_are_bounded() -> None:
    planes = new_planes([1] * 100, [SIZE] * 100)
    bases = {id(one.array.base): one.array.base for one in planes}
    assert 1 < len(bases) < 10
    assert all(base is not None and base.nbytes <= BLOCK for base in bases.values())
    [large] = new_planes([2], [(4000, 4000)])
    assert large.array.shape == (2, 4000, 4000)


def test_planes_outlive_their_neighbours() -> None:
    planes = new_planes([1, 1], [(1500, 1500)] * 2)
    first, second = (one.cleared() for one in planes)
    first[:] = True
    copied = pickle.loads(pickle.dumps(first))
    del planes, first
    gc.collect()
    assert not second.any()
    assert copied.all()


@large_pages
def test_memory_is_used_again_once_no_array_lies_in_it() -> None:
    planes = new_planes([1] * MANY, [SIZE] * MANY)
    assert all(one.is_clear for one in planes)
    for one in planes:
        one.array[:] = True
    kept = planes[0].array
    del planes, one
    again = new_planes([1] * MANY, [SIZE] * MANY)
    assert not all(one.is_clear for one in again)
    assert all(not one.cleared().any() for one in again)
    assert kept.all(), "its block was not given to others"


@large_pages
def test_few_blocks_are_kept() -> None:
    several = [new_planes([1], [(2000, 4000)]) for _ in range(blocks.KEPT + 3)]
    assert all(one.is_clear for [one] in several)
    several.clear()
    later = [new_planes([1], [(2000, 4000)]) for _ in range(blocks.KEPT + 3)]
    assert sum(not one.is_clear for [one] in later) == blocks.KEPT


@large_pages
def test_large_memory_is_not_kept() -> None:
    new_planes([2], [(4000, 4000)])
    assert new_planes([1], [(2000, 4000)])[0].is_clear


@pytest.mark.parametrize(
    "spec", ["boxgrid", "coco_rle", "gemini", "polygon", "shapetokens", "text4seg:grid=32"]
)
@pytest.mark.parametrize("used", [False, True])
def test_batches_hold_nothing_of_those_before(spec: str, used: bool) -> None:
    """Decoding gives the same in new memory, and in memory full of other masks."""
    codec = get_codec(spec)
    shape = np.zeros(SIZE, np.bool_)
    shape[100:300, 200:500] = True
    shape[150:200, 250:300] = False
    text = codec.encode([Mask(shape, "dog")], SIZE)
    alone = np.asarray(codec.decode(text, SIZE).pixels)
    if used:
        for one in new_planes([1] * MANY, [SIZE] * MANY):
            one.array[:] = True
    for decoded in codec.decode_batch([text] * MANY, [SIZE] * MANY):
        assert np.array_equal(np.asarray(decoded.pixels), alone)


def test_threads_take_different_memory() -> None:
    def paint(value: int) -> bool:
        planes = new_planes([1], [(1500, 1500)])[0].array
        planes.view(np.uint8)[:] = value
        return bool((planes.view(np.uint8) == value).all())

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(paint, range(1, 60)))


def test_without_large_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **named: object) -> object:
        raise OSError("no maps left")

    monkeypatch.setattr(mmap, "mmap", refuse)
    [plane] = new_planes([1], [(2000, 2000)])
    assert plane.is_clear
    assert plane.array.flags.writeable
    assert not plane.array.any()


def test_nothing() -> None:
    assert new_planes([], []) == []
    [none] = new_planes([0], [(3, 4)])
    assert np.array_equal(none.cleared(), np.zeros((0, 3, 4), np.bool_))
    assert Planes(none.array, True).cleared() is none.array


def test_masks_may_live_until_the_end_of_a_program() -> None:
    """Blocks that come back while the interpreter is being taken apart say nothing."""
    script = (
        "import sys, maskcodec.blocks as blocks\n"
        "from maskcodec.planes import new_planes\n"
        "sys.kept = new_planes([1] * 60, [(480, 640)] * 60)\n"
        "blocks.kept_too = new_planes([1] * 60, [(480, 640)] * 60)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_process_paints_into_memory_of_its_own() -> None:
    new_planes([1], [(2000, 4000)])  # kept, here and in the child
    with get_context("fork").Pool(1) as pool:
        started = pool.apply_async(_fill_a_block)
        mine = new_planes([1], [(2000, 4000)])[0].cleared()
        assert started.get(60) == 2000 * 4000
    assert not mine.any()


def _fill_a_block() -> int:
    array = new_planes([1], [(2000, 4000)])[0].cleared()
    array[:] = True
    return int(array.sum())
