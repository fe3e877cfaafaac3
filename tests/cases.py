"""The specs that `test_contract.py` holds to the laws: a new codec adds one line here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from maskcodec import Codec, get_codec


@dataclass(frozen=True)
class Case:
    """One codec with options.

    Attributes:
        spec: the spec string.
        exact: whether law 2 must hold for the masks of `test_contract.exact_masks`.
        cut: what a cut text keeps: every complete "object" or every complete "row".
        grammar: whether the codec gives a grammar.
        keeps_empty: whether a mask without pixels survives with its label.
    """

    spec: str
    exact: bool = True
    cut: str = "object"
    grammar: bool = True
    keeps_empty: bool = True

    @property
    def codec(self) -> Codec[Any]:
        """The codec itself."""
        return get_codec(self.spec)

    def __str__(self) -> str:
        return self.spec


CASES = [
    Case("coco_rle", grammar=False),
    Case("coco_rle:alphabet=coco", grammar=False),
]
