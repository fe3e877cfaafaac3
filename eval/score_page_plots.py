"""Plots of a report of scores, as inline SVG whose colours follow the page: light or dark."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from maskcodec import svg_canvas
from maskcodec.sheet import escape

BAR = (280, 28)
"""Width and height of a bar in a table's cell, in pixels."""

STYLE = (
    svg_canvas.STYLE
    + """
:root { --kept: #0b57d0; --model: #f0a35e; --codec: #b9c2cb; --track: #e8ecf0; --ink: #1a1f24; }
@media (prefers-color-scheme: dark) {
  :root { --kept: #5b93ee; --model: #b8691f; --codec: #4a545f; --track: #232a32; --ink: #f4f7fa; }
}
svg .kept { fill: var(--kept); } svg .model { fill: var(--model); }
svg .codec { fill: var(--codec); }
svg .track { fill: var(--track); } svg .repaired { fill: var(--warn); }
svg .invalid { fill: var(--bad); } svg .absent { fill: var(--axis); }
svg .better { fill: var(--good); } svg .worse { fill: var(--bad); } svg .same { fill: var(--axis); }
svg .ink { stroke: var(--ink); }
svg .over { stroke: var(--back); }
td svg { width: 15rem; min-width: 11rem; height: auto; margin-left: auto; }
.swatch { display: inline-block; width: .8rem; height: .8rem; border-radius: 2px;
  vertical-align: -.05rem; margin-right: .35rem; }
.swatch.kept { background: var(--kept); } .swatch.model { background: var(--model); }
.swatch.codec { background: var(--codec); } .swatch.repaired { background: var(--warn); }
.swatch.invalid { background: var(--bad); } .swatch.absent { background: var(--axis); }
.swatch.line { height: 2px; background: var(--ink); vertical-align: .22rem; width: 1.1rem; }
"""
)
"""CSS of the plots and of their legends."""


class BarCanvas(svg_canvas.SvgCanvas):
    """A canvas that also has bars."""

    def bar(
        self, left: float, top: float, width: float, height: float, ink: str, note: str
    ) -> None:
        """Fill a rectangle; `note` is a tooltip."""
        if width > 0 and height > 0:
            self._parts.append(
                f'<rect class="{ink}" x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" '
                f'height="{height:.1f}"><title>{escape(note)}</title></rect>'
            )


def loss_bar(
    value: float,
    low: float | None = None,
    high: float | None = None,
    ceiling: float | None = None,
    name: str = "score",
) -> str:
    """A score from 0 to 1: what was reached, what the model lost, and what the codec lost."""
    width, height = BAR
    canvas = BarCanvas(width, height, f"{name} {percent(value)}")
    inner, left, top, bar = width - 8, 4.0, 4.0, height - 8.0

    def x(share: float) -> float:
        return left + inner * min(max(share, 0.0), 1.0)

    canvas.bar(left, top, inner, bar, "track", "")
    if ceiling is not None:
        lost = f"lost by the codec: {points(1 - ceiling)}"
        canvas.bar(x(ceiling), top, x(1) - x(ceiling), bar, "codec", lost)
        canvas.bar(x(value), top, x(ceiling) - x(value), bar, "model",
                   f"lost by the model: {points(ceiling - value)}")  # fmt: skip
    canvas.bar(left, top, x(value) - left, bar, "kept", f"{name}: {percent(value)}")
    if low is not None and high is not None:
        whisker(canvas, x(low), x(high), height / 2, 5)
    return canvas.finish()


def whisker(canvas: BarCanvas, low: float, high: float, middle: float, half: float) -> None:
    """An interval: a line with a stroke across each end."""
    canvas.line([(low, middle), (high, middle)], "ink", 1.6)
    for end in (low, high):
        canvas.line([(end, middle - half), (end, middle + half)], "ink", 1.6)


def difference_bar(
    difference: float, low: float | None, high: float | None, reach: float, verdict: str
) -> str:
    """A difference of two systems around a line that means "none"; `reach` is at both ends."""
    width, height = BAR
    canvas = BarCanvas(width, height, f"difference {points(difference)}")
    half = width / 2

    def x(value: float) -> float:
        return half + (half - 8) * min(max(value / (reach or 1.0), -1.0), 1.0)

    canvas.bar(4, height / 2 - 1, width - 8, 2, "track", "")
    canvas.line([(half, 2), (half, height - 2)], "axis", 1)
    begin, end = sorted((half, x(difference)))
    canvas.bar(begin, 6, max(end - begin, 1), height - 12, verdict, points(difference))
    if low is not None and high is not None:
        whisker(canvas, x(low), x(high), height / 2, 5)
    return canvas.finish()


def shares(parts: Sequence[tuple[str, int, str]], label: str) -> str:
    """One bar of parts: (ink, count, note), as long as they are shares of all."""
    total = sum(count for _, count, _ in parts)
    canvas = BarCanvas(1000, 26, label)
    left = 0.0
    for ink, count, note in parts:
        width = 1000 * count / total if total else 0.0
        # A single failure among thousands is still seen.
        shown = max(width, 2.0) if count else 0.0
        canvas.bar(min(left, 1000 - shown), 2, shown, 22, ink, note)
        left += width
    return canvas.finish()


def histogram(content: Mapping[str, Any]) -> str:
    """How many samples have which IoU: bars of the model, and the codec alone as a line."""
    edges = [float(edge) for edge in content["edges"]]
    counts = [int(count) for count in content["counts"]]
    best = content.get("ceiling")
    ceiling = None if best is None else [int(count) for count in best]
    total, width, height = sum(counts) or 1, 860, 300
    left, top, inner, tall = 58.0, 14.0, width - 74.0, height - 66.0
    canvas = BarCanvas(width, height, "how many samples have which IoU")
    full = sum(ceiling or ()) or 1
    most = max(*(count / total for count in counts), *(n / full for n in ceiling or (0,)), 0.01)

    def place(edge: float, share: float) -> tuple[float, float]:
        span = (edges[-1] - edges[0]) or 1.0
        return left + inner * (edge - edges[0]) / span, top + tall * (1 - share / most)

    for share in ticks(most):
        _, y = place(0, share)
        canvas.line([(left, y), (left + inner, y)], "grid", 1)
        canvas.text((left - 8, y + 4), f"{100 * share:g} %", "dim", 12, "end")
    for low, high, count in zip(edges, edges[1:], counts, strict=False):
        (x0, y), (x1, _) = place(low, count / total), place(high, 0)
        note = f"IoU {short(low)} to {short(high)}: {count:,} of {total:,} samples"
        canvas.bar(x0 + 1, y, x1 - x0 - 2, top + tall - y, "kept", note)
    if ceiling is not None:
        steps = []
        for low, high, count in zip(edges, edges[1:], ceiling, strict=False):
            steps += [place(low, count / full), place(high, count / full)]
        canvas.line(steps, "over", 4)
        canvas.line(steps, "ink", 1.8)
    canvas.line([(left, top + tall), (left + inner, top + tall)], "axis", 1)
    for edge in edges[:: 2 if len(edges) > 12 else 1]:
        canvas.text((place(edge, 0)[0], top + tall + 18), short(edge), "dim", 12, "middle")
    canvas.text((left + inner / 2, height - 8), "IoU of a sample", "dim", 13, "middle")
    return canvas.finish()


def ticks(most: float) -> list[float]:
    """Four or so round shares up to `most`."""
    power = 10.0 ** math.floor(math.log10(most / 4))
    step = next((power * k for k in (1, 2, 5, 10) if most / (power * k) <= 5), power * 10)
    return [round(number * step, 10) for number in range(int(most / step + 1e-9) + 1)]


def percent(value: float) -> str:
    """`74.1 %` of a share."""
    return f"{100 * value:.1f} %"


def points(value: float) -> str:
    """`3.2 points`, of a difference of shares."""
    return f"{100 * value:.1f} points"


def short(value: float) -> str:
    """`.05`, `1`, `0`."""
    return f"{value:g}".removeprefix("0") or "0"
