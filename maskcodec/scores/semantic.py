"""Semantic segmentation: one label a pixel, scored by the pixels of each label.

With I, P and T the pixels of a label that are right, predicted and true, and U = P + T - I::

    IoU    = I / U           of one label
    Acc    = I / T           of one label
    mIoU   = mean of IoU over labels
    mAcc   = mean of Acc over labels
    fwIoU  = sum of T * IoU / sum of T
    pAcc   = sum of I / sum of T

Source: Long et al., "Fully Convolutional Networks" (arXiv 1411.4038), section 5. The sums run over
all images first (`unit=dataset`), or the scores of each image are averaged (`unit=image`). What
differs between programs is what a label counts that an image set lacks, see `CONVENTIONS`.

Pixels that nobody annotated count nowhere. A pixel that no predicted mask covers is a miss of its
true label, one that several cover has the label of the last. A predicted label that is not among
those scored makes its pixels wrong, and is counted by its own name in `strays`.

For programs::

    labels = LabelSet(("wall", "sky"))
    rows = [compare(pair, labels) for pair in pairs]       # merge by concatenation
    columns = SemanticColumns.of(rows, labels)
    summarize(columns, "mmseg")                            # {"mIoU": ..., "fwIoU": ..., ...}
    summarize(columns.take(indices), "mmseg")              # of a draw of images, see `redraw`
    label_table(columns)                                   # one dict a label
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from .columns import Columns, every_row
from .label_map import NONE, LabelSet, Map, label_key, overlaps, paint_masks, resolve
from .named import Named, pick
from .pair import Pair
from .semantic_rows import SemanticRow

__all__ = [
    "CONVENTIONS",
    "SemanticColumns",
    "SemanticConvention",
    "SemanticRow",
    "compare",
    "label_table",
    "strays",
    "summarize",
]

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class SemanticConvention(Named):
    """One way to average.

    Attributes:
        absent: a label that no pixel is predicted or annotated as is left out of means ("drop"),
            or has IoU and accuracy 0 ("zero"); "untrue" leaves out labels that no pixel is
            annotated as, even where they are predicted.
        unit: pixels are added up over all images first, or each image's scores are averaged.
    """

    absent: Literal["drop", "zero", "untrue"] = "drop"
    unit: Literal["dataset", "image"] = "dataset"


CONVENTIONS = {
    one.name: one
    for one in (
        SemanticConvention(
            "mmseg",
            "Pixels of all images are added up; labels that occur nowhere are left out.",
            "mmsegmentation 1.2, IoUMetric (nan-mean); torchmetrics JaccardIndex, macro",
        ),
        SemanticConvention(
            "ade20k",
            "Pixels of all images are added up; labels that occur nowhere have IoU 0.",
            "evaluation code of the MIT scene parsing benchmark (arXiv 1608.05442)",
            absent="zero",
        ),
        SemanticConvention(
            "detectron2",
            "Pixels of all images are added up; labels without a true pixel are left out.",
            "detectron2 0.6, SemSegEvaluator",
            absent="untrue",
        ),
        SemanticConvention(
            "image",
            "Each image scored by the labels that it shows or that are predicted, then averaged.",
            "torchmetrics.segmentation.MeanIoU, per_class=False",
            unit="image",
        ),
    )
}
"""Every convention by its name."""


def compare(
    pair: Pair, labels: LabelSet | None = None, *, background: str | None = None
) -> SemanticRow:
    """Count the pixels of each label of one image.

    Args:
        pair: masks with labels; several of one label are one region.
        labels: those that are scored; None takes every label that is predicted or true, spelt in
            lower case.
        background: the label of annotated pixels that no mask covers, on either side, where the
            data set has such a label (PASCAL VOC); None where such pixels have none.
    """
    names: dict[str, int] = {}
    strays: dict[str, int] = {}

    def place(label: str) -> int:
        name = resolve(label, labels)
        if name is not None:
            return names.setdefault(name, len(names))
        return -2 - strays.setdefault(label_key(label), len(strays))

    preds = [place(mask.label) for mask in pair.preds]
    targets = [place(mask.label) for mask in pair.targets]
    behind = None if background is None else place(background)
    stray_at = len(names)
    painted, overlap = paint_masks(
        pair.preds, [v if v >= 0 else stray_at - 2 - v for v in preds], pair.size
    )
    # A true label that is not scored is as if nobody had annotated its pixels.
    kept = [i for i, value in enumerate(targets) if value >= 0]
    truth, _ = paint_masks([pair.targets[i] for i in kept], [targets[i] for i in kept], pair.size)
    if behind is not None:
        painted[painted == NONE] = behind
        truth[truth == NONE] = behind
    valid = _valid(pair, [pair.targets[i].array for i, v in enumerate(targets) if v < 0], truth)
    table = overlaps(painted, truth, stray_at + len(strays), len(names), valid)
    predicted, true = table.sum(1), table.sum(0)
    area = pair.size[0] * pair.size[1]
    found = {
        name: (int(table[at, at]), int(predicted[at]), int(true[at])) for name, at in names.items()
    }
    return SemanticRow(
        pair.id,
        pair.status,
        *pair.size,
        {name: counts for name, counts in found.items() if counts[1] or counts[2]},
        {
            name: int(predicted[stray_at + at])
            for name, at in strays.items()
            if predicted[stray_at + at]
        },
        int(true[-1]),
        overlap,
        0 if valid is None else area - int(np.count_nonzero(valid)),
    )


def _valid(
    pair: Pair, unscored: list[npt.NDArray[np.bool_]], truth: Map
) -> npt.NDArray[np.bool_] | None:
    """The pixels that count: annotated, and with a label that is scored or with none."""
    if pair.ignore is None and not unscored:
        return None
    valid = np.ones(pair.size, np.bool_) if pair.ignore is None else ~pair.ignore
    for array in unscored:
        valid &= ~array | (truth != NONE)
    return valid


@dataclass(frozen=True, eq=False)
class SemanticColumns(Columns):
    """Rows as arrays.

    Attributes:
        labels: the names of the columns.
        right: int64 (rows, labels), pixels.
        predicted: int64 (rows, labels).
        true: int64 (rows, labels).
    """

    labels: tuple[str, ...]
    right: Counts
    predicted: Counts
    true: Counts

    @classmethod
    def of(cls, rows: Iterable[SemanticRow], labels: LabelSet | None = None) -> SemanticColumns:
        """The rows' counts; without `labels`, of every label that occurs, in alphabetic order."""
        given = list(rows)
        if labels is None:
            names = tuple(sorted({name for row in given for name in row.labels}))
        else:
            names = labels.names
        places = {name: at for at, name in enumerate(names)}
        counts = np.zeros((3, len(given), len(names)), np.int64)
        for at, row in enumerate(given):
            for name, values in row.labels.items():
                if name in places:
                    counts[:, at, places[name]] = values
        right, predicted, true = counts
        return cls(
            labels=names, right=right, predicted=predicted, true=true, **every_row(len(given))
        )


def summarize(
    rows: SemanticColumns | Iterable[SemanticRow],
    how: str | SemanticConvention = "mmseg",
    labels: LabelSet | None = None,
) -> dict[str, float | None]:
    """`mIoU`, `fwIoU`, `pAcc` and `mAcc`, 0 to 1; None where there is nothing to average.

    `labels` only matters where `rows` are no columns yet.
    """
    rules = pick(how, CONVENTIONS)
    columns = rows if isinstance(rows, SemanticColumns) else SemanticColumns.of(rows, labels)
    counts = np.stack([columns.right, columns.predicted, columns.true])
    weights = columns.weights
    if rules.unit == "dataset":
        counts = weights[None, None] @ counts
        weights = np.ones(1, np.int64)
    scores = _scores(counts, rules.absent)
    return {name: _mean(values, weights) for name, values in scores.items()}


def _scores(counts: Counts, absent: str) -> dict[str, npt.NDArray[np.float64]]:
    """Each score of each unit, NaN where it has none; `counts` is (3, units, labels)."""
    right, predicted, true = counts
    union = predicted + true - right
    with np.errstate(invalid="ignore"):
        iou, accuracy = right / union, right / true  # 0 / 0 where a label does not occur
        total = true.sum(1)
        weighted = np.where(true > 0, true * np.nan_to_num(iou), 0.0).sum(1) / total
        share = right.sum(1) / total
    if absent == "zero":
        iou, accuracy = np.nan_to_num(iou), np.nan_to_num(accuracy)
    elif absent == "untrue":
        iou = np.where(true > 0, iou, np.nan)
    return {"mIoU": _row_means(iou), "fwIoU": weighted, "pAcc": share, "mAcc": _row_means(accuracy)}


def _row_means(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    known = ~np.isnan(values)
    with np.errstate(invalid="ignore"):
        means: npt.NDArray[np.float64] = np.nansum(values, axis=1) / known.sum(1)
    return means


def _mean(values: npt.NDArray[np.float64], weights: Counts) -> float | None:
    known = ~np.isnan(values) & (weights > 0)
    if not known.any():
        return None
    return float(values[known] @ weights[known] / weights[known].sum())


def label_table(columns: SemanticColumns) -> list[dict[str, Any]]:
    """One dict a label: `name`, `count` (images that show it), `iou`, `acc`, `predicted`, `true`.

    `iou` and `acc` are None where the label does not occur; the counts are pixels of all images.
    """
    weights = columns.weights
    right, predicted, true = (
        weights @ counts for counts in (columns.right, columns.predicted, columns.true)
    )
    shown = weights @ (columns.true > 0)
    return [
        {
            "name": name,
            "count": int(shown[at]),
            "iou": _ratio(right[at], predicted[at] + true[at] - right[at]),
            "acc": _ratio(right[at], true[at]),
            "predicted": int(predicted[at]),
            "true": int(true[at]),
        }
        for at, name in enumerate(columns.labels)
    ]


def _ratio(part: np.int64, whole: np.int64) -> float | None:
    return float(part / whole) if whole else None


def strays(rows: Iterable[SemanticRow]) -> dict[str, int]:
    """Predicted pixels of each label that is not scored, the most first."""
    found: dict[str, int] = {}
    for row in rows:
        for name, pixels in row.strays.items():
            found[name] = found.get(name, 0) + pixels
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))
