"""`Mask` and image sizes: what is taken, and what each refusal says."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pickle import dumps, loads
from typing import Any

import numpy as np
import pytest
from threads_used import threads_used

from maskcodec import EncodeError, Mask, MaskCodecError, get_codec
from maskcodec import codec as codec_module
from maskcodec.mask import check_size


def test_a_mask_is_a_read_only_view() -> None:
    array = np.eye(4, dtype=np.bool_)
    mask = Mask(array, "dog")
    assert np.shares_memory(mask.array, array)
    assert array.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        mask.array[0, 0] = False
    assert (mask.size, mask.area) == ((4, 4), 4)


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda m: loads(dumps(m))])
def test_copies_are_read_only_too(again: Callable[[Mask], Mask]) -> None:
    mask = Mask(np.eye(4, dtype=np.bool_), "dog", 0.5)
    other = again(mask)
    assert not other.array.flags.writeable
    assert np.array_equal(other.array, mask.array)
    assert (other.label, other.score) == ("dog", 0.5)


@pytest.mark.parametrize("score", ["0.5", float("nan"), float("inf"), True, 1j])
def test_a_score_is_a_finite_number(score: Any) -> None:
    with pytest.raises(EncodeError, match=r"mask 'dog' has the score .*, expected a number"):
        Mask(np.eye(4, dtype=np.bool_), "dog", score)
    assert Mask(np.eye(4, dtype=np.bool_), "dog", float(np.float32(0.25))).score == 0.25


def test_pillows_true_is_255() -> None:
    array = (np.eye(4, dtype=np.uint8) * 255).view(np.bool_)
    mask = Mask(array, "dog")
    assert mask.array.view(np.uint8).max() == 1
    assert np.array_equal(mask.array, np.eye(4, dtype=np.bool_))


@pytest.mark.parametrize("dtype", ["uint8", "int64", "int8"])
def test_zeros_and_ones_of_whole_numbers_are_a_mask(dtype: str) -> None:
    assert np.array_equal(Mask(np.eye(3, dtype=dtype)).array, np.eye(3, dtype=np.bool_))


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((2, 3, 4), bool), r"shape \(2, 3, 4\), expected \(height, width\)"),
        (np.zeros(5, bool), r"shape \(5,\)"),
        (None, "is None, expected a bool array"),
        ("dog.png", "is 'dog.png', expected a bool array"),
        (np.zeros((0, 5), bool), "each side must be 1 to 65,536"),
        (np.zeros((5, 0), np.uint8), "is empty, expected bool"),
        (np.full((2, 2), 255, np.uint8), "array > 127"),
        (np.full((2, 2), -1), "from -1 to -1"),
        (np.full((2, 2), np.nan), r"float64, expected bool; .*NaN counts as outside"),
        (np.full((2, 2), "x"), "expected bool"),
        (np.full((2, 2), None), "object, expected bool"),
        (np.zeros((65_537, 1), bool), "65537, 1"),
        ([[True, False], [False]], "expected|inhomogeneous"),
    ],
)
def test_what_is_no_mask_is_refused(array: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Mask(array, "dog")


def test_tensors_that_numpy_refuses_are_masks_that_are_refused() -> None:
    torch = pytest.importorskip("torch")
    zeros = torch.zeros(3, 4)
    for tensor in (zeros.clone().requires_grad_(), zeros.bfloat16(), zeros.to_sparse()):
        with pytest.raises(EncodeError, match=r"is Tensor, .* expected a bool array"):
            Mask(tensor, "dog")
    assert Mask((zeros.bfloat16() > 0.5).cpu(), "dog").size == (3, 4)


def test_rows_of_two_lengths_are_an_encode_error() -> None:
    with pytest.raises(EncodeError, match="is list, which NumPy can't take"):
        Mask([[True, False], [False]], "dog")  # type: ignore[arg-type]


def test_labels_are_strings() -> None:
    with pytest.raises(EncodeError, match="label is 3, expected a string"):
        Mask(np.eye(2, dtype=np.bool_), 3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "size",
    [(0, 4), (4, 0), (-1, 4), (65_537, 1), (65_536, 65_536), (4,), (4, 4, 4), None, "ab", 7,
     (1.5, 2), (float("nan"), 2), (float("inf"), 2)],
)  # fmt: skip
def test_sizes_out_of_range(size: Any) -> None:
    with pytest.raises(MaskCodecError, match="size"):
        check_size(size)
    with pytest.raises(MaskCodecError, match="size"):
        get_codec("coco_rle").decode("none", size)


@pytest.mark.parametrize("size", [(1, 65_536), (65_536, 1), (65_536, 3)])
def test_the_longest_sides_work(size: tuple[int, int]) -> None:
    codec = get_codec("coco_rle")
    array = np.zeros(size, dtype=np.bool_)
    array[size[0] // 2 :, size[1] // 2 :] = True
    decoded = codec.decode(codec.encode([Mask(array, "dog")], size), size)
    assert np.array_equal(decoded.pixels[0], array)


def test_masks_must_fit_the_image() -> None:
    codec = get_codec("coco_rle")
    mask = Mask(np.eye(4, dtype=np.bool_), "dog")
    with pytest.raises(EncodeError, match=r"masks\[1\] \('dog'\) is 4x4, but the image's size"):
        codec.encode([Mask(np.zeros((4, 5), bool), "cat"), mask], (4, 5))
    with pytest.raises(EncodeError, match=r"masks\[0\] is ndarray, expected maskcodec.Mask"):
        codec.encode([mask.array], (4, 4))  # type: ignore[list-item]


def test_masks_are_a_list_and_not_what_is_read_once() -> None:
    mask = Mask(np.eye(4, dtype=np.bool_), "dog")
    for codec in (get_codec("coco_rle"), get_codec("text4seg"), get_codec("shapetokens")):
        for masks in (iter([mask]), mask, {mask}, None):
            with pytest.raises(EncodeError, match=r"masks is .*, expected a list of maskcodec"):
                codec.encode(masks, (4, 4))  # type: ignore[arg-type]
        assert codec.encode((mask,), (4, 4)) == codec.encode([mask], (4, 4))


def test_devices_that_are_not_there() -> None:
    pytest.importorskip("torch")
    codec = get_codec("boxgrid")
    with pytest.raises(MaskCodecError, match="device nowhere:1: torch says"):
        codec.decode_batch(["none"], [(4, 4)], device="nowhere:1")


def test_batches_need_a_size_each() -> None:
    codec = get_codec("coco_rle")
    with pytest.raises(MaskCodecError, match="2 texts but 1 sizes"):
        codec.decode_batch(["none", "none"], [(4, 4)])
    with pytest.raises(MaskCodecError, match="1 masks but 0 sizes"):
        codec.encode_batch([[]], [])
    with pytest.raises(MaskCodecError, match="the text is bytes, expected str"):
        codec.decode(b"none", (4, 4))  # type: ignore[arg-type]
    with pytest.raises(MaskCodecError, match='"strict" or "repair"'):
        codec.decode("none", (4, 4), errors="ignore")  # type: ignore[arg-type]


@pytest.mark.parametrize(("side", "threads"), [(1023, 1), (1024, None)])
def test_small_images_are_encoded_on_one_thread(
    side: int, threads: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = threads_used(monkeypatch, codec_module, "map_threads")
    codec, size = get_codec("coco_rle"), (side, 1024)
    masks = [Mask(np.zeros(size, np.bool_), "x")]
    assert codec.encode_batch([masks] * 2, [size] * 2) == [codec.encode(masks, size)] * 2
    codec.encode_batch([masks], [size], threads=3)
    assert used == [threads, 3]


@pytest.mark.parametrize("errors", ["strict", "repair"])
def test_what_is_no_text_is_not_parsed(errors: Any) -> None:
    for spec in ("boxgrid", "polygon", "coco_rle", "shapetokens"):
        with pytest.raises(MaskCodecError, match="the text is NoneType, expected str"):
            get_codec(spec).parse(None, errors=errors)  # type: ignore[arg-type]
