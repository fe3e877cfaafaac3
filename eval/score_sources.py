"""Files of predictions as records, each with its place in a file of JSON lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from maskcodec.errors import RecordError
from maskcodec.records import (
    Record,
    brief,
    check_file,
    dump_line,
    open_binary,
    read_json,
    read_records,
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where one prediction stands.

    Attributes:
        start: byte of the line file.
        length: in bytes.
        number: its line, 1-based, in a JSONL file; its place in the list, from 0, in a JSON one.
    """

    start: int
    length: int
    number: int


Item = tuple["Record | RecordError", Place, bool]
"""A record (or its error), its place, and whether its line is whole."""


class _Tracker:
    """A stream that knows where the last line began; it may copy what is read."""

    def __init__(self, stream: IO[bytes], copy: IO[bytes] | None) -> None:
        self._stream, self._copy = stream, copy
        self.start = self.length = 0
        self._end = 0
        self.whole = True

    def readline(self, limit: int) -> bytes:
        line = self._stream.readline(limit)
        if line:
            self.start, self.length = self._end, len(line)
            self._end += len(line)
            self.whole = line.endswith(b"\n")
            if self._copy is not None:
                self._copy.write(line)
        return line

    def __enter__(self) -> _Tracker:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        if self._copy is not None:
            self._copy.close()


def line_records(path: Path, spool: Path | None) -> Iterator[Item]:
    stream = open_binary(check_file(path))
    tracker = _Tracker(stream, None if spool is None else spool.open("wb"))
    for number, record in enumerate(read_records(path, cast("IO[bytes]", tracker)), start=1):
        line = record.line or number
        cut = isinstance(record, RecordError) and "ends in the middle" in record.reason
        yield record, Place(tracker.start, tracker.length, line), tracker.whole and not cut


def spooled(records: Iterator[Record | RecordError], spool: Path) -> Iterator[Item]:
    """Write records as lines; what can't be written is an error."""
    start = 0
    with spool.open("wb") as stream:
        for number, record in enumerate(records):
            if isinstance(record, RecordError):
                yield record, Place(start, 0, number), True
                continue
            line = dump_line(record.fields)
            stream.write(line)
            yield record, Place(start, len(line), number), True
            start += len(line)


def document_records(path: Path) -> Iterator[Record | RecordError]:
    """The records of a JSON document: a list, COCO's `annotations`, or one value by id."""
    try:
        value = read_json(path)
    except RecordError as error:
        if "is not JSON" in error.reason:
            raise RecordError(
                f"{error.reason}: is the file whole? Of JSONL, one record a line, what is whole "
                "could be used",
                file=error.file,
                line=error.line,
            ) from None
        raise
    prefix = ""
    if isinstance(value, dict) and isinstance(value.get("annotations"), list):
        value, prefix = value["annotations"], "annotations"
    if isinstance(value, dict):
        yield from _by_id(str(path), value)
        return
    if not isinstance(value, list):
        raise RecordError(
            f"is {brief(value)}, expected a list of predictions, or an object of them by id",
            file=str(path),
        )
    for number, item in enumerate(value):
        if isinstance(item, dict):
            yield Record(str(path), None, item, f"{prefix}[{number}].")
        else:
            yield RecordError(
                f"is {brief(item)}, expected an object", file=str(path), field=f"{prefix}[{number}]"
            )


def _by_id(file: str, document: dict[str, Any]) -> Iterator[Record | RecordError]:
    """`{id: text}`, `{id: mask}` or `{id: [masks]}`."""
    for name, value in document.items():
        if isinstance(value, str):
            fields: dict[str, Any] = {"text": value}
        elif isinstance(value, dict):
            fields = (
                value if "segmentation" in value or "text" in value else {"segmentation": value}
            )
        elif value is None or isinstance(value, list):
            fields = {"masks": value or []}
        else:
            yield RecordError(f"is {brief(value)}, expected a mask", file=file, field=name)
            continue
        yield Record(file, None, fields | {"id": name}, f"{name}.")
