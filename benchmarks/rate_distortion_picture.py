"""A rate-distortion report as one picture: IoU and boundary IoU beside each other."""

from __future__ import annotations

from typing import Any

from PIL import Image

from maskcodec.pillow_canvas import PillowCanvas
from maskcodec.plot_canvas import MARKERS, Frame

from . import curve_plot
from .curve_plot import Plot
from .rate_distortion_curves import LABEL_ROOM, curves, hull
from .rate_distortion_measure import CHARACTERS

WIDTH, HEIGHT = 1200, 470
LEFT = 46.0
LEGEND_LINE = 26


def picture(document: dict[str, Any]) -> Image.Image:
    """The picture; tokens are those of the first tokenizer."""
    unit = next(iter(document["tokenizers"]), CHARACTERS)
    cost = CHARACTERS if unit == CHARACTERS else f"tokens a mask ({unit})"
    names = list(dict.fromkeys(entry["curve"] for entry in document["points"]))
    lines = {figure: curves(document, figure, "all", unit) for figure in ("iou", "boundary_iou")}
    axes = curve_plot.ranges(
        point for some in lines.values() for line in some.values() for point in line
    )
    scratch = PillowCanvas(1, 1)
    shown = [_fitted(scratch, name) for name in (*names, BEST)]
    places, legend = _legend_places(scratch, shown)
    canvas = PillowCanvas(WIDTH, HEIGHT + legend)
    for index, (name, (x, y)) in enumerate(zip(shown, places, strict=True)):
        if index < len(names):
            canvas.line([(x, y), (x + 30, y)], index, 2)
            canvas.marker((x + 15, y), MARKERS[index % len(MARKERS)], index, name)
        else:
            canvas.line([(x + 5, y), (x + 25, y)], "hull", 9)
        canvas.text((x + 38, y + 5), name, "dim", 14, "start")
    for index, (figure, title) in enumerate((("iou", "IoU"), ("boundary_iou", "boundary IoU"))):
        points = [point for line in lines[figure].values() for point in line]
        plot = Plot(f"mean {title}", cost, title, lines[figure], hull(points))
        frame = Frame(index * WIDTH / 2, legend, WIDTH / 2 - LABEL_ROOM, HEIGHT)
        curve_plot.draw(canvas, plot, frame, axes)
    return canvas.finish()


BEST = "best at each budget"


def _fitted(canvas: PillowCanvas, name: str) -> str:
    """The name, without its middle where a line of the legend has no room for it."""
    room = WIDTH - LEFT - 38 - 28
    fitted, kept = name, len(name)
    while canvas.width_of(fitted, 14) > room:
        kept -= 2
        fitted = f"{name[: kept // 2]}…{name[-(kept // 2) :]}"
    return fitted


def _legend_places(
    canvas: PillowCanvas, names: list[str]
) -> tuple[list[tuple[float, float]], float]:
    """Where each name stands, and how high that is."""
    places = []
    x, y = LEFT, 24.0
    for name in names:
        width = 38 + canvas.width_of(name, 14) + 28
        if x > LEFT and x + width > WIDTH:
            x, y = LEFT, y + LEGEND_LINE
        places.append((x, y))
        x += width
    return places, y + LEGEND_LINE
