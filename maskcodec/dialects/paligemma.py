"""`paligemma`: PaliGemma's segmentation (arXiv 2407.07726): a box, 16 codes and a label.

The box is y1, x1, y2, x2 in 0 to 1023, in four digits, the codes are 0 to 127 in three, and objects
are joined by ` ; `::

    <loc0103><loc0250><loc0388><loc0771><seg114><seg074>…<seg097> white horse ; <loc…

`strict` reads a label or none (the published training for RefCOCO writes none), and one space or
none before the codes (published models print one). `form=gemini` is the JSON that some Gemini
models print, its box in 0 to 1000, its codes not padded; `[]` is no object::

    [{"box_2d": [103, 250, 388, 771], "mask": "<start_of_mask><seg_114>…", "label": "dog"}]

Tokens say `none`, this package's word, where there is no object. A mask without pixels has a box
without area.

Published code counts every error as a failure; `repair` reads what it can. Where codes are missing,
their cells take the mean of the codebook, since these codes are not coarse to fine. Codes come from
a network and become pixels by it: see `maskcodec.networks.paligemma`, and `maskcodec convert` for
its weights. That Gemini's codes are the same network's is a guess from their look.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..codec import Codec
from ..decoded import Errors, Geometry, Pixels, Repair, RepairLog
from ..errors import EncodeError, SpecError
from ..geometry.tokens import ShapeTokens
from ..labels import check_label, list_labels
from ..mask import Mask, check_masks
from ..registry import register
from ..spans import Span
from ..vocab import Vocab
from . import _code_json as code_json
from . import _paligemma_grammar
from . import _paligemma_reader as reader
from ._code_items import Alphabet, Box, Item, gather
from ._code_tags import CodeTag
from ._networks import check_family, check_name, masks_of, no_objects, no_pixels
from ._tag_spans import tag_spans

if TYPE_CHECKING:
    import torch

FAMILY = "paligemma"
CODES = 16
GEMINI_BINS = 1000
BINS = {"trainer": 1023, "demo": 1024}
"""What stands for the whole width or height, in the text of PaliGemma's trainer and its demo."""

START = "<start_of_mask>"
GEMINI_CODES = Alphabet((CodeTag("<seg_", ">", 0, 0, 127),) * CODES, CODES)

_THOUSAND = CodeTag("", "", 0, 0, GEMINI_BINS)
_BOX = rf"\[({_THOUSAND.pattern}(?:, {_THOUSAND.pattern}){{3}})\]"
_OBJECT = re.compile(
    rf'\{{"box_2d": {_BOX}, "mask": "{START}({GEMINI_CODES.pattern})", '
    rf'"label": {code_json.STRING}\}}'
)
_EXPECTED = 'an object {"box_2d": […], "mask": "…", "label": "…"} of a list'
_NUMBER = re.compile(r"[0-9]+")


@register("paligemma")
@dataclass(frozen=True)
class PaliGemmaCodec(Codec[ShapeTokens]):
    """PaliGemma's box and 16 mask tokens, also in Gemini's JSON; pixels need its VQ-VAE.

    Attributes:
        form: "tokens" for PaliGemma's text, "gemini" for JSON with `<seg_N>`.
        boxes: what the numbers of `<loc…>` mean: "trainer" divides the image in 1023 bins, as
            boxes are written for training, "demo" in 1024, as the published demo reads them.
        weights: a file that `maskcodec convert paligemma` wrote: its path, or its name in the
            folder of weights.
    """

    form: Literal["tokens", "gemini"] = "tokens"
    boxes: Literal["trainer", "demo"] = "trainer"
    weights: str = "paligemma.npz"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_name(self.weights)
        if self.form == "gemini" and self.boxes == "demo":
            raise SpecError("form=gemini has boxes of its own, in 0 to 1000; leave boxes out")

    @property
    def bins(self) -> int:
        """What stands for the whole width or height."""
        return GEMINI_BINS if self.form == "gemini" else BINS[self.boxes]

    @property
    def _largest(self) -> int:
        """The largest number of a box that a text can hold."""
        return min(self.bins, reader.LOC.high)

    def analyze(self, masks: Sequence[Mask], size: tuple[int, int]) -> ShapeTokens:
        """Take the box of each mask, and the codes of what it holds, seen at 64x64 pixels.

        Raises:
            MaskCodecError: torch or the weights are missing.
        """
        size = check_masks(masks, size)
        if not masks:
            return no_objects(FAMILY, self.bins)
        module = masks_of("paligemma")
        taken: ShapeTokens = module.take(self.weights, masks, size, self.bins, self._largest)
        return taken

    def render_batch(
        self,
        geometries: Sequence[ShapeTokens],
        sizes: Sequence[tuple[int, int]],
        *,
        device: str | torch.device = "cpu",
    ) -> list[Pixels]:
        """Draw each mask at 64x64 pixels, and stretch that to its box.

        Raises:
            MaskCodecError: torch or the weights are missing.
        """
        if not any(geometry.labels for geometry in geometries):
            return no_pixels(sizes, device)
        drawn: list[Pixels] = masks_of("paligemma").draw(self.weights, geometries, sizes, device)
        return drawn

    def spans(self, text: str) -> list[Span]:
        """See `Codec.spans`; four numbers say where."""
        return tag_spans(text)

    def adopts(self, geometry: Geometry) -> bool:
        """PaliGemma's codes, all 16 of each object, with boxes in the same bins."""
        return (
            isinstance(geometry, ShapeTokens)
            and geometry.family == FAMILY
            and geometry.bins == self.bins
            and bool((geometry.counts == CODES).all())
        )

    def write(self, geometry: ShapeTokens) -> str:
        """Spell boxes, codes and labels.

        Raises:
            EncodeError: codes of another family, not 16, or out of range; a box that is reversed
                or out of range; a label that the format can't hold.
        """
        check_family(geometry, FAMILY, self.bins, self.name)
        reader.CODES.check(geometry, self.name)
        self._check_boxes(geometry)
        objects = []
        codes = geometry.codes.reshape(-1, CODES).tolist()
        for label, box, item in zip(geometry.labels, geometry.boxes.tolist(), codes, strict=True):
            left, top, right, bottom = box
            spell = self._gemini if self.form == "gemini" else self._tokens
            objects.append(spell([top, left, bottom, right], item, label))
        if self.form == "gemini":
            return f"[{', '.join(objects)}]"
        return reader.JOINT.join(objects) or reader.NONE

    def _check_boxes(self, geometry: ShapeTokens) -> None:
        for index, (left, top, right, bottom) in enumerate(geometry.boxes.tolist()):
            if not (0 <= left <= right <= self._largest and 0 <= top <= bottom <= self._largest):
                raise EncodeError(
                    f"{self.name}: object {index} has the box {(left, top, right, bottom)}, "
                    f"expected left, top, right, bottom in order within 0..{self._largest}"
                )

    def _tokens(self, box: list[int], codes: list[int], label: str) -> str:
        if label:
            check_label(label, self.name, reader.FORBIDDEN)
        places = "".join(map(reader.LOC.write, box))
        return f"{places}{reader.CODES.write(codes)}{' ' if label else ''}{label}"

    def _gemini(self, box: list[int], codes: list[int], label: str) -> str:
        spelt = code_json.spell_label(label, self.name)
        mask = START + GEMINI_CODES.write(codes)
        return f'{{"box_2d": {box}, "mask": "{mask}", "label": {spelt}}}'

    def parse(self, text: str, *, errors: Errors = "strict") -> tuple[ShapeTokens, list[Repair]]:
        """Read objects, wherever they stand.

        Repairs: words around objects are skipped; tokens of the other spelling (`<seg_35>`,
        `<loc12>`) are read as the number that they say; a code out of range ends its mask, and
        what is too much is dropped; a box with its edges in the wrong order is turned round, one
        out of range is cut there, and an object without a whole box is an empty mask.
        """
        log = RepairLog(self.name, text, errors)
        items = reader.read_objects(log) if self.form == "tokens" else _read_json(log)
        return gather(items, FAMILY, self.bins), log.repairs

    def vocab(self) -> Vocab:
        """1,152 tokens of `form=tokens`, which PaliGemma's tokenizer has; none for Gemini."""
        if self.form == "gemini":
            return Vocab((START, *GEMINI_CODES.stages[0].tokens))
        return Vocab((*reader.LOC.tokens, *reader.SEG.tokens))

    def grammar(self, labels: Sequence[str] | None = None) -> str:
        """See `Codec.grammar`; that a box is in order is more than a grammar can say.

        Raises:
            EncodeError: a label that the format can't hold.
        """
        labels = list_labels(labels, self.name)
        return (
            self._gemini_grammar(labels)
            if self.form == "gemini"
            else _paligemma_grammar.grammar(labels)
        )

    def _gemini_grammar(self, labels: Sequence[str] | None) -> str:
        if labels is not None and not labels:
            return 'root ::= "[]"\n'
        stage = GEMINI_CODES.stages[0]
        rules = [
            r'root ::= "[" (object (", " object)*)? "]"',
            r'object ::= "{\"box_2d\": [" number ", " number ", " number ", " number '
            rf'"], \"mask\": \"{START}" code{{{CODES}}} "\", \"label\": " label "}}"',
            f"number ::= {_THOUSAND.expression}",
            f'code ::= "{stage.before}" ({stage.expression}) "{stage.after}"',
            *code_json.label_rules(labels, self.name),
        ]
        return "\n".join(rules) + "\n"


def _read_json(log: RepairLog) -> list[Item]:
    matches, stop = code_json.exact_objects(log.text, _OBJECT)
    exact = [_exact_item(match) for match in matches]
    if stop < 0 and all(_in_order(item.box) for item in exact):
        return exact
    if stop >= 0:
        snippet = repr(log.text[stop : stop + 40])
        log.note("json", stop, _EXPECTED, snippet, "looks for its pieces")
    items = []
    for fields in code_json.find_objects(log, CODES):
        box = _loose_box(fields, log)
        codes = GEMINI_CODES.settle(fields.tags, fields.count, fields.end, log)
        items.append(Item(codes, fields.label or "", box))
    return items


def _exact_item(match: re.Match[str]) -> Item:
    top, left, bottom, right = map(int, _NUMBER.findall(match[1]))
    codes = [int(number) for number in _NUMBER.findall(match[2])]
    return Item(codes, code_json.read_label(match[3]) or "", (left, top, right, bottom))


def _in_order(box: Box) -> bool:
    return box[0] <= box[2] and box[1] <= box[3]


def _loose_box(fields: code_json.Fields, log: RepairLog) -> Box:
    if len(fields.numbers) != 4:
        found = f"{len(fields.numbers)}"
        log.note("box", fields.start, "four numbers of box_2d", found, "reads an empty mask")
        return 0, 0, 0, 0
    top, left, bottom, right = (
        min(max(int(number + 0.5), 0), GEMINI_BINS) for number in fields.numbers
    )
    if any(not 0 <= number <= GEMINI_BINS for number in fields.numbers):
        found = f"{fields.numbers}"
        log.note("box-range", fields.start, f"0 to {GEMINI_BINS}", found, "cuts it there")
    return reader.order_box((left, top, right, bottom), fields.start, log)
