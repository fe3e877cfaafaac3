"""Shape tokens: whole batches there and back, and the kernels that they are made of.

A batch is `BATCH` masks of the set, each an image of its own; one after the other they go through
the whole set.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any

import numpy as np
import numpy.typing as npt

from maskcodec import Codec, Mask, get_codec
from maskcodec._ext import distance, field
from maskcodec._reference import distance as distance_twin
from maskcodec._reference import field as field_twin
from maskcodec.geometry import shapetokens
from maskcodec.geometry.boxes import to_pixels
from maskcodec.geometry.shape_codebook import BINS, get_codebook
from maskcodec.geometry.tokens import ShapeTokens
from maskcodec.metrics import iou

from .kernel_case import Builder, KernelCase
from .kernel_inputs import equal, mean_bytes, ring, sizes_of
from .mask_sets import MaskSet

Bools = npt.NDArray[np.bool_]

GATED = 8
"""Codes an object for which there is a gate."""

OPTIONS = ("tokens=4", f"tokens={GATED}", f"tokens={GATED},boxes=1", "tokens=16")

BATCH = 256
"""Masks of a batch: what the gates were set for."""

LARGEST = 400_000
"""Pixels of a mask up to which there are gates in microseconds."""

CLIP = 16.0
CHECKED = 3
SIDE = 128
"""Longest side of the crops whose distances are taken."""


def lists(masks: Sequence[Bools]) -> list[list[Mask]]:
    """One mask an image."""
    return [[Mask(mask, "dog")] for mask in masks]


def batches(count: int) -> list[slice]:
    """The batches of so many masks."""
    return [slice(start, start + BATCH) for start in range(0, count, BATCH)]


def is_small(masks: Sequence[Bools]) -> bool:
    """Whether there are gates in microseconds."""
    return mean_bytes(masks) <= LARGEST


@lru_cache(1)
def texts_of(masks: MaskSet) -> tuple[Codec[ShapeTokens], list[str]]:
    """A codec, and every mask in its words."""
    codec = get_codec(f"shapetokens:tokens={GATED}")
    return codec, codec.encode_batch(lists(masks.masks), sizes_of(masks.masks))


def encode_case(given: MaskSet, options: str) -> KernelCase:
    """Masks to text, on one thread."""
    codec = get_codec(f"shapetokens:{options}")
    images, sizes = lists(given.masks), sizes_of(given.masks)
    parts = batches(given.count)

    def check() -> None:
        some = slice(CHECKED)
        texts = codec.encode_batch(images[some], sizes[some], threads=1)
        for image, size, text in zip(images, sizes, texts, strict=False):
            assert text == codec.encode(image, size)
            decoded = codec.decode(text, size)
            assert codec.write(decoded.geometry) == text

    is_gated = is_small(given.masks) and f"tokens={GATED}" in options
    return KernelCase(
        lambda index: codec.encode_batch(images[parts[index]], sizes[parts[index]], threads=1),
        check,
        targets={"2 ms": 2e-3},
        gates={"2 ms": 1.0} if is_gated else {},
        stretch={"2 ms": 2 / 1.5} if is_gated else {},
        bytes_read=mean_bytes(given.masks),
        batch=given.count,
        parts=len(parts),
    )


def painted(
    codec: Codec[ShapeTokens], texts: Sequence[str], sizes: Sequence[tuple[int, int]], threads: int
) -> list[Any]:
    """Read texts and paint them, as `Codec.decode_batch` does on a machine of so many cores."""
    geometries = [codec.parse(text)[0] for text in texts]
    return shapetokens.render_batch(geometries, sizes, threads=threads)


def decode_case(given: MaskSet) -> KernelCase:
    """Into new arrays, which the next turn lets go of."""
    codec, texts = texts_of(given)
    sizes, parts = sizes_of(given.masks), batches(given.count)

    def check() -> None:
        whole = painted(codec, texts, sizes, 1)
        for mask, text, size, pixels in zip(given.masks, texts, sizes, whole, strict=True):
            if mask.any():
                equal(pixels, codec.decode(text, size).pixels)
        found = [iou(mask, one[0]) for mask, one in zip(given.masks, whole, strict=True)]
        assert np.mean(found) > 0.3

    is_gated = is_small(given.masks)
    return KernelCase(
        lambda index: painted(codec, texts[parts[index]], sizes[parts[index]], 1),
        check,
        targets={"150 us": 150e-6},
        gates={"150 us": 1.0} if is_gated else {},
        stretch={"150 us": 1.5} if is_gated else {},
        bytes_written=mean_bytes(given.masks),
        batch=given.count,
        parts=len(parts),
    )


def encode_threads_case(given: MaskSet) -> KernelCase:
    """As `encode_case`, on two threads."""
    codec, _ = texts_of(given)
    images, sizes = lists(given.masks), sizes_of(given.masks)
    parts = batches(given.count)

    def run(threads: int, index: int) -> list[str]:
        return codec.encode_batch(images[parts[index]], sizes[parts[index]], threads=threads)

    def check() -> None:
        for index in range(len(parts)):
            assert run(1, index) == run(2, index)

    return KernelCase(
        partial(run, 2),
        check,
        rivals={"1 thread": partial(run, 1)},
        gates={"1 thread": 1.4},
        stretch={"1 thread": 1.8},
        bytes_read=mean_bytes(given.masks),
        batch=given.count,
        parts=len(parts),
        threaded=True,
    )


def decode_threads_case(given: MaskSet) -> KernelCase:
    """As `decode_case`, on two threads."""
    codec, texts = texts_of(given)
    sizes, parts = sizes_of(given.masks), batches(given.count)

    def run(threads: int, index: int) -> list[Any]:
        return painted(codec, texts[parts[index]], sizes[parts[index]], threads)

    def check() -> None:
        for index in range(len(parts)):
            for one, two in zip(run(1, index), run(2, index), strict=True):
                equal(one, two)

    return KernelCase(
        partial(run, 2),
        check,
        rivals={"1 thread": partial(run, 1)},
        gates={"1 thread": 1.4},
        stretch={"1 thread": 1.8},
        bytes_written=mean_bytes(given.masks),
        batch=given.count,
        parts=len(parts),
        threaded=True,
    )


def paint_case(given: MaskSet) -> KernelCase:
    """The field alone, painted into an array that is cleared first."""
    codec, texts = texts_of(given)
    sizes = sizes_of(given.masks)
    geometries = [codec.parse(text)[0] for text in texts]
    book = get_codebook("shapes1")
    fields = [book.fields(item.counts, item.codes) for item in geometries]
    boxes = [
        to_pixels(item.boxes, size, BINS) for item, size in zip(geometries, sizes, strict=True)
    ]
    outs = ring(given.masks)
    canvases = [[(out[None], False)] for out in outs]
    corners = [box[0].tolist() for box in boxes]
    checked = range(min(CHECKED, len(outs)))

    def ours(index: int) -> None:
        field.paint(fields[index], boxes[index], canvases[index])

    def inside(index: int) -> Bools:
        left, top, right, bottom = corners[index]
        return outs[index][top:bottom, left:right]

    def check() -> None:
        for index in checked:
            ours(index)
            assert np.count_nonzero(outs[index]) == np.count_nonzero(inside(index))
            height, width = (min(side, 40) for side in inside(index).shape)
            plane = np.zeros((1, height, width), np.uint8)
            box = np.array([[0, 0, width, height]], np.int32)
            field.paint(fields[index], box, [(plane, True)])
            equal(plane[0], field_twin.paint(fields[index][0], height, width))

    def agree(index: int, answer: Any) -> None:
        ours(index)
        if answer is not None:
            differ = inside(index) != (answer > 0)
            assert np.abs(answer[differ]).max(initial=0) < 1, "only where it is 0 but for errors"

    return KernelCase(
        ours,
        check,
        "paint_field",
        {"fields": [one[0] for one in fields], "corners": corners, "outs": outs},
        agree,
        checked,
        gates={"opencv": 1.0},
        stretch={"opencv": 2.0},
        bytes_written=mean_bytes(given.masks),
    )


def distance_case(given: MaskSet) -> KernelCase:
    """Signed distances of crops; the others know no clip, and take both sides one by one."""
    crops = [crop(mask) for mask in given.masks]
    padded = [np.pad(one, 1) for one in crops]
    scratch = [np.empty(one.shape) for one in crops]
    outs = [np.empty(one.shape, np.float32) for one in crops]

    def ours(index: int) -> None:
        distance.signed(crops[index], 1.0, 1.0, CLIP, scratch[index], outs[index])

    def check() -> None:
        small = np.ascontiguousarray(crops[0][:24, :24])
        found = np.empty(small.shape, np.float32)
        distance.signed(small, 1.0, 1.0, CLIP, np.empty(small.shape), found)
        twin = distance_twin.signed(small, 1.0, 1.0, CLIP)
        np.testing.assert_allclose(found, twin, rtol=1e-6, atol=1e-6)

    def agree(index: int, answer: Any) -> None:
        ours(index)
        if crops[index].any():
            wanted = answer[1:-1, 1:-1]
            wanted = np.clip(wanted - 0.5 * np.sign(wanted), -CLIP, CLIP)
            np.testing.assert_allclose(outs[index], wanted, atol=1e-3)

    return KernelCase(
        ours,
        check,
        "distances",
        {"crops": crops, "padded": padded, "inverse": [1 - one for one in padded]},
        agree,
        range(len(crops)),
        gates={"scipy": 4.0},
        bytes_read=mean_bytes(crops),
        bytes_written=4 * mean_bytes(crops),
    )


def crop(mask: Bools) -> npt.NDArray[np.uint8]:
    """A part of a mask's box of at most `SIDE` pixels a side, its corner if it is larger."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    top, left = (int(places[0]) if len(places) else 0 for places in (rows, columns))
    part = mask[top : top + SIDE, left : left + SIDE]
    return np.ascontiguousarray(part).view(np.uint8)


CASES: dict[str, Builder] = {
    **{f"encode {options}": partial(encode_case, options=options) for options in OPTIONS},
    f"decode {GATED} codes": decode_case,
    f"encode {GATED} codes, 2 threads": encode_threads_case,
    f"decode {GATED} codes, 2 threads": decode_threads_case,
    "paint field": paint_case,
    "signed distances": distance_case,
}
