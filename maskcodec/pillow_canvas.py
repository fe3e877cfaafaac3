"""A canvas that becomes a picture: drawn large with Pillow and shrunk, so that edges are smooth."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from .plot_canvas import COLOURS, Place
from .plot_markers import outline

SHARPNESS = 2
"""Pixels of the picture for one of the layout, for screens of that density."""

OVERDRAW = 3
"""How many times larger it is drawn before it is shrunk."""

BACK = "#ffffff"
INKS = {
    "text": "#1a1f24",
    "dim": "#57606a",
    "axis": "#97a1ab",
    "grid": "#e8ecf0",
    "hull": "#dfe5ec",
}
PALETTE = (
    *("#0b57d0", "#c2570c", "#137a3f", "#a3219a"),
    *("#8a6a00", "#00798c", "#b3261e", "#5b6470"),
    *("#e0609b", "#6fa30f", "#6b3fa0"),
)
SIZE = 5.0
"""Half the width of a marker, in pixels of the layout."""

ANCHORS = {"start": "ls", "middle": "ms", "end": "rs"}


class PillowCanvas:
    """Draws at once; `finish` gives the picture."""

    def __init__(self, width: float, height: float) -> None:
        self._scale = SHARPNESS * OVERDRAW
        self._size = round(width * SHARPNESS), round(height * SHARPNESS)
        large = self._size[0] * OVERDRAW, self._size[1] * OVERDRAW
        self._image = Image.new("RGB", large, BACK)
        self._drawing = ImageDraw.Draw(self._image)

    def line(self, places: Sequence[Place], ink: str | int, width: float) -> None:
        """See `Canvas`."""
        colour, thickness = self._colour(ink), round(width * self._scale)
        corners = self._large(places)
        self._drawing.line(corners, fill=colour, width=thickness, joint="curve")
        if width > 1:  # Pillow's lines have flat ends
            radius = thickness / 2
            for x, y in (corners[0], corners[-1]):
                self._drawing.ellipse((x - radius, y - radius, x + radius, y + radius), colour)

    def marker(self, place: Place, kind: str, ink: int, note: str) -> None:
        """See `Canvas`; the note is not heard."""
        self._drawing.polygon(self._large(outline(place, kind, SIZE + 1.6)), BACK)
        self._drawing.polygon(self._large(outline(place, kind, SIZE)), self._colour(ink))

    def text(self, place: Place, words: str, ink: str, size: float, anchor: str) -> None:
        """See `Canvas`."""
        font = ImageFont.load_default(size * self._scale)
        spot = self._large([place])[0]
        self._drawing.text(spot, words, INKS[ink], font, ANCHORS[anchor])

    def width_of(self, words: str, size: float) -> float:
        """How wide words are, in pixels of the layout."""
        font = ImageFont.load_default(size * self._scale)
        return self._drawing.textlength(words, font) / self._scale

    def finish(self) -> Image.Image:
        """The picture, RGB, `SHARPNESS` times the layout's size."""
        return self._image.resize(self._size, Image.Resampling.LANCZOS)

    def _large(self, places: Sequence[Place]) -> list[Place]:
        return [(x * self._scale, y * self._scale) for x, y in places]

    def _colour(self, ink: str | int) -> str:
        return PALETTE[ink % COLOURS] if isinstance(ink, int) else INKS[ink]
