"""The jobs of rlemasklib, which takes C order and knows run lengths both as counts and as text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import rlemasklib
from rlemasklib import RLEMask

from . import Way

Bools = npt.NDArray[np.bool_]


def encode(masks: Sequence[Bools]) -> Way:
    """Masks to counts."""
    return Way(lambda i: rlemasklib.encode(masks[i], compressed=False)["ucounts"])


def encode_text(masks: Sequence[Bools]) -> Way:
    """Masks to text."""
    return Way(lambda i: rlemasklib.encode(masks[i])["counts"])


def decode_text(texts: Sequence[dict[str, Any]]) -> Way:
    """Text to masks in C order."""
    return Way(lambda i: np.ascontiguousarray(rlemasklib.decode(texts[i])))


def label_map(label_maps: Sequence[Any], present: Sequence[Sequence[int]]) -> Way:
    """One pass over all labels; it leaves out label 0."""
    return Way(
        lambda i: RLEMask.from_label_map(label_maps[i]),
        lambda answer: {label: mask.counts for label, mask in answer.items()},
    )


def iou(pairs: Sequence[tuple[Sequence[int], Sequence[int]]], **stored: Any) -> Way:
    """IoU of RLEMask objects."""
    objects = [RLEMask.from_dict(text) for text in stored["texts"]]

    def run(index: int) -> Any:
        left, right = pairs[index]
        return RLEMask.iou_matrix([objects[i] for i in left], [objects[i] for i in right])

    return Way(run)
