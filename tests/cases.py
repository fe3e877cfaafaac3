"""The specs that `test_contract.py` holds to the laws: a new codec adds one line here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stand_in import add_stand_in

from maskcodec import Codec, get_codec


@dataclass(frozen=True)
class Case:
    """One codec with options.

    Attributes:
        spec: the spec string.
        exact: whether law 2 must hold for the masks of `test_contract.exact_masks`.
        cut: what a cut text keeps: every complete "object", every complete "row" of the image, or
            "none" that this test can see.
        grammar: whether the codec gives a grammar.
        keeps_empty: whether a mask without pixels survives with its label.
        pixels: whether masks can be taken and drawn here; else `stand_in` does it, for a codec
            whose network has no weights here.
        labels: whether texts hold labels; else all are empty.
        loose: repairs that a text of the grammar may need, since no grammar can say it.
    """

    spec: str
    exact: bool = True
    cut: str = "object"
    grammar: bool = True
    keeps_empty: bool = True
    pixels: bool = True
    labels: bool = True
    loose: tuple[str, ...] = ()

    @property
    def codec(self) -> Codec[Any]:
        """The codec itself."""
        codec = get_codec(self.spec)
        return codec if self.pixels else add_stand_in(codec)

    def label(self, label: str) -> str:
        """The label that is left of a mask's."""
        return label if self.labels else ""

    def __str__(self) -> str:
        return self.spec


CASES = [
    Case("text4seg:grid=16", cut="row", keeps_empty=False),
    Case("text4seg:grid=24x32,sample=best", cut="row", keeps_empty=False),
    Case("text4seg:grid=32,sample=area,upsample=bilinear", False, "row", keeps_empty=False),
    Case("text4seg:grid=16,rle=none", cut="none", keeps_empty=False),
    Case("text4seg:grid=16,rle=image,escape=true", cut="none", keeps_empty=False),
    Case("boxgrid"),
    Case("boxgrid:rows=12"),
    Case("polygon"),
    Case("polygon:bins=1000,tolerance=0.0,alphabet=decimal"),
    Case("polygon:points=12"),
    Case("florence2", keeps_empty=False),
    Case("florence2:form=poly,points=20", keeps_empty=False),
    Case("simpleseg", keeps_empty=False, labels=False),
    Case("vistallm", keeps_empty=False, labels=False),
    Case("coco_rle", grammar=False),
    Case("coco_rle:alphabet=coco", grammar=False),
    Case("shapetokens", loose=("box-order",)),
    Case("shapetokens:spelling=words,tokens=4", False, loose=("box-order",)),
    Case("shapetokens:ids=per_stage,iou=0.9,tokens=16", loose=("box-order",)),
    Case("shapetokens:spelling=digits", loose=("box-order",)),
    Case("shapetokens:spelling=unused", loose=("box-order",)),
    Case("gemini", grammar=False, keeps_empty=False),
    Case("gemini:side=24", grammar=False, keeps_empty=False),
    Case("himtok", False, pixels=False, labels=False),
    Case("alto", False, pixels=False, labels=False),
    Case("samtok", False, pixels=False, labels=False),
    Case("samtok:form=json", False, pixels=False),
    Case("paligemma", False, pixels=False, loose=("box-order",)),
    Case("paligemma:boxes=demo", False, pixels=False, loose=("box-order",)),
    Case("paligemma:form=gemini", False, pixels=False, loose=("box-order",)),
]
