"""Plots of results as inline SVG: lines of a figure over a number, bars of a figure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from maskcodec.plot_axis import Axis, short
from maskcodec.plot_canvas import COLOURS, MARKERS, Frame, Place
from maskcodec.sheet import escape
from maskcodec.svg_canvas import SvgCanvas

from .document import Result

SIZE = (560, 340)
"""Width and height of a plot of lines."""

BAR_WIDTH = 640
BAR_HEIGHT = 22


@dataclass(frozen=True)
class Point:
    """One mark of a line.

    Attributes:
        x: along the lower axis.
        y: along the other one.
        low: end of its spread; None where there is none.
        high: the other end.
        note: shown where a person points at it.
    """

    x: float
    y: float
    low: float | None = None
    high: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Bar:
    """One bar.

    Attributes:
        name: stands left of it.
        value: its length; None where it was not measured, which is said.
        ink: number of its colour.
        gate: where a mark stands that must be reached.
        stretch: where a mark stands that would be better still.
        note: shown where a person points at it.
    """

    name: str
    value: float | None
    ink: int = 0
    gate: float | None = None
    stretch: float | None = None
    note: str = ""


def series(
    results: Iterable[Result],
    over: str,
    by: str | Callable[[Result], str],
    figure: str,
    *,
    where: Mapping[str, object] | None = None,
    low: str | None = None,
    high: str | None = None,
) -> dict[str, list[Point]]:
    """Lines of a figure over a number.

    Args:
        results: of a document.
        over: the key of the name, or else the figure, that gives x.
        by: the key of the name that tells lines apart, or what makes a line's name.
        figure: gives y; results without it are passed over.
        where: keys of the name and what they must be.
        low: the figure where the spread begins.
        high: the figure where it ends.
    """
    lines: dict[str, list[Point]] = {}
    for result in results:
        name, figures = result["name"], result["figures"]
        x, y = name.get(over, figures.get(over)), figures.get(figure)
        wanted = all(name.get(key) == value for key, value in (where or {}).items())
        if not wanted or y is None or isinstance(x, str) or x is None:
            continue
        line = str(name.get(by, "")) if isinstance(by, str) else by(result)
        ends = [None if end is None else figures.get(end) for end in (low, high)]
        lines.setdefault(line, []).append(Point(x, y, ends[0], ends[1]))
    return {line: sorted(points, key=lambda point: point.x) for line, points in lines.items()}


def line_plot(
    title: str,
    lines: Mapping[str, Sequence[Point]],
    x_label: str,
    y_label: str,
    *,
    log_x: bool = False,
    log_y: bool = False,
    zero: bool = False,
    levels: Mapping[str, float] | None = None,
    inks: Sequence[str] | None = None,
    size: tuple[int, int] = SIZE,
    caption: str = "",
) -> str:
    """A `<figure>` of lines.

    Args:
        title: stands above.
        lines: points by name, sorted by x; see `series`.
        x_label: what the lower axis says.
        y_label: what the other one says.
        log_x: the lower axis runs on a logarithm; so `log_y`. Points not above 0 are left out.
        zero: the other axis begins at 0.
        levels: level lines by name, e.g. a limit.
        inks: the names in the order of their colours, shared by the plots of a page (and their
            `legend`); None takes `lines`.
        size: width and height in pixels.
        caption: stands below.
    """
    shown = {
        name: [p for p in points if (p.x > 0 or not log_x) and (p.y > 0 or not log_y)]
        for name, points in lines.items()
    }
    every = [point for points in shown.values() for point in points]
    ends = [end for p in every for end in (p.y, p.low, p.high) if end is not None]
    across = Axis.around([point.x for point in every], log=log_x)
    up = Axis.around([*ends, *(levels or {}).values()], log=log_y, zero=zero)
    canvas = SvgCanvas(*size, f"{title}: {y_label} against {x_label}")
    inner = Frame(62, 50, size[0] - 82, size[1] - 100)
    canvas.text((8, 18), title, "text", 15, "start")
    canvas.text((8, 38), y_label, "dim", 12, "start")
    draw_axes(canvas, inner, across, up, x_label)

    def place(x: float, y: float) -> Place:
        spot = min(max(up.place(max(y, up.low)), 0.0), 1.0)
        return inner.left + across.place(x) * inner.width, inner.top + (1 - spot) * inner.height

    for name, value in (levels or {}).items():
        left, y = place(across.low, value)
        canvas.line([(left, y), (left + inner.width, y)], "axis", 1.5)
        canvas.text((left + inner.width, y - 5), name, "dim", 11, "end")
    names = list(inks or shown)
    for name, points in shown.items():
        ink = names.index(name) if name in names else len(names)
        if len(points) > 1:
            canvas.line([place(point.x, point.y) for point in points], ink, 2)
        for point in points:
            if point.low is not None and point.high is not None:
                canvas.line([place(point.x, point.low), place(point.x, point.high)], ink, 1.2)
            note = point.note or f"{name}: {short(point.y)} {y_label}, {short(point.x)} {x_label}"
            canvas.marker(place(point.x, point.y), MARKERS[ink % len(MARKERS)], ink, note)
    below = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return f"<figure>{canvas.finish()}{below}</figure>\n"


def draw_axes(canvas: SvgCanvas, inner: Frame, across: Axis, up: Axis | None, x_label: str) -> None:
    """Grid, numbers, and the name of the lower axis."""
    right, bottom = inner.left + inner.width, inner.top + inner.height
    heights = {value: up.place(value) for value in up.ticks(6)} if up else {}
    for value, height in heights.items():
        y = bottom - height * inner.height
        canvas.line([(inner.left, y), (right, y)], "grid", 1)
        canvas.text((inner.left - 8, y + 4), short(value), "dim", 12, "end")
    for value in across.ticks(max(3, int(inner.width / 70))):
        x = inner.left + across.place(value) * inner.width
        canvas.line([(x, inner.top), (x, bottom)], "grid", 1)
        canvas.text((x, bottom + 18), short(value), "dim", 12, "middle")
    canvas.line([(inner.left, bottom), (right, bottom)], "axis", 1)
    canvas.text((inner.left + inner.width / 2, bottom + 38), x_label, "dim", 12, "middle")


def legend(names: Iterable[str]) -> str:
    """What the colours and markers of `line_plot` mean, as a list; `page.STYLE` belongs to it."""
    items = []
    for index, name in enumerate(names):
        canvas = SvgCanvas(30, 16, name)
        canvas.line([(1, 8), (29, 8)], index, 2)
        canvas.marker((15, 8), MARKERS[index % len(MARKERS)], index, name)
        items.append(f"<li>{canvas.finish()} {escape(name)}</li>")
    return f"<ul class=legend>{''.join(items)}</ul>\n"


class BarCanvas(SvgCanvas):
    """A canvas with bars."""

    def bar(self, place: Place, width: float, height: float, ink: int, note: str) -> None:
        """Fill a box from its upper left corner; `note` is a tooltip."""
        x, y = place
        self._parts.append(
            f'<path class="f{ink % COLOURS}" d="M{x:.1f} {y:.1f}h{width:.1f}v{height:.1f}'
            f'h{-width:.1f}Z"><title>{escape(note)}</title></path>'
        )


def bar_plot(
    title: str,
    bars: Sequence[Bar],
    x_label: str,
    *,
    log: bool = False,
    base: float = 0.0,
    caption: str = "",
) -> str:
    """A `<figure>` of bars below each other.

    Args:
        title: stands above.
        bars: the bars; a gate stands as a line across its bar, a stretch goal as a short one.
        x_label: what the lower axis says.
        log: the axis runs on a logarithm.
        base: where bars begin, to either side; 0 is the beginning of a logarithm.
        caption: stands below.
    """
    marks = [b for bar in bars for b in (bar.value, bar.gate, bar.stretch) if b is not None]
    across = Axis.around([*marks, base], log=log, zero=True)
    widest = max((len(bar.name) for bar in bars), default=0)
    left = min(300.0, 18 + 7 * widest)
    inner = Frame(left, 34, BAR_WIDTH - left - 74, BAR_HEIGHT * len(bars) + 6)
    canvas = BarCanvas(BAR_WIDTH, inner.height + 84, f"{title}: {x_label}")
    canvas.text((8, 18), title, "text", 15, "start")
    draw_axes(canvas, inner, across, None, x_label)
    for index, bar in enumerate(bars):
        _draw_bar(canvas, bar, inner, across, inner.top + 6 + BAR_HEIGHT * index, base)
    below = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return f"<figure>{canvas.finish()}{below}</figure>\n"


def _draw_bar(
    canvas: BarCanvas, bar: Bar, inner: Frame, across: Axis, top: float, base: float
) -> None:
    height = BAR_HEIGHT - 8

    def x_of(value: float) -> float:
        spot = 0.0 if across.log and value <= 0 else across.place(value)
        return inner.left + min(max(spot, 0.0), 1.0) * inner.width

    canvas.text((inner.left - 8, top + 11), bar.name, "dim", 12, "end")
    if bar.value is None:
        canvas.text((inner.left + 6, top + 11), "not measured", "dim", 12, "start")
    else:
        start, end = sorted((x_of(base), x_of(bar.value)))
        note = bar.note or f"{bar.name}: {short(bar.value)}"
        canvas.bar((start, top), max(end - start, 1), height, bar.ink, note)
        canvas.text((end + 6, top + 11), short(bar.value), "text", 12, "start")
    for mark, reach in ((bar.gate, 3.0), (bar.stretch, -4.0)):
        if mark is not None:
            x = x_of(mark)
            canvas.line([(x, top - reach), (x, top + height + reach)], "axis", 2)
