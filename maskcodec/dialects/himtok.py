"""`himtok`: HiMTok's hierarchical mask tokens (arXiv 2503.13026), coarse to fine, without a box.

A mask is 32 codes of 0 to 1023, not padded, between a start and an end::

    <|mt_start|><|mt_17|><|mt_1023|>…<|mt_end|>

It says no label: that stands in the question. Masks follow each other with nothing between them;
`none`, this package's word, says that there is no object. A mask without pixels is 32 codes too.

Published code draws an empty mask where the number of codes is wrong. Here `repair` draws the
longest valid prefix, which the network was trained for, and an empty mask only without any code.

Codes come from a network and become pixels by it: see `maskcodec.networks.himtok`, and
`maskcodec convert` for its weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..codec import Codec
from ..decoded import Errors, Geometry, Pixels, Repair, RepairLog
from ..geometry.tokens import ShapeTokens
from ..labels import list_labels
from ..mask import Mask, check_masks
from ..registry import register
from ..spans import Span
from ..vocab import Vocab
from ._code_items import Alphabet, gather
from ._code_spans import NONE, SpanFormat, grammar, read_spans
from ._code_tags import CodeTag
from ._networks import check_family, check_name, masks_of, no_objects, no_pixels
from ._tag_spans import tag_spans

if TYPE_CHECKING:
    import torch

FAMILY = "himtok"
CODES = 32
FORM = SpanFormat(
    "<|mt_start|>",
    "<|mt_end|>",
    Alphabet((CodeTag("<|mt_", "|>", 0, 0, 1023),) * CODES, CODES),
)


@register("himtok")
@dataclass(frozen=True)
class HiMTokCodec(Codec[ShapeTokens]):
    """HiMTok's 32 mask tokens; pixels need its network of 644 million weights.

    Attributes:
        weights: a file that `maskcodec convert himtok` wrote: its path, or its name in the folder
            of weights.
    """

    weights: str = "himtok.npz"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_name(self.weights)

    def analyze(self, masks: Sequence[Mask], size: tuple[int, int]) -> ShapeTokens:
        """Take the codes of each mask, seen at 256x256 pixels.

        Raises:
            MaskCodecError: torch or the weights are missing.
        """
        size = check_masks(masks, size)
        if not masks:
            return no_objects(FAMILY)
        taken: ShapeTokens = masks_of("himtok").take(self.weights, masks, size)
        return taken

    def render_batch(
        self,
        geometries: Sequence[ShapeTokens],
        sizes: Sequence[tuple[int, int]],
        *,
        device: str | torch.device = "cpu",
    ) -> list[Pixels]:
        """Draw each mask at 256x256 pixels, and sample that at its size.

        Raises:
            MaskCodecError: torch or the weights are missing.
        """
        if not any(geometry.labels for geometry in geometries):
            return no_pixels(sizes, device)
        drawn: list[Pixels] = masks_of("himtok").draw(self.weights, geometries, sizes, device)
        return drawn

    def spans(self, text: str) -> list[Span]:
        """See `Codec.spans`; the first code says where."""
        return tag_spans(text)

    def adopts(self, geometry: Geometry) -> bool:
        """HiMTok's codes, all 32 of each mask, without labels."""
        return (
            isinstance(geometry, ShapeTokens)
            and geometry.family == FAMILY
            and not any(geometry.labels)
            and bool((geometry.counts == CODES).all())
        )

    def write(self, geometry: ShapeTokens) -> str:
        """Spell codes; labels are left out.

        Raises:
            EncodeError: codes of another family, or not 32 of 0 to 1023.
        """
        check_family(geometry, FAMILY, 0, self.name)
        FORM.alphabet.check(geometry, self.name)
        masks = geometry.codes.reshape(-1, CODES).tolist()
        return "".join(map(FORM.write, masks)) or NONE

    def parse(self, text: str, *, errors: Errors = "strict") -> tuple[ShapeTokens, list[Repair]]:
        """Read masks, wherever they stand.

        Repairs: words around masks are skipped; a code of another family's spelling
        (`<|mt_0005|>`, `<TOK_5>`) is read as the number that it says; a code out of range ends
        its mask, and what is too much is dropped; a missing start or end stands where the next
        mask begins, or the text ends.
        """
        log = RepairLog(self.name, text, errors)
        return gather(read_spans(FORM, log), FAMILY, 0), log.repairs

    def vocab(self) -> Vocab:
        """1,026 tokens."""
        return Vocab(FORM.tokens)

    def grammar(self, labels: Sequence[str] | None = None) -> str:
        """See `Codec.grammar`; `labels` changes nothing, since a text holds none."""
        list_labels(labels, self.name)
        return grammar(FORM)
