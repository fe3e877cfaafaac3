"""COCO panoptic: a json and a PNG an image, whose colours are the segments' numbers.

A pixel's segment is R + 256 G + 65536 B; 0 is not annotated. Things are objects one by one, stuff
is one region a category; a crowd of things is a region that stands for no single object, and is
left out.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..errors import RecordError
from ..mask import Mask
from ..records import Record, brief
from .annotated import Annotated, AnnotatedEntry, Source, SourceOptions
from .coco import read_document
from .coco_ids import number_id
from .image_names import image_name
from .images import image_path
from .names import category_names
from .pictures import read_picture
from .sample import check_area


def read(path: Path, options: SourceOptions) -> Source:
    """Read a panoptic json; its PNGs lie in the folder of its name, or where `options.masks` says.

    Raises:
        RecordError: the file as a whole is no such json, or there is no folder of PNGs.
    """
    document = read_document(path)
    names = category_names(document)
    stuff = frozenset(
        category["name"]
        for category in document.items("categories")
        if not category.get("isthing", 1)
    )
    masks = options.masks or path.with_suffix("")
    if not masks.is_dir():
        raise RecordError("is no folder of panoptic PNGs; give --masks DIR", file=str(masks))
    folder = options.image_folder(path.parent)
    errors: list[RecordError] = []
    files = _image_files(document, errors)
    entries: list[AnnotatedEntry | RecordError] = []
    for index, item in enumerate(document.items("annotations")):
        try:
            record = document.child("annotations", index, item)
            name = record.identifier("image_id")
            if name not in files:
                raise record.error(f"{brief(name)} is the id of no image of this file", "image_id")
        except RecordError as error:
            errors.append(error)
            continue
        loading = partial(
            _load, record, files[name], folder, masks, names, stuff, not options.scoring
        )
        entries.append(AnnotatedEntry(name, str(path), None, loading, (files[name],)))
    return Source("panoptic", [*errors, *entries], ("panoptic",), names=names, stuff=stuff)


def _image_files(document: Record, errors: list[RecordError]) -> dict[str, str]:
    files = {}
    for index, item in enumerate(document.items("images")):
        try:
            record = document.child("images", index, item)
            files[record.identifier("id")] = image_name(record)
        except RecordError as error:
            errors.append(error)
    return files


def _load(
    record: Record,
    file: str,
    folder: Path,
    masks: Path,
    names: dict[int, str],
    stuff: frozenset[str],
    needed: bool,
) -> Annotated:
    path = image_path(folder, file, needed=needed)
    png = image_path(masks, record.text("file_name"))
    numbers = segment_numbers(png)
    size = (numbers.shape[0], numbers.shape[1])
    segments = record.items("segments_info")
    if problem := check_area(len(segments), size):
        raise record.error(problem)
    found: list[Mask] = []
    crowds: list[Mask] = []
    problems: list[RecordError] = []
    known: set[int] = set()
    shown: set[str] = set()
    for index, item in enumerate(segments):
        try:
            segment = record.child("segments_info", index, item)
            number, category = segment.whole("id"), number_id(segment, "category_id")
            if category not in names:
                raise segment.error(f"{category} is the id of no category", "category_id")
            known.add(number)
            shown.add(names[category])
            into = crowds if segment.flag("iscrowd") else found
            into.append(Mask(numbers == number, names[category]))
        except RecordError as error:
            problems.append(error)
    if problems:  # without one of its segments an image would say what is not true
        raise problems[0]
    strangers = sorted(set(np.unique(numbers).tolist()) - known - {0})
    if strangers:
        raise RecordError(
            f"holds segment {strangers[0]}, which segments_info of the json lacks", file=str(png)
        )
    absent = tuple(name for name in names.values() if name not in shown)
    return Annotated(
        file,
        size,
        tuple(found),
        path=path,
        stuff=stuff,
        absent=absent,
        is_exhaustive=True,
        ignore=numbers == 0,
        crowds=tuple(crowds),
    )


def segment_numbers(path: Path) -> npt.NDArray[np.int32]:
    """The number of each pixel's segment, (height, width), of a panoptic PNG.

    Raises:
        RecordError: no such file, or no picture.
    """
    colours = read_picture(path).astype(np.int32)
    numbers: npt.NDArray[np.int32] = (
        colours[..., 0] + 256 * colours[..., 1] + 65536 * colours[..., 2]
    )
    return numbers
