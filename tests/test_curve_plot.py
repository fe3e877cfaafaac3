"""Curves, their hull, the best at a budget; and plots that keep to their frame."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.curve_plot import Plot, cost_ticks, draw, quality_ticks, ranges
from benchmarks.rate_distortion_curves import Point, along, best_within, curves, hull
from maskcodec.pillow_canvas import PALETTE
from maskcodec.plot_canvas import COLOURS, MARKERS, Frame, Place
from maskcodec.svg_canvas import STYLE

POINTS = st.lists(
    st.builds(
        Point,
        st.floats(1, 2000).map(lambda cost: round(cost, 3)),
        st.integers(0, 1000).map(lambda value: value / 1000),
        st.just("spec"),
    ),
    min_size=1,
    max_size=20,
)


def test_curves_are_told_apart_by_colour_and_marker() -> None:
    assert len(set(PALETTE)) == COLOURS
    for index in range(COLOURS):
        assert STYLE.count(f"--c{index}: ") == 2  # on a light page and on a dark one
    pairs = {(index % COLOURS, index % len(MARKERS)) for index in range(55)}
    assert len(pairs) == 55


@given(POINTS)
def test_nothing_lies_above_the_hull(points: list[Point]) -> None:
    line = hull(points)
    assert set(line) <= set(points)
    assert line[0].cost == min(point.cost for point in points)
    assert line[-1].quality == max(point.quality for point in points)
    steps = [(b.quality - a.quality) / (b.cost - a.cost) for a, b in pairwise(line)]
    assert all(step > 0 for step in steps)
    assert steps == sorted(steps, reverse=True)
    for cost, quality, _ in points:
        for a, b in pairwise(line):
            if a.cost <= cost <= b.cost:
                share = (cost - a.cost) / (b.cost - a.cost)
                assert quality <= a.quality + share * (b.quality - a.quality) + 1e-9
    places = along(line)
    assert places[0] == line[0][:2]
    assert places[-1] == pytest.approx(line[-1][:2])
    assert places == sorted(places)


@given(POINTS, st.floats(0, 2500))
def test_the_best_within_a_budget(points: list[Point], budget: float) -> None:
    best = best_within(points, budget)
    within = [point for point in points if point.cost <= budget]
    if best is None:
        assert not within
    else:
        assert best in within
        assert best.quality == max(point.quality for point in within)


def test_curves_are_those_of_the_report() -> None:
    def entry(curve: str, short: str, cost: float, group: str = "all") -> dict[str, object]:
        figures = {"iou": 0.5, "boundary_iou": 0.25, "costs": {"t": {"mean": cost}}}
        return {"curve": curve, "short": short, "groups": {group: figures}}

    document = {"points": [entry("b", "b2", 9), entry("a", "a1", 3), entry("b", "b1", 4)]}
    document["points"].append(entry("c", "c1", 4, "small"))
    found = curves(document, "boundary_iou", "all", "t")
    assert list(found) == ["b", "a", "c"]
    assert found["b"] == [Point(4, 0.25, "b1"), Point(9, 0.25, "b2")]
    assert found["c"] == []
    assert curves(document, "iou", "all", "other") == {"a": [], "b": [], "c": []}


class Recorder:
    """A canvas that remembers places and words."""

    def __init__(self) -> None:
        self.places: list[Place] = []
        self.markers: list[tuple[Place, str]] = []
        self.words: list[str] = []

    def line(self, places: Sequence[Place], ink: str | int, width: float) -> None:
        self.places += places

    def marker(self, place: Place, kind: str, ink: int, note: str) -> None:
        self.markers.append((place, note))

    def text(self, place: Place, words: str, ink: str, size: float, anchor: str) -> None:
        self.places.append(place)
        self.words.append(words)


@given(POINTS)
def test_a_plot_keeps_to_its_frame(points: list[Point]) -> None:
    canvas, frame = Recorder(), Frame(100, 50, 600, 400)
    plot = Plot("title", "tokens", "IoU", {"a": sorted(points)}, hull(points))
    draw(canvas, plot, frame, ranges(points))
    for x, y in [*canvas.places, *(place for place, _ in canvas.markers)]:
        assert frame.left <= x <= frame.left + frame.width
        assert frame.top <= y <= frame.top + frame.height
    assert len(canvas.markers) == len(points)
    assert {"title", "tokens"} <= set(canvas.words)
    # A better point stands higher, a dearer one further right.
    for (place, _), point in zip(canvas.markers, sorted(points), strict=True):
        for (other, _), that in zip(canvas.markers, sorted(points), strict=True):
            assert (point.quality > that.quality) <= (place[1] < other[1])
            assert (point.cost > that.cost) <= (place[0] > other[0])


@given(POINTS)
def test_ticks_do_not_run_into_each_other(points: list[Point]) -> None:
    axes, frame = ranges(points), Frame(0, 0, 500, 300)
    ticks = quality_ticks(frame, axes)
    assert 1 in ticks
    assert all(axes.qualities[0] <= tick <= 1 for tick in ticks)
    costs = cost_ticks(axes.costs, (1, 2, 5))
    assert costs == sorted(costs)
    assert all(axes.costs[0] <= cost <= axes.costs[1] for cost in costs)


def test_cost_ticks_are_round() -> None:
    assert cost_ticks((3, 300), (1, 2, 5)) == [5, 10, 20, 50, 100, 200]
    assert cost_ticks((3, 300), (1, 3)) == [3, 10, 30, 100, 300]
