"""Decoded masks as COCO json: instances, or the list of results that COCO's evaluation reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .. import rle
from ..errors import MaskCodecError
from ..mask import Mask
from ..writing import atomic
from .sample import Sample
from .writers import Numbering


class CocoWriter:
    """One json for all images, written when all are decoded.

    Images keep the numbers that their records carry as `image_id`; where one lacks it, all are
    numbered from 1 by their file names. Categories are numbered by the names file, further ones in
    order of appearance.

    Args:
        path: the file to write.
        names: the name of each category number.
        results: write the list of results only, each with score 1.
    """

    def __init__(self, path: Path, names: dict[int, str] | None, *, results: bool = False) -> None:
        self.path = path
        self.results = results
        self.numbering = Numbering(names, skip=(0,))
        self._images: dict[tuple[int | None, str], tuple[int, int]] = {}
        self._annotations: list[tuple[tuple[int | None, str], dict[str, Any]]] = []

    def add(self, sample: Sample) -> None:
        """Keep the masks of one text, as run lengths.

        Raises:
            MaskCodecError: an earlier text gave the same image another size.
        """
        key = (sample.image_id, sample.image)
        size = self._images.setdefault(key, sample.size)
        if size != sample.size:
            raise MaskCodecError(
                f"image {sample.image!r} is {sample.size[0]}x{sample.size[1]} here, but "
                f"{size[0]}x{size[1]} in an earlier record"
            )
        for mask in sample.masks:
            annotation = {"category_id": self.numbering.number(mask.label), **_shape(mask)}
            self._annotations.append((key, annotation))

    def finish(self, *, complete: bool = True) -> None:
        """Write the file, unless the run was interrupted: half a set would look like a whole."""
        if not complete:
            return
        numbers = self._image_numbers()
        entries = []
        for number, (key, annotation) in enumerate(self._annotations, start=1):
            entry = {"image_id": numbers[key], **annotation}
            entries.append(_result(entry) if self.results else {"id": number, **entry})
        document: Any = entries
        if not self.results:
            document = {
                "images": [
                    {"id": numbers[key], "file_name": key[1], "height": height, "width": width}
                    for key, (height, width) in self._images.items()
                ],
                "categories": [
                    {"id": number, "name": label}
                    for label, number in sorted(
                        self.numbering.numbers.items(), key=lambda item: item[1]
                    )
                ],
                "annotations": entries,
            }
        with atomic(self.path) as stream:
            stream.write(json.dumps(document, ensure_ascii=True).encode("ascii") + b"\n")

    def _image_numbers(self) -> dict[tuple[int | None, str], int]:
        given = [number for number, _ in self._images if number is not None]
        if len(given) == len(self._images) == len(set(given)):
            return {key: key[0] for key in self._images if key[0] is not None}
        return {key: number for number, key in enumerate(self._images, start=1)}


def _shape(mask: Mask) -> dict[str, Any]:
    """The mask as COCO's annotation says it; `bbox` is [x, y, width, height] in pixels."""
    counts = rle.encode(mask.array)
    x0, y0, x1, y1 = rle.bounding_box(counts, mask.size) or (0, 0, 0, 0)
    return {
        "segmentation": {
            "size": list(mask.size),
            "counts": rle.to_string(counts).decode("ascii"),
        },
        "area": rle.area(counts),
        "bbox": [x0, y0, x1 - x0, y1 - y0],
        "iscrowd": 0,
    }


def _result(entry: dict[str, Any]) -> dict[str, Any]:
    kept = ("image_id", "category_id", "segmentation", "bbox")
    return {**{field: entry[field] for field in kept}, "score": 1.0}
