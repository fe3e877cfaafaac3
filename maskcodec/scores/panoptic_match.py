"""Segments of one image: painted, and matched as panoptic quality matches them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..mask import Mask
from .label_map import Map, label_key, paint_masks
from .panoptic_rows import Tally


def paint_segments(
    masks: Sequence[Mask], apart: int, regions: set[str], size: tuple[int, int]
) -> tuple[list[str], Map, int]:
    """Paint masks as segments: their labels, the segment of each pixel, pixels painted over.

    The masks of a label of `regions` are one segment, but for the first `apart` masks.
    """
    names: list[str] = []
    known: dict[str, int] = {}
    values: list[int] = []
    for index, mask in enumerate(masks):
        key = label_key(mask.label)
        if index >= apart and key in regions and key in known:
            values.append(known[key])
            continue
        if index >= apart:
            known[key] = len(names)
        values.append(len(names))
        names.append(mask.label)
    painted, overlap = paint_masks(masks, values, size)
    return names, painted, overlap


def tally(
    table: npt.NDArray[np.int64],
    preds: list[str | None],
    truth: list[str],
    crowds: int,
    *,
    drop: bool,
    last: bool = False,
) -> dict[str, Tally]:
    """Match segments and count what is left over.

    Args:
        table: pixels of each predicted and each true segment in common; last row and last column
            are the pixels in none.
        preds: the label of each predicted segment; None where it is not scored.
        truth: the label of each true segment.
        crowds: so many true segments at the start are crowds.
        drop: whether pixels in no predicted segment that is scored are void.
        last: whether of several crowds of a label the last alone excuses predictions.
    """
    areas, true_areas = table.sum(1), table.sum(0)
    void = table[:, -1]
    unlabelled = table[[at for at, name in enumerate(preds) if name is None] + [-1]].sum(0)
    unlabelled = unlabelled if drop else np.zeros_like(unlabelled)
    found: dict[str, list[float]] = {}
    matched_preds: set[int] = set()
    matched: set[int] = set()
    for p, t in np.argwhere(table[:-1, crowds:-1]).tolist():
        t += crowds
        if preds[p] != truth[t]:
            continue
        both = int(table[p, t])
        union = int(areas[p] - void[p] + true_areas[t] - unlabelled[t]) - both
        if 2 * both > union:
            matched_preds.add(p)
            matched.add(t)
            _add(found, truth[t], 0, both / union)
    for t in set(range(crowds, len(truth))) - matched:
        if 2 * unlabelled[t] <= true_areas[t]:
            _add(found, truth[t], 2)
    regions: dict[str, list[int]] = {}
    for t in range(crowds):
        regions[truth[t]] = [t] if last else [*regions.get(truth[t], []), t]
    for p, name in enumerate(preds):
        if name is None or p in matched_preds or not areas[p]:
            continue
        outside = int(void[p]) + sum(int(table[p, t]) for t in regions.get(name, ()))
        if 2 * outside <= areas[p]:
            _add(found, name, 1)
    return {name: (int(a), int(b), int(c), total) for name, (a, b, c, total) in found.items()}


def _add(found: dict[str, list[float]], name: str, place: int, iou: float = 0.0) -> None:
    tally = found.setdefault(name, [0, 0, 0, 0.0])
    tally[place] += 1
    tally[3] += iou
