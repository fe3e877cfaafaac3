"""A canvas that becomes inline SVG; colours come from the style sheet of the page around it."""

from __future__ import annotations

from collections.abc import Sequence

from .plot_canvas import COLOURS, Place
from .plot_markers import outline
from .sheet import escape

SIZE = 5.0
"""Half the width of a marker, in pixels."""

STYLE = """
:root {
  --hull: #dfe5ec; --grid: #e8ecf0; --axis: #97a1ab;
  --c0: #0b57d0; --c1: #c2570c; --c2: #137a3f; --c3: #a3219a;
  --c4: #8a6a00; --c5: #00798c; --c6: #b3261e; --c7: #5b6470;
  --c8: #e0609b; --c9: #6fa30f; --c10: #6b3fa0;
}
@media (prefers-color-scheme: dark) {
  :root {
    --hull: #2c3540; --grid: #232a32; --axis: #6b7682;
    --c0: #8ab4f8; --c1: #ff9e4a; --c2: #5bd08a; --c3: #f28bd8;
    --c4: #e8c547; --c5: #4fd1e0; --c6: #ff8a80; --c7: #a8b3bf;
    --c8: #ffb3d1; --c9: #b5d957; --c10: #b79df2;
  }
}
svg { display: block; width: 100%; height: auto; }
svg text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
svg .text { fill: var(--text); font-weight: 600; }
svg .dim { fill: var(--dim); }
svg path { fill: none; stroke-linejoin: round; stroke-linecap: round; }
svg .grid { stroke: var(--grid); } svg .axis { stroke: var(--axis); }
svg .hull { stroke: var(--hull); }
svg .marker { stroke: var(--back); stroke-width: 1.5; }
svg .marker:hover { stroke: var(--text); }
""" + "\n".join(
    f"svg .s{index} {{ stroke: var(--c{index}); }} svg .f{index} {{ fill: var(--c{index}); }}"
    for index in range(COLOURS)
)


class SvgCanvas:
    """Collects elements; `finish` gives the SVG."""

    def __init__(self, width: float, height: float, label: str) -> None:
        self._head = (
            f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(label)}">'
        )
        self._parts: list[str] = []

    def line(self, places: Sequence[Place], ink: str | int, width: float) -> None:
        """See `Canvas`."""
        name = f"s{ink % COLOURS}" if isinstance(ink, int) else ink
        self._parts.append(f'<path class="{name}" stroke-width="{width:g}" d="{_path(places)}"/>')

    def marker(self, place: Place, kind: str, ink: int, note: str) -> None:
        """See `Canvas`; the note is a tooltip."""
        shape = outline(place, kind, SIZE)
        self._parts.append(
            f'<path class="marker f{ink % COLOURS}" d="{_path(shape)}Z">'
            f"<title>{escape(note)}</title></path>"
        )

    def text(self, place: Place, words: str, ink: str, size: float, anchor: str) -> None:
        """See `Canvas`."""
        self._parts.append(
            f'<text class="{ink}" x="{place[0]:.1f}" y="{place[1]:.1f}" font-size="{size:g}" '
            f'text-anchor="{anchor}">{escape(words)}</text>'
        )

    def finish(self) -> str:
        """The SVG element."""
        return self._head + "".join(self._parts) + "</svg>"


def _path(places: Sequence[Place]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
