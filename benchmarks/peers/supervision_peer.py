"""The jobs of supervision, which stores masks as dense arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import supervision

from . import Way

Bools = npt.NDArray[np.bool_]


def encode(masks: Sequence[Bools]) -> Way:
    """Masks to a list of counts."""
    return Way(lambda i: supervision.mask_to_rle(masks[i]))


def encode_text(masks: Sequence[Bools]) -> Way:
    """Masks to text."""
    return Way(lambda i: supervision.mask_to_rle(masks[i], compressed=True), str.encode)


def decode_text(texts: Sequence[dict[str, Any]]) -> Way:
    """Text to masks in C order."""
    counts = [text["counts"].decode() for text in texts]
    sizes = [(text["size"][1], text["size"][0]) for text in texts]
    return Way(lambda i: np.ascontiguousarray(supervision.rle_to_mask(counts[i], sizes[i])))


def bounding_box(masks: Sequence[Bools]) -> Way:
    """Half-open boxes of a stack of one mask."""

    def read(answer: Any) -> tuple[int, ...] | None:
        return tuple(answer[0].tolist()) if answer.any() else None

    return Way(lambda i: supervision.mask_to_xyxy(masks[i][None], "exclusive"), read)


def iou(pairs: Sequence[tuple[Sequence[int], Sequence[int]]], **stored: Any) -> Way | None:
    """IoU of stacks of masks, where they are small enough to be kept."""
    if stored["stacks"] is None:
        return None
    stacks = stored["stacks"]

    def run(index: int) -> Any:
        left, right = pairs[index]
        return supervision.mask_iou_batch(stacks[left[0]], stacks[right[0]])

    return Way(run)
