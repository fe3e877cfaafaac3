"""Decoded masks as COCO json: instances, or the list of results that COCO's evaluation reads."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import rle
from ..errors import MaskCodecError
from ..mask import Mask
from ..records import brief
from ..writing import atomic
from .coco_ids import ImageId
from .image_names import base_name
from .sample import Sample
from .writers import Numbering


@dataclass(slots=True)
class _Image:
    """One image.

    Attributes:
        id: None as long as no text says it.
        name: its file name; that of the text where no text says it.
        is_named: whether a text said it.
        size: (height, width) in pixels.
    """

    id: ImageId | None
    name: str
    is_named: bool
    size: tuple[int, int]


class CocoWriter:
    """One json for all images, written when all are decoded.

    Images keep the ids that their samples have. One that has none is the image of the same name
    that has one, or else gets a new id after the largest. Categories are numbered by the names
    file, further ones in order of appearance.

    Args:
        path: the file to write.
        names: the name of each category number.
        results: write the list of results only, each with score 1.
        largest: an image id that new ones must be larger than.

    Attributes:
        numbered: how many images got new ids; known when all is written.
    """

    def __init__(
        self,
        path: Path,
        names: dict[int, str] | None,
        *,
        results: bool = False,
        largest: int = 0,
    ) -> None:
        self.path = path
        self.results = results
        self.numbering = Numbering(names, skip=(0,))
        self.numbered = 0
        self._largest = largest
        self._known: dict[ImageId, _Image] = {}
        self._unknown: dict[str, _Image] = {}
        self._annotations: list[tuple[_Image, dict[str, Any]]] = []

    def add(self, sample: Sample) -> None:
        """Keep the masks of one text, as run lengths.

        Raises:
            MaskCodecError: an earlier text gave the same image another size, or the same id to
                another image.
        """
        image = self._image(sample)
        if image.size != sample.size:
            raise MaskCodecError(
                f"image {sample.image!r} is {sample.size[0]}x{sample.size[1]} here, but "
                f"{image.size[0]}x{image.size[1]} in an earlier record"
            )
        for mask in sample.masks:
            annotation = {"category_id": self.numbering.number(mask.label), **_shape(mask)}
            self._annotations.append((image, annotation))

    def _image(self, sample: Sample) -> _Image:
        number, is_named = sample.image_id, sample.image != sample.id
        new = _Image(number, sample.image, is_named, sample.size)
        if number is None:
            return self._unknown.setdefault(sample.image, new)
        image = self._known.setdefault(number, new)
        if is_named and not image.is_named:
            image.name, image.is_named = sample.image, True
        # Results have no names, and those of a server's temporary files may differ.
        if is_named and not self.results and base_name(image.name) != base_name(sample.image):
            raise MaskCodecError(
                f"image_id {brief(number)} is that of {brief(image.name)} in an earlier record, "
                f"and of {brief(sample.image)} here"
            )
        return image

    def finish(self, *, complete: bool = True) -> None:
        """Write the file, unless the run was interrupted: half a set would look like a whole."""
        if not complete:
            return
        images = [*self._known.values(), *self._number()]
        entries = []
        for number, (image, annotation) in enumerate(self._annotations, start=1):
            entry = {"image_id": image.id, **annotation}
            entries.append(_result(entry) if self.results else {"id": number, **entry})
        document: Any = entries
        if not self.results:
            document = {
                "images": [
                    {
                        "id": image.id,
                        "file_name": image.name,
                        "height": image.size[0],
                        "width": image.size[1],
                    }
                    for image in images
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

    def _number(self) -> list[_Image]:
        """Give an id to each image that has none; return those that got a new one."""
        same: dict[str, list[_Image]] = {}
        for image in self._known.values():
            same.setdefault(image.name, []).append(image)
        last = max([self._largest, *(one for one in self._known if isinstance(one, int))])
        new = []
        for image in self._unknown.values():
            found = same.get(image.name, [])
            if len(found) == 1 and found[0].size == image.size:
                image.id = found[0].id
                continue
            last += 1
            image.id = last
            new.append(image)
        self.numbered = len(new)
        return new


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
