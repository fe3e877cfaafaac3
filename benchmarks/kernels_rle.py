"""COCO run lengths: encoding, decoding, label maps, IoU, boxes, and batches on two threads.

Both sides begin and end with the same things. pycocotools and faster-coco-eval know run lengths
only as text, so they are compared with ours to and from text. Label maps: peers that go label by
label are told which occur, ours finds out. IoU: the peers get what they store, dictionaries of
text, RLEMask objects, or stacks of dense masks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from itertools import cycle, islice
from typing import Any

import numpy as np
import numpy.typing as npt

from maskcodec import rle
from maskcodec._reference import rle as twin

from .kernel_case import Builder, KernelCase, Run
from .kernel_inputs import BATCH_BYTES, affordable, equal, mean_bytes
from .mask_sets import MaskSet

Bools = npt.NDArray[np.bool_]

PAIRED = 32
"""Most masks on each side of an IoU matrix."""


@lru_cache(1)
def is_dense(masks: MaskSet) -> bool:
    """Whether the set is of noise, in which there are no runs to gain from."""
    counts = rle.encode_batch(masks.masks)
    changes = np.mean([one.size for one in counts])
    return bool(changes > np.mean([mask.size for mask in masks.masks]) / 24)


def texts_of(masks: Sequence[Bools]) -> list[dict[str, Any]]:
    """COCO's records: `{"size": [height, width], "counts": bytes}`."""
    return [{"size": [*m.shape], "counts": rle.to_string(rle.encode(m))} for m in masks]


def by_size(
    masks: Sequence[Bools], small: float, million: float, video: float, mixed: float
) -> float:
    """The gate for a set: of 480x640, 1024x1024, 2160x3840, or of mixed sizes."""
    if len({mask.shape for mask in masks}) > 1:
        return mixed
    pixels = masks[0].size
    return video if pixels >= 2160 * 3840 else million if pixels >= 1024 * 1024 else small


def encode_case(given: MaskSet) -> KernelCase:
    """Masks to counts."""
    masks, dense = given.masks, is_dense(given)
    checked = affordable(len(masks), masks[0].size)

    def check() -> None:
        for index in checked:
            equal(rle.encode(masks[index]), twin.encode(masks[index]))

    return KernelCase(
        lambda index: rle.encode(masks[index]),
        check,
        "encode",
        {"masks": masks},
        lambda index, answer: equal(answer, rle.encode(masks[index])),
        checked,
        gates={"rlemasklib": 1 if dense else 2},
        stretch={} if dense else {"rlemasklib": 3},
        bytes_read=mean_bytes(masks),
    )


def encode_text_case(given: MaskSet) -> KernelCase:
    """Masks to text."""
    masks, dense = given.masks, is_dense(given)
    checked = affordable(len(masks), masks[0].size)

    def ours(index: int) -> bytes:
        return rle.to_string(rle.encode(masks[index]))

    def check() -> None:
        for index in checked:
            assert ours(index) == twin.to_string(twin.encode(masks[index]))

    return KernelCase(
        ours,
        check,
        "encode_text",
        {"masks": masks},
        lambda index, answer: equal(answer, ours(index)),
        checked,
        gates={"pycocotools": 1 if dense else by_size(masks, 10, 14, 20, 8)},
        stretch={} if dense else {"pycocotools": by_size(masks, 15, 22, 35, 14)},
        bytes_read=mean_bytes(masks),
    )


def decode_case(given: MaskSet) -> KernelCase:
    """Text to masks in C order, in new memory."""
    masks, dense = given.masks, is_dense(given)
    texts = texts_of(masks)
    checked = affordable(len(masks), masks[0].size)

    def ours(index: int) -> Bools:
        text = texts[index]
        return rle.decode(rle.from_string(text["counts"]), text["size"])

    def check() -> None:
        for index in checked:
            mask, text = masks[index], texts[index]
            equal(ours(index), mask)
            equal(twin.decode(twin.from_string(text["counts"]), (*mask.shape,)), mask)

    return KernelCase(
        ours,
        check,
        "decode_text",
        {"texts": texts},
        lambda index, answer: equal(answer, masks[index]),
        checked,
        gates={"pycocotools": 1 if dense else by_size(masks, 12, 12, 20, 12)},
        stretch={} if dense else {"pycocotools": by_size(masks, 18, 18, 35, 18)},
        bytes_written=mean_bytes(masks),
    )


def label_map_case(given: MaskSet) -> KernelCase:
    """A label map to the counts of every label."""
    maps = given.label_maps
    present = [np.unique(labels).tolist() for labels in maps]
    few = max(map(len, present)) < 4  # the sets whose maps are masks: there is no more to gain
    checked = affordable(len(maps), maps[0].size * len(present[0]))

    def check() -> None:
        for index in checked:
            found, wanted = rle.from_label_map(maps[index]), twin.from_label_map(maps[index])
            assert list(found) == list(wanted) == present[index]
            for label, counts in found.items():
                equal(counts, wanted[label])

    def agree(index: int, answer: dict[int, Any]) -> None:
        wanted = rle.from_label_map(maps[index])
        assert {*answer, 0} == {*wanted, 0}
        for label, one in answer.items():
            equal(one, rle.to_string(wanted[label]) if isinstance(one, bytes) else wanted[label])

    return KernelCase(
        lambda index: rle.from_label_map(maps[index]),
        check,
        "label_map",
        {"label_maps": maps, "present": present},
        agree,
        checked,
        gates={} if few else {"pycocotools": 20, "rlemasklib": 3},
        stretch={} if few else {"pycocotools": 40, "rlemasklib": 5},
        bytes_read=mean_bytes(maps),
    )


def box_case(given: MaskSet) -> KernelCase:
    """The box of a mask."""
    masks = given.masks
    checked = affordable(len(masks), 10 * masks[0].size)

    def check() -> None:
        for index in checked:
            box = rle.mask_bounding_box(masks[index])
            assert box == twin.mask_bounding_box(masks[index])

    def agree(index: int, answer: Any) -> None:
        assert answer == rle.mask_bounding_box(masks[index])

    return KernelCase(
        lambda index: rle.mask_bounding_box(masks[index]),
        check,
        "bounding_box",
        {"masks": masks},
        agree,
        checked,
        bytes_read=mean_bytes(masks),
    )


def iou_case(given: MaskSet) -> KernelCase | None:
    """Different masks on the two sides, turning round the masks of the size most common."""
    if is_dense(given):
        return None
    size = Counter(mask.shape for mask in given.masks).most_common(1)[0][0]
    chosen = [mask for mask in given.masks if mask.shape == size]
    side = min(PAIRED, len(chosen) // 2)
    counts = [rle.encode(mask) for mask in chosen]
    order = [*range(len(chosen)), *range(len(chosen))]
    starts = [index % len(chosen) for index in range(given.count)]
    pairs = [(order[k : k + side], order[k + side : k + 2 * side]) for k in starts]

    def ours(index: int) -> npt.NDArray[np.float64]:
        left, right = pairs[index]
        return rle.iou_matrix([counts[i] for i in left], [counts[i] for i in right], size=size)

    def check() -> None:
        few = chosen[: min(side, 6)]
        found = rle.iou_matrix(counts[: len(few)], counts[: len(few)])
        equal(found, twin.iou_matrix(few, few))
        for index in range(0, given.count, 16):
            left, right = ([counts[i] for i in one] for one in pairs[index])
            equal(ours(index), rle.iou_matrix(left, right))

    def agree(index: int, answer: Any) -> None:
        # Where both are empty there is no IoU; some say not a number there.
        np.testing.assert_allclose(np.nan_to_num(answer), ours(index), rtol=1e-6)

    twice = np.array([*chosen, *chosen]) if chosen[0].size * len(chosen) < 2**26 else None
    stacks = None if twice is None else [twice[k : k + side] for k in range(len(chosen))]
    return KernelCase(
        ours,
        check,
        "iou",
        {"pairs": pairs, "texts": texts_of(chosen), "stacks": stacks},
        agree,
        range(0, given.count, 16),
        gates={"pycocotools": 4},
        stretch={"pycocotools": 8},
    )


def encode_threads_case(given: MaskSet) -> KernelCase:
    """A batch of masks to counts."""
    batch = given.masks[: max(8, BATCH_BYTES // mean_bytes(given.masks))]

    def run(threads: int) -> list[Any]:
        return rle.encode_batch(batch, threads=threads)

    def check() -> None:
        for one, two in zip(run(1), run(2), strict=True):
            equal(one, two)

    return KernelCase(
        lambda _: run(2),
        check,
        rivals={"1 thread": lambda _: run(1)},
        gates={"1 thread": 1.4},
        stretch={"1 thread": 1.8},
        bytes_read=mean_bytes(batch),
        batch=len(batch),
        threaded=True,
    )


def decode_threads_case(given: MaskSet) -> KernelCase:
    """A batch of counts to masks of one size, again and again until no cache holds them all."""
    size = given.masks[0].shape
    masks = [mask for mask in given.masks if mask.shape == size]
    batch = list(islice(cycle(masks), max(8, BATCH_BYTES // masks[0].size)))
    counts = rle.encode_batch(batch)
    out = np.empty((len(batch), *size), np.bool_)

    def run(threads: int) -> Run:
        return lambda _: rle.decode_batch(counts, size, out, threads=threads)

    def check() -> None:
        for threads in (1, 2):
            run(threads)(0)
            equal(out, np.stack(batch))
            out[:] = True

    return KernelCase(
        run(2),
        check,
        rivals={"1 thread": run(1)},
        gates={"1 thread": 1.4},
        stretch={"1 thread": 1.8},
        bytes_written=out[0].nbytes,
        batch=len(batch),
        threaded=True,
    )


CASES: dict[str, Builder] = {
    "RLE encode": encode_case,
    "RLE encode to text": encode_text_case,
    "RLE decode from text": decode_case,
    "label map to RLEs": label_map_case,
    "bounding box": box_case,
    "IoU matrix": iou_case,
    "RLE encode, batch on 2 threads": encode_threads_case,
    "RLE decode, batch on 2 threads": decode_threads_case,
}
