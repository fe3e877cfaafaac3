"""COCO run lengths: masks to counts and back, their text form, boxes, areas and IoU.

`counts` are uint32 run lengths that alternate between unset and set pixels, unset first (so the
first is 0 where the first pixel is set), down the columns of the mask, left to right. That is what
pycocotools means by an uncompressed RLE, and `to_string` spells it as pycocotools does. Masks are
read and written in C order; no transposed copy is made.

A mask here may have no pixels: its height or width may be 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, takewhile

import numpy as np

from ._ext import rle_decode, rle_encode, rle_encode_dense, rle_text
from .blocks import FAR_BYTES
from .errors import DecodeError, MaskCodecError
from .rle_arguments import Bools, Counts, check_counts, check_mask, check_out, check_size
from .rle_label_map import from_label_map
from .rle_measures import area, bounding_box, iou_matrix, mask_bounding_box
from .threads import map_pieces

__all__ = [
    "area",
    "bounding_box",
    "decode",
    "decode_batch",
    "decode_planes",
    "encode",
    "encode_batch",
    "from_label_map",
    "from_string",
    "iou_matrix",
    "mask_bounding_box",
    "scan_string",
    "to_string",
]

# Changes between pixels are sorted, or the mask is transposed as bits, whichever is faster: to sort
# a change costs about as much as to transpose so many pixels.
_PIXELS_PER_CHANGE = 24
_PIXELS_PER_COUNT = 6

# A batch goes through the kernels in pieces of so many masks; the GIL is free meanwhile.
_MASKS_PER_CALL = 16
_COUNTS_PER_MASK = 2_048

_BOOL = np.dtype(np.bool_)
_UINT32 = np.dtype(np.uint32)


def encode(mask: Bools) -> Counts:
    """Take the run lengths of `mask`, bool (height, width).

    C order is fastest, Fortran order next; a mask in neither is copied first.

    Raises:
        MaskCodecError: `mask` is no bool array of two dimensions, or too large.
    """
    if getattr(mask, "dtype", None) is _BOOL:
        counts = rle_encode.encode_one(mask, _PIXELS_PER_CHANGE, _new_counts)
        if counts is not None:
            return counts
    mask = check_mask(mask)
    return _encode_dense(mask) if mask.flags.c_contiguous else _encode_other_order(mask)


def _new_counts(length: int) -> Counts:
    return np.empty(length, _UINT32)


def encode_batch(masks: Bools | Sequence[Bools], *, threads: int | None = None) -> list[Counts]:
    """`encode` many masks: bool (masks, height, width), or a sequence of masks of any sizes.

    `threads=None` uses one thread a core.
    """
    given = list(masks)

    def run(part: slice) -> list[Counts]:
        return _encode_all([check_mask(mask) for mask in given[part]])

    parts = map_pieces(run, len(given), _MASKS_PER_CALL, threads=threads)
    return [counts for part in parts for counts in part]


def _encode_all(masks: list[Bools]) -> list[Counts]:
    found: list[Counts] = []
    while len(found) < len(masks):
        rest = masks[len(found) :]
        alike = list(takewhile(lambda mask: mask.flags.c_contiguous, rest))
        if not alike:
            found.append(_encode_other_order(rest[0]))
            continue
        lengths, scratch = _encode_sparse(alike)
        for length, end in zip(lengths, accumulate(lengths), strict=True):
            found.append(scratch[end - length : end].copy())
        if not lengths:
            found.append(_encode_dense(rest[0]))
    return found


def _encode_sparse(masks: list[Bools]) -> tuple[list[int], Counts]:
    """Encode as many of the masks as fit in one scratch space, none if the first is too dense."""
    height, width = masks[0].shape
    room = height * width // _PIXELS_PER_CHANGE + 2 * width
    words = 2 * room + width + 1 + _COUNTS_PER_MASK * (len(masks) - 1)
    scratch = np.empty(words, _UINT32)
    return rle_encode.encode_sparse(masks, scratch, room), scratch


def _encode_dense(mask: Bools) -> Counts:
    height, width = mask.shape
    changes = np.empty((width, (height + 63) // 64), np.uint64)
    found = rle_encode_dense.column_changes(mask.view(np.uint8), changes)
    counts = np.empty(found + 1, np.uint32)
    rle_encode_dense.changes_to_counts(changes, height, counts)
    return counts


def _encode_other_order(mask: Bools) -> Counts:
    if not mask.flags.f_contiguous:
        return encode(np.ascontiguousarray(mask))
    pixels = mask.T.reshape(-1).view(np.uint8)
    changes = np.empty((1, (pixels.size + 63) // 64), np.uint64)
    counts = np.empty(rle_encode_dense.linear_changes(pixels, changes) + 1, np.uint32)
    rle_encode_dense.changes_to_counts(changes, pixels.size, counts)
    return counts


def decode(counts: Counts, size: Sequence[int], out: Bools | None = None) -> Bools:
    """Paint `counts` as a mask of `size` (height, width): bool, C order.

    Every pixel of `out`, where it is given, is overwritten, and `out` is returned. Memory follows
    `size` and the number of counts, never their values.

    Raises:
        MaskCodecError: the counts don't sum to height * width (nothing is painted then) or are no
            whole numbers from 0, or `size` or `out` is wrong.
    """
    height, width = check_size(size)
    checked = check_counts(counts)
    mask = check_out(out, (height, width))
    scratch = np.empty(_room(checked.size, height, width), _UINT32)
    if not rle_decode.decode_sparse([checked], [mask], scratch):
        _paint_dense(checked, mask)
    return mask


def decode_batch(
    counts: Sequence[Counts],
    size: Sequence[int],
    out: Bools | None = None,
    *,
    threads: int | None = None,
) -> Bools:
    """`decode` many counts of one `size`: bool (masks, height, width).

    `threads=None` uses one thread a core. Raises as `decode`; `out` may be partly painted then.
    """
    height, width = check_size(size)
    checked = [check_counts(one) for one in counts]
    masks = check_out(out, (len(checked), height, width))

    each = list(masks)
    map_pieces(
        lambda part: _paint_all(checked[part], each[part], far=masks.size >= FAR_BYTES),
        len(each),
        _MASKS_PER_CALL,
        threads=threads,
    )
    return masks


def decode_planes(
    counts: Sequence[Sequence[Counts]], planes: Sequence[Bools], *, far: bool = False
) -> None:
    """`decode` the masks of many images, of any sizes, into planes, on the calling thread.

    Args:
        counts: the counts of each image's masks.
        planes: bool (masks, height, width) each, C order; every pixel is overwritten.
        far: whether they are part of a batch that no cache holds.

    Raises:
        MaskCodecError: as `decode`, or an image has fewer counts or more than masks; planes may
            be partly painted then.
    """
    checked: list[Counts] = []
    masks: list[Bools] = []
    for image, array in zip(counts, planes, strict=True):
        if len(image) != len(array):
            raise MaskCodecError(f"{len(image)} arrays of counts for {len(array)} masks")
        checked.extend(map(check_counts, image))
        masks.extend(array)
    for start in range(0, len(masks), _MASKS_PER_CALL):
        part = slice(start, start + _MASKS_PER_CALL)
        _paint_all(checked[part], masks[part], far=far)


def _paint_all(counts: list[Counts], masks: list[Bools], *, far: bool) -> None:
    while counts:
        rooms = [_room(one.size, *mask.shape) for one, mask in zip(counts, masks, strict=True)]
        scratch = np.empty(max(rooms), _UINT32)
        done = rle_decode.decode_sparse(counts, masks, scratch, far)
        if done < len(counts):
            _paint_dense(counts[done], masks[done])
        counts, masks = counts[done + 1 :], masks[done + 1 :]


def _room(counts: int, height: int, width: int) -> int:
    """Words to decode in; too few for counts so many that they had better be painted densely."""
    most = height * width // _PIXELS_PER_COUNT + 4 * width + 4
    return height + min(counts, most)


def _paint_dense(counts: Counts, mask: Bools) -> None:
    height, width = mask.shape
    changes = np.empty((width, (height + 63) // 64), np.uint64)
    if rle_decode.decode_dense(counts, mask.view(np.uint8), changes) != 1:
        raise MaskCodecError(
            f"counts sum to {counts.sum(dtype=np.int64)}, expected {height} * {width} = "
            f"{mask.size}, the pixels of the mask; is size (height, width)?"
        )


def to_string(counts: Counts) -> bytes:
    """Spell `counts` as pycocotools' compressed RLE, byte for byte."""
    counts = check_counts(counts)
    text = np.empty(7 * counts.size, np.uint8)
    return text[: rle_text.write(counts, text)].tobytes()


def from_string(text: bytes | str) -> Counts:
    """Read counts from pycocotools' compressed RLE.

    Any text takes time and memory in proportion to its length. No text means no counts. Spare
    groups of zeros, which pycocotools never writes, are read as it reads them.

    Raises:
        DecodeError: a character outside `0` to `o`, a count cut short by the end of the text, or
            one below 0 or above 2**32 - 1. Its `position` is that of the character, or of the
            count's first one.
    """
    counts, error = scan_string(text)
    if error is not None:
        raise error
    return counts


_FAULTS = {
    1: ("stands in the counts", 'a character from "0" to "o"'),
    2: ("begins a count that the end of the text cuts short", "a whole count"),
    3: ("begins a count out of range", "a count from 0 to 2**32 - 1"),
}


def scan_string(text: bytes | str) -> tuple[Counts, DecodeError | None]:
    """Read as many whole counts as there are, and say what stopped the reading, if anything did."""
    if not isinstance(text, str | bytes | bytearray | memoryview):
        raise DecodeError(f"COCO counts: {type(text).__name__}, expected bytes or a string")
    # A character beyond ASCII stops the reading at its first byte, so positions are characters.
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else bytes(text)
    counts = np.empty(len(data), np.uint32)
    count, position, fault = rle_text.read(data, counts)
    counts = counts[:count]
    if 2 * count < len(data):
        counts = counts.copy()  # rather than keep the memory of what was not filled
    if not fault:
        return counts, None
    shown = text if isinstance(text, str) else data.decode("latin-1")
    what, expected = _FAULTS[fault]
    found = shown[position : position + (1 if fault == 1 else 8)]
    message = f"COCO counts: {found!r} at character {position} {what}, expected {expected}"
    return counts, DecodeError(
        message, text=shown, position=position, expected=expected, found=found
    )
