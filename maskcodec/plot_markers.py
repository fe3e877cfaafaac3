"""The outlines of the markers in plots, for canvases that fill polygons."""

from __future__ import annotations

from .plot_canvas import Place

_ARM = 0.4
_CORNERS: dict[str, tuple[Place, ...]] = {
    # Twelve corners are a circle to the eye at this size.
    "circle": tuple(
        (1.05 * x, 1.05 * y)
        for x, y in (
            *((0, -1), (0.5, -0.866), (0.866, -0.5), (1, 0), (0.866, 0.5), (0.5, 0.866)),
            *((0, 1), (-0.5, 0.866), (-0.866, 0.5), (-1, 0), (-0.866, -0.5), (-0.5, -0.866)),
        )
    ),
    "square": ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
    "triangle": ((0, -1.25), (1.15, 0.85), (-1.15, 0.85)),
    "diamond": ((0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)),
    "cross": (
        *((-_ARM, -1.2), (_ARM, -1.2), (_ARM, -_ARM), (1.2, -_ARM), (1.2, _ARM), (_ARM, _ARM)),
        *((_ARM, 1.2), (-_ARM, 1.2), (-_ARM, _ARM), (-1.2, _ARM), (-1.2, -_ARM), (-_ARM, -_ARM)),
    ),
}


def outline(place: Place, kind: str, size: float) -> list[Place]:
    """A marker's corners."""
    x, y = place
    return [(x + size * dx, y + size * dy) for dx, dy in _CORNERS[kind]]
