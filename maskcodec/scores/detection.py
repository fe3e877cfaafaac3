"""Instance segmentation: average precision of masks, and of their boundaries, as COCO counts it.

Of one label and one IoU threshold, predictions of all images are ranked by confidence, and each is
matched to the best true mask of its image that no better ranked one has; precision is read off at
101 recalls, each the best at that recall or a higher one, and averaged. ``AP`` is the mean over the
thresholds 0.50, 0.55, ..., 0.95 and over the labels that have a true mask; ``AP50``, ``AP75`` are
of one threshold, ``AP_S``, ``AP_M``, ``AP_L`` of true masks below 32², from 32² and above 96²
pixels, and ``AR1``, ``AR10``, ``AR100`` the recall that so many predictions an image reach. Source:
the program `pycocotools.cocoeval` of COCO (arXiv 1405.0312), with which the figures here agree.

Boundary AP takes the lesser of IoU and boundary IoU (Cheng et al., arXiv 2103.16562, whose program
`boundary_iou_api`, and after it `faster-coco-eval` with `iouType="boundary"`, count so).

- A model that prints text says no confidence: its masks have `absent_score`, all the same, so that
  AP is decided by the order of ties. pycocotools ranks tied predictions as images and their masks
  come (`ties=order`), which makes AP depend on the images' names; `ties=together` ranks them at
  once, one point of the curve, the only figure that no order changes.
- A true crowd region matches any number of predictions, which count neither for nor against.
- Pixels that nobody annotated are taken out of every mask first; a prediction wholly there is left
  out (counted as `dropped`). COCO has no such pixels.
- Predictions of a label without a true mask in the whole set count nowhere in AP; `label_table`
  shows how many there are, and a row's `strays` those of labels that are not scored at all.

For programs::

    rows = [compare(pair, labels) for pair in pairs]      # merge by concatenation, in any order
    columns = DetectionColumns.of(rows, labels)
    summarize(columns, "coco")            # {"AP": ..., "AP50": ..., "boundary_AP": ..., ...}
    summarize(columns.take(indices), "coco")   # of a bootstrap sample of images
    label_table(columns, "coco")          # one dict a label
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from .. import rle
from ..boundary import boundary as near_contour
from ..boundary import boundary_width
from ..mask import Mask
from .detection_columns import ABSENT_SCORE, DetectionColumns
from .detection_curves import average_precision
from .detection_match import MOST_PREDICTIONS, RANGES, THRESHOLDS, in_ranges, match
from .detection_rows import DetectionRow, Matches, pack
from .label_map import LabelSet, label_key, resolve
from .named import Named, pick
from .pair import Pair
from .ratios import divide

__all__ = [
    "CONVENTIONS",
    "DetectionColumns",
    "DetectionConvention",
    "DetectionRow",
    "compare",
    "label_table",
    "summarize",
]

ONE_LABEL = "object"

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class DetectionConvention(Named):
    """One way to count.

    Attributes:
        ties: predictions of equal confidence rank by the ids of their images and their place in
            the answer ("order"), or all at once ("together").
    """

    ties: Literal["order", "together"] = "order"


CONVENTIONS = {
    one.name: one
    for one in (
        DetectionConvention(
            "coco",
            "As COCO's own program counts; equal confidences rank as images and masks come.",
            "pycocotools 2.0, cocoeval.py",
        ),
        DetectionConvention(
            "maskcodec",
            "As COCO's own program, but equal confidences rank at once, so that no order of images "
            "or masks changes AP.",
            "docs/metrics.md",
            ties="together",
        ),
    )
}
"""Every convention by its name."""


def compare(
    pair: Pair,
    labels: LabelSet | None = None,
    *,
    boundary: bool = True,
    with_labels: bool = True,
) -> DetectionRow:
    """Match the predictions of one image.

    Args:
        pair: masks with labels, predictions with confidences; `crowds` are true regions of many
            objects; `areas` decide the sizes of the true masks where they are given.
        labels: those that are scored; None takes every label, spelt in lower case. True masks of
            other labels are passed over.
        boundary: whether boundary AP is wanted too, which takes longer.
        with_labels: whether a label must be right; otherwise all masks have the same one.
    """
    one = None if with_labels else ONE_LABEL
    truth: dict[str, list[_True]] = {}
    for at, mask in enumerate((*pair.targets, *pair.crowds)):
        name = one or resolve(mask.label, labels)
        if name is not None:
            shape = _Shape.of(mask, pair, boundary)
            crowd = at >= len(pair.targets)
            area = shape.area if crowd or not pair.areas else pair.areas[at]
            truth.setdefault(name, []).append(_True(shape, area, crowd))
    preds: dict[str, list[_Pred]] = {}
    strays: dict[str, int] = {}
    dropped = 0
    for mask in pair.preds:
        name = one or resolve(mask.label, labels)
        if name is None:
            key = label_key(mask.label)
            strays[key] = strays.get(key, 0) + 1
            continue
        shape = _Shape.of(mask, pair, boundary)
        if pair.ignore is not None and not shape.area and mask.array.any():
            dropped += 1
        else:
            preds.setdefault(name, []).append(_Pred(shape, mask.score))
    found = {
        name: _match_label(preds.get(name, []), truth.get(name, []), pair.size, boundary)
        for name in truth | preds
    }
    return DetectionRow(pair.id, pair.status, *pair.size, found, strays, dropped)


@dataclass(frozen=True, slots=True, eq=False)
class _Shape:
    """A mask without the pixels that nobody annotated.

    Attributes:
        counts: its run lengths.
        near: those of its boundary; None where that is not wanted.
        area: its pixels.
    """

    counts: Counts
    near: Counts | None
    area: int

    @classmethod
    def of(cls, mask: Mask, pair: Pair, with_boundary: bool) -> _Shape:
        array = mask.array if pair.ignore is None else mask.array & ~pair.ignore
        near = None
        if with_boundary:
            # Of what is left: otherwise the contour of a mask that is right on every annotated
            # pixel would differ from the true one, which ends where the annotation does.
            near = rle.encode(near_contour(array, boundary_width(pair.size)))
        return cls(rle.encode(array), near, int(np.count_nonzero(array)))


@dataclass(frozen=True, slots=True, eq=False)
class _True:
    """A true mask, the area that decides its range, and whether it is a crowd."""

    shape: _Shape
    area: float
    crowd: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Pred:
    """A predicted mask and its confidence."""

    shape: _Shape
    score: float | None


def _match_label(
    preds: list[_Pred], truth: list[_True], size: tuple[int, int], boundary: bool
) -> Matches:
    scores = [ABSENT_SCORE if one.score is None else one.score for one in preds]
    order = np.argsort(-np.array(scores, np.float64), kind="stable")[:MOST_PREDICTIONS]
    ranked = [preds[at] for at in order.tolist()]
    crowd = np.array([one.crowd for one in truth], np.bool_)
    inside = in_ranges(np.array([one.area for one in truth], np.float64))
    pred_inside = in_ranges(np.array([one.shape.area for one in ranked], np.float64))
    pred_counts = [one.shape.counts for one in ranked]
    ious = rle.iou_matrix(pred_counts, [one.shape.counts for one in truth], crowd, size=size)
    near = None
    if boundary:
        lesser = _lesser(ious, ranked, truth, crowd, size)
        near = pack(*match(lesser, pred_inside, inside, crowd))
    return Matches(
        tuple(one.score for one in ranked),
        pack(*match(ious, pred_inside, inside, crowd)),
        near,
        tuple((inside & ~crowd).sum(1).tolist()),
    )


def _lesser(
    ious: Floats,
    preds: list[_Pred],
    truth: list[_True],
    crowd: npt.NDArray[np.bool_],
    size: tuple[int, int],
) -> Floats:
    """The lesser of IoU and boundary IoU; IoU alone for crowds, whose contours mean nothing."""
    pred_near = [one.shape.near for one in preds if one.shape.near is not None]
    true_near = [one.shape.near for one in truth if one.shape.near is not None]
    lesser: Floats = np.minimum(ious, rle.iou_matrix(pred_near, true_near, crowd, size=size))
    lesser[:, crowd] = ious[:, crowd]
    return lesser


def summarize(
    rows: DetectionColumns | Iterable[DetectionRow],
    how: str | DetectionConvention = "coco",
    labels: LabelSet | None = None,
) -> dict[str, float | None]:
    """`AP`, `AP50`, `AP75`, `AP_S`, `AP_M`, `AP_L`, `AR1`, `AR10`, `AR100`, `AR_S`, `AR_M`,
    `AR_L`, 0 to 1, and the same as `boundary_…` where boundaries were measured.

    None where no true mask is of that size. `labels` only matters where `rows` are no columns yet.
    """
    rules = pick(how, CONVENTIONS)
    columns = rows if isinstance(rows, DetectionColumns) else DetectionColumns.of(rows, labels)
    found = _figures(columns, rules, near=False)
    if len(columns) and all(one.boundary is not None for one in columns.ranked):
        near = _figures(columns, rules, near=True)
        found |= {f"boundary_{name}": value for name, value in near.items()}
    return found


def _figures(
    columns: DetectionColumns, rules: DetectionConvention, *, near: bool
) -> dict[str, float | None]:
    curves = [_curves(columns, at, rules, near=near) for at in range(len(columns.labels))]
    ap = np.array([one for one, _ in curves]).reshape(-1, len(RANGES), len(THRESHOLDS))
    ar = np.array([one for _, one in curves]).reshape(-1, len(RANGES), len(THRESHOLDS))
    found = {"AP": _mean(ap[:, 0]), "AP50": _mean(ap[:, 0, 0]), "AP75": _mean(ap[:, 0, 5])}
    found |= {f"AP_{name[0].upper()}": _mean(ap[:, at]) for at, name in _SIZES}
    for most in (1, 10):
        few = [_recalls(columns, at, near=near, most=most) for at in range(len(columns.labels))]
        found[f"AR{most}"] = _mean(np.array(few).reshape(ar.shape)[:, 0])
    found["AR100"] = _mean(ar[:, 0])
    return found | {f"AR_{name[0].upper()}": _mean(ar[:, at]) for at, name in _SIZES}


_SIZES = tuple(enumerate(RANGES))[1:]


def _curves(
    columns: DetectionColumns, label: int, rules: DetectionConvention, *, near: bool
) -> tuple[Floats, Floats]:
    """AP and recall of one label: float64 (ranges * thresholds) each, NaN without a true mask."""
    ranked = columns.ranked[label]
    right, wrong = ranked.boundary if near and ranked.boundary is not None else ranked.flags
    weights = columns.weights[ranked.rows]
    last = ranked.last
    if not weights.all():
        kept = weights > 0
        right, wrong, weights, last = right[kept], wrong[kept], weights[kept], _last(last, kept)
    precisions = average_precision(
        right,
        wrong,
        columns.positives(label),
        weights.astype(np.float64),
        last if rules.ties == "together" else None,
    )
    return precisions, _recalls(columns, label, near=near)


def _recalls(
    columns: DetectionColumns, label: int, *, near: bool, most: int = MOST_PREDICTIONS
) -> Floats:
    """The share of true masks that the first `most` predictions of each image find."""
    ranked = columns.ranked[label]
    right, _ = ranked.boundary if near and ranked.boundary is not None else ranked.flags
    weights = columns.weights[ranked.rows] * (ranked.places < most)
    return divide(weights.astype(np.float64) @ right, columns.positives(label))


def _last(last: npt.NDArray[np.bool_], kept: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Of those kept, the last of each group of equal confidence."""
    group = np.concatenate([[0], np.cumsum(last)[:-1]])[kept] if len(last) else np.zeros(0)
    found = np.ones(len(group), np.bool_)
    found[:-1] = group[:-1] != group[1:]
    return found


def _mean(values: Floats) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else None


def label_table(
    columns: DetectionColumns, how: str | DetectionConvention = "coco"
) -> list[dict[str, Any]]:
    """One dict a label: `name`, `count` (true masks), `preds`, `ap`, `ap50`, `ap75`, `ar`.

    The scores are None where there is no true mask.
    """
    rules = pick(how, CONVENTIONS)
    table: list[dict[str, Any]] = []
    for at, name in enumerate(columns.labels):
        ap, ar = _curves(columns, at, rules, near=False)
        ap, ar = ap[: len(THRESHOLDS)], ar[: len(THRESHOLDS)]
        table.append(
            {
                "name": name,
                "count": int(columns.weights @ columns.truth[at, :, 0]),
                "preds": int(columns.weights[columns.ranked[at].rows].sum()),
                "ap": _mean(ap),
                "ap50": _mean(ap[:1]),
                "ap75": _mean(ap[5:6]),
                "ar": _mean(ar),
            }
        )
    return table
