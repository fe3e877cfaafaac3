"""Writing files so that a crash leaves either the old file, the new one, or whole lines."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from .errors import RecordError
from .records import dump_line

_BLOCK = 65_536


@contextlib.contextmanager
def atomic(path: str | Path) -> Iterator[IO[bytes]]:
    """Write a file that appears under its name only when the block ends without an error."""
    path = Path(path)
    temporary = path.with_name(f".{path.name[:40]}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("xb") as stream:
            yield stream
        temporary.replace(path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """Fill a folder that appears under its name only when the block ends without an error.

    Raises:
        OSError: `path` exists and is no empty folder, or can't be made.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name[:40]}.{secrets.token_hex(4)}.tmp")
    try:
        temporary.mkdir()
        yield temporary
        temporary.rename(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


class LineFile:
    """A JSONL file that grows by whole lines and can be continued after a crash.

    Every line goes to the operating system at once, so that a killed process leaves all lines that
    it wrote and at most one torn line at the end, which `resume=True` cuts off.

    Args:
        path: the file; it is made with its first line, or here where it exists already.
        resume: keep the lines that are there.
    """

    def __init__(self, path: str | Path, *, resume: bool = False) -> None:
        self.path = Path(path)
        self._file: Any = None
        if resume and self.path.exists():
            cut_torn_line(self.path)
        else:
            self.path.unlink(missing_ok=True)

    def append(self, fields: dict[str, Any]) -> None:
        """Add one record.

        Raises:
            OSError: it could not be written (a full disk, say); no part of it stays in the file.
        """
        self.append_line(dump_line(fields))

    def append_line(self, line: bytes) -> None:
        """Add one line as `dump_line` makes it."""
        if self._file is None:
            self._file = self.path.open("ab", buffering=0)
        start = self._file.seek(0, os.SEEK_END)
        rest = memoryview(line)
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError:
            self._file.truncate(start)
            raise

    def touch(self) -> None:
        """Make the file, so that no records give an empty file and not none."""
        if self._file is None:
            self._file = self.path.open("ab", buffering=0)

    def close(self) -> None:
        """Close the file; further lines open it again."""
        if self._file is not None:
            self._file.close()
            self._file = None


def cut_torn_line(path: Path) -> int:
    """Cut what stands after the last newline of a file; return how many bytes that was."""
    with path.open("r+b") as stream:
        end = position = stream.seek(0, os.SEEK_END)
        while position > 0:
            start = max(0, position - _BLOCK)
            stream.seek(start)
            newline = stream.read(position - start).rfind(b"\n")
            if newline >= 0:
                position = start + newline + 1
                break
            position = start
        stream.truncate(position)
        return end - position


def check_apart(outputs: Iterable[Path | None], inputs: Iterable[str | Path | None]) -> None:
    """Check that no output is an input, or a folder that holds one; None and `-` are no files.

    What is written over before it is read is lost.

    Raises:
        RecordError: one is.
    """
    given = [Path(one).resolve() for one in inputs if one is not None and str(one) != "-"]
    for path in outputs:
        if path is None:
            continue
        for one in given:
            if one == path.resolve():
                raise RecordError("is an input too; give another output", file=str(path))
            if one.is_relative_to(path.resolve()):
                reason = f"holds the input {one.name}; give another output"
                raise RecordError(reason, file=str(path))


def check_output(path: Path, *, may_exist: bool) -> None:
    """Check that a file can be written at `path`.

    Raises:
        RecordError: it is a folder, its folder is missing or takes no files, or it exists and must
            not.
    """
    if path.is_dir():
        raise RecordError("is a folder, expected the name of a file to write", file=str(path))
    if not path.parent.is_dir():
        raise RecordError(
            f"folder {str(path.parent)!r} does not exist; make it first", file=str(path)
        )
    if path.exists() and not may_exist:
        raise RecordError("exists already; give another name, or --overwrite", file=str(path))
    probe = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        probe.open("xb").close()
        probe.unlink()
    except OSError as error:
        reason = f"can't be written: {error.strerror or error}"
        raise RecordError(reason, file=str(path)) from None
