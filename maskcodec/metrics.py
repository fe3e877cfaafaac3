"""How well masks agree: intersection over union, and its mean by object size.

The mean over objects of each object's IoU is what referring segmentation calls mIoU (gIoU in the
generalised task); it is not the cumulative cIoU, which sums pixels first. Both masks empty counts
as IoU 1, as generalised referring segmentation scores a right answer of "no target" (GRES,
arXiv 2306.00968); one empty mask alone is IoU 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from .errors import MaskCodecError
from .labels import composed_label
from .mask import Mask

SizeClass: TypeAlias = Literal["small", "medium", "large"]

SMALL_AREA = 32**2
"""COCO's bound of small objects, in pixels of the mask; here it belongs to the medium ones."""

LARGE_AREA = 96**2
"""COCO's bound of large objects, in pixels of the mask; here it belongs to the large ones."""


def iou(pred: npt.NDArray[np.bool_], target: npt.NDArray[np.bool_]) -> float:
    """Intersection over union of two bool masks of one shape, 0 to 1; 1 where both are empty.

    Raises:
        MaskCodecError: the shapes differ.
    """
    if pred.shape != target.shape:
        raise MaskCodecError(f"masks of shapes {pred.shape} and {target.shape} can't be compared")
    union = int(np.count_nonzero(pred | target))
    return int(np.count_nonzero(pred & target)) / union if union else 1.0


def mean_iou(preds: Sequence[Mask], targets: Sequence[Mask]) -> float:
    """Mean IoU of matched lists: the first of `preds` belongs to the first of `targets`, and so on.

    A mask without a partner has IoU 0. Two empty lists, a right "no target", have 1.
    """
    count = max(len(preds), len(targets))
    pairs = zip(preds, targets, strict=False)
    return sum(iou(p.array, t.array) for p, t in pairs) / count if count else 1.0


def answer_iou(preds: Sequence[Mask], targets: Sequence[Mask], size: tuple[int, int]) -> float:
    """IoU of all the masks of one answer, where nothing tells which mask belongs to which.

    For at most one true mask (a referring expression) this is the IoU of all pixels, whatever their
    labels; for several it is `label_iou`.
    """
    if len(targets) > 1:
        return label_iou(preds, targets)
    return iou(union_of(preds, size), union_of(targets, size))


def union_of(masks: Sequence[Mask], size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """All pixels of any of the masks: bool, (height, width) of `size`."""
    union = np.zeros(size, dtype=np.bool_)
    for mask in masks:
        union |= mask.array
    return union


def label_iou(preds: Sequence[Mask], targets: Sequence[Mask]) -> float:
    """Mean over labels of the IoU of all pixels of that label.

    For formats that hold one label a pixel and so can't tell two objects of a label apart. Labels
    are the same where they differ in nothing but how Unicode composes their letters.
    """
    pred, target = _by_label(preds), _by_label(targets)
    labels = pred.keys() | target.keys()
    matched = (
        iou(pred[label], target[label]) for label in labels if label in pred and label in target
    )
    return sum(matched) / len(labels) if labels else 1.0


def _by_label(masks: Iterable[Mask]) -> dict[str, npt.NDArray[np.bool_]]:
    unions: dict[str, npt.NDArray[np.bool_]] = {}
    for mask in masks:
        label = composed_label(mask.label)
        known = unions.get(label)
        unions[label] = mask.array if known is None else known | mask.array
    return unions


def size_class(area: int) -> SizeClass:
    """COCO's class of an object by the pixels of its true mask: bounds 32² and 96²."""
    if area < SMALL_AREA:
        return "small"
    return "medium" if area < LARGE_AREA else "large"


@dataclass(slots=True)
class IouTally:
    """IoU of many objects, added up; ratios are taken once, at the end.

    Attributes:
        ious: the IoU of each object, by the size class of its true mask.
    """

    ious: dict[SizeClass, list[float]] = field(
        default_factory=lambda: {"small": [], "medium": [], "large": []}
    )

    def add(self, value: float, area: int) -> None:
        """Add one object of `area` pixels."""
        self.ious[size_class(area)].append(value)

    @property
    def count(self) -> int:
        """How many objects were added."""
        return sum(map(len, self.ious.values()))

    def mean(self, size: SizeClass | None = None) -> float | None:
        """Mean IoU of all objects or of one class; None where there is none."""
        values = self._values(size)
        return sum(values) / len(values) if values else None

    def zero_share(self) -> float | None:
        """The share of objects with IoU 0: those that vanished."""
        values = self._values(None)
        return sum(value == 0 for value in values) / len(values) if values else None

    def _values(self, size: SizeClass | None) -> list[float]:
        if size is not None:
            return self.ious[size]
        return [value for values in self.ious.values() for value in values]
