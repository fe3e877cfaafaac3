"""`polygon`: the outlines of objects as vertices, two short words of letters each.

One object a line, `LABEL: VERTICES`. A vertex is x in lower case and y in upper case, in base 26
with `a` for 0; with 676 bins, `aa` and `AA` are the left and the upper edge of the image, `zz` and
`ZZ` the right and the lower one. A further ring follows after ` + `, and one that is a hole, cut
out of what stands before it, after ` - `::

    white horse: dk CA mw BZ nc LQ hx PT - fg FF hh FF hh HJ

Rings are closed without repeating the first vertex and have three vertices or more. A mask without
pixels is `LABEL: none`, and `none` alone says that there is no object. A label may hold anything
but line breaks, control characters and `: `, which ends it.

A vertex takes two tokens of most vocabularies and none has to be added; a third of what digits
take, and the two cases keep x and y apart where a word gets lost. `alphabet=decimal` spells a
vertex as one word of digits instead (`031075` for x 31 and y 75 of 1,000 bins), for models that
know coordinates as numbers. The format is this project's own;
docs/decisions/0005-polygon-spelling.md says how it was chosen.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..decoded import Errors, Geometry, Repair, RepairLog
from ..errors import EncodeError, SpecError
from ..geometry import polygon
from ..geometry.polygon import Polygons, Rings
from ..labels import check_label, list_labels
from ..mask import Mask, check_masks
from ..registry import register
from ..spans import Span, label_and_rest, pieces
from . import _polygon_grammar
from ._polygon_reader import FORBIDDEN, NONE, SIGNS, Reader
from ._polygon_words import Alphabet, Words, words_of
from ._ring_codec import RingsCodec


@register("polygon")
@dataclass(frozen=True)
class PolygonCodec(RingsCodec):
    """Outlines of normalised vertices, with holes.

    Attributes:
        bins: bins along either side of the image, 2 to 100,000; 676 fill two letters, 1,000 three
            digits. Images of fewer pixels a side than that lose nothing but what simplifying takes.
        tolerance: what one step of simplifying may displace, as a part of the object's area, 0 to
            1; 0 keeps every corner.
        points: the most vertices of an object, 3 or more; 0 sets no limit.
        alphabet: "letters", or "decimal" for digits.
    """

    bins: int = 676
    tolerance: float = 0.005
    points: int = 0
    alphabet: Alphabet = "letters"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 2 <= self.bins <= polygon.MAX_BINS:
            raise SpecError(f"bins={self.bins} is not 2 to {polygon.MAX_BINS}")
        if not 0 <= self.tolerance <= 1:
            raise SpecError(f"tolerance={self.tolerance} is not 0 to 1, a part of the area")
        if self.points != 0 and not 3 <= self.points <= polygon.MAX_VERTICES:
            raise SpecError(f"points={self.points} is not 3 to {polygon.MAX_VERTICES}, or 0")

    @property
    def _words(self) -> Words:
        return words_of(self.alphabet, self.bins)

    def analyze(self, masks: Sequence[Mask], size: tuple[int, int]) -> Polygons:
        """See `Codec.analyze`."""
        size = check_masks(masks, size)
        return polygon.analyze(masks, size, self.bins, self.tolerance, self.points)

    def spans(self, text: str) -> list[Span]:
        """See `Codec.spans`; the first vertex of an object says where it is."""
        found = []
        vertex = re.compile(self._words.vertex)
        for label, start, rest in label_and_rest(text):
            found += [*label, *pieces(vertex, rest, start, where=1)]
        return found

    def adopts(self, geometry: Geometry) -> bool:
        """Polygons on as many bins, none of which begins with a hole, as damaged texts' may."""
        if not isinstance(geometry, Polygons) or geometry.bins != self.bins:
            return False
        return not any(rings.hole[:1].any() for rings in geometry.objects)

    def is_exact(self, masks: Sequence[Mask], size: tuple[int, int]) -> bool:
        """Masks that come back as they are: all of them where `tolerance` and `points` are 0 and
        no side has `bins` pixels or more, and otherwise those that happen to.
        """
        if self.tolerance == 0 and self.points == 0 and max(size) < self.bins:
            return True
        return super().is_exact(masks, size)

    def write(self, geometry: Polygons) -> str:
        """Spell rings, one object a line.

        Raises:
            EncodeError: a label that no line can hold, another number of bins, a vertex outside
                of them, a ring of fewer than three vertices, or a hole that comes first.
        """
        if geometry.bins != self.bins:
            raise EncodeError(
                f"{self.name}: the geometry has {geometry.bins} bins, expected {self.bins}; "
                f"use polygon:bins={geometry.bins}"
            )
        lines = []
        for label, rings in zip(geometry.labels, geometry.objects, strict=True):
            check_label(label, self.name, FORBIDDEN)
            lines.append(f"{label}: {self._spell(label, rings)}")
        return "\n".join(lines) or NONE

    def _spell(self, label: str, rings: Rings) -> str:
        if not len(rings.hole):
            return NONE
        if rings.hole[0] or np.diff(rings.starts).min() < 3:
            raise EncodeError(
                f"{self.name}: object {label!r} begins with a hole, or has a ring of fewer than "
                "three vertices"
            )
        if rings.xy.min() < 0 or rings.xy.max() >= self.bins:
            raise EncodeError(f"{self.name}: object {label!r} has a vertex outside of the bins")
        first, *others = map(self._words.spell, rings.split())
        signs = (SIGNS[hole] for hole in rings.hole[1:].tolist())
        return first + "".join(sign + ring for sign, ring in zip(signs, others, strict=True))

    def parse(self, text: str, *, errors: Errors = "strict") -> tuple[Polygons, list[Repair]]:
        """Read objects line by line.

        Repairs: half a vertex, words and marks that belong to none, and rings of fewer than three
        vertices are dropped; bins out of range become the largest; digits may stand in pairs of
        numbers, or run on without blanks; several objects may share a line, and a label may stand
        on the line before; a line without a label goes on with the object above.
        """
        log = RepairLog(self.name, text, errors)
        geometry = Reader(self._words, log).read()
        return geometry, log.repairs

    def grammar(self, labels: Sequence[str] | None = None) -> str:
        """See `Codec.grammar`; the range of every number and three vertices a ring are enforced.

        Raises:
            EncodeError: a label that no line can hold.
        """
        labels = list_labels(labels, self.name)
        for label in labels or ():
            check_label(label, self.name, FORBIDDEN)
        return _polygon_grammar.grammar(self._words, labels)
