"""From ranked predictions to average precision, as COCO reads it off the curve."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

RECALLS = np.linspace(0.0, 1.0, 101)
"""Where precision is read off."""

Floats = npt.NDArray[np.float64]


def average_precision(
    right: npt.NDArray[np.bool_],
    wrong: npt.NDArray[np.bool_],
    positives: Floats,
    weights: Floats,
    last: npt.NDArray[np.bool_] | None = None,
) -> Floats:
    """The mean of interpolated precision over `RECALLS`.

    Args:
        right: bool (predictions, curves), in falling confidence.
        wrong: bool (predictions, curves).
        positives: float64 (curves,), how many true masks there are.
        weights: float64 (predictions,), how often each prediction counts.
        last: bool (predictions,), the last of each group that is ranked at once; None ranks them
            one by one.

    Returns:
        float64 (curves,); NaN where there is no true mask.
    """
    hits = np.cumsum(right * weights[:, None], axis=0)
    misses = np.cumsum(wrong * weights[:, None], axis=0)
    if last is not None:
        hits, misses = hits[last], misses[last]
    found = np.full(len(positives), np.nan)
    ranked = hits + misses
    best = np.divide(hits, ranked, out=np.zeros_like(hits), where=ranked > 0)
    best = np.maximum.accumulate(best[::-1], axis=0)[::-1]
    for curve in np.flatnonzero(positives > 0).tolist():
        recall = hits[:, curve] / positives[curve]
        places = np.searchsorted(recall, RECALLS, side="left")
        reached = places[places < len(recall)]
        found[curve] = best[reached, curve].sum() / len(RECALLS)
    return found
