"""Curves of a run: the loss, and what evaluations measured, against steps; as picture and page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image

from maskcodec import svg_canvas
from maskcodec.pillow_canvas import PillowCanvas
from maskcodec.plot_canvas import MARKERS, Canvas, Frame, Place
from maskcodec.sheet import Table, escape, page_head, table

WIDTH, HEIGHT = 560, 320

Line = Mapping[str, Any]
Points = list[tuple[float, float]]

PLOTS = (
    ("loss", {"loss": "all", "token_loss": "of tokens", "mask_loss": "of masks"}),
    ("answers", {"giou": "gIoU", "invalid_share": "invalid answers"}),
)
"""Each plot's title and its curves: fields of the log, and what they are called."""

STYLE = (
    svg_canvas.STYLE
    + """
.plots { display: grid; gap: 12px;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); margin-bottom: 1.5rem; }
.plots figure { padding: .5rem; }
"""
)
"""CSS of the plots."""


@dataclass(frozen=True)
class Scale:
    """Where numbers stand along an axis.

    Attributes:
        low: the number at its beginning.
        high: the number at its end.
    """

    low: float
    high: float

    def place(self, value: float) -> float:
        """0 to 1."""
        return (value - self.low) / ((self.high - self.low) or 1.0)

    def ticks(self, most: int) -> list[float]:
        """Round numbers, `most` of them or fewer."""
        width = (self.high - self.low) or 1.0
        power = 10.0 ** math.floor(math.log10(width / most))
        step = next(power * k for k in (1, 2, 5, 10) if width / (power * k) <= most)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [number * step for number in range(first, last + 1)]


def picture(lines: Sequence[Line]) -> Image.Image:
    """All plots beside each other, RGB."""
    shown = _shown(lines)
    canvas = PillowCanvas(WIDTH * len(shown), HEIGHT)
    for index, (title, curves) in enumerate(shown):
        draw(canvas, title, curves, Frame(index * WIDTH, 0, WIDTH, HEIGHT))
    return canvas.finish()


def page(title: str, lines: Sequence[Line], facts: Mapping[str, Any]) -> str:
    """The plots as one HTML page that loads nothing, with what there is to know of the run."""
    head = page_head(title, style=STYLE)
    rows = [(str(name), _short(value)) for name, value in facts.items()]
    evaluations = [line for line in lines if "giou" in line]
    tables = table(Table(("", "value"), rows)) if rows else ""
    if evaluations:
        names = [
            name for name in evaluations[-1] if name not in ("step", "seconds", "training_seconds")
        ]
        found = [
            (f"{line['step']:,}", *(_short(line.get(name, "")) for name in names))
            for line in evaluations
        ]
        tables = table(Table(("step", *names), found)) + f"<h3>the run</h3>\n{tables}"
    return f"{head}{plots(lines)}{tables}</body>\n</html>\n"


def plots(lines: Sequence[Line], caption: str = "") -> str:
    """The plots beside each other, as HTML that `STYLE` belongs to."""
    figures = []
    for name, curves in _shown(lines):
        canvas = svg_canvas.SvgCanvas(WIDTH, HEIGHT, f"{name} against steps")
        draw(canvas, name, curves, Frame(0, 0, WIDTH, HEIGHT))
        below = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
        figures.append(f"<figure>{canvas.finish()}{below}</figure>\n")
    return f"<div class=plots>\n{''.join(figures)}</div>\n"


def draw(canvas: Canvas, title: str, curves: Mapping[str, Points], frame: Frame) -> None:
    """Draw one plot: axes, curves, and their names on top."""
    inner = Frame(frame.left + 52, frame.top + 34, frame.width - 72, frame.height - 78)
    canvas.text((inner.left, frame.top + 20), title, "text", 15, "start")
    points = [point for curve in curves.values() for point in curve]
    across = Scale(0, max((step for step, _ in points), default=1) or 1)
    values = [value for _, value in points]
    up = Scale(min([0.0, *values]), max([*values, 1.0 if title == "answers" else 0.0]) or 1.0)

    def place(step: float, value: float) -> Place:
        x, y = across.place(step), up.place(value)
        return inner.left + x * inner.width, inner.top + (1 - y) * inner.height

    for value in up.ticks(5):
        canvas.line([place(0, value), place(across.high, value)], "grid", 1)
        x, y = place(0, value)
        canvas.text((x - 8, y + 4), f"{value:g}", "dim", 12, "end")
    for step in across.ticks(6):
        x, y = place(step, up.low)
        canvas.text((x, y + 18), f"{step:,.0f}", "dim", 12, "middle")
    canvas.line([place(0, up.low), place(across.high, up.low)], "axis", 1)
    canvas.text(
        (inner.left + inner.width / 2, frame.top + frame.height - 8), "steps", "dim", 12, "middle"
    )
    x = inner.left + inner.width
    for index, (name, curve) in reversed([*enumerate(curves.items())]):
        if len(curve) > 1:
            canvas.line([place(*point) for point in curve], index, 2)
        if len(curve) <= 60:
            for step, value in curve:
                kind = MARKERS[index % len(MARKERS)]
                canvas.marker(
                    place(step, value), kind, index, f"{name}: {value:.4f}, step {step:,.0f}"
                )
        canvas.text((x, frame.top + 20), name, "dim", 12, "end")
        x -= 6.6 * len(name) + 12
        canvas.marker((x, frame.top + 16), MARKERS[index % len(MARKERS)], index, name)
        x -= 16


def _shown(lines: Sequence[Line]) -> list[tuple[str, dict[str, Points]]]:
    """The plots that have something to show."""
    found = []
    for title, names in PLOTS:
        curves = {
            name: points
            for field, name in names.items()
            if (points := [(line["step"], line[field]) for line in lines if field in line])
        }
        if title == "loss" and len(curves) == 1:
            curves = {"": next(iter(curves.values()))}
        if curves:
            found.append((title, curves))
    return found


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return escape(str(value)) if not isinstance(value, int) else f"{value:,}"
