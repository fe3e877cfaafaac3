"""Shape tokens painted and found: a box, and the field that the codes of a codebook add up to.

A pixel of the box is set iff the field at its centre is above 0. Fields are whole numbers on a
square lattice that divides the box evenly (see `maskcodec.geometry.shape_codebook`), interpolated
bilinearly between the centres of its cells and constant beyond the outer ones; all of it in
integers, so that every device paints the same pixels. Along a side of P pixels and C cells, pixel p
lies at ((2p + 1) * C - P) / 2P cells, clamped to 0..C - 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from .._ext import field as _kernels
from ..decoded import Pixels
from ..errors import MaskCodecError
from ..mask import Mask
from ..rle import mask_bounding_box
from ..threads import map_threads
from .boxes import to_bins, to_pixels
from .shape_codebook import BINS, CELLS, ShapeCodebook, get_codebook
from .shape_field import field_of
from .shape_search import search, search_tables
from .tokens import ShapeTokens

if TYPE_CHECKING:
    import torch

PREFIX = "shapetokens:"
"""What a family is called: this, and the name of its codebook."""


def analyze(
    masks: Sequence[Mask], size: tuple[int, int], codebook: str, tokens: int, iou: float = 0.0
) -> ShapeTokens:
    """Find a box and codes for each mask of an image of `size` (height, width).

    A mask without pixels gets the box 0, 0, 0, 0 and no code.

    Args:
        masks: masks of one image.
        size: (height, width) in pixels.
        codebook: the name of one that ships with the package.
        tokens: codes an object, 1 to the codebook's stages.
        iou: 0 for exactly `tokens` codes; else as few as reach this IoU, or `tokens`. The IoU is
            that on the lattice over the box.

    Raises:
        MaskCodecError: there is no such codebook, or it has fewer stages.
    """
    book = get_codebook(codebook)
    if tokens > book.stages:
        raise MaskCodecError(f"codebook {codebook} has {book.stages} stages, not {tokens}")
    boxes, fields = boxes_and_fields(masks, size)
    shaped = np.flatnonzero(boxes.any(axis=1))
    found = search(search_tables(codebook), fields, tokens, iou) if len(shaped) else []
    counts = np.zeros(len(masks), np.int32)
    counts[shaped] = [len(codes) for codes in found]
    codes = np.concatenate([*found, np.zeros(0, np.int32)], dtype=np.int32)
    labels = tuple(mask.label for mask in masks)
    return ShapeTokens(PREFIX + codebook, BINS, labels, boxes, counts, codes)


def boxes_and_fields(
    masks: Sequence[Mask], size: tuple[int, int]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """Boxes in bins, int32 (masks, 4), and the fields of the masks that have pixels.

    Fields are float32 (masks with pixels, CELLS * CELLS), in order.
    """
    boxes = np.zeros((len(masks), 4), np.int32)
    fields = []
    for index, mask in enumerate(masks):
        box = mask_bounding_box(mask.array)
        if box is not None:
            boxes[index] = to_bins(box, size, BINS)
            fields.append(field_of(mask.array, to_pixels(boxes[index], size, BINS)).ravel())
    empty = np.zeros((0, CELLS * CELLS), np.float32)
    return boxes, np.stack(fields) if fields else empty


def render_batch(
    items: Sequence[ShapeTokens],
    sizes: Sequence[tuple[int, int]],
    *,
    device: str | torch.device = "cpu",
) -> list[Pixels]:
    """Paint each item's objects at its size: bool, (objects, height, width) each.

    Raises:
        MaskCodecError: an item is of another family, or a code is out of range.
    """
    books = [codebook_of(item) for item in items]
    if device == "cpu":
        return list(map_threads(_paint, items, books, sizes))
    from .shapetokens_torch import paint_batch

    return list(paint_batch(items, books, sizes, device=device))


def codebook_of(item: ShapeTokens) -> ShapeCodebook:
    """The codebook of some objects, whose codes are checked against it.

    Raises:
        MaskCodecError: they are of another family, or codes are out of range.
    """
    if not item.family.startswith(PREFIX):
        raise MaskCodecError(f"codes of {item.family} are none of shapetokens")
    book = get_codebook(item.family.removeprefix(PREFIX))
    if item.counts.max(initial=0) > book.stages:
        raise MaskCodecError(f"{item.counts.max()} codes an object, at most {book.stages}")
    if len(item.codes) and not 0 <= item.codes.min() <= item.codes.max() < book.codes.shape[1]:
        raise MaskCodecError(f"codes must be 0 to {book.codes.shape[1] - 1}")
    return book


def _paint(item: ShapeTokens, book: ShapeCodebook, size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    planes = np.zeros((len(item.labels), *size), np.bool_)
    boxes = to_pixels(item.boxes, size, item.bins)
    _kernels.paint(book.fields(item.counts, item.codes), boxes, planes.view(np.uint8))
    return planes
