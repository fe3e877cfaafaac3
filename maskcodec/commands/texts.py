"""Texts to read, with what must be known to read them: their codec's spec and the image's size."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ..codec import Codec
from ..errors import MaskCodecError, RecordError
from ..records import Record, check_file, read_records
from ..registry import get_codec

MAX_TEXT = 64 * 2**20
"""Largest plain text that is read, in bytes."""


@dataclass(frozen=True, slots=True)
class Text:
    """One text.

    Attributes:
        id: from the record; its line where it names none.
        image: the image's name; the id where the record names none.
        text: as a model printed it.
        codec: how to read it.
        size: the image's (height, width) in pixels; None where nobody says it.
        record: where it stands, with all its fields; None for plain text.
    """

    id: str
    image: str
    text: str
    codec: Codec[Any]
    size: tuple[int, int] | None
    record: Record | None


def is_jsonl(source: str, spec: str | None) -> bool:
    """Whether a source holds records: a `.jsonl` file does, and stdin where no spec is given."""
    if source == "-":
        return spec is None
    return source.lower().endswith((".jsonl", ".jsonl.gz"))


def read_texts(
    source: str,
    spec: str | None,
    size: tuple[int, int] | None,
    *,
    need_size: bool = True,
    option: str = "--spec",
) -> Iterator[Text | RecordError]:
    """Read the texts of a file, or of stdin (`-`).

    Args:
        source: JSONL with `text` and where known `spec`, `size`, `id`, `image`; or one plain text.
        spec: for records that name none, and for plain text.
        size: the same.
        need_size: whether a record without a size is an error.
        option: the command's option that gives `spec`, for messages.

    Raises:
        MaskCodecError: a file that is missing, or plain text without spec or size.
    """
    codec = None if spec is None else get_codec(spec)
    if is_jsonl(source, spec):
        stream = sys.stdin.buffer if source == "-" else None
        records = read_records("stdin" if source == "-" else source, stream)
        return (
            _from_record(record, codec, size, need_size=need_size, option=option)
            for record in records
        )
    if codec is None:
        raise MaskCodecError(f"plain text needs {option}, e.g. {option} text4seg:grid=32")
    if size is None and need_size:
        raise MaskCodecError("plain text needs --size HxW, e.g. --size 480x640")
    return iter([plain(read_plain(source), codec, size, name=source)])


def plain(text: str, codec: Codec[Any], size: tuple[int, int] | None, *, name: str) -> Text:
    """A text without a record."""
    name = "text" if name == "-" else name
    return Text(name, name, text, codec, size, None)


def read_plain(source: str) -> str:
    """The text of a file or of stdin (`-`), without the one newline that ends the file.

    Raises:
        RecordError: no such file, too large, or not UTF-8.
    """
    name = "stdin" if source == "-" else source
    try:
        if source == "-":
            data = sys.stdin.buffer.read(MAX_TEXT + 1)
        else:
            with check_file(source).open("rb") as stream:
                data = stream.read(MAX_TEXT + 1)
    except OSError as error:
        raise RecordError(f"can't be read: {error}", file=name) from None
    if len(data) > MAX_TEXT:
        raise RecordError(f"is longer than {MAX_TEXT:,} bytes", file=name)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RecordError(
            f"is not UTF-8 (byte {error.start} is 0x{data[error.start]:02x})", file=name
        ) from None
    return text.removesuffix("\n").removesuffix("\r")


def _from_record(
    record: Record | RecordError,
    codec: Codec[Any] | None,
    size: tuple[int, int] | None,
    *,
    need_size: bool,
    option: str,
) -> Text | RecordError:
    if isinstance(record, RecordError):
        return record
    try:
        return _text(record, codec, size, need_size=need_size, option=option)
    except RecordError as error:
        with contextlib.suppress(RecordError):
            error.id = record.identifier("id", record.line)
        return error


def _text(
    record: Record,
    codec: Codec[Any] | None,
    size: tuple[int, int] | None,
    *,
    need_size: bool,
    option: str,
) -> Text:
    text = record.raw_text("text")
    if "spec" in record.fields:
        try:
            codec = _codec(record.text("spec"))
        except RecordError:
            raise
        except MaskCodecError as error:
            raise record.error(str(error), "spec") from None
    elif codec is None:
        raise record.error(f"is missing; give {option}", "spec")
    if "size" in record.fields:
        size = record.size()
    elif size is None and need_size:
        raise record.error("is missing; give --size HxW", "size")
    name = record.identifier("id", record.line)
    image = record.identifier("image", name)
    return Text(name, image, text, codec, size, record)


@lru_cache(maxsize=64)
def _codec(spec: str) -> Codec[Any]:
    return get_codec(spec)


def place(text: Text, message: str, field: str = "text") -> RecordError:
    """An error about one text."""
    if text.record is None:
        return RecordError(message, file=text.id)
    return text.record.error(message, field)
