"""Planes of a batch: shapes, contents, and memory that is shared, bounded and used again."""

from __future__ import annotations

import gc
import mmap
import os
import pickle
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from threads_used import threads_used

from maskcodec import Mask, blocks, get_codec, rle
from maskcodec import planes as planes_module
from maskcodec._ext import rle_decode
from maskcodec.blocks import BLOCK, FAR_BYTES, Before
from maskcodec.geometry import raster
from maskcodec.geometry.grid import Grid
from maskcodec.geometry.raster import Rasters
from maskcodec.geometry.runs import Runs
from maskcodec.geometry.tokens import ShapeTokens
from maskcodec.planes import Bools, Planes, new_planes

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


def cleared(planes: Planes) -> Bools:
    """The planes, all False, as a painter would have them."""
    if not planes.is_clear:
        planes.array.fill(False)
    return planes.array


@pytest.mark.parametrize(("count", "threads"), [(27, 1), (28, None)])
def test_little_work_stays_on_one_thread(
    count: int, threads: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = threads_used(monkeypatch, planes_module, "map_pieces")
    codec = get_codec("coco_rle")
    text = codec.encode([Mask(np.eye(*SIZE, dtype=np.bool_), "x")], SIZE)
    found = codec.decode_batch([text] * count, [SIZE] * count)
    assert all(one.masks[0].area == SIZE[0] for one in found)
    assert used == [threads]


@given(IMAGES)
def test_planes_do_not_touch_each_other(images: list[tuple[int, tuple[int, int]]]) -> None:
    planes = new_planes([count for count, _ in images], [size for _, size in images])
    assert [one.array.shape for one in planes] == [(count, *size) for count, size in images]
    assert [one.size for one in planes] == [size for _, size in images]
    for one in planes:
        assert one.array.flags.c_contiguous
        assert one.array.flags.writeable
        assert not one.is_clear or not one.array.any()
        assert not cleared(one).any()
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
    first, second = (cleared(one) for one in planes)
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
    assert all(not cleared(one).any() for one in again)
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


@large_pages
@pytest.mark.parametrize(
    "spec",
    [
        *("boxgrid", "coco_rle", "gemini", "polygon", "shapetokens", "text4seg:grid=32"),
        "text4seg:grid=16,upsample=bilinear",
    ],
)
def test_large_batches_are_painted_as_others(spec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no cache holds a batch, zeros go past the caches."""
    codec, sizes = get_codec(spec), [(479, 641), (1201, 999), (97, 1_023)]
    texts = []
    for number, (height, width) in enumerate(sizes):
        shape = np.zeros((height, width), np.bool_)
        shape[number * 20 : height // 2, 5 : width - 7 * number] = True
        rest = ~shape
        texts.append(codec.encode([Mask(shape, "dog"), Mask(rest, "cat")], (height, width)))
    alone = [codec.decode(text, size) for text, size in zip(texts, sizes, strict=True)]
    monkeypatch.setattr(planes_module, "FAR_BYTES", 1)
    for _ in range(2):
        found = []
        for one in new_planes([1] * MANY, [SIZE] * MANY):
            found.append(one.before)
            one.array[:] = True
        del one
        batch = codec.decode_batch(texts * 8, sizes * 8)
        for number, decoded in enumerate(batch):
            assert np.array_equal(np.asarray(decoded.pixels), np.asarray(alone[number % 3].pixels))
        del batch, decoded
    assert Before.FAR in found


def test_what_a_batch_is_painted_into() -> None:
    def before(count: int) -> set[Before]:
        planes = new_planes([1] * count, [(2000, 4000)] * count)
        for one in planes:
            one.array[:] = True
        return {one.before for one in planes}

    clear = {Before.CLEAR}
    for _ in range(2):
        few, many = before(4), before(5)
    has_blocks = hasattr(mmap, "MADV_HUGEPAGE")
    assert few == ({Before.DIRTY} if has_blocks else clear)
    assert many == ({Before.FAR} if has_blocks else clear)
    assert 4 * 2000 * 4000 < FAR_BYTES <= 5 * 2000 * 4000


def test_grey_maps_and_empty_boxes_hold_nothing_of_those_before() -> None:
    grey = np.arange(0, 250, 10, dtype=np.uint8).reshape(5, 5)
    white = np.full((2, 2), 255, np.uint8)
    boxes = np.array([[100, 200, 500, 900], [300, 300, 300, 800], [0, 0, 200, 200]], np.int32)
    item = Rasters(("dog", "cat", "cow"), 1000, boxes, (grey, grey, white))
    alone = raster.paint(item, SIZE)
    assert not alone[1].any()
    for one in new_planes([3] * MANY, [SIZE] * MANY):
        one.array[:] = True
    for pixels in raster.render_batch([item] * MANY, [SIZE] * MANY):
        assert np.array_equal(np.asarray(pixels), alone)


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


@large_pages
def test_kept_memory_is_given_back_where_there_is_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    several = [new_planes([1], [(2000, 4000)]) for _ in range(3)]
    several.clear()
    real, asked = mmap.mmap, []

    def scarce(*arguments: Any, **named: Any) -> mmap.mmap:
        asked.append(arguments)
        if len(asked) == 1:
            raise OSError("no memory left")
        return real(*arguments, **named)

    monkeypatch.setattr(mmap, "mmap", scarce)
    [large] = new_planes([2], [(4000, 4000)])
    assert large.is_clear
    assert len(asked) == 2
    assert new_planes([1], [(2000, 4000)])[0].is_clear, "nothing is kept any more"


def test_an_image_without_a_size_is_refused() -> None:
    codec = get_codec("boxgrid")
    geometry = codec.parse("none")[0]
    for sizes in ([(3, 3), (4, 4)], []):
        with pytest.raises(ValueError, match="zip"):
            codec.render_batch([geometry], sizes)


def peak(run: Callable[[], object]) -> int:
    """Bytes that a call holds at a time, NumPy's included and blocks not."""
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_many_labels_are_not_held_at_once() -> None:
    cells = np.arange(64 * 64, dtype=np.int32).reshape(64, 64)
    grid = Grid(tuple(map(str, range(64 * 64))), cells)
    codec = get_codec("text4seg:grid=64,upsample=bilinear")
    codec.render_batch([grid.head(3)] * 2, [(8, 8)] * 2)
    assert peak(lambda: codec.render_batch([grid] * 4, [(8, 8)] * 4)) < 10e6  # and not 70


def test_many_codes_are_not_held_at_once() -> None:
    count = 3_000
    codes = np.zeros(16 * count, np.int32)
    boxes = np.tile(np.array([0, 0, 500, 500], np.int32), (count, 1))
    counts = np.full(count, 16, np.int32)
    item = ShapeTokens("shapetokens:shapes1", 1023, ("dog",) * count, boxes, counts, codes)
    codec = get_codec("shapetokens:tokens=16")
    codec.render_batch([item.head(2)], [(8, 8)])
    assert peak(lambda: codec.render_batch([item] * 4, [(8, 8)] * 4)) < 25e6  # and not 150


def test_dense_masks_are_each_painted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Masks that are painted the dense way interrupt the call that paints the others.

    It goes on after them: it is not given all that follow, mask after mask.
    """
    given = 0

    def counted(masks: Any, *others: Any) -> Any:
        nonlocal given
        given += len(masks)
        return paint(masks, *others)

    paint = rle_decode.decode_sparse
    monkeypatch.setattr(rle_decode, "decode_sparse", counted)
    noise = np.random.default_rng(0).random((16, 16)) < 0.5
    counts = rle.encode(noise)
    count = 10_000
    many = Runs(("dog",) * count, ((16, 16),) * count, (counts,) * count)
    (planes,) = get_codec("coco_rle").render_batch([many], [(16, 16)])
    assert count <= given < 100 * count
    assert (np.asarray(planes) == noise).all()


def test_nothing() -> None:
    assert new_planes([], []) == []
    [none] = new_planes([0], [(3, 4)])
    assert none.array.shape == (0, 3, 4)


def test_masks_may_live_until_the_end_of_a_program() -> None:
    """Blocks that come back while the interpreter is being taken apart say nothing."""
    script = (
        "import sys, maskcodec.blocks as blocks\n"
        "from maskcodec.planes import new_planes\n"
        "sys.kept = new_planes([1] * 60, [(480, 640)] * 60)\n"
        "blocks.kept_too = new_planes([1] * 60, [(480, 640)] * 60)\n"
        "import collections\n"
        "collections.kept = new_planes([1] * 60, [(480, 640)] * 60)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_process_paints_into_memory_of_its_own() -> None:
    new_planes([1], [(2000, 4000)])  # kept, here and in the child
    with get_context("fork").Pool(1) as pool:
        started = pool.apply_async(_fill_a_block)
        mine = cleared(new_planes([1], [(2000, 4000)])[0])
        assert started.get(60) == 2000 * 4000
    assert not mine.any()


def _fill_a_block() -> int:
    array = cleared(new_planes([1], [(2000, 4000)])[0])
    array[:] = True
    return int(array.sum())
