"""Run lengths of masks, both ways, against their twin, pycocotools and rlemasklib."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pycocotools.mask as coco
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import KINDS, draw_array

from maskcodec import MaskCodecError, rle
from maskcodec._ext import rle_decode, rle_encode, rle_encode_dense
from maskcodec._reference import rle as reference

Bools = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.uint32]

CANARY = 0xDEADBEEF

# pycocotools 2.0.11 under NumPy 2
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

# Around the words and blocks of 64 and 128 pixels that the kernels work in, rows included that
# the last block of a row overlaps by one pixel or by all but one.
SIDES = st.one_of(
    st.integers(0, 9), st.sampled_from((63, 64, 65, 127, 128, 129, 191, 192, 255, 257, 300))
)
SIZES = st.tuples(SIDES, SIDES)


@st.composite
def masks(draw: st.DrawFn) -> Bools:
    """Masks of every kind, those without pixels included."""
    size = draw(SIZES)
    if 0 in size:
        return np.zeros(size, np.bool_)
    mask = draw_array(draw(st.sampled_from(KINDS)), size, draw(st.integers(0, 2**32 - 1)))
    if draw(st.booleans()):
        mask = np.ascontiguousarray(mask[::-1, ::-1])  # so that the last pixel of all is set too
    return mask


def guarded(length: int, dtype: type[np.unsignedinteger] = np.uint32) -> npt.NDArray[np.uint32]:
    """An array whose memory goes on behind it with canaries."""
    return np.full(length + 64, CANARY, dtype)


def encode_sparse(pixels: npt.NDArray[np.uint8], room: int) -> Counts | None:
    scratch = guarded(2 * room + pixels.shape[1] + 1)
    lengths = rle_encode.encode_sparse([pixels], scratch[:-64], room)
    assert (scratch[-64:] == CANARY).all()
    return scratch[: lengths[0]] if lengths else None


def new_counts(length: int) -> Counts:
    return np.empty(length, np.uint32)


def encode_dense(pixels: npt.NDArray[np.uint8]) -> Counts:
    height, width = pixels.shape
    changes = np.empty((width, -(-height // 64)), np.uint64)
    found = rle_encode_dense.column_changes(pixels, changes)
    counts = guarded(found + 1)
    assert rle_encode_dense.changes_to_counts(changes, height, counts[:-64]) == found + 1
    assert (counts[-64:] == CANARY).all()
    return counts[:-64]


def encode_linear(pixels: npt.NDArray[np.uint8]) -> Counts:
    changes = np.empty((1, -(-pixels.size // 64)), np.uint64)
    found = rle_encode_dense.linear_changes(pixels, changes)
    counts = np.empty(found + 1, np.uint32)
    assert rle_encode_dense.changes_to_counts(changes, pixels.size, counts) == found + 1
    return counts


def paint(counts: Counts, size: tuple[int, int], dense: bool) -> Bools:
    """Run a decoder on arrays that hold rubbish."""
    memory = np.full(size[0] * size[1] + 64, 9, np.uint8)
    mask = memory[:-64].reshape(size)
    if dense and mask.size:
        changes = np.full((size[1], -(-size[0] // 64)), 2**64 - 1, np.uint64)
        assert rle_decode.decode_dense(counts, mask, changes) == 1
    else:
        scratch = guarded(size[0] + counts.size)
        assert rle_decode.decode_sparse([counts], [mask], scratch[:-64]) == 1
        assert (scratch[-64:] == CANARY).all()
    assert (memory[-64:] == 9).all()
    assert mask.max(initial=0) <= 1
    return mask.view(np.bool_)


@given(mask=masks())
def test_every_encoder_equals_the_twin(mask: Bools) -> None:
    wanted = reference.encode(mask)
    pixels = mask.view(np.uint8)
    np.testing.assert_array_equal(encode_sparse(pixels, mask.size + mask.shape[1]), wanted)
    np.testing.assert_array_equal(encode_dense(pixels), wanted)
    np.testing.assert_array_equal(encode_linear(pixels.T.ravel()), wanted)
    np.testing.assert_array_equal(rle.encode(mask), wanted)


@given(mask=masks())
def test_every_decoder_equals_the_twin(mask: Bools) -> None:
    counts = reference.encode(mask)
    size = (mask.shape[0], mask.shape[1])
    np.testing.assert_array_equal(reference.decode(counts, size), mask)
    for dense in (False, True):
        np.testing.assert_array_equal(paint(counts, size, dense), mask)
    np.testing.assert_array_equal(rle.decode(counts, size), mask)


@given(mask=masks(), data=st.data())
def test_runs_without_pixels_change_nothing(mask: Bools, data: st.DataObject) -> None:
    counts = reference.encode(mask)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, counts.size))
        zeros = [0] if place == counts.size else [0, 0]
        counts = np.insert(counts, place, zeros)
    for dense in (False, True):
        np.testing.assert_array_equal(paint(counts, (*mask.shape,), dense), mask)


@given(mask=masks().filter(lambda mask: mask.size > 0))
def test_peers_agree(mask: Bools) -> None:
    counts = rle.encode(mask)
    theirs = coco.encode(np.asfortranarray(mask.view(np.uint8)))
    assert rle.to_string(counts) == theirs["counts"]
    np.testing.assert_array_equal(rle.decode(counts, mask.shape), coco.decode(theirs))


@given(mask=masks().filter(lambda mask: mask.size > 0))
def test_rlemasklib_agrees(mask: Bools) -> None:
    rlemasklib = pytest.importorskip("rlemasklib")  # not there for every Python
    ucounts = rlemasklib.encode(mask, compressed=False)["ucounts"]
    np.testing.assert_array_equal(rle.encode(mask), ucounts)


@pytest.mark.parametrize("size", [(1, 1), (3, 640), (640, 3), (480, 640), (131, 4099)])
@pytest.mark.parametrize("kind", KINDS)
def test_sizes_in_use(kind: str, size: tuple[int, int]) -> None:
    mask = draw_array(kind, size, seed=5)
    counts = rle.encode(mask)
    np.testing.assert_array_equal(counts, reference.encode(mask))
    np.testing.assert_array_equal(rle.decode(counts, size), mask)


@pytest.mark.parametrize("size", [(65_536, 3), (3, 65_536), (65_536, 129)])
def test_longest_sides(size: tuple[int, int]) -> None:
    mask = np.zeros(size, np.bool_)
    mask[-1, -1] = mask[0, -1] = mask[-1, 0] = mask[size[0] // 2] = True
    counts = rle.encode(mask)
    np.testing.assert_array_equal(counts, reference.encode(mask))
    np.testing.assert_array_equal(encode_dense(mask.view(np.uint8)), counts)
    for dense in (False, True):
        np.testing.assert_array_equal(paint(counts, size, dense), mask)


@given(mask=masks(), data=st.data())
def test_too_little_room_is_said_and_nothing_beyond_it_written(
    mask: Bools, data: st.DataObject
) -> None:
    room = data.draw(st.integers(0, mask.size + mask.shape[1]))
    counts = encode_sparse(mask.view(np.uint8), room)
    if counts is not None:
        np.testing.assert_array_equal(counts, reference.encode(mask))
    elif mask.size:
        assert room < reference.encode(mask).size + mask.shape[1]


@given(size=SIZES, seed=st.integers(0, 2**32 - 1), top=st.sampled_from((3, 8, 256)))
def test_bytes_that_no_bool_holds_stay_inside(size: tuple[int, int], seed: int, top: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, top, size).astype(np.uint8)
    for room in (0, size[1], pixels.size // 2, pixels.size + size[1]):
        counts = encode_sparse(pixels, room)
        if counts is not None:
            assert counts.size <= pixels.size + 1
    assert encode_dense(pixels).size <= pixels.size + 1
    assert encode_linear(pixels.ravel()).size <= pixels.size + 1


@given(mask=masks(), pixels_per_change=st.sampled_from((1, 3, 24, 1 << 40)))
def test_one_mask_in_one_call(mask: Bools, pixels_per_change: int) -> None:
    wanted = reference.encode(mask)
    counts = rle_encode.encode_one(mask, pixels_per_change, new_counts)
    if counts is None:
        assert wanted.size > mask.size // pixels_per_change
    else:
        np.testing.assert_array_equal(counts, wanted)
    assert pixels_per_change > 1 or counts is not None


def test_one_call_declines_what_is_no_mask_in_c_order() -> None:
    mask = np.zeros((5, 70), np.bool_)
    others: list[Any] = [mask[:, ::2], mask.T, mask[None], mask[0], mask.view("u2")]
    for other in others:
        assert rle_encode.encode_one(other, 24, new_counts) is None
    for wrong in (lambda _: np.empty(2, np.uint32), lambda _: b"1234"):
        with pytest.raises((ValueError, BufferError)):
            rle_encode.encode_one(mask, 24, wrong)  # type: ignore[arg-type]


def test_scratch_of_a_wrong_size_is_refused() -> None:
    pixels = np.zeros((5, 70), np.uint8)
    assert rle_encode.encode_sparse([pixels], np.empty(70, np.uint32), 0) == []
    assert rle_encode.encode_sparse([pixels], np.empty(270, np.uint32), 100) == []
    assert rle_encode.encode_sparse([pixels], np.empty(271, np.uint32), 100) == [1]
    assert rle_encode.encode_sparse([pixels], np.empty(271, np.uint32), -1) == []
    assert rle_encode_dense.column_changes(pixels, np.empty((70, 2), np.uint64)) == -1
    assert rle_encode_dense.linear_changes(pixels.ravel(), np.empty((1, 5), np.uint64)) == -1
    changes = np.full((70, 1), 1, np.uint64)
    assert rle_encode_dense.changes_to_counts(changes, 5, np.empty(70, np.uint32)) == -1
    assert rle_encode_dense.changes_to_counts(changes, 5, np.empty(0, np.uint32)) == -1
    counts = np.array([350], np.uint32)
    assert rle_decode.decode_sparse([counts], [pixels], np.empty(5, np.uint32)) == 0
    assert rle_decode.decode_sparse([counts], [pixels], np.empty(4, np.uint32)) == 0
    assert rle_decode.decode_sparse([counts], [pixels], np.empty(6, np.uint32)) == 1
    assert rle_decode.decode_dense(counts, pixels, np.empty((69, 1), np.uint64)) == -1


def test_arrays_of_a_wrong_shape_are_refused() -> None:
    scratch, counts = np.empty(999, np.uint32), [np.array([350], np.uint32)]
    wrong: list[Any] = [np.zeros(5, np.uint8), np.zeros((5, 70), "u2"), np.zeros((1, 5, 70), bool)]
    for mask in wrong:
        with pytest.raises(ValueError, match="no two-dimensional array of bytes"):
            rle_encode.encode_sparse([mask], scratch, 9)
    for mask in wrong:
        with pytest.raises(ValueError, match=r"a mask is \(height, width\) bytes"):
            rle_decode.decode_sparse(counts, [mask], scratch)
    with pytest.raises(ValueError, match="a mask for each"):
        rle_decode.decode_sparse(counts, [], scratch)
    with pytest.raises(ValueError, match="counts are uint32"):
        rle_decode.decode_sparse([np.array([350])], [np.zeros((5, 70), bool)], scratch)
    with pytest.raises((ValueError, BufferError)):
        rle_encode.encode_sparse([np.zeros((5, 70), bool)[:, ::2]], scratch, 9)


@given(
    shapes=st.lists(st.tuples(SIZES, st.sampled_from(KINDS)), max_size=6),
    words=st.integers(0, 5_000),
    room=st.integers(0, 1_500),
)
def test_several_masks_go_as_far_as_the_scratch_space(
    shapes: list[tuple[tuple[int, int], str]], words: int, room: int
) -> None:
    stack = [
        np.zeros(size, np.bool_) if 0 in size else draw_array(kind, size, seed)
        for seed, (size, kind) in enumerate(shapes)
    ]
    scratch = guarded(words)
    lengths = rle_encode.encode_sparse(stack, scratch[:-64], room)
    assert (scratch[-64:] == CANARY).all()
    assert len(lengths) <= len(stack)
    start = 0
    for mask, length in zip(stack, lengths, strict=False):
        np.testing.assert_array_equal(scratch[start : start + length], reference.encode(mask))
        start += length


@pytest.mark.parametrize("order", ["F", "strided", "reversed", "transposed view", "read-only"])
def test_any_memory_order(order: str) -> None:
    mask = draw_array("ellipses", (70, 150), seed=1)
    given_mask = {
        "F": np.asfortranarray(mask),
        "strided": np.repeat(np.repeat(mask, 2, axis=0), 3, axis=1)[::2, ::3],
        "reversed": np.ascontiguousarray(mask[::-1])[::-1],
        "transposed view": np.ascontiguousarray(mask.T).T,
        "read-only": mask.copy(),
    }[order]
    given_mask.flags.writeable = False
    np.testing.assert_array_equal(given_mask, mask)
    np.testing.assert_array_equal(rle.encode(given_mask), reference.encode(mask))


def test_out_is_overwritten_and_returned() -> None:
    out = np.ones((40, 50), np.bool_)
    for seed in range(4):
        mask = draw_array("ellipses", (40, 50), seed)
        assert rle.decode(rle.encode(mask), (40, 50), out=out) is out
        np.testing.assert_array_equal(out, mask)


@pytest.mark.parametrize("size", [(0, 0), (0, 5), (5, 0)])
def test_masks_without_pixels(size: tuple[int, int]) -> None:
    assert rle.encode(np.zeros(size, np.bool_)).tolist() == [0]
    for counts in ([], [0], [0, 0, 0]):
        assert rle.decode(np.array(counts, np.uint32), size).shape == size
    with pytest.raises(MaskCodecError, match="sum to 1, expected"):
        rle.decode(np.array([0, 1], np.uint32), size)


@pytest.mark.parametrize("threads", [None, 1, 2, 5])
def test_batches_equal_one_by_one(threads: int | None) -> None:
    stack = np.stack([draw_array("ellipses", (60, 90), seed) for seed in range(7)])
    counts = rle.encode_batch(stack, threads=threads)
    for one, mask in zip(counts, stack, strict=True):
        np.testing.assert_array_equal(one, reference.encode(mask))
    out = np.ones_like(stack)
    assert rle.decode_batch(counts, (60, 90), out, threads=threads) is out
    np.testing.assert_array_equal(out, stack)
    np.testing.assert_array_equal(rle.decode_batch(counts, (60, 90), threads=threads), stack)
    planes = [np.ones((count, 60, 90), np.bool_) for count in (3, 0, 4)]
    rle.decode_planes([counts[:3], [], counts[3:]], planes)
    np.testing.assert_array_equal(np.concatenate(planes), stack)
    with pytest.raises(MaskCodecError, match="2 arrays of counts for 3 masks"):
        rle.decode_planes([counts[:2], counts[2:3]], planes[:2])


def test_batches_of_every_kind_and_order() -> None:
    stack = [draw_array(kind, (90, 140), 3) for kind in KINDS] * 5
    stack[1::3] = [np.asfortranarray(mask) for mask in stack[1::3]]
    stack[2::7] = [np.repeat(mask, 2, axis=0)[::2] for mask in stack[2::7]]
    counts = rle.encode_batch(stack, threads=2)
    for one, mask in zip(counts, stack, strict=True):
        np.testing.assert_array_equal(one, reference.encode(mask))
    np.testing.assert_array_equal(rle.decode_batch(counts, (90, 140), threads=2), stack)


def test_batches_of_several_sizes_and_of_none() -> None:
    masks = [draw_array("ellipses", (seed + 1, 9 * seed + 1), seed) for seed in range(5)]
    for one, mask in zip(rle.encode_batch(masks), masks, strict=True):
        np.testing.assert_array_equal(one, reference.encode(mask))
    assert rle.encode_batch([]) == []
    assert rle.decode_batch([], (3, 4)).shape == (0, 3, 4)
    with pytest.raises(MaskCodecError, match="sum to 11"):
        rle.decode_batch([np.array([12], np.uint32), np.array([11], np.uint32)], (3, 4), threads=2)
