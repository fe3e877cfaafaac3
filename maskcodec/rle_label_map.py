"""The COCO run lengths of every label of a label map; public as `maskcodec.rle.from_label_map`."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ._ext import rle_labels
from .errors import MaskCodecError
from .rle_arguments import Counts, check_size

# Beyond one change in so many pixels it is faster to transpose the label map than to sort changes.
_PIXELS_PER_CHANGE = 24

# Labels that span no more than this are numbered by a table, others by sorting.
_TABLE = 65_536


def from_label_map(
    labels: npt.NDArray[np.uint8 | np.uint16 | np.int32],
) -> dict[int, Counts]:
    """Take the run lengths of every label of a label map: `{label: counts}`, labels ascending.

    `labels` is uint8, uint16 or int32 of shape (height, width). Every value that occurs is a label,
    0 too; `encode(labels == label)` gives the same counts, one label at a time.

    Raises:
        MaskCodecError: another dtype or shape, or too large.
    """
    labels = np.asarray(labels)
    if labels.dtype not in (np.uint8, np.uint16, np.int32) or labels.ndim != 2:
        raise MaskCodecError(
            f"labels are {labels.dtype} of shape {labels.shape}, "
            "expected uint8, uint16 or int32 of shape (height, width)"
        )
    check_size(labels.shape)
    if not labels.size:
        return {}
    starts, values = _label_runs(np.ascontiguousarray(labels))
    low = int(values.min())
    span = int(values.max()) - low + 1
    if span <= _TABLE:
        names = np.arange(low, low + span)
    else:
        names, numbers = np.unique(values, return_inverse=True)
        values, low, span = numbers.astype(np.int32), 0, len(names)
    runs = np.zeros(span, np.int64)
    rle_labels.count_runs(values, low, runs)
    lengths = np.where(runs, 2 * runs + 1, 0)
    lengths[values[-1] - low] -= 1  # no gap follows the last run of all
    stops = np.cumsum(lengths)
    counts = np.empty(stops[-1], np.uint32)
    ends = np.zeros(span, np.uint32)
    rle_labels.deal_runs(starts, values, low, labels.size, counts, stops - lengths, ends)
    used = np.flatnonzero(runs)
    edges = [0, *stops[used].tolist()]
    return {
        name: counts[start:end]
        for name, (start, end) in zip(names[used].tolist(), pairwise(edges), strict=True)
    }


def _label_runs(labels: npt.NDArray[np.generic]) -> tuple[Counts, npt.NDArray[np.int32]]:
    """Where each run of a label map starts, in column order, and its label."""
    width = labels.shape[1]
    room = labels.size // _PIXELS_PER_CHANGE + 2 * width
    starts, values = np.empty(room, np.uint32), np.empty(room, np.int32)
    count = rle_labels.label_runs(labels, starts, values, np.empty(room + width, np.uint32))
    if count < 0:
        starts, values = np.empty(labels.size, np.uint32), np.empty(labels.size, np.int32)
        count = rle_labels.linear_runs(labels.T.reshape(-1), starts, values)
    return starts[:count], values[:count]
