"""The images that a COCO json lists, looked up by what predictions say of an image."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ..errors import MaskCodecError, RecordError
from ..records import Record, brief
from .coco_ids import ImageId, as_number, written_id
from .image_names import base_name, image_name_if_any, slashed

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Known:
    """One entry of `images`; `name` has slashes, and `size` is None where none is said."""

    id: ImageId
    name: str
    size: Size | None


class KnownImages:
    """The ids of a COCO json's images.

    Args:
        document: the json; entries without a usable id are passed over.

    Attributes:
        file: the json, as its path was given.
        largest: the largest id that is a number, at least 0.
    """

    def __init__(self, document: Record) -> None:
        self.file = document.file
        self._by_id: dict[ImageId, _Known] = {}
        self._by_name: dict[str, list[_Known]] = {}
        self._by_base_name: dict[str, list[_Known]] = {}
        for item in _entries(document, "images"):
            self._add(item)
        self._document = document
        self._spelt: dict[ImageId, str] = {}
        self.largest = max((one for one in self._by_id if isinstance(one, int)), default=0)

    def _add(self, item: Record) -> None:
        try:
            number = written_id(item, "id")
        except RecordError:
            return
        name = slashed(image_name_if_any(item) or "")
        image = _Known(number, name, _size(item))
        self._by_id[as_number(number)] = image
        if name:
            self._by_name.setdefault(name, []).append(image)
            self._by_base_name.setdefault(base_name(name), []).append(image)

    def written(self, number: ImageId) -> ImageId:
        """An id as the json writes it, where it has it: "139" or 139."""
        image = self._by_id.get(as_number(number))
        return number if image is None else image.id

    def by_name(self, name: str, size: Size) -> ImageId:
        """The id of the image of a file name: its whole name, or else the name without folders.

        Raises:
            MaskCodecError: it is none of them, or may be several.
        """
        plain = slashed(name)
        found = self._by_name.get(plain)
        if found is not None:
            number = self._only(found, name, size)
            if "/" in plain:  # the image of another folder is not this one
                self._spelt[number] = plain
            return number
        number = self._only(self._by_base_name.get(base_name(plain), []), name, size)
        first = self._spelt.setdefault(number, plain)
        if first != plain:  # as cam1/0001.jpg and cam2/0001.jpg where the json has 0001.jpg
            raise MaskCodecError(f"{self.file} has one image for {brief(first)} and {brief(name)}")
        return number

    def by_record_id(self, name: str, size: Size) -> ImageId:
        """The id of the image of a record that has only an id: an image's name, or an image's id.

        Raises:
            MaskCodecError: it is neither, or it may be the id of an object.
        """
        number = as_number(name)
        image = self._by_id.get(number)
        if image is None:
            return self.by_name(name, size)
        if self._annotated.get(number, number) != number:
            raise MaskCodecError(
                f"{brief(name)} is the id of an image in {self.file}, and of an object of another"
            )
        return self._only([image], name, size)

    @cached_property
    def _annotated(self) -> dict[ImageId, ImageId]:
        """The image of each annotation; there may be a million, and few need them."""
        found = {}
        for item in _entries(self._document, "annotations"):
            try:
                number, image = written_id(item, "id"), written_id(item, "image_id")
            except RecordError:
                continue
            found[as_number(number)] = as_number(image)
        return found

    def _only(self, found: list[_Known], name: str, size: Size) -> ImageId:
        if not found:
            raise MaskCodecError(f"{self.file} lists no image {brief(name)}")
        if len(found) > 1:
            raise MaskCodecError(f"{self.file} lists more than one image {brief(name)}")
        own = found[0].size
        if own is not None and own != size:
            raise MaskCodecError(
                f"{brief(name)} is {own[0]}x{own[1]} in {self.file}, and {size[0]}x{size[1]} here"
            )
        return found[0].id


def _entries(document: Record, field: str) -> list[Record]:
    """The objects of a list; none where there is no list."""
    items = document.fields.get(field)
    return [
        document.child(field, index, item)
        for index, item in enumerate(items if isinstance(items, list) else [])
        if isinstance(item, dict)
    ]


def _size(item: Record) -> Size | None:
    try:
        return item.whole("height"), item.whole("width")
    except RecordError:
        return None
