"""How far a score may be off by the choice of samples: bootstrap intervals and paired tests.

Samples are drawn with replacement, as many as there are, over and over; the scores of each draw
are taken, and the middle 95 % of them are the interval (percentile bootstrap, Efron 1979). Where
several samples have something in common (the expressions of one object), whole groups are drawn
(cluster bootstrap), since their samples succeed and fail together and an interval that takes them
for independent is too narrow.

Two systems are compared on the same samples: each draw takes the same samples of both, and the
differences are what is looked at (Efron & Tibshirani 1993, chapter 16; Koehn 2004 for the use on
scores of systems). Most of what makes samples hard is hard for both, so that a difference can be
told from chance that is far smaller than the two intervals.

All scores come as `Ratios`, so that a draw is a product of two matrices: 1,000 draws of 42,000
samples take about a second and 20 MB. A seed gives the same draws on every machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..errors import MaskCodecError
from .ratios import Ratios, divide

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

RESAMPLES = 1000

_CELLS = 2_000_000
"""Weights that are in memory at a time: draws of a block times samples."""

_ROUNDING = 1e-12
"""Differences up to which two scores are the same: sums may be taken in another order."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A score and how far it may be off.

    Attributes:
        name: of the score.
        value: of all samples; None where nothing counts.
        low: the lower end of the interval; None where the score is undefined in every draw.
        high: the upper end.
    """

    name: str
    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Difference:
    """A score of two systems on the same samples.

    Attributes:
        name: of the score.
        value: of the first system.
        other: of the second.
        difference: the first less the second.
        low: the lower end of the difference's interval.
        high: the upper end.
        p: how probable a difference is that is no nearer to nothing, if there is none: twice the
            share of draws that lie on the other side of 0 (or on it), one more counted there; at
            most 1. It agrees with the interval to within a draw or two.
    """

    name: str
    value: float | None
    other: float | None
    difference: float | None
    low: float | None
    high: float | None
    p: float | None


@dataclass(frozen=True, slots=True)
class Counts:
    """On how many samples the first of two systems is better, worse, and the same."""

    better: int
    worse: int
    same: int


def intervals(
    scores: Ratios,
    groups: Ints | None = None,
    *,
    resamples: int = RESAMPLES,
    confidence: float = 0.95,
    seed: int = 0,
) -> list[Interval]:
    """The interval of each score.

    Args:
        scores: row by row.
        groups: whole numbers, one a row: rows of one number are drawn together. None draws each
            row for itself.
        resamples: how often samples are drawn; 0 gives values without intervals.
        confidence: how much of the draws an interval holds.
        seed: a whole number from 0.

    Raises:
        MaskCodecError: a number out of range, or groups of another length.
    """
    clusters = _clusters(scores, groups, resamples, confidence)
    drawn = _drawn(clusters.upper, clusters.lower, resamples, seed)
    lows, highs = _ends(drawn, confidence)
    return [
        Interval(name, _number(value), _number(low), _number(high))
        for name, value, low, high in zip(scores.names, scores.values(), lows, highs, strict=True)
    ]


def differences(
    one: Ratios,
    other: Ratios,
    groups: Ints | None = None,
    *,
    resamples: int = RESAMPLES,
    confidence: float = 0.95,
    seed: int = 0,
) -> list[Difference]:
    """Compare each score of two systems; see `intervals` for the arguments.

    Args:
        one: of the first system.
        other: of the second: the same scores of the same samples in the same order.

    Raises:
        MaskCodecError: as `intervals`, or scores or rows that differ.
    """
    if one.names != other.names or len(one) != len(other):
        raise MaskCodecError(
            f"{len(one)} rows of {', '.join(one.names)} can't be paired with {len(other)} rows of "
            f"{', '.join(other.names)}; give the same scores of the same samples"
        )
    first = _clusters(one, groups, resamples, confidence)
    second = _clusters(other, groups, resamples, confidence)
    both = _drawn(
        np.hstack([first.upper, second.upper]),
        np.hstack([first.lower, second.lower]),
        resamples,
        seed,
    )
    width = len(one.names)
    drawn = both[:, :width] - both[:, width:]
    drawn[np.abs(drawn) < _ROUNDING] = 0.0
    lows, highs = _ends(drawn, confidence)
    found = []
    values = zip(one.values(), other.values(), strict=True)
    for index, (value, rival) in enumerate(values):
        found.append(
            Difference(
                one.names[index],
                _number(value),
                _number(rival),
                _number(value - rival),
                _number(lows[index]),
                _number(highs[index]),
                _p(drawn[:, index]),
            )
        )
    return found


def better_or_worse(one: Floats, other: Floats, *, margin: float = 1e-9) -> Counts:
    """Count the samples on which one system beats the other.

    Args:
        one: a figure of each sample, more being better; NaN leaves the sample out.
        other: of the other system, in the same order.
        margin: differences up to which they are the same.

    Raises:
        MaskCodecError: the lengths differ.
    """
    if one.shape != other.shape:
        raise MaskCodecError(f"{len(one)} samples can't be paired with {len(other)}")
    gap = one - other
    gap = gap[~np.isnan(gap)]
    better, worse = int((gap > margin).sum()), int((gap < -margin).sum())
    return Counts(better, worse, len(gap) - better - worse)


def _clusters(scores: Ratios, groups: Ints | None, resamples: int, confidence: float) -> Ratios:
    if not 0 <= resamples <= 1_000_000:
        raise MaskCodecError(f"resamples is {resamples!r}, expected 0 to 1,000,000")
    if not 0 < confidence < 1:
        raise MaskCodecError(f"confidence is {confidence!r}, expected a share between 0 and 1")
    if groups is None:
        return scores
    if len(groups) != len(scores):
        raise MaskCodecError(f"{len(groups)} groups of {len(scores)} rows; expected one a row")
    return scores.by_group(groups)


def _drawn(upper: Floats, lower: Floats, resamples: int, seed: int) -> Floats:
    """The scores of each draw: float64 (draws, scores), NaN where nothing counts."""
    columns = upper.shape[1]
    sums = np.hstack([upper, lower])
    found = np.full((resamples if len(sums) else 0, columns), np.nan)
    done = 0
    for weights in _weights(len(sums), len(found), seed):
        totals = weights @ sums
        found[done : done + len(weights)] = divide(totals[:, :columns], totals[:, columns:])
        done += len(weights)
    return found


def _weights(count: int, resamples: int, seed: int) -> Iterator[Floats]:
    """How often each sample is drawn: float64 (draws of a block, samples)."""
    generator = np.random.default_rng(seed)
    block = max(1, _CELLS // max(count, 1))
    for start in range(0, resamples, block):
        draws = min(block, resamples - start)
        weights = np.empty((draws, count))
        for row in weights:
            row[:] = np.bincount(generator.integers(0, count, count), minlength=count)
        yield weights


def _ends(drawn: Floats, confidence: float) -> tuple[Floats, Floats]:
    """The ends of the middle `confidence` of each column; NaN where a column has no number."""
    outside = (1 - confidence) / 2
    lows, highs = np.full((2, drawn.shape[1]), np.nan)
    for index, column in enumerate(drawn.T):
        known = column[~np.isnan(column)]
        if known.size:
            lows[index], highs[index] = np.quantile(known, [outside, 1 - outside])
    return lows, highs


def _p(gaps: Floats) -> float | None:
    known = gaps[~np.isnan(gaps)]
    if not known.size:
        return None
    tail = min(int((known <= 0).sum()), int((known >= 0).sum()))
    return min(1.0, 2 * (tail + 1) / (known.size + 1))


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
