"""`vistallm`: VistaLLM's polygons of so many points, in bins of 0 to 1000.

x and y of each vertex are tokens with a blank between any two; a part follows after `<m_sep>`::

    <m_st><bin_101> <bin_96> <bin_250> <bin_97> … <m_sep> <bin_400> … <m_ed>

It says no label: that stands in the question. Every part has the same number of vertices, 16 unless
told otherwise; there are no holes, and a mask without pixels is left out. Objects follow each other
after a blank, and `none` says that there is none: both are this package's.

Published: arXiv 2312.12423, which keeps the points where a contour bends most. The choice here is
`polygon`'s way of simplifying, which does the same by area; a part of fewer vertices gets more in
the middle of its longest edges.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from ..decoded import Errors, Geometry, Repair, RepairLog
from ..errors import SpecError
from ..geometry import outer_rings
from ..geometry.polygon import Polygons
from ..labels import list_labels
from ..mask import Mask, check_masks
from ..registry import register
from ..spans import Span
from ..vocab import Vocab
from ._polygon_tags import TagForm
from ._polygon_tags_reader import read
from ._ring_codec import RingsCodec

MOST_POINTS = 256


@register("vistallm")
@dataclass(frozen=True)
class VistaLLMCodec(RingsCodec):
    """VistaLLM's polygons: `<bin_N>` for x and y of exactly so many vertices a part.

    Attributes:
        points: vertices of each part, 3 to 256.
    """

    points: int = 16

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 3 <= self.points <= MOST_POINTS:
            raise SpecError(f"points={self.points} is not 3 to {MOST_POINTS}")

    @property
    def _form(self) -> TagForm:
        return _form(self.points)

    def analyze(self, masks: Sequence[Mask], size: tuple[int, int]) -> Polygons:
        """See `Codec.analyze`; masks without pixels are left out."""
        check_masks(masks, size)
        return outer_rings.polygons_of(
            masks,
            self._form.bins,
            lambda array: outer_rings.of_points(array, self.points),
            self._form.place,
            self.points,
        )

    def spans(self, text: str) -> list[Span]:
        """See `Codec.spans`; the first vertex of an object says where it is."""
        return self._form.spans(text)

    def adopts(self, geometry: Geometry) -> bool:
        """Polygons of 1,001 bins without holes or labels, of as many points a ring."""
        return (
            isinstance(geometry, Polygons)
            and not any(geometry.labels)
            and self._form.holds(geometry)
        )

    def write(self, geometry: Polygons) -> str:
        """Spell polygons; labels are left out.

        Raises:
            EncodeError: polygons that the format can't hold.
        """
        return self._form.write(geometry)

    def parse(self, text: str, *, errors: Errors = "strict") -> tuple[Polygons, list[Repair]]:
        """Read objects.

        Repairs: words between tags are skipped, tags with one fault are read as what they say,
        vertices that miss a number and rings of fewer than three vertices are dropped, a ring of
        another number of vertices is read as it is, and numbers above 1000 become 1000.
        """
        log = RepairLog(self.name, text, errors)
        return read(self._form, log), log.repairs

    def vocab(self) -> Vocab:
        """1,001 numbers and three tags."""
        return Vocab(self._form.tokens)

    def grammar(self, labels: Sequence[str] | None = None) -> str:
        """See `Codec.grammar`; `labels` changes nothing, since a text holds none."""
        list_labels(labels, self.name)
        return self._form.grammar(None)


@lru_cache(maxsize=16)
def _form(points: int) -> TagForm:
    return TagForm(
        "vistallm", "<bin_", 1000, "<m_sep>", "<m_st>", "<m_ed>", " ", " ", labels=False,
        points=points,
    )  # fmt: skip
