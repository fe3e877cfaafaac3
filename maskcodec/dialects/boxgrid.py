"""`boxgrid`: a box in digits, then a word a row that says from where to where the object goes.

One object a line, `LABEL: LEFT,TOP,RIGHT,BOTTOM ROW ROW …`; the box in 0..999 of the image's width
and height. With `rows=6`::

    white horse: 103,250,388,771 ks hv dx cz cg.sz bf.ty

The letters `a` to `z` stand for 26 places that divide the width of the box evenly, `a` for its
left side and `z` for its right one. A row is a word: `ks` is one run from place k to place s,
`cg.sz` two of them, `-` none; the letters of a row are in strictly alphabetical order. Rows lie at
the middles of equal strips of the box, from its top, and straight lines join the runs of one row
with those of the next (see `maskcodec.geometry.boxgrid`).

A mask without pixels is `LABEL: none`, and `none` alone says that there is no object. A label may
hold anything but line breaks, control characters and `: `, which ends it. The format is this
project's own; `docs/decisions/0004-boxgrid-spelling.md` says how it was chosen.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..codec import Codec
from ..decoded import Errors, Geometry, Pixels, Repair, RepairLog
from ..errors import EncodeError, SpecError
from ..geometry import boxgrid
from ..geometry.boxgrid import BoxGrid
from ..labels import check_label, list_labels
from ..mask import Mask, check_masks
from ..registry import register
from ..rle import mask_bounding_box
from ..spans import Span, label_and_rest, pieces
from . import _boxgrid_grammar
from ._boxgrid_reader import Reader, spell_row
from ._object_lines import FORBIDDEN, NONE

if TYPE_CHECKING:
    import torch

_PIECE = re.compile(r"[^ ,]+")


@register("boxgrid")
@dataclass(frozen=True)
class BoxGridCodec(Codec[BoxGrid]):
    """Boxes with rows of letters: plain text, no token to add.

    Attributes:
        rows: rows an object, 2 to 64. Each costs about one token.
    """

    rows: int = 24

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 2 <= self.rows <= boxgrid.MAX_ROWS:
            raise SpecError(f"rows={self.rows} is not 2 to {boxgrid.MAX_ROWS}")

    def analyze(self, masks: Sequence[Mask], size: tuple[int, int]) -> BoxGrid:
        """See `Codec.analyze`."""
        size = check_masks(masks, size)
        return boxgrid.analyze(masks, size, self.rows)

    def render_batch(
        self,
        geometries: Sequence[BoxGrid],
        sizes: Sequence[tuple[int, int]],
        *,
        device: str | torch.device = "cpu",
    ) -> list[Pixels]:
        """See `Codec.render_batch`."""
        return boxgrid.render_batch(geometries, sizes, device=device)

    def spans(self, text: str) -> list[Span]:
        """See `Codec.spans`; the shape goes from the top to the bottom."""
        found = []
        for label, start, rest in label_and_rest(text):
            found += [*label, *pieces(_PIECE, rest, start, where=4)]
        return found

    def adopts(self, geometry: Geometry) -> bool:
        """Boxes with as many rows."""
        return isinstance(geometry, BoxGrid) and geometry.rows == self.rows

    def is_exact(self, masks: Sequence[Mask], size: tuple[int, int]) -> bool:
        """Masks that fill their boxes, or are empty, in an image of at most 999 pixels a side."""
        if max(size) > boxgrid.BINS:
            return False
        boxes = [mask_bounding_box(mask.array) for mask in masks]
        return all(
            box is None or bool(mask.array[box[1] : box[3], box[0] : box[2]].all())
            for mask, box in zip(masks, boxes, strict=True)
        )

    def write(self, geometry: BoxGrid) -> str:
        """Spell boxes and their rows, one object a line.

        Raises:
            EncodeError: a label that no line can hold, or another number of rows.
        """
        if geometry.rows != self.rows:
            raise EncodeError(
                f"{self.name}: the geometry has {geometry.rows} rows an object, expected "
                f"{self.rows}; use boxgrid:rows={geometry.rows}"
            )
        spelt = geometry.runs.tobytes()
        ends = (2 * np.cumsum(geometry.counts, dtype=np.int64)).tolist()
        words = [spell_row(spelt[a:b]) for a, b in zip([0, *ends], ends, strict=False)]
        lines = []
        for index, (label, box) in enumerate(
            zip(geometry.labels, geometry.boxes.tolist(), strict=True)
        ):
            check_label(label, self.name, FORBIDDEN)
            shape = words[index * self.rows : (index + 1) * self.rows]
            if shape.count("-") == self.rows:
                lines.append(f"{label}: {NONE}")
            else:
                lines.append(f"{label}: {','.join(map(str, box))} {' '.join(shape)}")
        return "\n".join(lines) or NONE

    def parse(self, text: str, *, errors: Errors = "strict") -> tuple[BoxGrid, list[Repair]]:
        """Read objects line by line.

        Repairs: a row that can't be read is as the row above it; letters out of order are sorted;
        missing rows at the end of the text repeat the last one, missing or surplus rows elsewhere
        are spread over the box; a box without rows is filled; lines without a box are skipped,
        unless they go on with the rows of the line above; numbers beyond 999 become 999.
        """
        log = RepairLog(self.name, text, errors)
        found = Reader(self.rows, log).read()
        rows = [row for item in found for row in item.rows]
        counts = np.array([len(row) // 2 for row in rows], np.uint8)
        geometry = BoxGrid(
            tuple(item.label for item in found),
            np.array([item.box for item in found], np.int32).reshape(-1, 4),
            counts.reshape(-1, self.rows),
            np.frombuffer(b"".join(rows), np.uint8).reshape(-1, 2),
        )
        return geometry, log.repairs

    def grammar(self, labels: Sequence[str] | None = None) -> str:
        """See `Codec.grammar`; the number of rows and the order of letters are enforced.

        Raises:
            EncodeError: a label that no line can hold.
        """
        labels = list_labels(labels, self.name)
        for label in labels or ():
            check_label(label, self.name, FORBIDDEN)
        return _boxgrid_grammar.grammar(self.rows, labels)
