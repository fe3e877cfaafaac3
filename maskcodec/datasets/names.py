"""Names files: which name each value of a label map (or each category number) stands for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import RecordError
from ..records import Record, brief, check_file, read_json
from .coco_ids import number_id

MAX_VALUE = 2**31 - 1

_BACKGROUND = frozenset(
    {"background", "_background_", "__background__", "bg", "others", "unlabeled", "void"}
)


@dataclass(frozen=True, slots=True)
class NamesFile:
    """A names file.

    Attributes:
        names: the name of each value.
        coco: the whole file, where it is a COCO json; None otherwise.
    """

    names: dict[int, str]
    coco: Record | None = None

    @property
    def shared(self) -> dict[str, list[int]]:
        """The names that several values have, each with its values in rising order."""
        values: dict[str, list[int]] = {}
        for value, name in sorted(self.names.items()):
            values.setdefault(name, []).append(value)
        return {name: found for name, found in values.items() if len(found) > 1}


def read_names(path: str | Path) -> dict[int, str]:
    """The name of each value of a names file; see `read_names_file`."""
    return read_names_file(path).names


def read_names_file(path: str | Path) -> NamesFile:
    """Read a names file.

    Text: one name a line; line 1 names value 1, since 0 is background. JSON: `{"1": "dog"}`, a list
    (its first item names value 1), or a COCO file, whose categories are taken.

    Raises:
        RecordError: the file is missing, empty or malformed.
    """
    path = check_file(path)
    if path.name.lower().endswith((".json", ".json.gz")):
        return _from_json(read_json(path, unique=True), str(path))
    try:
        lines = path.read_bytes().removeprefix(b"\xef\xbb\xbf").decode("utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise RecordError(f"is not UTF-8 (byte {error.start})", file=str(path)) from None
    except OSError as error:
        raise RecordError(f"can't be read: {error}", file=str(path)) from None
    while lines and not lines[-1].strip():
        lines.pop()
    return NamesFile(_from_lines(lines, str(path)))


def _from_lines(lines: list[str], file: str) -> dict[int, str]:
    if not lines:
        raise RecordError("is empty, expected one name a line", file=file)
    names = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            raise RecordError("is blank, expected the name of a value", file=file, line=number)
        names[number] = line.strip()
    if names[1].lower() in _BACKGROUND:
        raise RecordError(
            f"{names[1]!r} would name value 1, but 0 is background: remove the line, or say the "
            'numbers in JSON, {"1": "dog"}',
            file=file,
            line=1,
        )
    return names


def _from_json(value: Any, file: str) -> NamesFile:
    if isinstance(value, dict) and isinstance(value.get("categories"), list):
        document = Record(file, None, value)
        return NamesFile(category_names(document), document)
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return NamesFile(_from_lines(value, file))
    if not isinstance(value, dict) or not value:
        found = brief(value) if value != {} else "an empty object"
        raise RecordError(f'is {found}, expected names like {{"1": "dog"}}', file=file)
    record = Record(file, None, value)
    names: dict[int, str] = {}
    for key in value:
        number = _value(record, key)
        if number in names:
            raise record.error(f"{brief(key)} names {number} once more, after {names[number]!r}")
        names[number] = record.text(key)
    return NamesFile(names)


def _value(record: Record, key: str) -> int:
    if not (key.isascii() and key.isdigit() and len(key) <= 10 and int(key) <= MAX_VALUE):
        raise record.error(f'{brief(key)} is no value of a label map, expected {{"1": "dog"}}')
    return int(key)


def category_names(document: Record) -> dict[int, str]:
    """The names of a COCO file's categories by their ids.

    Raises:
        RecordError: a category without id or name, or an id that stands twice.
    """
    names: dict[int, str] = {}
    for index, value in enumerate(document.items("categories")):
        category = document.child("categories", index, value)
        number = number_id(category, "id")
        if number in names:
            raise category.error(f"{number} is the id of {names[number]!r} already", "id")
        names[number] = category.text("name")
    return names
