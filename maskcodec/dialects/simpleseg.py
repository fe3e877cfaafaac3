"""`simpleseg`: SimpleSeg's lists of polygons, in parts of the image's sides.

Each polygon is a list of `[x,y]`, 0 to 1 with three decimals; an object is the list of its parts::

    [[[0.101,0.096],[0.250,0.097],[0.180,0.300]],[[0.400,0.410],…]]

It says no label: that stands in the question. There are no holes, and a mask without pixels is left
out. One object a line, and `[]` where there is none, are this package's ways.

Published: arXiv 2601.19228. Vertices are chosen by Douglas and Peucker's method, within a
thousandth of the outline's length, as there; the outline is that of the pixels' edges, whose steps
are smoothed where that takes fewer vertices.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..decoded import Errors, Geometry, Repair, RepairLog
from ..errors import EncodeError, SpecError
from ..geometry import outer_rings
from ..geometry.polygon import Polygons
from ..labels import list_labels
from ..mask import Mask, check_masks
from ..registry import register
from ..spans import Span, lines, pieces
from ._ring_codec import RingsCodec
from ._simpleseg_reader import LARGEST, NONE, read

_POINT = re.compile(r"\[?[0-9.]+,[0-9.]+\]?")


@register("simpleseg")
@dataclass(frozen=True)
class SimpleSegCodec(RingsCodec):
    """SimpleSeg's polygons: lists of `[x,y]` with three decimals, 0 to 1.

    Attributes:
        epsilon: how far a vertex that is left out may lie from the outline, as a part of the
            outline's length, 0 to 1.
    """

    epsilon: float = 0.001

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.epsilon <= 1:
            raise SpecError(f"epsilon={self.epsilon} is not 0 to 1, a part of the outline's length")

    def analyze(self, masks: Sequence[Mask], size: tuple[int, int]) -> Polygons:
        """See `Codec.analyze`; masks without pixels are left out."""
        check_masks(masks, size)
        return outer_rings.polygons_of(
            masks, LARGEST + 1, lambda a: outer_rings.within_distance(a, self.epsilon), _place
        )

    def spans(self, text: str) -> list[Span]:
        """See `Codec.spans`; the first vertex of an object says where it is."""
        found = []
        for start, line in lines(text):
            if line == NONE:
                found.append(Span(start, start + len(line), "where"))
            else:
                found += pieces(_POINT, line, start, where=1)
        return found

    def adopts(self, geometry: Geometry) -> bool:
        """Polygons of 1,001 bins without holes or labels."""
        return (
            isinstance(geometry, Polygons) and not any(geometry.labels) and not _refusal(geometry)
        )

    def write(self, geometry: Polygons) -> str:
        """Spell polygons; labels are left out.

        Raises:
            EncodeError: other bins, a hole, an object without a ring, or a ring of fewer than three
                vertices.
        """
        if refusal := _refusal(geometry):
            raise EncodeError(f"{self.name}: {refusal}")
        objects = (",".join(map(_ring, rings.split())) for rings in geometry.objects)
        return "\n".join(f"[{rings}]" for rings in objects) or NONE

    def parse(self, text: str, *, errors: Errors = "strict") -> tuple[Polygons, list[Repair]]:
        """Read objects.

        Repairs: words are skipped, numbers may have any decimals, points in brackets that aren't
        two numbers and rings of fewer than three vertices are dropped, and what is above 1 becomes
        1.
        """
        log = RepairLog(self.name, text, errors)
        return read(log), log.repairs

    def grammar(self, labels: Sequence[str] | None = None) -> str:
        """See `Codec.grammar`; `labels` changes nothing, since a text holds none."""
        list_labels(labels, self.name)
        return (
            'root ::= "[]" | object ("\\n" object)*\n'
            'object ::= "[" ring ("," ring)* "]"\n'
            'ring ::= "[" point "," point ("," point)+ "]"\n'
            'point ::= "[" number "," number "]"\n'
            'number ::= "0." [0-9] [0-9] [0-9] | "1.000"\n'
        )


def _place(xy: npt.NDArray[np.float64], size: tuple[int, int]) -> npt.NDArray[np.int32]:
    """Vertices in pixels as thousandths of the sides of `size` (height, width)."""
    return np.floor(xy * LARGEST / size[::-1] + 0.5).clip(0, LARGEST).astype(np.int32)


def _ring(ring: npt.NDArray[np.int32]) -> str:
    points = (f"[{x / LARGEST:.3f},{y / LARGEST:.3f}]" for x, y in ring.tolist())
    return f"[{','.join(points)}]"


def _refusal(geometry: Polygons) -> str:
    """Why polygons can't be spelt; empty if they can."""
    if geometry.bins != LARGEST + 1:
        return f"the geometry has {geometry.bins} bins, expected {LARGEST + 1}"
    for rings in geometry.objects:
        if not len(rings.hole) or rings.hole.any() or np.diff(rings.starts).min() < 3:
            return "an object has a hole, no ring, or a ring of fewer than three vertices"
        if rings.xy.min() < 0 or rings.xy.max() > LARGEST:
            return "an object has a vertex outside of the image"
    return ""
