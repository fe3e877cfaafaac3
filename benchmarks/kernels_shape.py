"""Shape tokens: whole batches there and back, and the kernels that they are made of.

A batch is all masks of the set, each an image of its own, done at the first index of a turn; its
time is divided by their number. Peers called after a time are clocks, which take that long a mask.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from scipy import ndimage

from maskcodec import Codec, Mask, get_codec
from maskcodec._ext import distance, field
from maskcodec._reference import distance as distance_twin
from maskcodec._reference import field as field_twin
from maskcodec.geometry import shapetokens
from maskcodec.geometry.boxes import to_pixels
from maskcodec.geometry.shape_codebook import BINS, get_codebook
from maskcodec.geometry.tokens import ShapeTokens
from maskcodec.metrics import iou

from .kernel_case import KernelCase
from .kernels_paint import mean_bytes, ring

Bools = npt.NDArray[np.bool_]

GATED = 8
"""Codes an object for which there is a gate."""

LARGEST = 400_000
"""Pixels of a mask up to which there are gates in microseconds."""

CLIP = 16.0
CHECKED = 3
SIDE = 128
"""Longest side of the crops whose distances are taken."""


def cases(
    masks: Sequence[Bools], label_maps: Sequence[npt.NDArray[np.uint8]]
) -> Iterator[KernelCase]:
    """Every case, on one set of masks."""
    for options in ("tokens=4", f"tokens={GATED}", f"tokens={GATED},boxes=1", "tokens=16"):
        yield encode_case(masks, options)
    codec = get_codec(f"shapetokens:tokens={GATED}")
    texts = codec.encode_batch(lists(masks), [mask.shape for mask in masks])
    yield decode_case(codec, masks, texts)
    yield encode_threads_case(codec, masks)
    yield decode_threads_case(codec, masks, texts)
    yield paint_case(codec, masks, texts)
    yield distance_case(masks)


def lists(masks: Sequence[Bools]) -> list[list[Mask]]:
    return [[Mask(mask, "dog")] for mask in masks]


def clock(seconds: float) -> Callable[[int], None]:
    """Takes so long a mask."""

    def wait(index: int) -> None:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            pass

    return wait


def at_first(batch: Callable[[], object]) -> Callable[[int], object]:
    """All of a batch at the first index of a turn."""
    return lambda index: None if index else batch()


def is_small(masks: Sequence[Bools]) -> bool:
    return mean_bytes(masks) <= LARGEST


def encode_case(masks: Sequence[Bools], options: str) -> KernelCase:
    codec = get_codec(f"shapetokens:{options}")
    images, sizes = lists(masks), [mask.shape for mask in masks]

    def check() -> None:
        some = slice(CHECKED)
        texts = codec.encode_batch(images[some], sizes[some], threads=1)
        for image, size, text in zip(images, sizes, texts, strict=False):
            assert text == codec.encode(image, size)
            decoded = codec.decode(text, size)
            assert codec.write(decoded.geometry) == text

    is_gated = is_small(masks) and f"tokens={GATED}" in options
    return KernelCase(
        f"encode {options}",
        at_first(lambda: codec.encode_batch(images, sizes, threads=1)),
        {"2 ms": clock(2e-3)},
        check,
        {"2 ms": 1.0} if is_gated else {},
        {"2 ms": 2 / 1.5} if is_gated else {},
        bytes_read=mean_bytes(masks),
    )


def painted(
    codec: Codec[ShapeTokens], texts: Sequence[str], sizes: Sequence[tuple[int, int]], threads: int
) -> list[Any]:
    """Read texts and paint them, as `Codec.decode_batch` does on a machine of so many cores."""
    geometries = [codec.parse(text)[0] for text in texts]
    return shapetokens.render_batch(geometries, sizes, threads=threads)


def decode_case(
    codec: Codec[ShapeTokens], masks: Sequence[Bools], texts: Sequence[str]
) -> KernelCase:
    """Into new arrays, which the next turn lets go of."""
    sizes = [mask.shape for mask in masks]

    def check() -> None:
        whole = painted(codec, texts, sizes, 1)
        for mask, text, size, pixels in zip(masks, texts, sizes, whole, strict=True):
            if mask.any():
                np.testing.assert_array_equal(pixels, codec.decode(text, size).pixels)
        assert np.mean([iou(mask, one[0]) for mask, one in zip(masks, whole, strict=True)]) > 0.3

    is_gated = is_small(masks)
    return KernelCase(
        f"decode {GATED} codes",
        at_first(lambda: painted(codec, texts, sizes, 1)),
        {"150 us": clock(150e-6)},
        check,
        {"150 us": 1.0} if is_gated else {},
        {"150 us": 1.5} if is_gated else {},
        bytes_written=mean_bytes(masks),
    )


def encode_threads_case(codec: Codec[ShapeTokens], masks: Sequence[Bools]) -> KernelCase:
    images, sizes = lists(masks), [mask.shape for mask in masks]

    def run(threads: int) -> list[str]:
        return codec.encode_batch(images, sizes, threads=threads)

    def check() -> None:
        assert run(1) == run(2)

    return KernelCase(
        f"encode {GATED} codes, 2 threads",
        at_first(lambda: run(2)),
        {"1 thread": at_first(lambda: run(1))},
        check,
        {"1 thread": 1.4},
        {"1 thread": 1.8},
        bytes_read=mean_bytes(masks),
    )


def decode_threads_case(
    codec: Codec[ShapeTokens], masks: Sequence[Bools], texts: Sequence[str]
) -> KernelCase:
    sizes = [mask.shape for mask in masks]

    def check() -> None:
        for one, two in zip(*(painted(codec, texts, sizes, n) for n in (1, 2)), strict=True):
            np.testing.assert_array_equal(one, two)

    return KernelCase(
        f"decode {GATED} codes, 2 threads",
        at_first(lambda: painted(codec, texts, sizes, 2)),
        {"1 thread": at_first(lambda: painted(codec, texts, sizes, 1))},
        check,
        {"1 thread": 1.4},
        {"1 thread": 1.8},
        bytes_written=mean_bytes(masks),
    )


def paint_case(
    codec: Codec[ShapeTokens], masks: Sequence[Bools], texts: Sequence[str]
) -> KernelCase:
    """The field alone, painted into an array that is cleared first; OpenCV interpolates floats."""
    sizes = [mask.shape for mask in masks]
    geometries = [codec.parse(text)[0] for text in texts]
    book = get_codebook("shapes1")
    fields = [book.fields(item.counts, item.codes) for item in geometries]
    floats = [one[0].astype(np.float32) for one in fields]
    boxes = [
        to_pixels(item.boxes, size, BINS) for item, size in zip(geometries, sizes, strict=True)
    ]
    outs = ring(masks)
    planes = [out[None].view(np.uint8) for out in outs]
    corners = [box[0].tolist() for box in boxes]

    def ours(index: int) -> None:
        outs[index].fill(False)
        field.paint(fields[index], boxes[index], planes[index])

    def opencv(index: int) -> Any:
        left, top, right, bottom = corners[index]
        outs[index].fill(False)
        if left == right or top == bottom:
            return None
        size = (right - left, bottom - top)
        values = cv2.resize(floats[index], size, interpolation=cv2.INTER_LINEAR)
        np.greater(values, 0, out=outs[index][top:bottom, left:right])
        return values

    def check() -> None:
        for index in range(CHECKED):
            left, top, right, bottom = corners[index]
            ours(index)
            found = outs[index][top:bottom, left:right].copy()
            assert np.count_nonzero(outs[index]) == np.count_nonzero(found)
            values = opencv(index)
            if values is not None:
                differ = found != (values > 0)
                assert np.abs(values[differ]).max(initial=0) < 1, (
                    "only where it is 0 but for errors"
                )
            height, width = min(bottom - top, 40), min(right - left, 40)
            plane = np.zeros((1, height, width), np.uint8)
            box = np.array([[0, 0, width, height]], np.int32)
            field.paint(fields[index], box, plane)
            twin = field_twin.paint(fields[index][0], height, width)
            np.testing.assert_array_equal(plane[0], twin)

    return KernelCase(
        "paint field",
        ours,
        {"opencv": opencv, "memset": lambda i: outs[i].fill(False)},
        check,
        {"opencv": 1.0},
        {"opencv": 2.0},
        bytes_written=mean_bytes(masks),
    )


def distance_case(masks: Sequence[Bools]) -> KernelCase:
    """Signed distances of crops; the others know no clip, and take both sides one by one."""
    crops = [crop(mask) for mask in masks]
    padded = [np.pad(one, 1) for one in crops]
    inverse = [1 - one for one in padded]
    scratch = [np.empty(one.shape) for one in crops]
    outs = [np.empty(one.shape, np.float32) for one in crops]

    def ours(index: int) -> None:
        distance.signed(crops[index], 1.0, 1.0, CLIP, scratch[index], outs[index])

    def opencv(index: int) -> Any:
        precise = cv2.DIST_MASK_PRECISE
        inside = cv2.distanceTransform(padded[index], cv2.DIST_L2, precise)
        outside = cv2.distanceTransform(inverse[index], cv2.DIST_L2, precise)
        return np.subtract(inside, outside, out=inside)

    def scipy(index: int) -> Any:
        inside = ndimage.distance_transform_edt(padded[index])
        inside -= ndimage.distance_transform_edt(inverse[index])
        return inside

    def check() -> None:
        for index in range(len(crops)):
            ours(index)
            for other in (opencv, scipy) if crops[index].any() else ():
                wanted = other(index)[1:-1, 1:-1]
                wanted = np.clip(wanted - 0.5 * np.sign(wanted), -CLIP, CLIP)
                np.testing.assert_allclose(outs[index], wanted, atol=1e-3)
        small = np.ascontiguousarray(crops[0][:24, :24])
        found = np.empty(small.shape, np.float32)
        distance.signed(small, 1.0, 1.0, CLIP, np.empty(small.shape), found)
        twin = distance_twin.signed(small, 1.0, 1.0, CLIP)
        np.testing.assert_allclose(found, twin, rtol=1e-6, atol=1e-6)

    return KernelCase(
        "signed distances",
        ours,
        {"opencv": opencv, "scipy": scipy},
        check,
        {"scipy": 4.0},
        bytes_read=mean_bytes(crops),
        bytes_written=4 * mean_bytes(crops),
    )


def crop(mask: Bools) -> npt.NDArray[np.uint8]:
    """A part of a mask's box of at most `SIDE` pixels a side, its corner if it is larger."""
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    top, left = (int(places[0]) if len(places) else 0 for places in (rows, columns))
    part = mask[top : top + SIDE, left : left + SIDE]
    return np.ascontiguousarray(part).view(np.uint8)
