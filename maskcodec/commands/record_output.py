"""Where a verb's records go: good ones to a JSONL file or stdout, bad ones aside with the reason.

Each input becomes exactly one line, in the output or in the list of what was set aside, and each
line reaches the operating system at once and whole. What a killed run left to do is therefore what
stands in neither file.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from ..errors import MaskCodecError, RecordError
from ..records import read_records
from ..writing import LineFile, check_apart, check_output
from .set_aside import SetAside, rejected_path


class RecordOutput:
    """Takes the lines of one run.

    Args:
        path: the JSONL file; None writes to stdout, and what is set aside is only printed.
        verb: for messages.
        spec: the spec of the texts; an earlier run must have written the same.
        resume: keep what an earlier run wrote.
        overwrite: replace it.
        truth: whether the run's records hold the truth, as the earlier ones must then too; None
            where that is the inputs' business.

    Raises:
        RecordError: the file exists and neither is asked for, or it can't be continued.
    """

    def __init__(
        self,
        path: Path | None,
        verb: str,
        spec: str,
        *,
        resume: bool = False,
        overwrite: bool = False,
        truth: bool | None = None,
    ) -> None:
        self.path = path
        self.written = 0
        self._ids: dict[str, bool] = {}  # id -> whether an input of this run had it
        self._lines: LineFile | None = None
        if path is None:
            self.aside = SetAside(None, verb)
            return
        for one in (path, rejected_path(path)):
            check_output(one, may_exist=resume or overwrite)
        self._lines = LineFile(path, resume=resume)
        if resume:
            self._read_earlier(path, spec, truth)
        self.aside = SetAside(rejected_path(path), verb, resume=resume)
        self.earlier = self.written + self.aside.count

    def _read_earlier(self, path: Path, spec: str, truth: bool | None) -> None:
        if not path.exists() or not path.stat().st_size:
            return
        for record in read_records(path):
            if isinstance(record, RecordError):
                raise RecordError(
                    f"can't be continued: {record.reason}", file=str(path), line=record.line
                )
            if record.text("spec") != spec:
                raise record.error(
                    f"is {record.text('spec')!r}, but this run writes {spec!r}", "spec"
                )
            if truth not in (None, "truth" in record.fields):
                found, other = ("missing", "with") if truth else ("there", "without")
                raise record.error(f"is {found}, but this run writes {other} --truth", "truth")
            self._ids[record.text("id")] = False
            self.written += 1

    def is_done(self, file: str, id_: str) -> bool:
        """Whether an earlier run has dealt with this input."""
        if self._ids.get(id_) is False:
            self._ids[id_] = True
            return True
        if self.aside.knows(file, id_):
            self._ids.setdefault(id_, True)
            return True
        return False

    def is_twice(self, id_: str) -> bool:
        """Whether an earlier input of this run had this id already; remembers it."""
        if id_ in self._ids:
            return True
        self._ids[id_] = True
        return False

    def write(self, line: bytes) -> None:
        """Add one good line."""
        if self._lines is None:
            sys.stdout.buffer.write(line)
        else:
            self._lines.append_line(line)
        self.written += 1

    def close(self) -> None:
        """Close the files; an output without records is an empty file."""
        if self._lines is not None:
            self._lines.touch()
            self._lines.close()
        self.aside.close()

    def summary(self) -> str:
        """What the run did, in one line."""
        text = f"{self.written} records" + self.aside.summary()
        if self.path is not None and self.earlier:
            text += f"; {self.earlier} of them by an earlier run"
        strangers = sum(not met for met in self._ids.values())
        if strangers:
            text += f"; {strangers} records of {self.path} come from none of these inputs"
        return text


def check_jsonl_output(
    path: Path | None, inputs: Sequence[str | Path | None], *, resume: bool
) -> None:
    """Check the name of an output of records before anything is read; None is stdout.

    Raises:
        MaskCodecError: it is no `.jsonl`; it or the list of what is set aside is an input too; or
            stdout should be continued.
    """
    if path is None:
        if resume:
            raise MaskCodecError("--resume needs --output FILE.jsonl")
        return
    if path.suffix != ".jsonl":
        raise RecordError("must end in .jsonl, since it takes records", file=str(path))
    check_apart([path], inputs)
    try:
        check_apart([rejected_path(path)], inputs)
    except RecordError as error:
        reason = f"{error.reason}: records of {path} that are set aside go there"
        raise RecordError(reason, file=error.file) from None
