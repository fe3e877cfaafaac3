"""The curves of `bench learn` as one picture: gIoU against steps and against compute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from maskcodec.pillow_canvas import PillowCanvas
from maskcodec.plot_axis import Axis, short
from maskcodec.plot_canvas import MARKERS, Canvas, Frame

from .document import Document
from .learn_figures import CURVE, of_kind
from .learn_page import ceilings, specs
from .plots import Point, series

WIDTH, HEIGHT, KEY = 520, 380, 24
LETTERS = 13
"""The size of the key's letters."""
ROOM = WIDTH - 92
"""Pixels for a label of the key in two columns, marker and margins left out."""
PLOTS = (
    ("step", "steps", False),
    # Pillow's own font has few signs.
    ("operations", "operations of training / 1e12: 6 for each weight and token", True),
)


def draw(document: Document) -> Any:
    """The picture, RGB; None where no curve is there yet."""
    curve = of_kind(document, CURVE)
    if not curve:
        return None
    names = specs(document)
    labels = [f"{name}: {ceilings(document)[name]:.2f} alone" for name in names]
    columns = columns_of(labels)
    rows = -(-len(names) // columns)
    canvas = PillowCanvas(WIDTH * len(PLOTS), HEIGHT + KEY * rows)
    for index, (over, label, log) in enumerate(PLOTS):
        lines = series(curve, over, "codec", "giou", low="giou_low", high="giou_high")
        if log:  # where the beginning, at 0, has no place
            lines = {name: [p for p in points if p.x > 0] for name, points in lines.items()}
        _plot(canvas, Frame(index * WIDTH, 0, WIDTH, HEIGHT), lines, document, label, log=log)
    for index, (name, label) in enumerate(zip(names, labels, strict=True)):
        x, y = 60 + WIDTH * (index % columns), HEIGHT + 10 + KEY * (index // columns)
        canvas.line([(x - 16, y - 4), (x + 16, y - 4)], index, 2)
        canvas.marker((x, y - 4), MARKERS[index % len(MARKERS)], index, name)
        canvas.text((x + 24, y), label, "dim", LETTERS, "start")
    return canvas.finish()


def columns_of(labels: Sequence[str]) -> int:
    """2 where no label of the key runs into the next column, else 1."""
    canvas = PillowCanvas(1, 1)
    widest = max((canvas.width_of(label, LETTERS) for label in labels), default=0.0)
    return len(PLOTS) if widest <= ROOM else 1


def title(settings: Mapping[str, Any]) -> str:
    """What the plots show, by the settings of the run."""
    sources = [str(settings.get(part, "")).split() for part in ("val", "test")]
    is_scenes = all(
        any(word.partition(":")[0] == "scenes" for word in source) for source in sources
    )
    return "gIoU, unseen scenes" if is_scenes else "gIoU, unseen examples"


def _plot(
    canvas: Canvas,
    frame: Frame,
    lines: dict[str, list[Point]],
    document: Document,
    label: str,
    *,
    log: bool,
) -> None:
    inner = Frame(frame.left + 52, frame.top + 34, frame.width - 72, frame.height - 84)
    every = [point for points in lines.values() for point in points]
    across = Axis.around([point.x for point in every], log=log, zero=not log)
    up = Axis(0.0, 1.0)
    bottom, right = inner.top + inner.height, inner.left + inner.width
    canvas.text((inner.left, frame.top + 20), title(document["settings"]), "text", 14, "start")
    for value in up.ticks(5):
        y = bottom - up.place(value) * inner.height
        canvas.line([(inner.left, y), (right, y)], "grid", 1)
        canvas.text((inner.left - 8, y + 4), f"{value:g}", "dim", 12, "end")
    for value in across.ticks(6):
        x = inner.left + across.place(value) * inner.width
        canvas.text((x, bottom + 18), short(value), "dim", 12, "middle")
    canvas.line([(inner.left, bottom), (right, bottom)], "axis", 1)
    canvas.text((inner.left + inner.width / 2, bottom + 38), label, "dim", 12, "middle")

    def place(x: float, y: float) -> tuple[float, float]:
        return inner.left + across.place(x) * inner.width, bottom - up.place(y) * inner.height

    names = specs(document)
    for name, value in ceilings(document).items():
        y = bottom - up.place(value) * inner.height
        canvas.line([(right - 14, y), (right, y)], names.index(name), 1.5)
    for name, points in lines.items():
        ink = names.index(name)
        if len(points) > 1:
            canvas.line([place(point.x, point.y) for point in points], ink, 2)
        for point in points:
            if point.low is not None and point.high is not None:
                canvas.line([place(point.x, point.low), place(point.x, point.high)], ink, 1.2)
            canvas.marker(place(point.x, point.y), MARKERS[ink % len(MARKERS)], ink, name)
