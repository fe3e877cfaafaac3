"""Intervals and paired tests, against plain loops, SciPy and what chance must give."""

from __future__ import annotations

import time
import tracemalloc

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskcodec import MaskCodecError
from maskcodec.scores.ratios import Ratios, divide
from maskcodec.scores.resampling import better_or_worse, differences, intervals

Floats = npt.NDArray[np.float64]


def means(*columns: Floats) -> Ratios:
    upper = np.array(columns, np.float64).T
    names = tuple(f"mean {index}" for index in range(len(columns)))
    return Ratios(names, upper, np.ones_like(upper))


def random_ratios(rows: int, seed: int = 0) -> Ratios:
    random = np.random.default_rng(seed)
    lower = random.integers(0, 50, (rows, 3)).astype(np.float64)
    return Ratios(("a", "b", "c"), np.floor(lower * random.random((rows, 3))), lower)


def test_draws_are_those_of_a_plain_loop() -> None:
    scores = random_ratios(17)
    generator = np.random.default_rng(5)
    drawn = []
    for _ in range(200):
        rows = generator.integers(0, 17, 17)
        drawn.append([sum(scores.upper[rows, k]) / sum(scores.lower[rows, k]) for k in range(3)])
    found = intervals(scores, resamples=200, seed=5, confidence=0.9)
    for place, interval in enumerate(found):
        ends = np.quantile([values[place] for values in drawn], [0.05, 0.95])
        assert interval.name == "abc"[place]
        assert interval.value == pytest.approx(
            scores.upper[:, place].sum() / scores.lower[:, place].sum()
        )
        assert (interval.low, interval.high) == pytest.approx(tuple(ends))


def test_intervals_are_those_of_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    values = np.random.default_rng(1).beta(2, 1, 300)
    found = intervals(means(values), resamples=4000)[0]
    other = stats.bootstrap(
        (values,), np.mean, n_resamples=4000, method="percentile", rng=np.random.default_rng(2)
    ).confidence_interval
    assert found.low == pytest.approx(other.low, abs=0.004)
    assert found.high == pytest.approx(other.high, abs=0.004)


def test_an_interval_holds_the_truth_as_often_as_it_says() -> None:
    random = np.random.default_rng(3)
    hits = 0
    for seed in range(200):
        found = intervals(means(random.random(60)), resamples=200, confidence=0.8, seed=seed)[0]
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= 0.5 <= found.high
    assert 0.7 <= hits / 200 <= 0.9


def test_groups_are_drawn_whole() -> None:
    """Ten copies of each sample tell no more than one: the interval must not shrink."""
    values = np.random.default_rng(4).random(50)
    copies, groups = np.repeat(values, 10), np.repeat(np.arange(50), 10)
    single = intervals(means(values), seed=6)[0]
    grouped = intervals(means(copies), groups, seed=6)[0]
    alone = intervals(means(copies), seed=6)[0]
    assert (grouped.low, grouped.high) == pytest.approx((single.low, single.high))
    assert alone.low is not None and alone.high is not None  # noqa: PT018
    assert single.low is not None and single.high is not None  # noqa: PT018
    assert (alone.high - alone.low) < 0.5 * (single.high - single.low)


@given(st.integers(0, 12), st.integers(0, 99))
def test_rows_of_a_group_are_summed(rows: int, seed: int) -> None:
    scores = random_ratios(rows, seed)
    groups = np.random.default_rng(seed).integers(-2, 3, rows)
    found = scores.by_group(groups)
    for index, number in enumerate(sorted(set(groups.tolist()))):
        assert found.upper[index].tolist() == scores.upper[groups == number].sum(axis=0).tolist()
    if rows:
        np.testing.assert_allclose(found.values(), scores.values())


def test_nothing_has_no_interval() -> None:
    nothing = intervals(Ratios(("a",), np.zeros((0, 1)), np.zeros((0, 1))))[0]
    assert (nothing.value, nothing.low, nothing.high) == (None, None, None)
    uncounted = intervals(Ratios(("a",), np.zeros((3, 1)), np.zeros((3, 1))))[0]
    assert (uncounted.value, uncounted.low) == (None, None)
    single = intervals(means(np.array([0.25])))[0]
    assert (single.value, single.low, single.high) == (0.25, 0.25, 0.25)
    without = intervals(means(np.array([0.25, 1.0])), resamples=0)[0]
    assert (without.value, without.low) == (0.625, None)


def test_the_same_seed_gives_the_same_interval() -> None:
    scores = random_ratios(40)
    assert intervals(scores, seed=1) == intervals(scores, seed=1)
    assert intervals(scores, seed=1) != intervals(scores, seed=2)


def test_a_system_against_itself_is_no_different() -> None:
    scores = random_ratios(50)
    for one in differences(scores, scores, resamples=200):
        assert one.difference == one.low == one.high == 0
        assert one.p == 1


def test_p_counts_the_draws_on_the_other_side_and_one_more() -> None:
    one, other = np.random.default_rng(12).random((2, 30))
    found = differences(means(one), means(other), resamples=99, seed=3)[0]
    generator = np.random.default_rng(3)
    gaps = [(one - other)[generator.integers(0, 30, 30)].mean() for _ in range(99)]
    beyond = min(sum(gap <= 0 for gap in gaps), sum(gap >= 0 for gap in gaps))
    assert 0 < beyond < 40
    assert found.p == pytest.approx(2 * (beyond + 1) / 100)
    clear = differences(means(one + 2), means(other), resamples=99)[0]
    assert clear.p == pytest.approx(2 / 100)


def test_what_differs_by_rounding_alone_is_the_same() -> None:
    values = np.random.default_rng(9).random(41)
    one, scaled = means(values), Ratios(("mean 0",), values[:, None] * 3, np.full((41, 1), 3.0))
    found = differences(one, scaled, resamples=200)[0]
    assert (found.low, found.high, found.p) == (0, 0, 1)


def test_a_pairing_sees_what_two_intervals_hide() -> None:
    random = np.random.default_rng(7)
    hard = random.random(400)
    first, second = means(hard), means(hard - 0.01 + 0.02 * (random.random(400) - 0.5))
    one, other = intervals(first)[0], intervals(second)[0]
    assert one.low is not None and other.high is not None and one.low < other.high  # noqa: PT018
    found = differences(first, second)[0]
    assert found.low is not None and found.low > 0.005  # noqa: PT018
    assert found.p is not None and found.p < 0.01  # noqa: PT018
    assert found.difference == pytest.approx((found.value or 0) - (found.other or 0))
    back = differences(second, first)[0]
    assert back.p == found.p
    assert back.high == pytest.approx(-found.low)


def test_equal_systems_are_told_apart_as_seldom_as_p_says() -> None:
    random = np.random.default_rng(8)
    small = 0
    for seed in range(200):
        one, other = random.random((2, 50))
        found = differences(means(one), means(other), resamples=199, seed=seed)[0]
        assert found.p is not None
        small += found.p <= 0.1
    assert 0.03 <= small / 200 <= 0.2


def test_better_worse_and_the_same_are_counted() -> None:
    one = np.array([0.5, 0.6, 0.7, np.nan, 0.2, 0.1])
    other = np.array([0.4, 0.6, 0.8, 0.1, np.nan, 0.1 + 1e-12])
    counts = better_or_worse(one, other)
    assert (counts.better, counts.worse, counts.same) == (1, 1, 2)
    with pytest.raises(MaskCodecError, match="6 samples can't be paired with 2"):
        better_or_worse(one, other[:2])


def test_what_does_not_go_together_is_refused() -> None:
    scores = random_ratios(5)
    with pytest.raises(MaskCodecError, match="confidence is 1"):
        intervals(scores, confidence=1)
    with pytest.raises(MaskCodecError, match="resamples is -1"):
        intervals(scores, resamples=-1)
    with pytest.raises(MaskCodecError, match="4 groups of 5 rows"):
        intervals(scores, np.zeros(4, np.int64))
    with pytest.raises(MaskCodecError, match="can't be paired"):
        differences(scores, random_ratios(4))


def test_a_benchmark_takes_seconds_and_bounded_memory() -> None:
    scores = random_ratios(42_000)
    tracemalloc.start()
    start = time.perf_counter()
    intervals(scores, resamples=1000)
    seconds, memory = time.perf_counter() - start, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert memory < 80e6
    assert seconds < 30  # about half a second on an idle machine


def test_division_by_nothing_is_no_number() -> None:
    found = divide(np.array([1.0, 0.0]), np.array([2.0, 0.0]))
    assert found[0] == 0.5
    assert np.isnan(found[1])
