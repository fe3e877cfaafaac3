"""COCO run lengths: encoding, decoding, label maps, IoU, boxes, and batches on two threads.

Both sides begin and end with the same things. pycocotools knows run lengths only as text, so it is
compared with ours to and from text; it wants Fortran order, so what C order costs it is counted.
rlemasklib takes C order and is compared both ways. Label maps: the peers are told which labels
occur, ours finds out. IoU: the peers get what they store, dictionaries of text and RLEMask objects.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pycocotools.mask as coco
import rlemasklib

from maskcodec import rle
from maskcodec._reference import rle as twin

from .kernel_case import KernelCase

Bools = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]
Text = dict[str, Any]

BATCH = 64
"""Most masks in a batch for threads."""

BATCH_PIXELS = 100_000_000
"""Most pixels in such a batch."""

PAIRED = 32
"""Most masks on each side of an IoU matrix."""


def cases(masks: Sequence[Bools], label_maps: Sequence[Bytes]) -> Iterator[KernelCase]:
    """Every kernel of run lengths on one set of masks."""
    counts = rle.encode_batch(masks)
    texts = [coco_text(mask) for mask in masks]
    dense = np.mean([one.size for one in counts]) > np.mean([mask.size for mask in masks]) / 24
    yield encode_case(masks, bool(dense))
    yield encode_text_case(masks, bool(dense))
    yield decode_case(masks, texts, bool(dense))
    yield label_map_case(label_maps)
    yield box_case(masks)
    if not dense:
        yield iou_case(masks, texts)
    yield encode_threads_case(masks)
    yield decode_threads_case(masks)


def coco_text(mask: Bools) -> Text:
    """What pycocotools makes of a mask: `{"size": [height, width], "counts": bytes}`."""
    text: Text = coco.encode(np.asfortranarray(mask.view(np.uint8)))
    return text


def by_size(
    masks: Sequence[Bools], small: float, million: float, video: float, mixed: float
) -> float:
    """The gate for a set: of 480x640, 1024x1024, 2160x3840, or of mixed sizes."""
    if len({mask.shape for mask in masks}) > 1:
        return mixed
    pixels = masks[0].size
    return video if pixels >= 2160 * 3840 else million if pixels >= 1024 * 1024 else small


def some(count: int, pixels: int) -> range:
    """Which masks to check: all, or fewer where the twin would take minutes."""
    return range(0, count, max(1, count * pixels // 40_000_000))


def equal(found: object, wanted: object) -> None:
    """Assert that two arrays are equal."""
    np.testing.assert_array_equal(found, wanted)


def mean(sizes: Sequence[int]) -> int:
    """The mean, for bytes read and written."""
    return sum(sizes) // len(sizes)


def encode_case(masks: Sequence[Bools], dense: bool) -> KernelCase:
    def rlemask(index: int) -> npt.NDArray[np.uint32]:
        counts: npt.NDArray[np.uint32] = rlemasklib.encode(masks[index], compressed=False)[
            "ucounts"
        ]
        return counts

    def check() -> None:
        for index in some(len(masks), masks[0].size):
            counts = rle.encode(masks[index])
            equal(counts, twin.encode(masks[index]))
            equal(counts, rlemask(index))

    return KernelCase(
        "RLE encode",
        lambda index: rle.encode(masks[index]),
        {"rlemasklib": rlemask},
        check,
        {"rlemasklib": 1 if dense else 2},
        {} if dense else {"rlemasklib": 3},
        bytes_read=mean([mask.size for mask in masks]),
    )


def encode_text_case(masks: Sequence[Bools], dense: bool) -> KernelCase:
    def ours(index: int) -> bytes:
        return rle.to_string(rle.encode(masks[index]))

    def check() -> None:
        for index in some(len(masks), masks[0].size):
            text = ours(index)
            assert text == twin.to_string(twin.encode(masks[index]))
            assert text == coco_text(masks[index])["counts"]
            assert text == rlemasklib.encode(masks[index])["counts"]

    return KernelCase(
        "RLE encode to text",
        ours,
        {
            "pycocotools": lambda index: coco_text(masks[index]),
            "rlemasklib": lambda index: rlemasklib.encode(masks[index]),
        },
        check,
        {"pycocotools": 1 if dense else by_size(masks, 10, 14, 20, 8)},
        {} if dense else {"pycocotools": by_size(masks, 15, 22, 35, 14)},
        bytes_read=mean([mask.size for mask in masks]),
    )


def decode_case(masks: Sequence[Bools], texts: Sequence[Text], dense: bool) -> KernelCase:
    def ours(index: int) -> Bools:
        text = texts[index]
        return rle.decode(rle.from_string(text["counts"]), text["size"])

    def check() -> None:
        for index in some(len(masks), masks[0].size):
            mask, text = masks[index], texts[index]
            equal(ours(index), mask)
            equal(twin.decode(twin.from_string(text["counts"]), (*mask.shape,)), mask)
            equal(coco.decode(text), mask)
            equal(rlemasklib.decode(text), mask)

    return KernelCase(
        "RLE decode from text",
        ours,
        {
            "pycocotools": lambda index: np.ascontiguousarray(coco.decode(texts[index])),
            "rlemasklib": lambda index: np.ascontiguousarray(rlemasklib.decode(texts[index])),
        },
        check,
        {"pycocotools": 1 if dense else by_size(masks, 12, 12, 20, 12)},
        {} if dense else {"pycocotools": by_size(masks, 18, 18, 35, 18)},
        bytes_written=mean([mask.size for mask in masks]),
    )


def label_map_case(label_maps: Sequence[Bytes]) -> KernelCase:
    present = [np.unique(labels).tolist() for labels in label_maps]
    few = max(map(len, present)) < 4  # the sets whose maps are masks: there is no more to gain

    def of_each(encode: Callable[[Bools], Any]) -> Callable[[int], Any]:
        return lambda index: {label: encode(label_maps[index] == label) for label in present[index]}

    peers = {
        "pycocotools": of_each(coco_text),
        "rlemasklib": of_each(lambda mask: rlemasklib.encode(mask, compressed=False)),
    }

    def check() -> None:
        for index in some(len(label_maps), label_maps[0].size * len(present[0])):
            found = rle.from_label_map(label_maps[index])
            wanted = twin.from_label_map(label_maps[index])
            assert list(found) == list(wanted) == present[index]
            texts, counts = (peer(index) for peer in peers.values())
            for label in found:
                equal(found[label], wanted[label])
                equal(found[label], counts[label]["ucounts"])
                assert rle.to_string(found[label]) == texts[label]["counts"]

    return KernelCase(
        "label map to RLEs",
        lambda index: rle.from_label_map(label_maps[index]),
        peers,
        check,
        {} if few else {"pycocotools": 20, "rlemasklib": 3},
        {} if few else {"pycocotools": 40, "rlemasklib": 5},
        bytes_read=mean([labels.size for labels in label_maps]),
    )


def box_case(masks: Sequence[Bools]) -> KernelCase:
    def numpy(index: int) -> tuple[int, int, int, int] | None:
        rows, columns = (np.flatnonzero(masks[index].any(axis=axis)) for axis in (1, 0))
        if not len(rows):
            return None
        return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1

    def check() -> None:
        for index in some(len(masks), 10 * masks[0].size):
            box = rle.mask_bounding_box(masks[index])
            assert box == twin.mask_bounding_box(masks[index]) == numpy(index)

    return KernelCase(
        "bounding box",
        lambda index: rle.mask_bounding_box(masks[index]),
        {"numpy": numpy},
        check,
        bytes_read=mean([mask.size for mask in masks]),
    )


def iou_case(masks: Sequence[Bools], texts: Sequence[Text]) -> KernelCase:
    """Different masks on the two sides, turning round the masks of the size most common."""
    size = Counter(mask.shape for mask in masks).most_common(1)[0][0]
    chosen = [index for index, mask in enumerate(masks) if mask.shape == size]
    side = min(PAIRED, len(chosen) // 2)
    counts = [rle.encode(masks[index]) for index in chosen]
    theirs = [texts[index] for index in chosen]
    objects = [rlemasklib.RLEMask.from_dict(texts[index]) for index in chosen]

    def pair(things: list[Any], index: int) -> tuple[list[Any], list[Any]]:
        turned = [*things[index % len(things) :], *things[: index % len(things)]]
        return turned[:side], turned[side : 2 * side]

    def ours(index: int) -> npt.NDArray[np.float64]:
        return rle.iou_matrix(*pair(counts, index), size=size)

    def pycocotools(index: int) -> npt.NDArray[np.float64]:
        matrix: npt.NDArray[np.float64] = coco.iou(*pair(theirs, index), [0] * side)
        return matrix

    def check() -> None:
        few = min(side, 6)
        arrays = [masks[index] for index in chosen[:few]]
        equal(rle.iou_matrix(counts[:few], counts[:few]), twin.iou_matrix(arrays, arrays))
        for index in range(0, len(chosen), 16):
            equal(ours(index), rle.iou_matrix(*pair(counts, index)))
            equal(ours(index), pycocotools(index))
            matrix = rlemasklib.RLEMask.iou_matrix(*pair(objects, index))
            np.testing.assert_allclose(ours(index), matrix, rtol=1e-6)

    return KernelCase(
        f"IoU {side}x{side}",
        ours,
        {
            "pycocotools": pycocotools,
            "rlemasklib": lambda index: rlemasklib.RLEMask.iou_matrix(*pair(objects, index)),
        },
        check,
        {"pycocotools": 4},
        {"pycocotools": 8},
    )


def batch_of(masks: Sequence[Bools]) -> list[Bools]:
    """The masks of the first one's size that a batch has room for."""
    alike = [mask for mask in masks if mask.shape == masks[0].shape]
    return alike[: min(BATCH, max(2, BATCH_PIXELS // masks[0].size))]


def encode_threads_case(masks: Sequence[Bools]) -> KernelCase:
    batch = batch_of(masks)

    def check() -> None:
        for one, two in zip(
            rle.encode_batch(batch, threads=1), rle.encode_batch(batch, threads=2), strict=True
        ):
            equal(one, two)

    return KernelCase(
        f"RLE encode, {len(batch)} masks, 2 threads",
        lambda _: rle.encode_batch(batch, threads=2),
        {"1 thread": lambda _: rle.encode_batch(batch, threads=1)},
        check,
        {"1 thread": 1.4},
        {"1 thread": 1.8},
        bytes_read=sum(mask.size for mask in batch),
    )


def decode_threads_case(masks: Sequence[Bools]) -> KernelCase:
    batch = batch_of(masks)
    counts = rle.encode_batch(batch)
    size = batch[0].shape
    out = np.empty((len(batch), *size), np.bool_)

    def run(threads: int) -> Callable[[int], object]:
        return lambda _: rle.decode_batch(counts, size, out, threads=threads)

    def check() -> None:
        for threads in (1, 2):
            run(threads)(0)
            equal(out, np.stack(batch))
            out[:] = True

    return KernelCase(
        f"RLE decode, {len(batch)} masks, 2 threads",
        run(2),
        {"1 thread": run(1)},
        check,
        {"1 thread": 1.4},
        {"1 thread": 1.8},
        bytes_written=out.nbytes,
    )
