"""Ids of COCO json: whole numbers, however they are spelt, or names."""

from __future__ import annotations

import re
from typing import TypeAlias

from ..records import Record

ImageId: TypeAlias = int | str

_DIGITS = re.compile(r"[0-9]{1,18}")
"""What fits the 64 bits that COCO's tools have for an id."""


def as_number(value: ImageId) -> ImageId:
    """An id as the number that it spells; a name stays one.

    >>> as_number("000000000139"), as_number(7), as_number("frame 7")
    (139, 7, 'frame 7')
    """
    return int(value) if isinstance(value, str) and _DIGITS.fullmatch(value) else value


def written_id(record: Record, field: str) -> ImageId:
    """An id as its file has it: `3.0` is 3, and text stays text.

    Raises:
        RecordError: it is missing, or neither a whole number nor a name.
    """
    name = record.identifier(field)
    return name if isinstance(record.get(field), str) else int(name)


def number_id(record: Record, field: str) -> int:
    """An id that must be a number: `3`, `3.0` or `"3"`.

    Raises:
        RecordError: it is missing, or anything else.
    """
    number = as_number(record.get(field))
    return number if type(number) is int else record.whole(field)
