"""Samples to score, random and degenerate ones among them, and their scores."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st
from strategies import arrays, sizes

from maskcodec import Mask
from maskcodec.metrics import union_of
from maskcodec.scores.pair import STATUSES, Pair
from maskcodec.scores.referring import compare, summarize

Bits = npt.NDArray[np.bool_]


@st.composite
def pairs(draw: st.DrawFn, largest: int = 12, ignoring: bool = True) -> Pair:
    """A sample of none to two masks on each side; failed ones have no predicted mask."""
    size = draw(sizes(largest))
    status = draw(st.sampled_from(STATUSES))
    count = 0 if status in ("invalid", "missing") else draw(st.integers(0, 2))
    ignore = draw(st.none() | arrays(size)) if ignoring else None
    return Pair(
        id=str(draw(st.integers(0, 10**9))),
        size=size,
        preds=tuple(Mask(draw(arrays(size)), "dog") for _ in range(count)),
        targets=tuple(Mask(draw(arrays(size)), "dog") for _ in range(draw(st.integers(0, 2)))),
        ignore=ignore,
        status=status,
        group=draw(st.sampled_from(["", "a", "b", "c"])),
    )


def several(least: int = 0, most: int = 8, **options: Any) -> st.SearchStrategy[list[Pair]]:
    """Samples of one run."""
    return st.lists(pairs(**options), min_size=least, max_size=most)


def maps(pair: Pair) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Prediction and truth as programs have them: 0 and 1, and 255 in the truth where ignored."""
    pred = union_of(pair.preds, pair.size).astype(np.int64)
    truth = union_of(pair.targets, pair.size).astype(np.int64)
    if pair.ignore is not None:
        truth[pair.ignore] = 255
    return pred, truth


def pair_of(pred: Bits | None, target: Bits | None, **fields: Any) -> Pair:
    """A sample of one mask a side; None is no mask."""
    some = target if target is not None else pred
    size = (4, 4) if some is None else (some.shape[0], some.shape[1])
    return Pair(
        fields.pop("id", "a"),
        size,
        () if pred is None else (Mask(pred, "dog"),),
        () if target is None else (Mask(target, "dog"),),
        **fields,
    )


def block(count: int, size: tuple[int, int] = (10, 10), start: int = 0) -> Bits:
    """A mask of `count` pixels in reading order, from pixel `start` on."""
    flat = np.zeros(size[0] * size[1], np.bool_)
    flat[start : start + count] = True
    return flat.reshape(size)


def scores(samples: list[Pair], how: str, *names: str) -> dict[str, float | None]:
    """The scores of samples; all of them where none is named."""
    return summarize([compare(pair) for pair in samples], how, names or None)


def same(found: float | None, expected: float | None, tolerance: float = 1e-12) -> bool:
    """Whether two scores are the same; NaN is no score."""
    if found is None or expected is None or math.isnan(expected):
        return found is None and (expected is None or math.isnan(expected))
    return abs(found - expected) <= tolerance
