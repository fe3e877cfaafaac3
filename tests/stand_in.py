"""A network that is arithmetic, in the place of one that is not here: masks as bits of codes.

Codecs of published tokenizers go between masks and codes by networks whose weights no test has. The
laws on text need some codes and pixels all the same: here a mask is sampled on a coarse grid, over
its box where the family has boxes and over the image where it has none, and the cells are the bits
of the codes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from maskcodec import Codec, Mask
from maskcodec.geometry.boxes import to_bins, to_pixels
from maskcodec.geometry.tokens import ShapeTokens
from maskcodec.resample import best_cells, coverage, paint_nearest
from maskcodec.rle import mask_bounding_box

GRIDS = {"himtok": (16, 20, 10), "alto": (16, 20, 10), "samtok": (4, 4, 8), "paligemma": (8, 14, 7)}
"""Rows, columns, and bits a code."""


def add_stand_in(codec: Codec[Any]) -> Codec[Any]:
    """Replace the codec's way to pixels; the codec itself is changed, and given back."""
    bins = getattr(codec, "bins", 0)

    def analyze(masks: Sequence[Mask], size: tuple[int, int]) -> ShapeTokens:
        return _analyze(masks, size, codec.name, bins)

    def render_batch(
        items: Sequence[ShapeTokens], sizes: Sequence[tuple[int, int]], *, device: Any = "cpu"
    ) -> list[Any]:
        planes = [_paint(item, size) for item, size in zip(items, sizes, strict=True)]
        if device == "cpu":
            return list(planes)
        import torch

        return [torch.from_numpy(plane).to(device) for plane in planes]

    object.__setattr__(codec, "analyze", analyze)
    object.__setattr__(codec, "render_batch", render_batch)
    return codec


def _analyze(masks: Sequence[Mask], size: tuple[int, int], family: str, bins: int) -> ShapeTokens:
    rows, columns, bits = GRIDS[family]
    boxes = np.zeros((len(masks), 4), np.int32)
    codes = []
    for index, mask in enumerate(masks):
        box = mask_bounding_box(mask.array)
        cells = np.zeros((rows, columns), np.bool_)
        if box is not None and bins:
            boxes[index] = np.minimum(to_bins(box, size, bins), 1023)
        if box is not None:
            cells = best_cells(*coverage(mask.array, (rows, columns), box if bins else None))
        found = cells.reshape(-1, bits) @ (1 << np.arange(bits))
        if family == "samtok":
            found[1] += 256
        if family == "alto":  # as many codes as it needs
            found = found[: max(1, int(np.flatnonzero(found).max(initial=0)) + 1)]
        codes.append(found.astype(np.int32))
    return ShapeTokens(
        family,
        bins,
        tuple(mask.label for mask in masks),
        boxes,
        np.array([len(item) for item in codes], np.int32),
        np.concatenate([np.zeros(0, np.int32), *codes]),
    )


def _paint(item: ShapeTokens, size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    rows, columns, bits = GRIDS[item.family]
    planes = np.zeros((len(item.labels), *size), np.bool_)
    boxes = to_pixels(item.boxes, size, item.bins or 1).tolist()
    ends = np.cumsum(item.counts, dtype=np.int64).tolist()
    for plane, start, end, box in zip(planes, [0, *ends], ends, boxes, strict=False):
        cells = np.zeros(rows * columns, np.bool_)
        codes = item.codes[start:end, None] >> np.arange(bits) & 1
        cells[: codes.size] = codes.reshape(-1)
        if not item.bins:
            paint_nearest(cells.reshape(rows, columns), size, plane)
        elif box[0] < box[2] and box[1] < box[3]:
            paint_nearest(cells.reshape(rows, columns), size, plane, tuple(box))
    return planes
