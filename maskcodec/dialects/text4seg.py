"""`text4seg`: a grid over the image, one label a cell, spelt as runs of labels.

The published format (Text4Seg, arXiv 2410.09855) byte for byte, for example at `grid=4`::

    <seg>others *4
     others *1| dog *2| others *1
     others *1| dog *3
     others *4
    </seg>

- `rle=row` (published as R-RLE): runs `LABEL *COUNT` joined by `| `, rows joined by a newline and a
  space. `rle=image` (I-RLE) writes the runs of the whole grid on one line, `rle=none` the label of
  every cell on one line, without counts. A newline ends the last line of each.
- Cells that no object covers are called `others`.
- Sampling and upsampling are nearest. `sample=area|best` and `upsample=bilinear` are ours: they
  change which mask a text is made from or becomes, never how a grid is spelt.

`strict` reads a whole answer as published: a sentence that ends in a newline, or nothing, and then
one `<seg>...</seg>` that fills the grid, and nothing after it. A label must not be empty, begin or
end with white space, hold control characters, `*`, `|` or the tags, or be the background's name in
other letter case. `escape=true` carries any label but the empty one, as `%HEX;` for each character
that can't stand; the format is then ours and not the published one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

from .. import grammar
from .._ext import grid_write
from ..codec import MAX_OBJECTS, Codec
from ..decoded import Errors, Geometry, Pixels, Repair
from ..errors import EncodeError, MaskCodecError, SpecError
from ..geometry import grid as grids
from ..geometry.grid import MAX_SIDE, Cells, Grid, Sample, Upsample
from ..labels import check_label, list_labels
from ..mask import Mask, check_masks
from ..registry import register
from ..spans import Span
from ..spec import GridSize
from ._text4seg_labels import FORBIDDEN, NAME, spell_label
from ._text4seg_reader import Form, read
from ._text4seg_span import CLOSE, OPEN

if TYPE_CHECKING:
    import torch

MAX_LINE = 1_024
"""Cells on a line up to which there is a grammar: engines recurse once a cell that may remain."""

NEXT_ROW, END = "\n ", "\n"

_RUN = re.compile(r"(?P<label>[^\s*|<>][^*|<>\n]*?)(?: (?P<count>\*[0-9]+))?(?=\||\n|<|\Z)")

_STYLES = {"none": 0, "image": 1, "row": 2}  # of `grid_write.write`

_ROOM = 1 << 15  # bytes; enough for most texts, and taken from no system call

_BYTE = np.dtype(np.uint8)  # quicker than to look it up for each text


@register("text4seg")
@dataclass(frozen=True)
class Text4Seg(Codec[Grid]):
    """A grid of labels in Text4Seg's format.

    Attributes:
        grid: rows and columns, each 1 to 1,024.
        rle: "row" writes runs row by row, "image" runs of the whole grid, "none" every cell.
        sample: how a cell finds its label, see `maskcodec.geometry.grid.analyze`.
        background: the label of cells without an object.
        escape: whether labels that the format can't hold are escaped, or refused.
        upsample: how cells become pixels, see `maskcodec.geometry.grid.render_batch`.
    """

    grid: GridSize = GridSize(16, 16)
    rle: Literal["none", "image", "row"] = "row"
    sample: Sample = "nearest"
    background: str = "others"
    escape: bool = False
    upsample: Upsample = "nearest"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (1 <= self.grid.rows <= MAX_SIDE and 1 <= self.grid.columns <= MAX_SIDE):
            raise SpecError(f"grid={self.grid}: rows and columns must be 1 to {MAX_SIDE:,}")
        try:
            check_label(self.background, NAME, FORBIDDEN, hint="choose another")
        except EncodeError as error:
            raise SpecError(f"background={self.background}: {error}") from None

    @cached_property
    def _form(self) -> Form:
        return Form(*self.grid, self.rle, self.background, self.escape)

    def analyze(self, masks: Sequence[Mask], size: tuple[int, int]) -> Grid:
        """See `Codec.analyze`. Masks of one label become one object."""
        size = check_masks(masks, size)
        for label in dict.fromkeys(mask.label for mask in masks):
            spell_label(label, self.background, self.escape)
        return grids.analyze(masks, size, self.grid, self.sample, self.background)

    def render_batch(
        self,
        geometries: Sequence[Grid],
        sizes: Sequence[tuple[int, int]],
        *,
        device: str | torch.device = "cpu",
    ) -> list[Pixels]:
        """See `Codec.render_batch`."""
        return grids.render_batch(geometries, sizes, upsample=self.upsample, device=device)

    def write(self, geometry: Grid) -> str:
        """Spell a grid of the codec's own rows and columns."""
        if geometry.cells.shape != self.grid:
            rows, columns = geometry.cells.shape
            raise EncodeError(
                f"{self.name}: the grid is {rows}x{columns}, but this codec writes "
                f"{self.grid.rows}x{self.grid.columns}; decode it to masks and encode those"
            )
        if len(geometry.labels) > MAX_OBJECTS:
            raise EncodeError(
                f"{self.name}: {len(geometry.labels):,} labels, but a text holds {MAX_OBJECTS:,}"
            )
        labels = [spell_label(label, self.background, self.escape) for label in geometry.labels]
        names = "\n".join((self.background, *labels, "")).encode()
        return f"{OPEN}{write_cells(geometry.cells, names, _STYLES[self.rle])}{CLOSE}"

    def parse(self, text: str, *, errors: Errors = "strict") -> tuple[Grid, list[Repair]]:
        """Read an answer.

        Repairs: a row with too few or too many cells is mended where it then agrees best with its
        neighbours and costs no other row; an answer that breaks off keeps its complete rows, and
        what is missing is background; other spacing, separators and times signs, missing counts,
        bars and tags are understood; runs of another `rle` and rows of another grid are read by
        their numbers of cells, where a grid keeps its own size. A count is cut to its row.
        """
        return read(text, self._form, errors)

    def grammar(self, labels: Sequence[str] | None = None) -> str | None:
        """EBNF of the texts that use no label but `labels`.

        There is none for free labels (`labels=None`): an open class of characters takes engines
        longer to compile than a model needs to answer. Nor is there one where a line of counts
        has more than 1,024 cells, that is for `rle=image` beyond 32x32.
        """
        per_line = self.grid.columns if self.rle == "row" else self.grid.rows * self.grid.columns
        if labels is None or (self.rle != "none" and per_line > MAX_LINE):
            return None
        names = [
            spell_label(label, self.background, self.escape)
            for label in list_labels(labels, self.name) or ()
        ]
        rules = [f"label ::= {grammar.choice([self.background, *names])}"]
        if self.rle == "none":
            body = f"label {grammar.repeat(grammar.literal('| ') + ' label', per_line - 1)}"
        else:
            rules += grammar.run_rules(per_line, "label", " *", "| ")
            body = f"r{per_line}"
        if self.rle == "row":
            body += " " + grammar.repeat(
                f"{grammar.literal(NEXT_ROW)} r{per_line}", self.grid.rows - 1
            )
        root = f"root ::= {grammar.literal(OPEN)} {body} {grammar.literal(END + CLOSE)}"
        return "\n".join([root, *rules]) + "\n"

    def spans(self, text: str) -> list[Span]:
        """See `Codec.spans`; a label other than the background's says where, its count the shape.

        The background's runs count as labels: there are so many of them that they drown the rest.
        """
        found = []
        for match in _RUN.finditer(text):
            if match["label"] == self.background:
                found.append(Span(match.start(), match.end(), "label"))
                continue
            found.append(Span(*match.span("label"), "where"))
            if match["count"]:
                found.append(Span(*match.span("count"), "shape"))
        return found

    def adopts(self, geometry: Geometry) -> bool:
        """A grid of the same rows and columns, from whatever dialect."""
        return isinstance(geometry, Grid) and geometry.cells.shape == self.grid

    def is_exact(self, masks: Sequence[Mask], size: tuple[int, int]) -> bool:
        """Whether decoding these masks' text and encoding again gives the same text.

        Nearest undoes itself at any size. So do area and best, unless the image is larger than the
        grid along one axis and smaller along the other: cells that own no pixel then show one
        pixel of a cell that the others judged by several. Bilinear moves edges, except where it is
        sampled at the cells' own centres: at an odd number of pixels a cell.
        """
        sides = [*zip(size, self.grid, strict=True)]
        if self.upsample == "bilinear":
            odd = all(pixels % cells == 0 and pixels // cells % 2 for pixels, cells in sides)
            return self.sample == "nearest" and odd
        return (
            self.sample == "nearest"
            or all(pixels >= cells for pixels, cells in sides)
            or all(pixels <= cells for pixels, cells in sides)
        )


def write_cells(cells: Cells, names: bytes, style: int) -> str:
    """Spell the lines of a grid: `names` holds the label of each number, a newline after each."""
    rows, columns = cells.shape
    room = _ROOM
    while True:
        out = np.empty(room, _BYTE)
        written = grid_write.write(cells, rows, columns, names, style, out)
        if written < 0:
            raise MaskCodecError("a cell's number has no label in the grid's table")
        if written <= room:
            return out[:written].tobytes().decode()
        room = written
