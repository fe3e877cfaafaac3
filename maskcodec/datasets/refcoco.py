"""RefCOCO, RefCOCO+ and RefCOCOg: `refs(SPLIT_BY).p` and `instances.json`, as REFER lays them out.

Each ref means one annotation and has several sentences, each an expression of its own. The pickle
is read by `plain_pickle`, which builds nothing but plain data. Masks are painted as pycocotools
paints them, which is what REFER does.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from ..errors import RecordError
from ..mask import Mask
from ..records import Record, brief, whole_number
from .annotated import Annotated, AnnotatedEntry, Expression, Source, SourceOptions
from .coco_index import CocoPicture, read_index
from .plain_pickle import load
from .sample import check_area

INSTANCES = "instances.json"


def read(path: Path, options: SourceOptions) -> Source:
    """Read a `refs(…).p`, or the folder of one, with the `instances.json` beside it.

    Raises:
        RecordError: a file is missing or unusable as a whole, or the split is empty.
    """
    path = find_refs(path, "refs*.p")
    return make_source("refcoco", path, load(path), options, "referring")


def find_refs(path: Path, pattern: str) -> Path:
    """The file of refs: `path` itself, or the only one of its pattern in a folder.

    Raises:
        RecordError: there is none, or there are several.
    """
    if not path.is_dir():
        return path
    found = sorted(one for one in path.glob(pattern) if one.is_file())
    if not found:
        raise RecordError(f"holds no {pattern}", file=str(path))
    if len(found) > 1:
        names = ", ".join(one.name for one in found)
        raise RecordError(f"holds {names}: give the one that is wanted", file=str(path))
    return found[0]


def _ref_record(path: Path, index: int, value: Any) -> Record:
    """One ref as a record, which messages name by its place in the list.

    Raises:
        RecordError: it is no object.
    """
    prefix = f"refs[{index}]"
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise RecordError(f"is {brief(value)}, expected an object", file=str(path), field=prefix)
    return Record(str(path), None, value, f"{prefix}.")


def make_source(
    kind: str,
    path: Path,
    refs: Any,
    options: SourceOptions,
    task: str,
) -> Source:
    """Refs by their images.

    Args:
        kind: of the data set.
        path: of the file of refs; instances.json lies beside it.
        refs: what that file holds.
        options: see `SourceOptions`.
        task: of the expressions.

    Raises:
        RecordError: it holds no list of refs, no ref is of the split, it has several splits and
            none is named, or instances.json is missing or unusable.
    """
    if not isinstance(refs, list):
        raise RecordError(f"is {brief(refs)}, expected a list of refs", file=str(path))
    instances = path.with_name(INSTANCES)
    folder = options.image_folder(path.parent / "images")
    index = read_index(instances)
    errors: list[RecordError] = list(index.errors)
    groups: dict[int, list[Record]] = {}
    splits: dict[str, None] = {}
    for place, item in enumerate(refs):
        try:
            ref = _ref_record(path, place, item)
            split = ref.text("split")
            splits[split] = None
            if options.split not in (None, "all", split):
                continue
            number = ref.whole("image_id")
            if number not in index.images:
                raise ref.error(f"{number} is no image of {instances}", "image_id")
            groups.setdefault(number, []).append(ref)
        except RecordError as error:
            errors.append(error)
    if not groups and not errors:
        raise RecordError(
            f"holds no ref of split {options.split!r}; its splits are: {', '.join(splits)}",
            file=str(path),
        )
    if options.split is None and len(splits) > 1:
        raise RecordError(
            f"holds the splits {', '.join(splits)}: name one with --split, or take all of them "
            "with --split all",
            file=str(path),
        )
    entries = []
    for number, group in groups.items():
        picture = CocoPicture(index.images[number], index.names, folder, options.scoring)
        load_image = partial(_load, picture, group, task, every=options.every_object)
        names = picture.image.file_names
        said = tuple(one for ref in group for one in _sentence_ids(ref))
        entries.append(AnnotatedEntry(str(number), str(path), None, load_image, names, said))
    name = f"{path.parent.name}/{path.name}"
    return Source(kind, [*errors, *entries], (task,), name)


def _sentence_ids(ref: Record) -> list[str]:
    """The ids of a ref's expressions, "" for one without; whether they can be used shows later."""
    sentences = ref.fields.get("sentences")
    items = sentences if isinstance(sentences, list) else []
    found = [item.get("sent_id") if isinstance(item, dict) else None for item in items]
    return [_said_id(one) for one in found]


def _said_id(value: object) -> str:
    if isinstance(value, str):
        return value
    number = whole_number(value)
    return "" if number is None else str(number)


def _load(picture: CocoPicture, refs: list[Record], task: str, *, every: bool) -> Annotated:
    """One image with its refs; what is wrong with one of them costs that one."""
    name, path = picture.file()
    size = picture.size(path)
    places: dict[int, int] = {}
    masks: list[Mask] = []
    problems: list[RecordError] = []
    expressions: list[Expression] = []

    def place(number: int) -> int:
        if number not in places:
            if problem := check_area(len(masks) + 1, size):
                raise picture.image.record.error(problem)
            masks.extend(picture.paint([number], size))
            places[number] = len(masks) - 1
        return places[number]

    for ref in refs:
        try:
            targets = tuple(place(number) for number in _annotations(ref, picture))
            expressions += _expressions(ref, targets, masks, task)
        except RecordError as error:
            problems.append(error)
    for number in picture.image.annotations if every else ():
        try:
            place(number)
        except RecordError as error:
            problems.append(error)
    return Annotated(
        name,
        size,
        tuple(masks),
        tuple(expressions),
        path,
        problems=tuple(problems),
    )


def _annotations(ref: Record, picture: CocoPicture) -> list[int]:
    """The annotations that a ref means; -1 in gRefCOCO stands for none."""
    value = ref.get("ann_id")
    items = value if isinstance(value, list) else [value]
    numbers = [number for item in items if (number := whole_number(item)) is not None]
    if not numbers or len(numbers) < len(items):
        raise ref.error(f"is {brief(value)}, expected the ids of annotations", "ann_id")
    found = [number for number in dict.fromkeys(numbers) if number != -1]
    for number in found:
        if picture.image.annotation(number) is None:
            raise ref.error(f"{number} is no annotation of image {ref.whole('image_id')}", "ann_id")
    return found


def _expressions(
    ref: Record, targets: tuple[int, ...], masks: list[Mask], task: str
) -> list[Expression]:
    sentences = ref.items("sentences")
    labels = {masks[index].label for index in targets}
    label = labels.pop() if len(labels) == 1 else ""
    found = []
    name = _name(ref, "ref_id")
    for number, value in enumerate(sentences):
        sentence = ref.child("sentences", number, value)
        text = sentence.text("sent") if "sent" in sentence.fields else sentence.text("raw")
        place = f"{sentence.prefix}sent"
        own = _name(sentence, "sent_id")
        found.append(Expression(text, targets, task, label, place=place, ref=name, sentence=own))
    return found


def _name(record: Record, field: str) -> str:
    return record.identifier(field) if record.fields.get(field) is not None else ""
