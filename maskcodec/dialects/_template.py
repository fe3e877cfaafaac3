"""A dialect to copy: `NAME.py` beside this file is found by itself, one with a `_` is not.

Say here what the text looks like, to the byte, with an example, and where the format is published::

    dog 0000 0110 0110 0000

One object, its label and a word of zeros and ones a row of the grid; `none` where there is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..codec import Codec
from ..decoded import Errors, Pixels, Repair, RepairLog
from ..errors import EncodeError
from ..geometry import grid
from ..geometry.grid import Grid
from ..labels import check_label
from ..mask import Mask
from ..registry import register

if TYPE_CHECKING:
    import torch

NONE = "none"


@register("template")
@dataclass(frozen=True)
class Template(Codec[Grid]):
    """One line that `maskcodec list` shows.

    Attributes:
        side: rows and columns of the grid. Every field is an option of the spec string.
    """

    side: int = 16

    def analyze(self, masks: Sequence[Mask], size: tuple[int, int]) -> Grid:
        """Pixels to geometry: nearly always one call."""
        if len(masks) > 1:
            raise EncodeError(f"{self.name}: {len(masks)} masks, but the format holds one object")
        return grid.analyze(masks, size, (self.side, self.side), "best", "")

    def render_batch(
        self,
        geometries: Sequence[Grid],
        sizes: Sequence[tuple[int, int]],
        *,
        device: str | torch.device = "cpu",
    ) -> list[Pixels]:
        """Geometry to pixels: one call too, for the CPU and every device."""
        return grid.render_batch(geometries, sizes, upsample="nearest", device=device)

    def write(self, geometry: Grid) -> str:
        """Geometry to text: the exact bytes of the format."""
        if not geometry.labels:
            return NONE
        check_label(geometry.labels[0], self.name, (" ",), hint="use a label of one word")
        rows = ("".join(map(str, row)) for row in geometry.cells.tolist())
        return " ".join([geometry.labels[0], *rows])

    def parse(self, text: str, *, errors: Errors = "strict") -> tuple[Grid, list[Repair]]:
        """Text to geometry: report each departure, then go on with as little loss as possible."""
        log = RepairLog(self.name, text, errors)
        cells = np.zeros((self.side, self.side), np.int32)
        if text == NONE:
            return Grid(("",), cells), []
        label, *rows = text[: 4 * self.side * self.side].split(" ")
        position = len(label) + 1
        if not label.strip():
            log.note("label", 0, "a label", repr(text[:8]), "leaves the label empty")
        for index in range(self.side):
            row = rows[index] if index < len(rows) else ""
            if len(row) != self.side or row.strip("01"):
                log.note(
                    "row",
                    min(position, len(text)),
                    f"row {index} of {self.side} zeros and ones",
                    repr(row[:40]),
                    "reads what is there",
                )
            bits = [character == "1" for character in row[: self.side]]
            cells[index, : len(bits)] = bits
            position += len(row) + 1
        if position <= len(text):
            log.note("rest", position, "the end", repr(text[position:][:8]), "drops the rest")
        return grid.in_reading_order(("", label), cells), log.repairs

    def grammar(self, labels: Sequence[str] | None = None) -> str | None:
        """EBNF of exactly the texts that `parse` takes under "strict"; None where there is none."""
        return None
