"""`alto`: ALTo's mask tokens (arXiv 2505.16495), as many as a mask needs, without a box.

A mask is 1 to 32 codes of 0 to 1023, not padded, between a start and an end::

    <ALTo_Start><TOK_17><TOK_900><TOK_3><ALTo_End>

It says no label. Masks follow each other with nothing between them; `none`, this package's word,
says that there is no object.

ALTo's decoder sees the image (SAM ViT-L features), so that codes alone are no pixels: this codec
goes between text and codes only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from ..codec import Codec
from ..decoded import Errors, Geometry, Pixels, Repair, RepairLog
from ..geometry.tokens import ShapeTokens
from ..labels import list_labels
from ..mask import Mask
from ..registry import register
from ..spans import Span
from ..vocab import Vocab
from ._code_items import Alphabet, gather
from ._code_spans import NONE, SpanFormat, grammar, read_spans
from ._code_tags import CodeTag
from ._networks import check_family, draw_nothing, take_nothing
from ._tag_spans import tag_spans

if TYPE_CHECKING:
    import torch

FAMILY = "alto"
CODES = 32
FORM = SpanFormat(
    "<ALTo_Start>", "<ALTo_End>", Alphabet((CodeTag("<TOK_", ">", 0, 0, 1023),) * CODES, 1)
)
NEEDS = "ALTo's own network and the image's features by SAM ViT-L"


@register("alto")
@dataclass(frozen=True)
class ALToCodec(Codec[ShapeTokens]):
    """ALTo's 1 to 32 mask tokens, text to codes and back; pixels need SAM and the image."""

    def analyze(self, masks: Sequence[Mask], size: tuple[int, int]) -> ShapeTokens:
        """Only for no mask at all.

        Raises:
            MaskCodecError: there is a mask.
        """
        return take_nothing(masks, FAMILY, NEEDS)

    def render_batch(
        self,
        geometries: Sequence[ShapeTokens],
        sizes: Sequence[tuple[int, int]],
        *,
        device: str | torch.device = "cpu",
    ) -> list[Pixels]:
        """Only for texts without a mask.

        Raises:
            MaskCodecError: there is a mask.
        """
        return draw_nothing(geometries, sizes, device, FAMILY, NEEDS)

    def spans(self, text: str) -> list[Span]:
        """See `Codec.spans`; the first code says where."""
        return tag_spans(text)

    def adopts(self, geometry: Geometry) -> bool:
        """ALTo's codes without labels, 1 to 32 of each mask."""
        return (
            isinstance(geometry, ShapeTokens)
            and geometry.family == FAMILY
            and not any(geometry.labels)
            and bool(((geometry.counts >= 1) & (geometry.counts <= CODES)).all())
        )

    def write(self, geometry: ShapeTokens) -> str:
        """Spell codes; labels are left out.

        Raises:
            EncodeError: codes of another family, or not 1 to 32 of 0 to 1023.
        """
        check_family(geometry, FAMILY, 0, self.name)
        FORM.alphabet.check(geometry, self.name)
        ends = [0, *np.cumsum(geometry.counts, dtype=np.int64).tolist()]
        codes = geometry.codes.tolist()
        return "".join(FORM.write(codes[start:end]) for start, end in pairwise(ends)) or NONE

    def parse(self, text: str, *, errors: Errors = "strict") -> tuple[ShapeTokens, list[Repair]]:
        """Read masks, wherever they stand; repairs are those of `himtok`."""
        log = RepairLog(self.name, text, errors)
        return gather(read_spans(FORM, log), FAMILY, 0), log.repairs

    def vocab(self) -> Vocab:
        """1,026 tokens."""
        return Vocab(FORM.tokens)

    def grammar(self, labels: Sequence[str] | None = None) -> str:
        """See `Codec.grammar`; `labels` changes nothing, since a text holds none."""
        list_labels(labels, self.name)
        return grammar(FORM)
