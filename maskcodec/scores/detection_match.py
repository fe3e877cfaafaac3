"""Predicted masks of one label on one image, matched to the true ones as COCO matches them.

The rules are those of `pycocotools.cocoeval`. For each threshold, predictions in falling confidence
(equal ones as they come) each take the true mask of highest IoU, at least the threshold, that none
before has taken; of equal IoUs the last. A true mask outside of the range of areas, or a crowd,
takes part only where no other fits; what it matches counts neither as right nor as wrong. So does
what matches nothing and is itself outside of the range.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..metrics import LARGE_AREA, SMALL_AREA

THRESHOLDS = np.linspace(0.5, 0.95, 10)
"""Of IoU: 0.50, 0.55, ..., 0.95."""

RANGES = ("all", "small", "medium", "large")
"""Of areas, see `_BOUNDS`; those of neighbours share their bound, as COCO has it."""

_BOUNDS = (
    (0.0, 1e10),
    (0.0, float(SMALL_AREA)),
    (float(SMALL_AREA), float(LARGE_AREA)),
    (float(LARGE_AREA), 1e10),
)

MOST_PREDICTIONS = 100
"""So many of a label on an image take part: those of highest confidence."""


def in_ranges(areas: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Whether each area, in pixels, is in each range: bool (ranges, areas)."""
    return np.array([(low <= areas) & (areas <= high) for low, high in _BOUNDS])


def match(
    ious: npt.NDArray[np.float64],
    pred_inside: npt.NDArray[np.bool_],
    true_inside: npt.NDArray[np.bool_],
    crowd: npt.NDArray[np.bool_],
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Match the predictions of one label on one image.

    Args:
        ious: float64 (predictions, true masks), predictions in falling confidence; the share of
            the prediction where the true mask is a crowd.
        pred_inside: bool (ranges, predictions), whether each is in the range of areas.
        true_inside: bool (ranges, true masks).
        crowd: bool (true masks,).

    Returns:
        bool (predictions, ranges, thresholds) twice: what is right, and what is wrong.
    """
    shape = (len(ious), len(RANGES), len(THRESHOLDS))
    right, wrong = np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
    wrong |= pred_inside.T[:, :, None]
    near = [
        [(g, float(ious[d, g])) for g in np.flatnonzero(row >= THRESHOLDS[0] - 1e-9).tolist()]
        for d, row in enumerate(ious)
    ]
    for at in range(len(RANGES)):
        passed_over = (crowd | ~true_inside[at]).tolist()
        for step, threshold in enumerate(THRESHOLDS.tolist()):
            taken: set[int] = set()
            for d, fits in enumerate(near):
                found = _best(fits, threshold, taken, passed_over, crowd)
                if found is None:
                    continue
                wrong[d, at, step] = False
                right[d, at, step] = not passed_over[found]
                taken.add(found)
    return right, wrong


def _best(
    fits: list[tuple[int, float]],
    threshold: float,
    taken: set[int],
    passed_over: list[bool],
    crowd: npt.NDArray[np.bool_],
) -> int | None:
    """The true mask that a prediction takes; None where none fits."""
    for wanted in (False, True):  # those that count come first
        best, found = min(threshold, 1 - 1e-10), None
        for g, iou in fits:
            if passed_over[g] is wanted and iou >= best and (g not in taken or crowd[g]):
                best, found = iou, g
        if found is not None:
            return found
    return None
