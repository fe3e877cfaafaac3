"""Curves through the points of a rate-distortion report, and which codec is best at a budget."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

LABEL_ROOM = 12
"""Pixels to the right of a plot, where half of the last cost on its axis may stand."""


class Point(NamedTuple):
    """One spec on a curve.

    Attributes:
        cost: mean tokens (or characters) a mask.
        quality: mean IoU, or boundary IoU.
        spec: the spec, short.
    """

    cost: float
    quality: float
    spec: str


def curves(document: dict[str, Any], figure: str, group: str, unit: str) -> dict[str, list[Point]]:
    """The points of each curve by rising cost; curves in the order of the report.

    Args:
        document: a report of `rate_distortion`.
        figure: "iou" or "boundary_iou".
        group: "all", "small", "medium" or "large".
        unit: a tokenizer's name, or "characters".
    """
    found: dict[str, list[Point]] = {}
    for entry in document["points"]:
        line = found.setdefault(entry["curve"], [])
        figures = entry["groups"].get(group)
        if figures is not None and unit in figures["costs"]:
            cost = figures["costs"][unit]["mean"]
            line.append(Point(cost, figures[figure], entry["short"]))
    return {name: sorted(line) for name, line in found.items()}


def hull(points: list[Point]) -> list[Point]:
    """The upper convex hull, from the cheapest point to the best: nothing lies above it.

    Whoever writes some masks by one spec and the rest by another reaches every point of the line
    between the two, in the mean.
    """
    kept: list[Point] = []
    for point in sorted(points, key=lambda p: (p.cost, -p.quality)):
        if kept and point.quality <= kept[-1].quality:
            continue
        while len(kept) > 1 and _bends_up(kept[-2], kept[-1], point):
            kept.pop()
        kept.append(point)
    return kept


def _bends_up(first: Point, second: Point, third: Point) -> bool:
    """Whether the middle one of three points lies on or below the line between the others."""
    rise = (second.quality - first.quality) * (third.cost - first.cost)
    return rise <= (third.quality - first.quality) * (second.cost - first.cost)


def along(line: list[Point], steps: int = 12) -> list[tuple[float, float]]:
    """A hull with places between its corners, for an axis on which straight lines bend."""
    places = [(point.cost, point.quality) for point in line[:1]]
    for (x0, y0, _), (x1, y1, _) in pairwise(line):
        for step in range(1, steps + 1):
            share = step / steps
            places.append((x0 + share * (x1 - x0), y0 + share * (y1 - y0)))
    return places


def best_within(points: list[Point], budget: float) -> Point | None:
    """The point of highest quality whose cost is within the budget; the cheapest of equals."""
    within = [point for point in points if point.cost <= budget]
    return max(within, key=lambda p: (p.quality, -p.cost), default=None)
