"""Records: JSON objects, one a line (JSONL, also gzipped), read as untrusted data.

A reader yields each good record and each error in its place, so that one bad line costs one line.
Fields are taken through the methods of `Record`, which check their types and name the file, the
line and the field of what is wrong.
"""

from __future__ import annotations

import gzip
import json
import math
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO, NoReturn, cast

import numpy as np
import numpy.typing as npt

from .errors import MaskCodecError, RecordError
from .mask import check_size

MAX_LINE = 64 * 2**20
"""Longest line that is read, in bytes; a longer one is an error of its line alone."""

MAX_JSON = 4 * 2**30
"""Largest JSON document that is read whole, in bytes after decompression."""

_SURROGATE = re.compile(r"[\ud800-\udfff]")
_MISSING = object()


@dataclass(frozen=True, slots=True)
class Record:
    """One JSON object and where it stands.

    Attributes:
        file: the path as it was given.
        line: the line, 1-based; None inside a JSON document.
        fields: the object.
        prefix: what stands before the field names in messages, e.g. `"annotations[3]."`.
    """

    file: str
    line: int | None
    fields: dict[str, Any]
    prefix: str = ""

    @property
    def place(self) -> str | None:
        """Where it stands inside a JSON document, e.g. `"annotations[3]"`."""
        return self.prefix.rstrip(".") or None

    def error(self, message: str, field: str | None = None) -> RecordError:
        """An error at this record, or at one field of it."""
        name = self.place if field is None else self.prefix + field
        return RecordError(message, file=self.file, line=self.line, field=name)

    def get(self, field: str, default: Any = _MISSING) -> Any:
        """The value of a field, of any type.

        Raises:
            RecordError: it is missing and there is no `default`.
        """
        value = self.fields.get(field, default)
        if value is _MISSING:
            present = ", ".join(map(repr, list(self.fields)[:12])) or "none"
            raise self.error(f"is missing (fields here: {present})", field)
        return value

    def text(self, field: str, default: Any = _MISSING) -> str:
        """A string that can be written as UTF-8."""
        value = self.raw_text(field, default)
        if _SURROGATE.search(value):
            raise self.error(f"is {brief(value)}: half a surrogate pair is no character", field)
        return value

    def raw_text(self, field: str, default: Any = _MISSING) -> str:
        """Any string at all, as a model may have printed it."""
        value = self.get(field, default)
        if not isinstance(value, str):
            raise self.error(f"is {brief(value)}, expected a string", field)
        return value

    def whole(self, field: str, default: Any = _MISSING) -> int:
        """A whole number; `3.0` is one, `true` is not."""
        value = self.get(field, default)
        number = whole_number(value)
        if number is None:
            raise self.error(f"is {brief(value)}, expected a whole number", field)
        return number

    def flag(self, field: str) -> bool:
        """0 or 1, false or true; null and a missing field are false."""
        value = self.fields.get(field)
        if value is None or isinstance(value, bool):
            return bool(value)
        if self.whole(field) not in (0, 1):
            raise self.error(f"is {brief(value)}, expected 0 or 1", field)
        return bool(value)

    def identifier(self, field: str, default: Any = _MISSING) -> str:
        """A name or a whole number, as a string; `3.0` is "3"."""
        value = self.get(field, default)
        if isinstance(value, str) and value:
            return self.text(field, value)
        number = whole_number(value)
        if number is None:
            raise self.error(f"is {brief(value)}, expected a name or a whole number", field)
        return str(number)

    def items(self, field: str, default: Any = _MISSING) -> list[Any]:
        """A list."""
        value = self.get(field, default)
        if not isinstance(value, list):
            raise self.error(f"is {brief(value)}, expected a list", field)
        return value

    def size(self, field: str = "size") -> tuple[int, int]:
        """`[height, width]` in pixels."""
        value = self.items(field)
        sides = numbers(value)
        if sides is None or len(sides) != 2:
            raise self.error(f"is {brief(value)}, expected [height, width] in pixels", field)
        try:
            return check_size(sides.tolist())  # 480.0 is taken too
        except MaskCodecError as error:
            raise self.error(str(error), field) from None

    def child(self, field: str, index: int, value: Any) -> Record:
        """`value` as the object at `field[index]`.

        Raises:
            RecordError: it is no JSON object.
        """
        prefix = f"{self.prefix}{field}[{index}]"
        if not isinstance(value, dict):
            raise RecordError(
                f"is {brief(value)}, expected an object",
                file=self.file,
                line=self.line,
                field=prefix,
            )
        return Record(self.file, self.line, value, prefix + ".")


def brief(value: object) -> str:
    """A value as JSON names it, cut to fit a message."""
    if value is None or isinstance(value, bool):
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list) and len(value) > 4:
        return f"a list of {len(value)}"
    if isinstance(value, str) and len(value) > 60:
        return f"{value[:45]!r}... ({len(value)} characters)"
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:45]}... ({len(text)} characters)"


def whole_number(value: object) -> int | None:
    """A whole number, `3.0` as 3; None for what is none, `true` too.

    Floats come from tables, whose columns of numbers are floats as soon as one is missing; from
    2**53 they may stand for another number.
    """
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def numbers(values: list[Any]) -> npt.NDArray[np.float64] | None:
    """The list as an array of finite numbers; None where an item is no finite number."""
    if not set(map(type, values)) <= {int, float}:
        return None
    try:
        array = np.array(values, dtype=np.float64)
    except OverflowError:  # a whole number beyond every float
        return None
    return array if np.isfinite(array).all() else None


def parse_json(
    data: bytes | str,
    file: str,
    line: int | None = None,
    *,
    finite: bool = True,
    unique: bool = False,
) -> Any:
    """Parse one JSON value of UTF-8, strictly; no NaN and no Infinity, unless not `finite`.

    Raises:
        RecordError: it is no JSON, or with `unique` an object has a key twice; the message says
            where and why.
    """
    pairs = _refuse_twice if unique else None
    try:
        text = data.decode("utf-8") if isinstance(data, bytes) else data
        if not finite:
            return json.loads(text, object_pairs_hook=pairs)
        return json.loads(
            text,
            object_pairs_hook=pairs,
            parse_constant=_refuse_constant,
            parse_float=_finite,
        )
    except UnicodeDecodeError as error:
        reason = f"is not UTF-8 (byte {error.start} is 0x{error.object[error.start]:02x})"
        number = line or 1 + error.object.count(b"\n", 0, error.start)
        raise RecordError(f"{reason}; save it as UTF-8", file=file, line=number) from None
    except json.JSONDecodeError as error:
        reason = f"is not JSON: {error.msg} (column {error.colno})"
        raise RecordError(reason, file=file, line=line or error.lineno) from None
    except RecursionError:
        raise RecordError("is not usable: JSON nested too deep", file=file, line=line) from None
    except ValueError as error:
        reason = str(error) if "expected" in str(error) else "holds a number with too many digits"
        raise RecordError(reason, file=file, line=line) from None


def _refuse_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"has the key {brief(twice)} twice, expected each once")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"holds {name}, expected a finite number")


def _finite(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise ValueError(f"holds {brief(digits)}, expected a number that a float can hold")
    return value


def check_file(path: str | Path) -> Path:
    """`path`, if it is a file.

    Raises:
        RecordError: it is missing, or a folder.
    """
    path = Path(path)
    try:
        is_folder, exists = path.is_dir(), path.exists()
    except (OSError, ValueError) as error:  # a name too long, a NUL byte, no permission
        raise RecordError(f"can't be opened: {error}", file=brief(str(path))) from None
    if is_folder:
        raise RecordError("is a folder, expected a file", file=str(path))
    if not exists:
        raise RecordError("no such file", file=str(path))
    return path


def open_binary(path: Path) -> BinaryIO:
    """Open a file for reading; a name that ends in `.gz` is decompressed on the way."""
    if path.suffix.lower() == ".gz":
        return cast(BinaryIO, gzip.open(path, "rb"))
    return path.open("rb")


def read_json(path: str | Path, *, finite: bool = True, unique: bool = False) -> Any:
    """Read a whole JSON document (`.gz` too).

    Args:
        path: the file.
        finite: refuse the document if it holds NaN or Infinity anywhere. A caller who says False
            reads numbers by `Record` and `numbers`, which refuse them where they stand.
        unique: refuse an object that has a key twice, of which JSON readers keep the last.

    Raises:
        RecordError: there is no such file, or it is empty, too large, or no JSON.
    """
    file = str(path)
    try:
        with open_binary(check_file(path)) as stream:
            data = stream.read(MAX_JSON + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise RecordError(f"can't be read: {error}", file=file) from None
    if len(data) > MAX_JSON:
        raise RecordError(f"is larger than {MAX_JSON:,} bytes; split it", file=file)
    data = data.removeprefix(b"\xef\xbb\xbf")
    if not data.strip():
        raise RecordError("is empty, expected JSON", file=file)
    return parse_json(data, file, finite=finite, unique=unique)


def read_records(
    path: str | Path, stream: IO[bytes] | None = None
) -> Iterator[Record | RecordError]:
    """Read a JSONL file (`.gz` too) line by line; blank lines are passed over.

    Args:
        path: the file; only a name for messages where `stream` is given.
        stream: read from here instead.

    Yields:
        each record, or in its place the error of its line. A file without records yields one error.

    Raises:
        RecordError: there is no such file.
    """
    if stream is None:
        try:
            check_file(path).open("rb").close()
        except OSError as error:
            raise RecordError(f"can't be opened: {error}", file=str(path)) from None
    return _records(Path(path), stream)


def _records(path: Path, stream: IO[bytes] | None) -> Iterator[Record | RecordError]:
    file = str(path)
    number = 0
    empty = True
    with open_binary(path) if stream is None else stream as stream:
        while True:
            number += 1
            try:
                line = _read_line(stream)
            except (OSError, EOFError, zlib.error) as error:
                yield RecordError(f"the file ends in the middle: {error}", file=file, line=number)
                return
            if line == b"":
                break
            if number == 1 and line:
                line = line.removeprefix(b"\xef\xbb\xbf")
            if line is not None and not line.strip():
                continue
            empty = False
            yield _record(line, file, number)
    if empty:
        yield RecordError("is empty, expected one JSON object a line", file=file)


def _read_line(stream: IO[bytes]) -> bytes | None:
    """The next line, b"" at the end, None for one that is too long (it is passed over)."""
    line = stream.readline(MAX_LINE + 1)
    if len(line) <= MAX_LINE:
        return line
    while line and not line.endswith(b"\n"):
        line = stream.readline(MAX_LINE)
    return None


def _record(line: bytes | None, file: str, number: int) -> Record | RecordError:
    if line is None:
        return RecordError(f"is longer than {MAX_LINE:,} bytes", file=file, line=number)
    try:
        value = parse_json(line.rstrip(b"\r\n"), file, number)
    except RecordError as error:
        return error
    if not isinstance(value, dict):
        return RecordError(f"is {brief(value)}, expected an object", file=file, line=number)
    return Record(file, number, value)


def dump_line(fields: dict[str, Any]) -> bytes:
    """A record as one line of UTF-8, its newline included."""
    text = json.dumps(fields, ensure_ascii=False, allow_nan=False, separators=(", ", ": "))
    try:
        return text.encode("utf-8") + b"\n"
    except UnicodeEncodeError:  # half a surrogate pair: only an escape can carry it
        return json.dumps(fields, allow_nan=False).encode("ascii") + b"\n"
