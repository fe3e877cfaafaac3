"""Fields that rows of several families share, read from an untrusted record."""

from __future__ import annotations

from typing import Any

from ..records import Record, brief
from .pair import STATUSES, Status


def status_of(record: Record) -> Status:
    """The field `status`.

    Raises:
        RecordError: it is none of `STATUSES`.
    """
    value = record.text("status", "valid")
    if value not in STATUSES:
        raise record.error(f"is {brief(value)}, expected one of {', '.join(STATUSES)}", "status")
    return value


def count(record: Record, field: str, most: int, default: Any = 0) -> int:
    """A whole number from 0 to `most`.

    Raises:
        RecordError: it is none.
    """
    value = record.whole(field, default)
    if not 0 <= value <= most:
        raise record.error(f"is {brief(value)}, expected a whole number from 0 to {most}", field)
    return value


def counts(record: Record, field: str, value: Any, length: int, most: int) -> tuple[int, ...]:
    """A list of `length` whole numbers from 0 to `most`."""
    if (
        not isinstance(value, list)
        or len(value) != length
        or not all(type(one) is int and 0 <= one <= most for one in value)
    ):
        raise record.error(
            f"holds {brief(value)}, expected {length} whole numbers from 0 to {most}", field
        )
    return tuple(value)


def object_field(record: Record, field: str) -> dict[str, Any]:
    """A JSON object."""
    value = record.get(field, {})
    if not isinstance(value, dict):
        raise record.error(f"is {brief(value)}, expected an object", field)
    return value


def count_map(record: Record, field: str, most: int) -> dict[str, int]:
    """An object whose values are whole numbers from 0 to `most`."""
    return {
        key: counts(record, field, [value], 1, most)[0]
        for key, value in object_field(record, field).items()
    }


def triples(record: Record, field: str, most: int) -> dict[str, tuple[int, int, int]]:
    """An object whose values are lists of three whole numbers from 0 to `most`."""
    found: dict[str, tuple[int, int, int]] = {}
    for key, value in object_field(record, field).items():
        first, second, third = counts(record, field, value, 3, most)
        found[key] = (first, second, third)
    return found
