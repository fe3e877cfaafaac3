"""COCO's instances json: images, categories, and annotations as polygons or run lengths."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..errors import MaskCodecError, RecordError
from ..mask import Mask, check_size
from ..records import Record, brief, read_json
from .coco_ids import ImageId, number_id, written_id
from .image_names import image_name, image_name_if_any
from .images import check_image, image_path, image_size
from .names import category_names
from .sample import Entries, Entry, ReadOptions, Sample, check_area
from .segmentation import paint


@dataclass(slots=True)
class _Image:
    """One entry of `images`, and the annotations that name it."""

    record: Record
    id: str
    number: ImageId
    annotations: list[Record]


def read(path: Path, options: ReadOptions) -> Entries:
    """Read a COCO instances file (`.gz` too).

    The whole JSON is held in memory; masks are painted one image at a time. An image without
    annotations gives a sample without masks. Ids are the image's, or with `options.per == "object"`
    the annotation's.

    Raises:
        RecordError: the file as a whole is no COCO file.
    """
    document = read_document(path)
    names = options.names or category_names(document)
    errors: list[RecordError] = []
    images = _images(document, errors)
    _annotations(document, images, options, errors)
    if options.per == "object":
        entries = list(_objects(images, names, options))
    else:
        entries = [_entry(image, names, options) for image in images.values()]
    return Entries([*errors, *entries], len(errors) + len(entries))


def read_document(path: Path) -> Record:
    """A COCO json (`.gz` too) as one record: instances, or panoptic.

    Raises:
        RecordError: there is no such file, or it is no JSON object.
    """
    value = read_json(path, finite=False)  # one bad number costs its own image
    if not isinstance(value, dict):
        raise RecordError(
            f"is {brief(value)}, expected a COCO object with images, annotations and categories",
            file=str(path),
        )
    return Record(str(path), None, value)


def _images(document: Record, errors: list[RecordError]) -> dict[str, _Image]:
    images: dict[str, _Image] = {}
    for index, value in enumerate(document.items("images")):
        try:
            record = document.child("images", index, value)
            name = record.identifier("id")
            if name in images:
                raise record.error(f"{brief(name)} is the id of another image already", "id")
        except RecordError as error:
            errors.append(error)
            continue
        images[name] = _Image(record, name, written_id(record, "id"), [])
    return images


def _annotations(
    document: Record, images: dict[str, _Image], options: ReadOptions, errors: list[RecordError]
) -> None:
    """Give each annotation to its image, one that can't be used too: loading the image tells."""
    for index, value in enumerate(document.items("annotations")):
        try:
            record = document.child("annotations", index, value)
            name = record.identifier("image_id")
            if name not in images:
                raise record.error(f"{brief(name)} is the id of no image of this file", "image_id")
        except RecordError as error:
            errors.append(error)
            continue
        images[name].annotations.append(record)


def _objects(
    images: dict[str, _Image], names: dict[int, str], options: ReadOptions
) -> Iterator[Entry | RecordError]:
    for image in images.values():
        for record in image.annotations:
            try:
                if record.flag("iscrowd") and not options.crowd:
                    continue
                name = record.identifier("id")
            except RecordError as error:
                yield error
                continue
            alone = dataclasses.replace(image, annotations=[record])
            load = partial(_load, alone, names, options, name)
            yield Entry(name, record.file, None, load, place=record.place)


def _entry(image: _Image, names: dict[int, str], options: ReadOptions) -> Entry:
    load = partial(_load, image, names, options)
    file_name = image_name_if_any(image.record) or image.id
    return Entry(image.id, image.record.file, None, load, file_name, image.record.place)


def _load(
    image: _Image, names: dict[int, str], options: ReadOptions, name: str | None = None
) -> Sample:
    file_name = image_name(image.record, image.id)
    size = _size(image.record, file_name, options.image_dir)
    if problem := check_area(len(image.annotations), size):
        raise image.record.error(problem)
    masks = []
    for record in image.annotations:
        if record.flag("iscrowd") and not options.crowd:
            continue
        category = number_id(record, "category_id")
        if category not in names:
            raise record.error(f"{category} is the id of no category", "category_id")
        masks.append(Mask(paint(record, size), names[category]))
    return Sample(image.id if name is None else name, file_name, size, tuple(masks), image.number)


def _size(record: Record, name: str, folder: Path | None) -> tuple[int, int]:
    """The image's (height, width): from the file, or where it says none from the image."""
    if folder is not None and record.fields.get("height") is None:
        return image_size(image_path(folder, name))
    height, width = record.whole("height"), record.whole("width")
    try:
        size = check_size((height, width))
    except MaskCodecError as error:
        raise record.error(str(error), "height, width") from None
    check_image(folder, name, size)
    return size
