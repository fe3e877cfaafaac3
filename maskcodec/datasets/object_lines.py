"""JSONL of run lengths as images to ask about, with expressions where the lines have them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from ..errors import RecordError
from ..mask import Mask
from ..records import Record, brief, read_records
from .annotated import Annotated, AnnotatedEntry, Expression, Source, SourceOptions
from .images import image_path
from .sample import check_area
from .segmentation import paint_counts


def read(path: Path, options: SourceOptions) -> Source:
    """Read objects, one a line: `{"image", "category", "size", "counts"}` (`.gz` too).

    A line may have `expressions`, a list of strings, or one `expression`: what was said of this
    object. Where no line has any, the objects of an image are taken as all that are in it, and are
    asked for by the names of their categories.

    Raises:
        RecordError: there is no such file.
    """
    errors: list[RecordError] = []
    groups: dict[str, list[Record]] = {}
    names: dict[str, None] = {}
    said = False
    for record in read_records(path):
        try:
            if isinstance(record, RecordError):
                raise record
            groups.setdefault(record.identifier("image"), []).append(record)
            names[_label(record)] = None
            said = said or bool(_expressions(record))
        except RecordError as error:
            errors.append(error)
    folder = options.image_folder(path.parent)
    known = tuple(name for name in names if name)
    entries = [
        AnnotatedEntry(
            image,
            str(path),
            group[0].line,
            partial(_load, image, group, folder, known, said, not options.scoring),
        )
        for image, group in groups.items()
    ]
    tasks = ("referring",) if said else ("generalised",)
    return Source("jsonl", [*errors, *entries], tasks)


def _label(record: Record) -> str:
    return record.text("category" if "category" in record.fields else "label", "")


def _expressions(record: Record) -> list[Any]:
    if "expressions" in record.fields:
        return record.items("expressions")
    return [record.get("expression")] if "expression" in record.fields else []


def _load(
    image: str,
    records: list[Record],
    folder: Path,
    names: tuple[str, ...],
    said: bool,
    needed: bool,
) -> Annotated:
    path = image_path(folder, image, needed=needed)
    size = records[0].size()
    if problem := check_area(len(records), size):
        raise records[0].error(problem)
    masks: list[Mask] = []
    expressions: list[Expression] = []
    problems: list[RecordError] = []
    for record in records:
        try:
            mask = Mask(paint_counts(record, size), _label(record))
            texts = _expressions(record)
        except RecordError as error:
            if not said:  # an image that lacks an object would say what is not true
                raise
            problems.append(error)
            continue
        for number, text in enumerate(texts):
            if isinstance(text, str):
                place = f"expressions[{number}]"
                target = (len(masks),)
                expressions.append(
                    Expression(text, target, "referring", mask.label, place=place, line=record.line)
                )
            else:
                problems.append(record.error(f"is {brief(text)}, expected a string", "expressions"))
        masks.append(mask)
    shown = {mask.label for mask in masks}
    return Annotated(
        image,
        size,
        tuple(masks),
        tuple(expressions),
        path,
        absent=() if said else tuple(name for name in names if name not in shown),
        is_exhaustive=not said,
        problems=tuple(problems),
    )
