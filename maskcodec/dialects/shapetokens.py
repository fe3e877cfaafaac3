"""`shapetokens`: a box and a few codes of a codebook, coarse to fine; every prefix is a shape.

One object a line, `LABEL: BOX CODES`, the box as four edges in 0..1023 of the image's width and
height, left, top, right, bottom, and then up to sixteen codes in 0..1023. How these are spelt is an
option. `spelling=added` takes tokens of its own, to be added to a tokenizer as ordinary tokens
(here with `tokens=3`)::

    dog: <|b_0103|><|b_0250|><|b_0388|><|b_0771|><|m_0012|><|m_0993|><|m_0005|>

and `<|m_00_0012|><|m_01_0993|>…` with `ids=per_stage`. The others add no token:

- `spelling=words` takes 2,048 rare words, each one token of many vocabularies with the blank before
  it: `dog: accepts braces …`. They stand in `shapetokens_words.txt`, first the edges in
  alphabetical order, then the codes;
- `spelling=unused` takes `<unused1024>` to `<unused3071>`, which Gemma 3 keeps free, the first
  1,024 for edges and the others for codes;
- `spelling=digits` takes numbers, for comparison: `dog: 103,250,388,771 12 993 5`.

Left is at most right and top at most bottom, which is the one rule that the grammar can't say; a
box without area holds no pixel. A mask without pixels is `LABEL: none`, and `none` alone says that
there is no object. A label may hold anything but line breaks, control characters and `: `, which
ends it. An object has `tokens` codes, or with `iou` above 0 one to `tokens` of them. The format is
this project's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..codec import Codec, check_lengths
from ..decoded import Errors, Geometry, Pixels, Repair, RepairLog
from ..errors import EncodeError, SpecError
from ..geometry.tokens import CODEBOOK_NAME, ShapeTokens
from ..labels import check_label, list_labels
from ..mask import Mask, check_masks
from ..registry import register
from ..spans import Span, label_and_rest, pieces
from ..vocab import Vocab
from . import _shapetokens_grammar
from ._object_lines import FORBIDDEN, NONE
from ._shapetokens_pieces import STAGES, VALUES, Ids, Pieces, Spelling, pieces_of
from ._shapetokens_reader import Reader

if TYPE_CHECKING:
    import torch


@register("shapetokens")
@dataclass(frozen=True)
class ShapeTokensCodec(Codec[ShapeTokens]):
    """A box and codes of a codebook: the fewest tokens an object.

    Attributes:
        codebook: the name of the codebook, which stands for one set of numbers for ever.
        tokens: the most codes an object, 1 to 16.
        iou: 0 writes `tokens` codes; above it, the fewest (at least one) that reach this IoU.
        boxes: boxes that the encoder tries for each object, 1 to 3: 1 takes the tight one; the
            others leave out a little of the object at each side. Each costs as much time.
        ids: "per_stage" gives the codes of each place tokens of their own; only with
            `spelling="added"`.
        spelling: "added", "words", "unused" or "digits".
    """

    codebook: str = "shapes1"
    tokens: int = 8
    iou: float = 0.0
    boxes: int = 2
    ids: Ids = "shared"
    spelling: Spelling = "added"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not CODEBOOK_NAME.fullmatch(self.codebook):
            raise SpecError(f"codebook={self.codebook!r} is no name of a codebook")
        if not 1 <= self.tokens <= STAGES:
            raise SpecError(f"tokens={self.tokens} is not 1 to {STAGES}")
        if not 1 <= self.boxes <= 3:
            raise SpecError(f"boxes={self.boxes} is not 1 to 3")
        if not 0 <= self.iou <= 1:
            raise SpecError(f"iou={self.iou} is not 0 to 1")
        if self.ids == "per_stage" and self.spelling != "added":
            raise SpecError(
                f"ids=per_stage needs {STAGES * VALUES:,} codes, which only spelling=added has; "
                f"use ids=shared with spelling={self.spelling}"
            )

    @property
    def family(self) -> str:
        """Whose codes they are, as the geometry names it."""
        return f"{self.name}:{self.codebook}"

    @property
    def pieces(self) -> Pieces:
        """The table of edges and codes as text."""
        return pieces_of(self.spelling, self.ids)

    @property
    def fewest(self) -> int:
        """The fewest codes of an object that has pixels."""
        return 1 if self.iou else self.tokens

    def shorter(self, tokens: int) -> ShapeTokensCodec:
        """The codec of the same texts with at most `tokens` codes an object, and at least one."""
        return replace(self, tokens=max(1, min(self.tokens, tokens)))

    def analyze(self, masks: Sequence[Mask], size: tuple[int, int]) -> ShapeTokens:
        """See `Codec.analyze`."""
        size = check_masks(masks, size)
        from ..geometry import shapetokens

        return shapetokens.analyze(masks, size, self.codebook, self.tokens, self.iou, self.boxes)

    def encode_batch(
        self,
        masks: Sequence[Sequence[Mask]],
        sizes: Sequence[tuple[int, int]],
        *,
        threads: int | None = None,
    ) -> list[str]:
        """See `Codec.encode_batch`; the codes of many masks are searched for together."""
        from ..geometry import shapetokens

        masks, sizes = list(masks), list(sizes)
        check_lengths("masks", len(masks), len(sizes))
        checked = [check_masks(one, size) for one, size in zip(masks, sizes, strict=True)]
        found = shapetokens.analyze_batch(
            masks,
            checked,
            self.codebook,
            self.tokens,
            self.iou,
            self.boxes,
            threads=threads,
        )
        return [self.write(geometry) for geometry in found]

    def render_batch(
        self,
        geometries: Sequence[ShapeTokens],
        sizes: Sequence[tuple[int, int]],
        *,
        device: str | torch.device = "cpu",
    ) -> list[Pixels]:
        """See `Codec.render_batch`."""
        from ..geometry import shapetokens

        return shapetokens.render_batch(geometries, sizes, device=device)

    def vocab(self) -> Vocab:
        """See `Codec.vocab`; for `spelling="added"`, the edges and then the codes."""
        if self.spelling != "added":
            return Vocab()
        codes = (code for stage in self.pieces.stages for code in stage)
        return Vocab((*self.pieces.edges, *codes))

    def spans(self, text: str) -> list[Span]:
        """See `Codec.spans`; the codes go from coarse to fine."""
        found = []
        for label, start, rest in label_and_rest(text):
            found += [*label, *pieces(self.pieces.unit, rest, start, where=4)]
        return found

    def adopts(self, geometry: Geometry) -> bool:
        """Codes of the same codebook, as many as an object may have here."""
        if not isinstance(geometry, ShapeTokens):
            return False
        kin = geometry.family == self.family and geometry.bins == VALUES - 1
        return kin and self._ordered(geometry) and not self._misfits(geometry).any()

    def is_exact(self, masks: Sequence[Mask], size: tuple[int, int]) -> bool:
        """Masks that happen to come back as they are."""
        painted = np.asarray(self.render(self.analyze(masks, size), size))
        return all(
            np.array_equal(mask.array, plane) for mask, plane in zip(masks, painted, strict=True)
        )

    def _misfits(self, geometry: ShapeTokens) -> npt.NDArray[np.bool_]:
        """Which objects have too many codes, or too few; an empty box needs none."""
        counts = geometry.counts
        empty = (counts == 0) & ~geometry.boxes.any(axis=1)
        misfits: npt.NDArray[np.bool_] = (counts < self.fewest) | (counts > self.tokens)
        misfits[empty] = False
        return misfits

    def _ordered(self, geometry: ShapeTokens) -> bool:
        """Whether all boxes are given by their left upper and right lower corners."""
        return bool((geometry.boxes[:, :2] <= geometry.boxes[:, 2:]).all())

    def write(self, geometry: ShapeTokens) -> str:
        """Spell boxes and codes, one object a line.

        Raises:
            EncodeError: a label that no line can hold, codes of another family, or a number of
                codes, a code or an edge that is out of range, or a box out of order.
        """
        self._check(geometry)
        lines = []
        start = 0
        codes = geometry.codes.tolist()
        for label, box, count in zip(
            geometry.labels, geometry.boxes.tolist(), geometry.counts.tolist(), strict=True
        ):
            check_label(label, self.name, FORBIDDEN)
            shape = codes[start : start + count]
            lines.append(f"{label}: {self.pieces.spell(box, shape) if count else NONE}")
            start += count
        return "\n".join(lines) or NONE

    def _check(self, geometry: ShapeTokens) -> None:
        if geometry.family != self.family or geometry.bins != VALUES - 1:
            raise EncodeError(
                f"{self.name}: the geometry is of {geometry.family!r} with edges in "
                f"0..{geometry.bins}, expected {self.family!r} with edges in 0..{VALUES - 1}"
            )
        misfits = self._misfits(geometry)
        if misfits.any():
            index = int(misfits.argmax())
            expected = f"1 to {self.tokens}" if self.iou else f"{self.tokens}"
            raise EncodeError(
                f"{self.name}: object {geometry.labels[index]!r} has "
                f"{geometry.counts[index]} codes, expected {expected}"
            )
        if not self._ordered(geometry):
            raise EncodeError(f"{self.name}: a box has its left or upper edge beyond the other")
        for name, values in (("an edge", geometry.boxes), ("a code", geometry.codes)):
            if values.size and not 0 <= values.min() <= values.max() < VALUES:
                raise EncodeError(f"{self.name}: {name} is not in 0..{VALUES - 1}")

    def parse(self, text: str, *, errors: Errors = "strict") -> tuple[ShapeTokens, list[Repair]]:
        """Read objects line by line.

        Repairs: an object keeps its codes up to the first that is missing, out of range or at
        another place than its own, and drops the rest; without any code it is the codebook's mean
        shape. An object without four edges is dropped; edges beyond 1023 become 1023, and edges
        out of order are swapped. Pieces of another spelling count as what they stand for, and so
        do numbers that are not padded (`<|m_5|>`). Several objects may share a line, a label may
        stand on the line before, and a line of codes alone goes on with the object above.
        """
        log = RepairLog(self.name, text, errors)
        found = Reader(self.pieces, self.fewest, self.tokens, log).read()
        numbers = [*chain.from_iterable([item.box for item in found])]
        numbers += [len(item.codes) for item in found]
        numbers += chain.from_iterable([item.codes for item in found])
        array = np.array(numbers, np.int32)  # one, since it takes longer than what it holds
        counts, codes = 4 * len(found), 5 * len(found)
        geometry = ShapeTokens(
            self.family,
            VALUES - 1,
            tuple([item.label for item in found]),
            array[:counts].reshape(-1, 4),
            array[counts:codes],
            array[codes:],
        )
        return geometry, log.repairs

    def grammar(self, labels: Sequence[str] | None = None) -> str:
        """See `Codec.grammar`; the number of codes and the range of all numbers are enforced, but
        not that left and top come before right and bottom.

        With `spelling="added"`, a grammar over characters also lets a model spell its tokens in
        parts; `maskcodec.token_ids` constrains by token id instead.

        Raises:
            EncodeError: a label that no line can hold.
        """
        labels = list_labels(labels, self.name)
        for label in labels or ():
            check_label(label, self.name, FORBIDDEN)
        return _shapetokens_grammar.grammar(self.pieces, self.fewest, self.tokens, labels)
