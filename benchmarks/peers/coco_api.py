"""The jobs of packages with pycocotools' interface, which know run lengths as text alone.

They take Fortran order and give it back; what C order costs them is counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from . import Way

Bools = npt.NDArray[np.bool_]


class CocoApi:
    """The jobs as functions of one such module."""

    def __init__(self, module: Any) -> None:
        self._module = module

    def _encode(self, mask: Bools) -> dict[str, Any]:
        text: dict[str, Any] = self._module.encode(np.asfortranarray(mask.view(np.uint8)))
        return text

    def encode_text(self, masks: Sequence[Bools]) -> Way:
        """Masks to text."""
        return Way(lambda i: self._encode(masks[i]), _text_of)

    def decode_text(self, texts: Sequence[dict[str, Any]]) -> Way:
        """Text to masks in C order."""
        decode = self._module.decode
        return Way(lambda i: np.ascontiguousarray(decode(texts[i])))

    def label_map(self, label_maps: Sequence[Any], present: Sequence[Sequence[int]]) -> Way:
        """Each label's mask, one by one."""

        def run(index: int) -> dict[int, Any]:
            labels = label_maps[index]
            return {label: self._encode(labels == label) for label in present[index]}

        return Way(run, lambda answer: {label: _text_of(one) for label, one in answer.items()})

    def iou(self, pairs: Sequence[tuple[Sequence[int], Sequence[int]]], **stored: Any) -> Way:
        """IoU of what they store: dictionaries of text."""
        texts = stored["texts"]

        def run(index: int) -> Any:
            left, right = pairs[index]
            crowd = [0] * len(right)
            return self._module.iou([texts[i] for i in left], [texts[i] for i in right], crowd)

        return Way(run)

    def paint_polygons(self, polygons: Sequence[Any], sizes: Sequence[tuple[int, int]]) -> Way:
        """Outer rings to one mask, left in Fortran order; they know no holes."""
        api = self._module

        def run(index: int) -> Any:
            if not polygons[index]:
                return None
            return api.decode(api.merge(api.frPyObjects(polygons[index], *sizes[index])))

        return Way(run)


def _text_of(answer: dict[str, Any]) -> bytes:
    counts = answer["counts"]
    return counts.encode() if isinstance(counts, str) else bytes(counts)
