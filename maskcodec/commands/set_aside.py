"""Records that could not be used: printed, and listed in a file with place and reason."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from ..errors import RecordError
from ..records import Record, read_records
from ..writing import LineFile
from .terminal import say

SHOWN = 10
"""Reasons printed on stderr; all of them are in the file."""


class SetAside:
    """The list of what was set aside.

    Args:
        path: the JSONL file, made when there is something to say; None only prints.
        verb: for messages.
        resume: keep what an earlier run listed, and don't list it again.

    Attributes:
        count: how many records were set aside, by an earlier run too.
    """

    def __init__(self, path: Path | None, verb: str, *, resume: bool = False) -> None:
        self.path = path
        self.verb = verb
        self._lines = None if path is None else LineFile(path, resume=resume)
        self._earlier: Counter[tuple[object, ...]] = Counter()
        if path is not None and path.exists() and path.stat().st_size:
            for record in read_records(path):
                if isinstance(record, RecordError):
                    raise record
                self._earlier[_key(record)] += 1
        self.count = self._earlier.total()
        self._shown = 0

    def knows(self, file: str, id_: str) -> bool:
        """Whether an earlier run set this record aside; true once for each time that it did."""
        return self._take((file, id_))

    def add(self, error: RecordError, id_: str | None = None) -> None:
        """Report one record, unless it has no id and an earlier run reported it."""
        if id_ is None and self._take((error.file, error.line, error.field)):
            return
        self.count += 1
        if self._lines is not None:
            self._lines.append(
                {
                    "file": error.file,
                    "line": error.line,
                    "field": error.field,
                    "id": id_,
                    "reason": error.reason,
                }
            )
        self._shown += 1
        if self._lines is None or self._shown <= SHOWN:
            say(self.verb, f"set aside: {error}")

    def _take(self, key: tuple[object, ...]) -> bool:
        if self._earlier[key] <= 0:
            return False
        self._earlier[key] -= 1
        return True

    def close(self) -> None:
        """Close the file."""
        if self._lines is not None:
            self._lines.close()

    def summary(self) -> str:
        """`; 3 set aside, see FILE`, or nothing."""
        if not self.count:
            return ""
        return f"; {self.count} set aside" + ("" if self.path is None else f", see {self.path}")


def rejected_path(output: Path) -> Path:
    """Where the list stands: `out.jsonl` has `out.rejected.jsonl`, a folder `rejected.jsonl`."""
    if output.is_dir():
        return output / "rejected.jsonl"
    return output.with_name(f"{output.stem}.rejected.jsonl")


def _key(record: Record) -> tuple[object, ...]:
    fields = record.fields
    if fields.get("id") is None:
        return fields.get("file"), fields.get("line"), fields.get("field")
    return fields.get("file"), fields["id"]
