"""Scores of referring segmentation, under any convention, from the counts of each sample.

With P, T, I and U of a sample as `maskcodec.scores.conventions` has them, over samples s:

=================  =================================================================================
gIoU (mIoU)        mean of I_s / U_s [GRES, arXiv 2306.00968; the older field says mIoU]
cIoU (oIoU)        sum of I_s / sum of U_s [the "overall IoU" of Hu et al., arXiv 1603.06180]
P@t                share of samples with I_s / U_s >= t, t from 0.5 to 0.9 [same source]
boundary_IoU       mean of the IoU of the pixels near the contours [arXiv 2103.16562], see
                   `maskcodec.boundary`; ignored pixels are left out under every convention
boundary_cIoU      the same, sums by sums
N-acc              of the samples without a target, the share where nothing is predicted: TP/(TP+FN)
                   [GRES]
T-acc              of those with one, the share where something is: TN/(TN+FP) [GRES]
REC@0.5            of those with a target, the share whose box has an IoU of at least 0.5 with the
                   true one, see `maskcodec.scores.boxes`
step_consistency, answer_guided_IoU, answer_accuracy, constraint_satisfaction, all_constraints
                   see `maskcodec.scores.reasoning`
=================  =================================================================================

All are shares from 0 to 1. Where nothing counts (no sample, no pixel at all) a score is None;
LISA's program has 0 there, ReLA's NaN.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import MaskCodecError
from .conventions import Convention, convention
from .ratios import Floats, Ratios, divide
from .referring_columns import Bools, Ints, ReferringColumns
from .referring_compare import compare
from .referring_rows import ReferringRow

__all__ = [
    "ALIASES",
    "NAMES",
    "ReferringColumns",
    "ReferringRow",
    "compare",
    "ious",
    "ratios",
    "size_groups",
    "summarize",
]

NAMES = (
    "gIoU",
    "cIoU",
    "P@0.5",
    "P@0.6",
    "P@0.7",
    "P@0.8",
    "P@0.9",
    "boundary_IoU",
    "boundary_cIoU",
    "N-acc",
    "T-acc",
    "REC@0.5",
    "step_consistency",
    "answer_accuracy",
    "answer_guided_IoU",
    "constraint_satisfaction",
    "all_constraints",
)
"""Every score; `P@` takes any threshold of 0 to 1, and so does `REC@`."""

ALIASES = {"mIoU": "gIoU", "oIoU": "cIoU"}
"""Other names of the same scores."""

_AT = re.compile(r"(P|REC)@(0?\.[0-9]{1,4}|0|1|1\.0)")


def summarize(
    rows: ReferringColumns | Iterable[ReferringRow],
    how: str | Convention = "maskcodec",
    names: Sequence[str] | None = None,
) -> dict[str, float | None]:
    """The scores of rows: shares from 0 to 1 by name; None where nothing counts.

    Args:
        rows: of any samples, in any order; columns are faster where several things are asked.
        how: the convention.
        names: of the scores; None takes `NAMES`.

    Raises:
        MaskCodecError: no such convention or score.
    """
    columns = rows if isinstance(rows, ReferringColumns) else ReferringColumns.of(rows)
    return ratios(columns, how, names).as_dict()


def ratios(
    columns: ReferringColumns,
    how: str | Convention = "maskcodec",
    names: Sequence[str] | None = None,
) -> Ratios:
    """The scores as ratios of sums, row by row: for `maskcodec.scores.resampling`.

    Raises:
        MaskCodecError: no such convention or score.
    """
    wanted = tuple(NAMES if names is None else names)
    counted = _Counted(columns, convention(how))
    pairs = [counted.score(name) for name in wanted]
    upper, lower = (
        np.array([pair[side] for pair in pairs], np.float64).reshape(len(pairs), len(columns)).T
        for side in (0, 1)
    )
    return Ratios(wanted, np.ascontiguousarray(upper), np.ascontiguousarray(lower))


def ious(columns: ReferringColumns, how: str | Convention = "maskcodec") -> Floats:
    """The IoU of each row under a convention: float64 (rows,); NaN where it doesn't count."""
    return _Counted(columns, convention(how)).iou


def size_groups(columns: ReferringColumns, how: str | Convention = "maskcodec") -> dict[str, Bools]:
    """Which rows are of small, medium and large true masks, and which have none: flags by name."""
    rules = convention(how)
    area = columns.truth
    return {
        "no-target": area == 0,
        "small": (area > 0) & (area < rules.small),
        "medium": (area >= rules.small) & (area < rules.large),
        "large": area >= rules.large,
    }


class _Counted:
    """The rows' pixels as a convention counts them."""

    def __init__(self, columns: ReferringColumns, rules: Convention) -> None:
        self._columns, self._rules = columns, rules
        self._excused = columns.failed <= (rules.failed == "empty")
        known = ~columns.failed
        pred = columns.pred * known
        if rules.ignore == "background":
            pred = pred + columns.pred_ignored * known
        self._absent = columns.truth == 0
        self._rejected = pred < rules.reject
        hits = columns.ignored if rules.ignore == "hit" else 0
        both = np.where(self._rejected, 0, columns.intersection * known)
        union = columns.truth + pred - columns.intersection * known + hits
        # What little is predicted where nothing is there may be taken for nothing.
        union = np.where(self._absent & self._rejected, hits, union)
        self.both = both + hits
        self.iou = self._mean_iou(self.both, union)
        left = self._absent & ~self._rejected & (rules.missed == "leave")
        self.union = np.where(left, hits, union)

    def _mean_iou(self, both: npt.NDArray[Any], union: npt.NDArray[Any]) -> Floats:
        rules = self._rules
        iou = divide(both, union + np.where(union > 0, rules.epsilon, 0.0))
        iou[union == 0] = _EMPTY[rules.empty]
        iou[~self._excused] = 0.0
        return iou

    def score(self, name: str) -> tuple[npt.NDArray[np.generic], npt.NDArray[np.generic]]:
        columns = self._columns
        match ALIASES.get(name, name):
            case "gIoU":
                return self._grouped(*_mean(self.iou))
            case "cIoU":
                return self._grouped(self.both, self.union, pixels=True)
            case "boundary_IoU":
                return self._grouped(*_mean(self._boundary_iou()))
            case "boundary_cIoU":
                measured = columns.boundary >= 0
                return self._grouped(
                    columns.boundary * measured, columns.boundary_union * measured, pixels=True
                )
            case "N-acc":
                right = self._absent & self._rejected & self._excused
                return self._grouped(right, self._absent)
            case "T-acc":
                return self._grouped(~self._absent & ~self._rejected, ~self._absent)
            case "step_consistency":
                return _part(columns.steps_right, columns.steps)
            case "answer_accuracy":
                return self._grouped(columns.answer_right == 1, columns.answer_right >= 0)
            case "answer_guided_IoU":
                return _mean(np.where(columns.answer_right == 1, self.iou, np.nan))
            case "constraint_satisfaction":
                return _part(columns.constraints_met, columns.constraints)
            case "all_constraints":
                asked = columns.constraints > 0
                return self._grouped(
                    asked & (columns.constraints_met == columns.constraints), asked
                )
        return self._at(name)

    def _at(self, name: str) -> tuple[npt.NDArray[np.generic], npt.NDArray[np.generic]]:
        found = _AT.fullmatch(name)
        if found is None:
            known = ", ".join((*NAMES, *ALIASES))
            raise MaskCodecError(f"no score {name!r}; there are: {known}, and P@t for any t")
        values = self.iou if found[1] == "P" else self._columns.box_iou
        counts = ~np.isnan(values)
        if found[1] == "P" and self._rules.among == "targets":
            counts &= ~self._absent
        bound = float(found[2])
        reached = values >= bound if self._rules.reach == "at-least" else values > bound
        return self._grouped(reached & counts, counts)

    def _boundary_iou(self) -> Floats:
        columns = self._columns
        iou = self._mean_iou(columns.boundary, columns.boundary_union)
        iou[columns.boundary < 0] = np.nan
        return iou

    def _grouped(
        self,
        upper: npt.NDArray[np.generic],
        lower: npt.NDArray[np.generic],
        *,
        pixels: bool = False,
    ) -> tuple[npt.NDArray[np.generic], npt.NDArray[np.generic]]:
        """Weigh rows so that each group counts once: where the convention's unit is the group.

        Means weigh by the group's rows that count, sums of pixels by all its rows.
        """
        if self._rules.unit == "expression":
            return upper, lower
        group = self._columns.group
        weights = np.ones(len(group)) if pixels else lower
        share = divide(np.ones(1), np.bincount(group, weights))[group]
        share[np.isnan(share)] = 0.0
        return upper * share, lower * share  # type: ignore[operator]


_EMPTY = {"one": 1.0, "zero": 0.0, "drop": np.nan}


def _mean(values: Floats) -> tuple[Floats, Bools]:
    counts: Bools = ~np.isnan(values)
    return np.where(counts, values, 0.0), counts


def _part(part: Ints, whole: Ints) -> tuple[Ints, Ints]:
    known = whole >= 0
    return part * known, whole * known
