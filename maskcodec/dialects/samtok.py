"""`samtok`: SAMTok's two words a mask (arXiv 2601.16093), a code and a residual one, without a box.

The first code is 0 to 255, the second 256 to 511, both in four digits::

    <|mt_start|><|mt_0230|><|mt_0345|><|mt_end|>

`form=json` is the list that SAMTok's models print where they detect objects, `[]` for none::

    [{"mask_2d": "<|mt_start|><|mt_0230|><|mt_0345|><|mt_end|>", "label": "dog"}]

The tokens alone say no label; masks follow each other with nothing between them, and `none`, this
package's word, says that there is no object.

Published code drops what is more than two codes, and takes a mask whose second code is missing or
out of range as its first one; `repair` does the same. The decoder is SAM 2 with the image, so that
codes alone are no pixels: this codec goes between text and codes only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..codec import Codec
from ..decoded import Errors, Geometry, Pixels, Repair, RepairLog
from ..geometry.tokens import ShapeTokens
from ..labels import list_labels
from ..mask import Mask
from ..registry import register
from ..spans import Span
from ..vocab import Vocab
from . import _code_json as code_json
from . import _code_spans as spans
from ._code_items import Alphabet, Item, gather
from ._code_tags import CodeTag
from ._networks import check_family, draw_nothing, take_nothing
from ._tag_spans import tag_spans

if TYPE_CHECKING:
    import torch

FAMILY = "samtok"
FIRST = CodeTag("<|mt_", "|>", 4, 0, 255)
SECOND = CodeTag("<|mt_", "|>", 4, 256, 511)
FORM = spans.SpanFormat("<|mt_start|>", "<|mt_end|>", Alphabet((FIRST, SECOND), 2))
NEEDS = "SAM 2 (sam2.1_hiera_large), SAMTok's mask tokenizer and the image"

_OBJECT = re.compile(rf'\{{"mask_2d": "({FORM.pattern})", "label": {code_json.STRING}\}}')
_EXPECTED = 'an object {"mask_2d": "…", "label": "…"} of a list'


@register("samtok")
@dataclass(frozen=True)
class SAMTokCodec(Codec[ShapeTokens]):
    """SAMTok's two mask tokens, text to codes and back; pixels need SAM 2 and the image.

    Attributes:
        form: "tokens" writes the tokens alone, "json" a list of objects with their labels.
    """

    form: Literal["tokens", "json"] = "tokens"

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
        """SAMTok's codes, two of each mask; labels only with `form=json`."""
        return (
            isinstance(geometry, ShapeTokens)
            and geometry.family == FAMILY
            and bool((geometry.counts == len(FORM.alphabet.stages)).all())
            and (self.form == "json" or not any(geometry.labels))
        )

    def write(self, geometry: ShapeTokens) -> str:
        """Spell codes, and with `form=json` labels.

        Raises:
            EncodeError: codes of another family, not two, or out of range; a label that JSON
                would have to escape.
        """
        check_family(geometry, FAMILY, 0, self.name)
        FORM.alphabet.check(geometry, self.name)
        masks = list(map(FORM.write, geometry.codes.reshape(-1, 2).tolist()))
        if self.form == "tokens":
            return "".join(masks) or spans.NONE
        objects = (
            f'{{"mask_2d": "{mask}", "label": {code_json.spell_label(label, self.name)}}}'
            for mask, label in zip(masks, geometry.labels, strict=True)
        )
        return f"[{', '.join(objects)}]"

    def parse(self, text: str, *, errors: Errors = "strict") -> tuple[ShapeTokens, list[Repair]]:
        """Read masks, wherever they stand; repairs are those of `himtok`.

        With `form=json`, JSON that is spelt otherwise, broken or cut is searched for its keys and
        tokens. Codes keep the numbers of the text: the second one is 256 to 511.
        """
        log = RepairLog(self.name, text, errors)
        items = spans.read_spans(FORM, log) if self.form == "tokens" else _read_json(log)
        return gather(items, FAMILY, 0), log.repairs

    def vocab(self) -> Vocab:
        """514 tokens."""
        return Vocab(FORM.tokens)

    def grammar(self, labels: Sequence[str] | None = None) -> str:
        """See `Codec.grammar`; only `form=json` holds labels.

        Raises:
            EncodeError: a label that JSON would have to escape.
        """
        labels = list_labels(labels, self.name)
        if self.form == "tokens":
            return spans.grammar(FORM)
        if labels is not None and not labels:
            return 'root ::= "[]"\n'
        rules = [
            r'root ::= "[" (object (", " object)*)? "]"',
            r'object ::= "{\"mask_2d\": \"" mask "\", \"label\": " label "}"',
            *spans.mask_rules(FORM),
            *code_json.label_rules(labels, self.name),
        ]
        return "\n".join(rules) + "\n"


def _read_json(log: RepairLog) -> list[Item]:
    matches, stop = code_json.exact_objects(log.text, _OBJECT)
    if stop < 0:
        return [_exact_item(match) for match in matches]
    log.note("json", stop, _EXPECTED, repr(log.text[stop : stop + 40]), "looks for its pieces")
    items = []
    for fields in code_json.find_objects(log, len(FORM.alphabet.stages)):
        codes = FORM.alphabet.settle(fields.tags, fields.count, fields.end, log)
        items.append(Item(codes, fields.label or ""))
    return items


def _exact_item(match: re.Match[str]) -> Item:
    codes = [int(number) for number in re.findall(r"[0-9]{4}", match[1])]
    return Item(codes, code_json.read_label(match[2]) or "")
