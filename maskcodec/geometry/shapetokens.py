"""Shape tokens painted and found: a box, and the field that the codes of a codebook add up to.

A pixel of the box is set iff the field at its centre is above 0. Fields are whole numbers on a
square lattice that divides the box evenly (see `maskcodec.geometry.shape_codebook`), interpolated
bilinearly between the centres of its cells and constant beyond the outer ones; all of it in
integers, so that every device paints the same pixels. Along a side of P pixels and C cells, pixel p
lies at ((2p + 1) * C - P) / 2P cells, clamped to 0..C - 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from .._ext import field as _kernels
from ..decoded import Pixels
from ..errors import MaskCodecError
from ..mask import Mask
from ..planes import Planes, paint_batch, sizes_of
from ..threads import map_pieces
from .boxes import each_to_pixels, to_bins, to_pixels
from .polygon import largest_part
from .shape_boxes import boxes_of, reached
from .shape_codebook import BINS, CELLS, ShapeCodebook, get_codebook
from .shape_field import field_of
from .shape_search import search
from .shape_tables import SearchTables, search_tables
from .tokens import ShapeTokens

if TYPE_CHECKING:
    import torch

PREFIX = "shapetokens:"
"""What a family is called: this, and the name of its codebook."""

TOGETHER = 16
"""Objects whose fields are computed together: it is the reading of the basis that takes time."""

MASKS = 32
"""Masks whose codes are found together: the tables of the search are read once for them."""

POOR = 0.25
"""IoU below which a full box of the largest part alone is tried."""


def analyze(
    masks: Sequence[Mask],
    size: tuple[int, int],
    codebook: str,
    tokens: int,
    iou: float = 0.0,
    boxes: int = 1,
) -> ShapeTokens:
    """Find a box and codes for each mask of an image, on one thread; see `analyze_batch`."""
    return analyze_batch([masks], [size], codebook, tokens, iou, boxes, threads=1)[0]


def analyze_batch(
    mask_lists: Sequence[Sequence[Mask]],
    sizes: Sequence[tuple[int, int]],
    codebook: str,
    tokens: int,
    iou: float = 0.0,
    boxes: int = 1,
    *,
    threads: int | None = None,
) -> list[ShapeTokens]:
    """Find a box and codes for each mask of each image.

    A mask without pixels gets the box 0, 0, 0, 0 and no code. What else is in the batch changes
    nothing.

    Args:
        mask_lists: the masks of each image.
        sizes: (height, width) in pixels of each image.
        codebook: the name of one that ships with the package.
        tokens: codes an object, 1 to the codebook's stages.
        iou: 0 for exactly `tokens` codes; else as few as reach this IoU, or `tokens`. The IoU is
            that on the lattice over the box.
        boxes: boxes tried for each object, 1 to 3; see `maskcodec.geometry.shape_boxes`.
        threads: how many to use; None means one a core.

    Raises:
        MaskCodecError: there is no such codebook, or it has fewer stages.
    """
    book = get_codebook(codebook)
    if tokens > book.stages:
        raise MaskCodecError(f"codebook {codebook} has {book.stages} stages, not {tokens}")
    masks = [mask for one in mask_lists for mask in one]
    if masks:
        search_tables(codebook)  # before threads would each compute them

    def find(part: slice) -> tuple[npt.NDArray[np.int32], list[npt.NDArray[np.int32]]]:
        some = [mask.array for mask in masks[part]]
        return _find(book, search_tables(codebook), some, tokens, iou, boxes)

    pieces = map_pieces(find, len(masks), MASKS, threads=threads)
    chosen = np.concatenate([np.zeros((0, 4), np.int32), *(piece[0] for piece in pieces)])
    codes = [one for piece in pieces for one in piece[1]]
    ends = np.cumsum([0, *map(len, mask_lists)]).tolist()
    return [
        _gathered(PREFIX + codebook, one, chosen[start:end], codes[start:end])
        for one, (start, end) in zip(mask_lists, pairwise(ends), strict=True)
    ]


def _find(
    book: ShapeCodebook,
    tables: SearchTables,
    arrays: Sequence[npt.NDArray[np.bool_]],
    tokens: int,
    iou: float,
    boxes: int,
) -> tuple[npt.NDArray[np.int32], list[npt.NDArray[np.int32]]]:
    """The box, int32 (4,), and the codes of each mask."""
    chosen = np.zeros((len(arrays), 4), np.int32)
    codes = [np.zeros(0, np.int32)] * len(arrays)
    tries = [
        (index, box, to_pixels(box, (array.shape[0], array.shape[1]), BINS))
        for index, array in enumerate(arrays)
        for box in boxes_of(array, boxes)
    ]
    if not tries:
        return chosen, codes
    fields = np.stack([field_of(arrays[index], pixels).ravel() for index, _, pixels in tries])
    found = search(tables, fields, tokens, iou)
    counts = np.array([len(one) for one in found], np.int32)
    painted = book.fields(counts, np.concatenate(found))
    pixel_boxes = np.stack([pixels for _, _, pixels in tries])
    for index, some in groupby(range(len(tries)), lambda place: tries[place][0]):
        places = list(some)
        part = slice(places[0], places[-1] + 1)
        ious = dict(
            zip(places, reached(arrays[index], pixel_boxes[part], painted[part]), strict=True)
        )
        # Those that reach `iou` first, and of these the shortest; then the one of highest IoU.
        best = min(
            ious, key=lambda place: (ious[place] < iou, counts[place] * bool(iou), -ious[place])
        )
        chosen[index], codes[index] = tries[best][1], found[best]
        if ious[best] < POOR:  # too thin for the lattice
            box, full, share = _full_part(book, tables, arrays[index], tokens, iou)
            if share >= ious[best]:
                chosen[index], codes[index] = box, full
    return chosen, codes


def _full_part(
    book: ShapeCodebook,
    tables: SearchTables,
    array: npt.NDArray[np.bool_],
    tokens: int,
    iou: float,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], float]:
    """The box of the largest part of a mask, the codes that fill it, and the IoU of that."""
    size = (array.shape[0], array.shape[1])
    box = np.array(to_bins(largest_part(array), size, BINS), np.int32)
    codes = search(tables, np.ones((1, CELLS * CELLS), np.float32), tokens, iou)[0]
    painted = book.fields(np.array([len(codes)], np.int32), codes)
    return box, codes, reached(array, to_pixels(box, size, BINS)[None], painted)[0]


def _gathered(
    family: str,
    masks: Sequence[Mask],
    boxes: npt.NDArray[np.int32],
    codes: list[npt.NDArray[np.int32]],
) -> ShapeTokens:
    counts = np.array([len(one) for one in codes], np.int32)
    together = np.concatenate([*codes, np.zeros(0, np.int32)], dtype=np.int32)
    return ShapeTokens(family, BINS, tuple(mask.label for mask in masks), boxes, counts, together)


def render_batch(
    items: Sequence[ShapeTokens],
    sizes: Sequence[tuple[int, int]],
    *,
    device: str | torch.device = "cpu",
    threads: int | None = None,
) -> list[Pixels]:
    """Paint each item's objects at its size: bool, (objects, height, width) each.

    `threads` is how many the CPU is to use; None means one a core.

    Raises:
        MaskCodecError: an item is of another family, or a code or a box is out of range.
    """
    if device != "cpu":
        from . import shapetokens_torch

        return list(shapetokens_torch.paint_batch(items, codebooks_of(items), sizes, device=device))
    return list(paint_batch(_paint, items, sizes, threads=threads))


def codebooks_of(items: Sequence[ShapeTokens]) -> list[ShapeCodebook]:
    """The codebook of each item, whose codes are checked against it, and their boxes.

    Raises:
        MaskCodecError: they are of another family, or codes or boxes are out of range.
    """
    found = []
    for _, group in groupby(items, key=_kind):
        same = list(group)
        found += [_Merged.of(same).book] * len(same)
    return found


def _kind(item: ShapeTokens) -> tuple[str, int]:
    return item.family, item.bins


@dataclass(frozen=True, slots=True, eq=False)
class _Merged:
    """The objects of items of one family and one number of bins, checked."""

    book: ShapeCodebook
    bins: int
    boxes: npt.NDArray[np.int32]
    counts: npt.NDArray[np.int32]
    codes: npt.NDArray[np.int32]

    @classmethod
    def of(cls, items: Sequence[ShapeTokens]) -> _Merged:
        """
        Raises:
            MaskCodecError: as `codebooks_of`.
        """
        family, bins = items[0].family, items[0].bins
        if not family.startswith(PREFIX):
            raise MaskCodecError(f"codes of {family} are none of shapetokens")
        book = get_codebook(family.removeprefix(PREFIX))
        boxes = np.concatenate([item.boxes for item in items])
        counts = np.concatenate([item.counts for item in items])
        codes = np.concatenate([item.codes for item in items])
        # As unsigned numbers, those below 0 are the largest.
        if counts.max(initial=0) > book.stages:
            raise MaskCodecError(f"{counts.max()} codes an object, at most {book.stages}")
        if counts.min(initial=0) < 0 or counts.sum() != len(codes):
            raise MaskCodecError(f"counts add up to {counts.sum()}, there are {len(codes)} codes")
        if codes.view(np.uint32).max(initial=0) >= book.codes.shape[1]:
            raise MaskCodecError(f"codes must be 0 to {book.codes.shape[1] - 1}")
        if boxes.view(np.uint32).max(initial=0) > bins:
            raise MaskCodecError(f"boxes must be 0 to {bins}")
        return cls(book, bins, boxes, counts, codes)


def _paint(items: Sequence[ShapeTokens], planes: Sequence[Planes]) -> None:
    """Paint some images."""
    for _, group in groupby(zip(items, planes, strict=True), key=lambda one: _kind(one[0])):
        same, rooms = zip(*group, strict=True)
        merged = _Merged.of(same)
        ends = [0, *np.cumsum(merged.counts).tolist()]
        boxes = each_to_pixels(merged.boxes, sizes_of(rooms), merged.bins)
        single = [Planes(plane[None], one.before) for one in rooms for plane in one.array]
        for start in range(0, len(single), TOGETHER):
            part = slice(start, start + TOGETHER)
            counts = merged.counts[part]
            codes = merged.codes[ends[start] : ends[start + len(counts)]]
            fields = merged.book.fields(counts, codes)
            _kernels.paint(fields, boxes[part], single[part])
