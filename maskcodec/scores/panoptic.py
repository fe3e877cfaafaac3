"""Panoptic segmentation: every pixel in one segment, segments matched and counted.

A predicted and a true segment of one label match where their IoU is above 1/2; at most one pair of
each can. Of each label, over all images, with TP the matches and FP, FN the segments left over::

    SQ = sum of the IoU of matches / TP
    RQ = TP / (TP + FP/2 + FN/2)
    PQ = SQ * RQ

and PQ, SQ and RQ of a data set are the means over labels that occur: of all, of things (`PQ_th`)
and of stuff (`PQ_st`). Source: Kirillov et al., "Panoptic Segmentation" (arXiv 1801.00868), and the
program `panopticapi` of COCO, whose choices these are:

- void: pixels in no true segment, or not annotated, are not part of a union. A predicted segment
  that matches nothing is no FP where more than half of it is void or crowd of its own label.
- crowd: a true region of many things is never matched and never missed.
- Segments don't overlap: a pixel belongs to the last mask that covers it. What is left of a
  prediction without pixels is no segment (counted as `vanished`).
- All the masks of one label of stuff are one segment, and all the crowds of a label excuse
  predictions, as COCO's format has one of each. `panopticapi` does not see to that: where a file
  holds several, it takes each of the segments for one of its own, and of the crowds the last alone
  (convention "panopticapi").

torchmetrics differs in one thing: pixels in no *predicted* segment are void too, so that a true
segment that is mostly unpredicted is not missed (convention "torchmetrics").

For programs::

    rows = [compare(pair, labels, stuff=stuff) for pair in pairs]  # merge by concatenation
    columns = PanopticColumns.of(rows, labels)
    summarize(columns, "coco", stuff=stuff)        # {"PQ": ..., "SQ": ..., "PQ_th": ..., ...}
    summarize(columns.take(indices), "coco", stuff=stuff)        # of a draw, see `redraw`
    label_table(columns, "coco", stuff=stuff)      # one dict a label
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from .columns import Columns, every_row
from .label_map import NONE, LabelSet, label_key, overlaps, resolve
from .named import Named, pick
from .pair import Pair
from .panoptic_match import paint_segments, tally
from .panoptic_rows import PanopticRow

__all__ = [
    "CONVENTIONS",
    "PanopticColumns",
    "PanopticConvention",
    "PanopticRow",
    "compare",
    "label_table",
    "summarize",
]


@dataclass(frozen=True, slots=True)
class PanopticConvention(Named):
    """One way to count.

    Attributes:
        unlabelled: pixels in no predicted segment are wrong ("count"), or void ("drop").
        repeated: several masks of one label of stuff, and several crowds of one label, are one
            segment, as the format wants it ("merged"), or stay several ("apart"), of which crowds
            the last alone is seen. With `unlabelled=drop` they are one.
    """

    unlabelled: Literal["count", "drop"] = "count"
    repeated: Literal["merged", "apart"] = "merged"


CONVENTIONS = {
    one.name: one
    for one in (
        PanopticConvention(
            "coco",
            "As Kirillov et al. define it and COCO counts it.",
            "arXiv 1801.00868; panopticapi, evaluation.py",
        ),
        PanopticConvention(
            "panopticapi",
            "As COCO's program counts files that repeat a label of stuff against its format.",
            "panopticapi, evaluation.py",
            repeated="apart",
        ),
        PanopticConvention(
            "torchmetrics",
            "As COCO, but pixels in no predicted segment are void too.",
            "torchmetrics.detection.PanopticQuality, 1.9, allow_unknown_preds_category=True",
            unlabelled="drop",
        ),
    )
}
"""Every convention by its name."""


def compare(
    pair: Pair, labels: LabelSet | None = None, *, stuff: Collection[str] = ()
) -> PanopticRow:
    """Match the segments of one image.

    Args:
        pair: masks with labels; `crowds` are true regions of many things.
        labels: those that are scored; None takes every label, spelt in lower case. A true segment
            of another label is void.
        stuff: labels whose masks are one segment each.
    """
    regions = {label_key(name) for name in stuff}
    row = _row(pair, labels, regions)
    if not _repeats(pair, regions):
        return row
    return dataclasses.replace(row, apart=_row(pair, labels, set(), last=True).labels)


def _repeats(pair: Pair, regions: set[str]) -> bool:
    """Whether a label of stuff, or of a crowd, has several masks on one side."""
    sides = [
        [label_key(mask.label) for mask in masks if label_key(mask.label) in regions]
        for masks in (pair.preds, pair.targets)
    ]
    sides.append([label_key(mask.label) for mask in pair.crowds])
    return any(len(set(names)) < len(names) for names in sides)


def _row(
    pair: Pair, labels: LabelSet | None, regions: set[str], *, last: bool = False
) -> PanopticRow:
    crowds = [mask for mask in pair.crowds if resolve(mask.label, labels) is not None]
    targets = [mask for mask in pair.targets if resolve(mask.label, labels) is not None]
    true_labels, true_map, _ = paint_segments([*crowds, *targets], len(crowds), regions, pair.size)
    if pair.ignore is not None:
        true_map[pair.ignore] = NONE
    labels_of, pred_map, overlap = paint_segments(pair.preds, 0, regions, pair.size)
    table = overlaps(pred_map, true_map, len(labels_of), len(true_labels), None)
    scored = [resolve(label, labels) for label in labels_of]
    truth = [str(resolve(label, labels)) for label in true_labels]
    left = table.sum(1)[:-1]
    strays: dict[str, int] = {}
    for label, name, pixels in zip(labels_of, scored, left, strict=True):
        if name is None and pixels:
            strays[label_key(label)] = strays.get(label_key(label), 0) + 1
    counted = tally(table, scored, truth, len(crowds), drop=False, last=last)
    return PanopticRow(
        pair.id,
        pair.status,
        *pair.size,
        counted,
        tally(table, scored, truth, len(crowds), drop=True),
        counted,
        strays,
        overlap,
        int(np.count_nonzero(left == 0)),
    )


@dataclass(frozen=True, eq=False)
class PanopticColumns(Columns):
    """Rows as arrays.

    Attributes:
        labels: the names of the columns.
        counted: float64 (rows, labels, 4): TP, FP, FN and the sum of IoU, `unlabelled=count`.
        lenient: the same with `unlabelled=drop`.
        apart: `counted` with `repeated=apart`.
    """

    labels: tuple[str, ...]
    counted: npt.NDArray[np.float64]
    lenient: npt.NDArray[np.float64]
    apart: npt.NDArray[np.float64]

    @classmethod
    def of(cls, rows: Iterable[PanopticRow], labels: LabelSet | None = None) -> PanopticColumns:
        """The rows' counts; without `labels`, of every label that occurs, in alphabetic order."""
        given = list(rows)
        if labels is None:
            known = (name for row in given for name in (*row.labels, *row.lenient, *row.apart))
            names = tuple(sorted(set(known)))
        else:
            names = labels.names
        places = {name: at for at, name in enumerate(names)}
        arrays = np.zeros((3, len(given), len(names), 4))
        for at, row in enumerate(given):
            for array, tallies in zip(arrays, (row.labels, row.lenient, row.apart), strict=True):
                for name, counted in tallies.items():
                    if name in places:
                        array[at, places[name]] = counted
        return cls(
            labels=names,
            counted=arrays[0],
            lenient=arrays[1],
            apart=arrays[2],
            **every_row(len(given)),
        )

    def sums(self, rules: PanopticConvention) -> npt.NDArray[np.float64]:
        """Over all rows: float64 (labels, 4)."""
        chosen = self.counted if rules.repeated == "merged" else self.apart
        chosen = chosen if rules.unlabelled == "count" else self.lenient
        total: npt.NDArray[np.float64] = np.tensordot(self.weights, chosen, 1)
        return total


def summarize(
    rows: PanopticColumns | Iterable[PanopticRow],
    how: str | PanopticConvention = "coco",
    labels: LabelSet | None = None,
    *,
    stuff: Collection[str] = (),
) -> dict[str, float | None]:
    """`PQ`, `SQ`, `RQ`, then the same `_th` of things and `_st` of stuff, 0 to 1.

    None where no segment of any of the labels is true or predicted. `labels` only matters where
    `rows` are no columns yet.
    """
    rules = pick(how, CONVENTIONS)
    columns = rows if isinstance(rows, PanopticColumns) else PanopticColumns.of(rows, labels)
    scores = _scores(columns.sums(rules))
    known = ~np.isnan(scores[0])
    regions = {label_key(name) for name in stuff}
    is_stuff = np.array([label_key(name) in regions for name in columns.labels], np.bool_)
    found: dict[str, float | None] = {}
    for suffix, among in (("", known), ("_th", known & ~is_stuff), ("_st", known & is_stuff)):
        for name, values in zip(("PQ", "SQ", "RQ"), scores, strict=True):
            found[name + suffix] = float(values[among].mean()) if among.any() else None
    return found


def _scores(sums: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """PQ, SQ and RQ of each label: float64 (3, labels), NaN where it has no segment."""
    matched, extra, missed, total = sums.T
    with np.errstate(invalid="ignore"):
        weight = matched + (extra + missed) / 2
        quality = np.where(matched > 0, total / matched, 0.0)
        scores: npt.NDArray[np.float64] = np.stack([total / weight, quality, matched / weight])
    scores[:, weight == 0] = np.nan
    return scores


def label_table(
    columns: PanopticColumns,
    how: str | PanopticConvention = "coco",
    *,
    stuff: Collection[str] = (),
) -> list[dict[str, Any]]:
    """One dict a label: `name`, `stuff`, `count` (true segments), `pq`, `sq`, `rq`, `tp`, `fp`,
    `fn`; the scores are None where the label has no segment.
    """
    sums = columns.sums(pick(how, CONVENTIONS))
    regions = {label_key(name) for name in stuff}
    table: list[dict[str, Any]] = []
    for name, counted, scores in zip(columns.labels, sums, _scores(sums).T, strict=True):
        matched, extra, missed = (int(value) for value in counted[:3])
        known = dict(zip(("pq", "sq", "rq"), map(float, scores), strict=True))
        table.append(
            {"name": name, "stuff": label_key(name) in regions, "count": matched + missed}
            | {key: None if np.isnan(value) else value for key, value in known.items()}
            | {"tp": matched, "fp": extra, "fn": missed}
        )
    return table
