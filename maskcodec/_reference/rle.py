"""COCO run lengths in plain NumPy: the specification of `maskcodec.rle` and its kernels.

It goes the way the format is defined: lay the pixels out column by column, and look at them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.uint32]
Box = tuple[int, int, int, int]


def encode(mask: Bools) -> Counts:
    """Lengths of the runs of equal pixels down the columns, unset pixels first."""
    pixels = mask.ravel(order="F").astype(np.int8)
    changes = np.flatnonzero(np.diff(pixels, prepend=0))
    return np.diff(changes, prepend=0, append=pixels.size).astype(np.uint32)


def decode(counts: Counts, size: tuple[int, int]) -> Bools:
    """The mask of `size` (height, width) whose runs these are."""
    values = np.arange(counts.size) % 2 == 1
    return np.ascontiguousarray(np.repeat(values, counts).reshape(size[::-1]).T)


def to_string(counts: Counts) -> bytes:
    """Five bits a byte, lowest first, plus 32 where more follow, plus 48; the sign is the last bit.

    From the fourth on, a count is spelt as its difference to the count two before it.
    """
    values = counts.astype(np.int64)
    values[3:] -= counts[1:-2]
    text = []
    for value in values.tolist():
        while not -16 <= value < 16:
            text.append(48 + 32 + (value & 31))
            value >>= 5
        text.append(48 + (value & 31))
    return bytes(text)


def from_string(text: bytes) -> Counts:
    """The inverse of `to_string`; the text must be right."""
    counts: list[int] = []
    value = shift = 0
    for byte in text:
        group = byte - 48
        value |= (group & 31) << shift
        shift += 5
        if group & 32:
            continue
        if group & 16:
            value -= 1 << shift
        counts.append(value + (counts[-2] if len(counts) > 2 else 0))
        value = shift = 0
    return np.array(counts, np.uint32)


def from_label_map(labels: npt.NDArray[np.generic]) -> dict[int, Counts]:
    """The run lengths of every label that occurs."""
    return {int(label): encode(labels == label) for label in np.unique(labels)}


def mask_bounding_box(mask: Bools) -> Box | None:
    """The half-open box (x0, y0, x1, y1) of the set pixels."""
    ys, xs = np.nonzero(mask)
    if not len(xs):
        return None
    return int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1


def line_sums(mask: Bools, box: Box) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The set pixels of each row, and of each column, of a box."""
    x0, y0, x1, y1 = box
    part = mask[y0:y1, x0:x1].astype(np.int64)
    return part.sum(axis=1), part.sum(axis=0)


def iou_matrix(
    a: Sequence[Bools], b: Sequence[Bools], iscrowd: Sequence[bool] | None = None
) -> npt.NDArray[np.float64]:
    """Intersection over union; for a crowd the area of `a`'s mask stands for the union."""
    matrix = np.zeros((len(a), len(b)))
    for i, j in np.ndindex(matrix.shape):
        shared = np.count_nonzero(a[i] & b[j])
        crowd = iscrowd is not None and iscrowd[j]
        union = np.count_nonzero(a[i] if crowd else a[i] | b[j])
        matrix[i, j] = shared / union if shared else 0.0
    return matrix
