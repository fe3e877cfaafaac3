"""A COCO instances json by its ids: what the readers of referring expressions look things up in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ..errors import MaskCodecError, RecordError
from ..mask import Mask, check_size
from ..records import Record, brief, numbers
from .coco import read_document
from .coco_ids import number_id
from .image_names import image_name, image_name_if_any
from .images import image_path, image_size
from .names import category_names
from .sample import check_area
from .segmentation import paint

_COCO_2014 = re.compile(r"^COCO_(?:train|val|test)20[0-9]{2}_(?=[0-9])")


@dataclass(frozen=True, slots=True)
class CocoImage:
    """One entry of `images` with its annotations.

    Attributes:
        record: the entry.
        annotations: of single objects, by their ids, in the order of the file.
        crowds: crowd regions, by their ids.
        errors: of annotations that can't be used.
    """

    record: Record
    annotations: dict[int, Record]
    crowds: dict[int, Record]
    errors: list[RecordError]

    @property
    def file_names(self) -> tuple[str, ...]:
        """The name of its file; none where it has none that is text."""
        name = image_name_if_any(self.record)
        return () if name is None else (name,)

    def annotation(self, number: int) -> Record | None:
        """An annotation of this image, a crowd region too."""
        return self.annotations.get(number) or self.crowds.get(number)


@dataclass(frozen=True, slots=True)
class CocoIndex:
    """An instances json.

    Attributes:
        images: by their ids.
        names: of the categories, by their ids.
        errors: entries that can't be used; those of annotations whose image is known are with it.
    """

    images: dict[int, CocoImage]
    names: dict[int, str]
    errors: tuple[RecordError, ...]


def read_index(path: Path) -> CocoIndex:
    """Read an instances json (`.gz` too); nothing is painted yet.

    Raises:
        RecordError: the file as a whole is no COCO file.
    """
    document = read_document(path)
    names = category_names(document)
    errors: list[RecordError] = []
    images: dict[int, CocoImage] = {}
    for index, item in enumerate(document.items("images")):
        try:
            record = document.child("images", index, item)
            number = number_id(record, "id")
            if number in images:
                raise record.error(f"{number} is the id of another image already", "id")
            images[number] = CocoImage(record, {}, {}, [])
        except RecordError as error:
            errors.append(error)
    for index, item in enumerate(document.items("annotations")):
        try:
            _add_annotation(document.child("annotations", index, item), images)
        except RecordError as error:
            errors.append(error)
    return CocoIndex(images, names, tuple(errors))


def _add_annotation(record: Record, images: dict[int, CocoImage]) -> None:
    number = number_id(record, "image_id")
    if number not in images:
        raise record.error(f"{number} is the id of no image of this file", "image_id")
    image = images[number]
    try:
        name = number_id(record, "id")
        if image.annotation(name) is not None:
            raise record.error(f"{name} is the id of another annotation already", "id")
        (image.crowds if record.flag("iscrowd") else image.annotations)[name] = record
    except RecordError as error:
        image.errors.append(error)


@dataclass(frozen=True, slots=True)
class CocoPicture:
    """What loading one image needs.

    Attributes:
        image: its entry.
        names: of the categories.
        folder: where the images lie.
        scoring: see `SourceOptions`.
    """

    image: CocoImage
    names: dict[int, str]
    folder: Path
    scoring: bool = False

    def file(self) -> tuple[str, Path]:
        """The image's name, and where it lies: COCO's photographs lost a prefix in 2017.

        Raises:
            RecordError: there is none.
        """
        name = image_name(self.image.record)
        short = _COCO_2014.sub("", name)
        if short != name and not (self.folder / name).is_file() and (self.folder / short).is_file():
            return name, image_path(self.folder, short)
        return name, image_path(self.folder, name, needed=not self.scoring)

    def size(self, path: Path) -> tuple[int, int]:
        """The (height, width) in pixels that its masks have; the image's own where none is said."""
        record = self.image.record
        if record.fields.get("height") is None:
            return image_size(path)
        try:
            return check_size((record.whole("height"), record.whole("width")))
        except RecordError:
            raise
        except MaskCodecError as error:
            raise record.error(str(error), "height, width") from None

    def paint(self, numbers: list[int], size: tuple[int, int]) -> list[Mask]:
        """The masks of annotations.

        Raises:
            RecordError: one that can't be painted.
        """
        if problem := check_area(len(numbers), size):
            raise self.image.record.error(problem)
        return [Mask(paint(self._annotation(n), size), self.label(n)) for n in numbers]

    def label(self, number: int) -> str:
        """The category's name of an annotation."""
        record = self._annotation(number)
        category = number_id(record, "category_id")
        if category not in self.names:
            raise record.error(f"{category} is the id of no category", "category_id")
        return self.names[category]

    def area(self, number: int) -> float | None:
        """The pixels that an annotation is said to have; None where nothing is said.

        Raises:
            RecordError: it is no number from 0.
        """
        record = self._annotation(number)
        value = record.fields.get("area")
        if value is None:
            return None
        found = numbers([value])
        if found is None or found[0] < 0:
            raise record.error(f"is {brief(value)}, expected a number of pixels", "area")
        return float(found[0])

    def _annotation(self, number: int) -> Record:
        record = self.image.annotation(number)
        if record is None and self.image.errors:
            raise self.image.errors[0]
        if record is None:
            raise self.image.record.error(f"has no annotation {number}", "id")
        return record
