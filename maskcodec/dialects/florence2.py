"""`florence2`: Florence-2's polygons in location tokens.

A label, then x and y of each vertex in 0 to 999; `<sep>` stands between the parts of an object. A
single object without a label is what Florence-2 answers to a referring expression::

    dog<loc_101><loc_96><loc_250><loc_97><loc_180><loc_300><sep><loc_400>…white horse<loc_…

With `form=poly` the parts of each object stand in `<poly>…</poly>`, as in answers of several
objects of one label. Holes can't be said, and neither can a mask without pixels: it is left out.
`none`, this package's word, says that there is no object.

A pixel's place x of a width W is written as floor(x * 1000 / W), and a number n is read as the
middle of its bin, (n + 1/2) * W / 1000. Florence-2's own reader cuts that to whole pixels; here it
stays at the nearest fifth of a pixel, which loses less. Published: arXiv 2311.06242 and the
processor beside its weights. The outlines are ours: the outer contour, simplified as `polygon`
simplifies it, but not fitted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ..decoded import Errors, Geometry, Repair, RepairLog
from ..errors import SpecError
from ..geometry import outer_rings, polygon
from ..geometry.polygon import Polygons
from ..mask import Mask, check_masks
from ..registry import register
from ..spans import Span
from ..vocab import Vocab
from ._polygon_tags import TagForm
from ._polygon_tags_reader import read
from ._ring_codec import RingsCodec

FORMS = {
    "phrase": TagForm("florence2", "<loc_", 999, "<sep>", centre=True),
    "poly": TagForm("florence2", "<loc_", 999, "<sep>", "<poly>", "</poly>", centre=True),
}


@register("florence2")
@dataclass(frozen=True)
class Florence2Codec(RingsCodec):
    """Florence-2's polygons: `<loc_N>` for x and y of each vertex, `<sep>` between parts.

    Attributes:
        form: "phrase" writes each label and its vertices; "poly" puts `<poly>` and `</poly>`
            around the vertices.
        tolerance: what one step of simplifying may displace, as a part of the object's area, 0 to
            1; half a pixel may go in any case.
        points: the most vertices of an object, 3 or more; 0 sets no limit.
    """

    form: Literal["phrase", "poly"] = "phrase"
    tolerance: float = 0.005
    points: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.tolerance <= 1:
            raise SpecError(f"tolerance={self.tolerance} is not 0 to 1, a part of the area")
        if self.points != 0 and not 3 <= self.points <= polygon.MAX_VERTICES:
            raise SpecError(f"points={self.points} is not 3 to {polygon.MAX_VERTICES}, or 0")

    @property
    def _form(self) -> TagForm:
        return FORMS[self.form]

    def analyze(self, masks: Sequence[Mask], size: tuple[int, int]) -> Polygons:
        """See `Codec.analyze`; masks without pixels are left out."""
        check_masks(masks, size)
        return outer_rings.polygons_of(
            masks,
            self._form.bins,
            lambda array: outer_rings.simplified(array, self.tolerance, self.points),
            self._form.place,
        )

    def spans(self, text: str) -> list[Span]:
        """See `Codec.spans`; the first vertex of an object says where it is."""
        return self._form.spans(text)

    def adopts(self, geometry: Geometry) -> bool:
        """Polygons without holes whose vertices are the middles of 1,000 bins."""
        return isinstance(geometry, Polygons) and self._form.holds(geometry)

    def write(self, geometry: Polygons) -> str:
        """Spell polygons.

        Raises:
            EncodeError: a label that holds `<` or `>`, a second object without a label where no
                tags part them, or polygons that the format can't hold.
        """
        return self._form.write(geometry)

    def parse(self, text: str, *, errors: Errors = "strict") -> tuple[Polygons, list[Repair]]:
        """Read objects.

        Repairs: words and tags of no meaning here are skipped, tags with one fault are read as what
        they say, vertices that miss a number and rings of fewer than three vertices are dropped,
        and numbers above 999 become 999.
        """
        log = RepairLog(self.name, text, errors)
        return read(self._form, log), log.repairs

    def vocab(self) -> Vocab:
        """The numbers, and the tags of the form."""
        return Vocab(self._form.tokens)

    def grammar(self, labels: Sequence[str] | None = None) -> str:
        """See `Codec.grammar`; a text may do without labels if `""` is one of them."""
        return self._form.grammar(labels)
