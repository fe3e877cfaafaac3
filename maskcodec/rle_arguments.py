"""What `maskcodec.rle` takes: the checks on its arguments, and what their errors say."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index

import numpy as np
import numpy.typing as npt

from .errors import MaskCodecError
from .mask import MAX_PIXELS, MAX_SIDE

Bools = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.uint32]

_BOOL = np.dtype(np.bool_)
_UINT32 = np.dtype(np.uint32)


def check_size(size: Sequence[int]) -> tuple[int, int]:
    """Return (height, width) in pixels, two ints from 0 on."""
    try:
        height, width = size
        height, width = index(height), index(width)
    except (TypeError, ValueError):
        raise MaskCodecError(f"size is {size!r}, expected (height, width) in pixels") from None
    if not (0 <= height <= MAX_SIDE and 0 <= width <= MAX_SIDE) or height * width > MAX_PIXELS:
        raise MaskCodecError(
            f"size (height, width) is ({height}, {width}): a side has 0 to {MAX_SIDE:,} pixels, "
            f"a mask at most {MAX_PIXELS:,}"
        )
    return height, width


def check_mask(mask: Bools) -> Bools:
    """Return `mask` if it is a bool array (height, width)."""
    if not isinstance(mask, np.ndarray):
        raise MaskCodecError(
            f"mask is {type(mask).__name__}, expected a bool array of shape (height, width)"
        )
    if mask.dtype != _BOOL or mask.ndim != 2:
        raise MaskCodecError(
            f"mask is {mask.dtype} of shape {mask.shape}, expected bool of shape (height, width); "
            "compare first, e.g. mask > 0"
        )
    height, width = mask.shape
    if height > MAX_SIDE or width > MAX_SIDE or height * width > MAX_PIXELS:
        check_size(mask.shape)
    return mask


def check_counts(counts: Counts) -> Counts:
    """Return `counts` as uint32 in one piece; whole numbers of other types are taken over."""
    if isinstance(counts, np.ndarray) and counts.dtype == _UINT32 and counts.ndim == 1:
        return np.ascontiguousarray(counts)
    try:
        array = np.asarray(counts)
    except ValueError:
        raise MaskCodecError("counts are nested, expected one dimension of uint32") from None
    if array.shape == (0,):
        return np.empty(0, np.uint32)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise MaskCodecError(
            f"counts are {array.dtype} of shape {array.shape}, expected one dimension of uint32; "
            "from_string reads compressed ones"
        )
    if array.min() < 0 or array.max() > np.iinfo(np.uint32).max:
        raise MaskCodecError(
            f"counts go from {array.min()} to {array.max()}, expected 0 to 2**32 - 1"
        )
    return array.astype(np.uint32)


def check_out(out: Bools | None, shape: tuple[int, ...]) -> Bools:
    """Return `out`, or a new array where it is None: bool of `shape` in C order, writable."""
    if out is None:
        return np.empty(shape, np.bool_)
    if not isinstance(out, np.ndarray):
        raise MaskCodecError(f"out is {type(out).__name__}, expected a bool array")
    if out.dtype != _BOOL or out.shape != shape:
        raise MaskCodecError(
            f"out is {out.dtype} of shape {out.shape}, expected bool of shape {shape}"
        )
    if not (out.flags.c_contiguous and out.flags.writeable):
        raise MaskCodecError("out is read-only or not in C order")
    return out
