"""A small codec of shape tokens whose prefixes mean something, for tests of what uses them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from maskcodec import Codec, Mask, MaskCodecError, Repair, get_codec, registry
from maskcodec.decoded import Errors, Pixels, RepairLog
from maskcodec.geometry.boxes import to_bins, to_pixels
from maskcodec.geometry.tokens import ShapeTokens
from maskcodec.rle import mask_bounding_box
from maskcodec.vocab import Vocab

BINS = 1023
OBJECT = re.compile(r"(\w+)((?:<b[0-9]+>){4})((?:<s[0-9]+>)*)")


@dataclass(frozen=True)
class Strips(Codec[ShapeTokens]):
    """A box in `tokens` strips; each code narrows one of them to the object's first and last column
    there, in 32nds. A strip without a code is full.
    """

    tokens: int = 8
    name = "strips"

    def analyze(self, masks: Sequence[Mask], size: tuple[int, int]) -> ShapeTokens:
        """Boxes and strips."""
        boxes, counts, codes = [], [], []
        for mask in masks:
            box = mask_bounding_box(mask.array) or (0, 0, 0, 0)
            boxes.append(to_bins(box, size, BINS) if any(box) else box)
            left, top, right, bottom = to_pixels(np.array(boxes[-1], np.int32), size, BINS).tolist()
            found = []
            for strip in np.array_split(mask.array[top:bottom, left:right], self.tokens):
                columns = np.flatnonzero(strip.any(axis=0)) if strip.size else np.zeros(0, int)
                first, last = (columns[0], columns[-1]) if len(columns) else (0, right - left - 1)
                wide = max(1, right - left)
                found.append(32 * int(first * 32 // wide) + int(last * 32 // wide))
            codes += found
            counts.append(len(found))
        return ShapeTokens(
            "strips",
            BINS,
            tuple(mask.label for mask in masks),
            np.array(boxes, np.int32).reshape(-1, 4),
            np.array(counts, np.int32),
            np.array(codes, np.int32),
        )

    def render_batch(
        self,
        geometries: Sequence[ShapeTokens],
        sizes: Sequence[tuple[int, int]],
        *,
        device: object = "cpu",
    ) -> list[Pixels]:
        """Boxes less what the strips take away."""
        return [self._paint(*pair) for pair in zip(geometries, sizes, strict=True)]

    def _paint(self, geometry: ShapeTokens, size: tuple[int, int]) -> Pixels:
        planes = np.zeros((len(geometry.labels), *size), np.bool_)
        for index, plane in enumerate(planes):
            box = to_pixels(geometry.boxes[index], size, BINS)
            left, top, right, bottom = box.tolist()
            plane[top:bottom, left:right] = True
            rows = np.array_split(np.arange(top, bottom), self.tokens)
            place = (np.arange(right - left) * 32) // max(1, right - left)
            for strip, code in zip(rows, geometry.codes_of(index).tolist(), strict=False):
                kept = (place >= code // 32) & (place <= code % 32)
                plane[np.ix_(strip, left + np.flatnonzero(~kept))] = False
        return planes

    def write(self, geometry: ShapeTokens) -> str:
        """`dog<b1><b2><b3><b4><s7><s8>`, one object after the other."""
        texts = []
        for index, label in enumerate(geometry.labels):
            box = "".join(f"<b{edge}>" for edge in geometry.boxes[index].tolist())
            codes = "".join(f"<s{code}>" for code in geometry.codes_of(index).tolist())
            texts.append(label + box + codes)
        return " ".join(texts) or "none"

    def parse(self, text: str, *, errors: Errors = "strict") -> tuple[ShapeTokens, list[Repair]]:
        """Every object that stands in the text."""
        log = RepairLog(self.name, text, errors)
        found = OBJECT.findall(text)
        if not found and text != "none":
            log.note("text", 0, "an object", repr(text[:8]), "reads none")
        numbers = [[int(n) for n in re.findall("[0-9]+", box)] for _, box, _ in found]
        codes = [[int(n) for n in re.findall("[0-9]+", rest)] for _, _, rest in found]
        return ShapeTokens(
            "strips",
            BINS,
            tuple(label for label, _, _ in found),
            np.array(numbers, np.int32).reshape(-1, 4),
            np.array([len(one) for one in codes], np.int32),
            np.array([code for one in codes for code in one], np.int32),
        ), log.repairs

    def vocab(self) -> Vocab:
        """Edges of boxes and codes."""
        return Vocab((*(f"<b{n}>" for n in range(1024)), *(f"<s{n}>" for n in range(1024))))


@dataclass(frozen=True)
class Unusable(Strips):
    """Reads its texts, but writes none, like a published tokenizer without its weights."""

    name = "unusable"

    def analyze(self, masks: Sequence[Mask], size: tuple[int, int]) -> ShapeTokens:
        """Raise."""
        raise MaskCodecError("unusable: needs weights")


@pytest.fixture
def strips(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make `strips` and `unusable` known while a test runs."""
    get_codec("coco_rle")  # what the package has is loaded first
    monkeypatch.setitem(registry._registered, "strips", Strips)
    monkeypatch.setitem(registry._registered, "unusable", Unusable)
