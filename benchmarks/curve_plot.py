"""A plot of quality against cost, laid out once for every kind of canvas.

The cost runs on a logarithm. The quality runs on the logarithm of what is missing to 1, so that
.95 and .97 stand as far apart as .90 and .94: near 1, where the codecs differ, there is room.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from maskcodec.plot_canvas import MARKERS, Canvas, Frame, Place

from .rate_distortion_curves import Point, along

SOFTENING = 0.004
"""Added to what is missing, so that 1 itself has a place."""

TICKS = (
    *(1, 0.9, 0.5, 0.95, 0.8, 0.98, 0.99, 0.7, 0.995, 0.6, 0.97, 0.3, 0.85, 0.0),
    *(0.4, 0.2, 0.96, 0.93),
)
"""Where the quality may be marked, the most wanted first."""


@dataclass(frozen=True)
class Ranges:
    """The ends of both axes; plots that are to be compared share them."""

    costs: tuple[float, float]
    qualities: tuple[float, float]


@dataclass(frozen=True)
class Plot:
    """What a plot shows.

    Attributes:
        title: stands above it.
        cost: what the lower axis says.
        quality: what the title of the other axis says.
        curves: by name; the order gives colours and markers.
        hull: see `rate_distortion_curves.hull`.
    """

    title: str
    cost: str
    quality: str
    curves: dict[str, list[Point]]
    hull: list[Point]


def ranges(points: Iterable[Point]) -> Ranges:
    """Axes that hold all points, and 1."""
    points = list(points)
    costs = [max(point.cost, 0.5) for point in points]
    qualities = [point.quality for point in points]
    return Ranges((min(costs) / 1.3, max(costs) * 1.3), (max(0.0, min(qualities) - 0.04), 1.0))


def draw(canvas: Canvas, plot: Plot, frame: Frame, axes: Ranges) -> None:
    """Draw a plot: grid and axes, the hull below, then curves and markers."""
    inner = Frame(frame.left + 46, frame.top + 34, frame.width - 58, frame.height - 84)
    canvas.text((inner.left, frame.top + 16), plot.title, "text", 15, "start")
    _draw_axes(canvas, plot, inner, axes)

    def place(cost: float, quality: float) -> Place:
        low, high = (math.log(end) for end in axes.costs)
        x = (math.log(max(cost, 0.5)) - low) / (high - low)
        return inner.left + x * inner.width, _height(quality, inner, axes)

    if len(plot.hull) > 1:
        canvas.line([place(*spot) for spot in along(plot.hull)], "hull", 9)
    for index, points in enumerate(plot.curves.values()):
        if len(points) > 1:
            canvas.line([place(point.cost, point.quality) for point in points], index, 2)
    for index, (name, points) in enumerate(plot.curves.items()):
        for point in points:
            note = f"{point.spec}: {plot.quality} {point.quality:.4f}, {point.cost:.1f} {plot.cost}"
            kind = MARKERS[index % len(MARKERS)]
            canvas.marker(place(point.cost, point.quality), kind, index, note or name)


def _draw_axes(canvas: Canvas, plot: Plot, inner: Frame, axes: Ranges) -> None:
    right, bottom = inner.left + inner.width, inner.top + inner.height
    for quality in quality_ticks(inner, axes):
        y = _height(quality, inner, axes)
        canvas.line([(inner.left, y), (right, y)], "grid", 1)
        canvas.text((inner.left - 8, y + 4), _short(quality), "dim", 12, "end")
    low, high = (math.log(end) for end in axes.costs)
    wide = (high - low) / inner.width > 0.012
    for cost in cost_ticks(axes.costs, (1, 3) if wide else (1, 2, 5)):
        x = inner.left + (math.log(cost) - low) / (high - low) * inner.width
        canvas.line([(x, inner.top), (x, bottom)], "grid", 1)
        canvas.text((x, bottom + 18), f"{cost:,g}", "dim", 12, "middle")
    canvas.line([(inner.left, bottom), (right, bottom)], "axis", 1)
    canvas.text((inner.left + inner.width / 2, bottom + 40), plot.cost, "dim", 13, "middle")


def cost_ticks(costs: tuple[float, float], steps: Sequence[int]) -> list[float]:
    """Round costs within a range: `steps` in each power of ten."""
    powers = range(math.floor(math.log10(costs[0])), math.ceil(math.log10(costs[1])) + 1)
    ticks = (step * 10.0**power for power in powers for step in steps)
    return [tick for tick in ticks if costs[0] <= tick <= costs[1]]


def quality_ticks(inner: Frame, axes: Ranges, gap: float = 19) -> list[float]:
    """The most wanted ticks that fit, `gap` pixels apart at least."""
    taken: list[float] = []
    for tick in TICKS:
        if not axes.qualities[0] <= tick <= axes.qualities[1]:
            continue
        y = _height(tick, inner, axes)
        if all(abs(y - _height(other, inner, axes)) >= gap for other in taken):
            taken.append(tick)
    return sorted(taken)


def _height(quality: float, inner: Frame, axes: Ranges) -> float:
    low, high = (_missing(end) for end in axes.qualities)
    return inner.top + inner.height * (1 - (_missing(quality) - low) / (high - low))


def _missing(quality: float) -> float:
    return -math.log(1 - min(quality, 1.0) + SOFTENING)


def _short(quality: float) -> str:
    """`.95`, and `1`, `0` for the ends."""
    return f"{quality:g}".removeprefix("0") or "0"
