"""JSONL of run lengths: one object a line, `{"image", "id", "category", "size", "counts"}`."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from ..errors import RecordError
from ..mask import Mask
from ..records import Record, read_records
from .images import check_image
from .sample import Entries, Entry, ReadOptions, Sample, check_area
from .segmentation import paint_counts


def read(path: Path, options: ReadOptions) -> Entries:
    """Read a JSONL file of objects (`.gz` too): run lengths as COCO spells them, compressed or not.

    One sample an image holds the lines in memory, since those of an image may stand anywhere; one
    sample an object streams. Ids are the image's name, and for objects `IMAGE#ID`, where a second
    object of the same id is told apart by a running number.

    Raises:
        RecordError: there is no such file.
    """
    records = read_records(path)
    if options.per == "object":
        return Entries(_objects(records, options))
    errors: list[RecordError] = []
    groups: dict[str, list[Record]] = {}
    for record in records:
        try:
            if isinstance(record, RecordError):
                raise record
            groups.setdefault(record.identifier("image"), []).append(record)
        except RecordError as error:
            errors.append(error)
    entries = [
        Entry(image, str(path), group[0].line, partial(_load, image, image, group, options), image)
        for image, group in groups.items()
    ]
    return Entries([*errors, *entries], len(errors) + len(entries))


def _objects(
    records: Iterator[Record | RecordError], options: ReadOptions
) -> Iterator[Entry | RecordError]:
    seen: dict[str, int] = {}
    for record in records:
        try:
            if isinstance(record, RecordError):
                raise record
            image = record.identifier("image")
            name = f"{image}#{record.identifier('id', record.line)}"
        except RecordError as error:
            yield error
            continue
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1:
            name = f"{name}#{seen[name]}"
        yield Entry(name, record.file, record.line, partial(_load, name, image, [record], options))


def _load(name: str, image: str, records: list[Record], options: ReadOptions) -> Sample:
    size = records[0].size()
    if problem := check_area(len(records), size):
        raise records[0].error(problem)
    masks = []
    for record in records:
        label = record.text("category" if "category" in record.fields else "label")
        masks.append(Mask(paint_counts(record, size), label))
    check_image(options.image_dir, image, size)
    return Sample(name, image, size, tuple(masks))
