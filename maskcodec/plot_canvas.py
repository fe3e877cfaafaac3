"""What plots are drawn on: one border for a picture and for inline SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

MARKERS = ("circle", "square", "triangle", "diamond", "cross")
COLOURS = 11
"""No multiple of the markers' number, so that both together tell 55 curves apart."""

Place: TypeAlias = tuple[float, float]


class Canvas(Protocol):
    """What plots are drawn on. `ink` is "axis", "grid", "hull", "text", "dim", or a number.

    A number is a curve's, from 0; curves repeat colours after `COLOURS`.
    """

    def line(self, places: Sequence[Place], ink: str | int, width: float) -> None:
        """Draw a line through places in pixels."""

    def marker(self, place: Place, kind: str, ink: int, note: str) -> None:
        """Draw one of `MARKERS`; `note` is shown where a person points at it, if that is heard."""

    def text(self, place: Place, words: str, ink: str, size: float, anchor: str) -> None:
        """Write words; the place is their "start", "middle" or "end", on the base line."""


@dataclass(frozen=True)
class Frame:
    """Where a plot stands on its canvas, in pixels, axes included."""

    left: float
    top: float
    width: float
    height: float
