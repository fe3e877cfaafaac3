"""COCO instances as images to ask about: every object of the categories is annotated."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from .annotated import Annotated, AnnotatedEntry, Source, SourceOptions
from .coco_index import CocoPicture, read_index


def read(path: Path, options: SourceOptions) -> Source:
    """Read an instances json.

    A category is absent from an image where neither an object nor a crowd region has it; crowd
    regions themselves are left out, since they are no object.
    """
    index = read_index(path)
    folder = options.image_folder(path.parent)
    entries = [
        AnnotatedEntry(
            str(number),
            str(path),
            None,
            partial(_load, CocoPicture(image, index.names, folder, options.scoring)),
            image.file_names,
        )
        for number, image in index.images.items()
    ]
    return Source("coco", [*index.errors, *entries], ("generalised",), names=index.names)


def _load(picture: CocoPicture) -> Annotated:
    name, path = picture.file()
    if picture.image.errors:  # an object would be missing
        raise picture.image.errors[0]
    size = picture.size(path)
    objects = picture.paint(list(picture.image.annotations), size)
    regions = picture.paint(list(picture.image.crowds), size) if picture.scoring else []
    said = [picture.area(number) for number in picture.image.annotations] if picture.scoring else []
    areas = [area for area in said if area is not None]
    shown = {mask.label for mask in objects}
    shown |= {picture.label(number) for number in picture.image.crowds}
    absent = tuple(label for label in picture.names.values() if label not in shown)
    return Annotated(
        name,
        size,
        tuple(objects),
        path=path,
        absent=absent,
        is_exhaustive=True,
        crowds=tuple(regions),
        areas=tuple(areas) if len(areas) == len(objects) else (),
    )
