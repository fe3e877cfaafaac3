"""Where the examples of `maskcodec prepare` go, so that a killed run goes on to the same bytes.

Images are dealt with in order, and each line reaches the operating system at once. So all images
before the last one that left a trace are done, and that one may be done in part: it is worked on
again, and what it had written is not written twice.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..datasets.annotated import AnnotatedEntry
from ..errors import MaskCodecError, RecordError
from ..records import Record, parse_json, read_json, read_records
from ..writing import LineFile, atomic, check_output
from .prepare_figures import Figures
from .prepare_rows import Done, entry_id, row_id
from .set_aside import SetAside, rejected_path

VERB = "prepare"


class ExampleOutput:
    """Takes the lines of one run.

    Args:
        path: the file of examples.
        val_path: the file of held-out examples; None where none are held out.
        report: the file that keeps the run's options, and at its end the figures.
        options: a run that goes on must have the same.
        resume: keep what an earlier run wrote.
        overwrite: replace it.

    Raises:
        RecordError: a file exists and neither is asked for, or it can't be continued.

    Attributes:
        figures: of the examples, and of the held-out ones.
        written: examples in both files.
        earlier: those of an earlier run.
    """

    def __init__(
        self,
        path: Path,
        val_path: Path | None,
        report: Path,
        options: dict[str, Any],
        *,
        resume: bool,
        overwrite: bool,
    ) -> None:
        self.report = report
        self.options = options
        paths = [path] if val_path is None else [path, val_path]
        aside = rejected_path(path)
        for one in (*paths, report, aside):
            check_output(one, may_exist=resume or overwrite)
        resume = resume and report.exists()
        if resume:
            _check_options(report, options)
        elif any(one.exists() for one in paths) and not overwrite:
            missing = f"can't be continued: {report} is gone, which said how it was made"
            raise RecordError(f"{missing}; --overwrite begins anew", file=str(path))
        self._known: set[str] = set()
        self.figures = [Figures() for _ in paths]
        self._lines = [LineFile(one, resume=resume) for one in paths]
        for one, figures in zip(paths, self.figures, strict=True):
            self._read_earlier(one, figures)
        self.written = self.earlier = len(self._known)
        self._seen = {entry_id(name) for name in self._known}
        self.aside = SetAside(aside, VERB, resume=resume)
        self._seen |= _entries_aside(aside)
        self._write_report({}, complete=False)

    def _read_earlier(self, path: Path, figures: Figures) -> None:
        if not path.exists() or not path.stat().st_size:
            return
        for record in read_records(path):
            if isinstance(record, RecordError):
                reason = f"can't be continued: {record.reason}"
                raise RecordError(reason, file=str(path), line=record.line)
            figures.add(record)
            self._known.add(record.text("id"))

    def to_do(
        self, entries: Sequence[AnnotatedEntry | RecordError]
    ) -> tuple[int, list[AnnotatedEntry | RecordError]]:
        """How many entries are done, and the others; errors in their places are always there."""
        last = -1
        for index, item in enumerate(entries):
            if isinstance(item, AnnotatedEntry) and item.id in self._seen:
                last = index
        early = [item for item in entries[: max(last, 0)] if isinstance(item, RecordError)]
        return max(last, 0) - len(early), [*early, *entries[max(last, 0) :]]

    def take(self, done: Done | RecordError, limit: int | None) -> bool:
        """Write what became of one image; False once `limit` examples stand in the files."""
        if isinstance(done, RecordError):
            self.aside.add(done)
            return True
        for error, name in done.problems:
            if not self.aside.knows(error.file, name):
                self.aside.add(error, name)
        target = int(done.held_out)
        for name, line in done.lines:
            if name in self._known:
                continue
            if limit is not None and self.written >= limit:
                return False
            self._lines[target].append_line(line)
            self._known.add(name)
            self.figures[target].add(Record("", None, parse_json(line, "")))
            self.written += 1
        return limit is None or self.written < limit

    def close(self) -> None:
        """Close the files; without examples they are empty."""
        for lines in self._lines:
            lines.touch()
            lines.close()
        self.aside.close()

    def finish(self, figures: dict[str, Any]) -> None:
        """Write the report of a run that came to its end."""
        self._write_report(figures, complete=True)

    def _write_report(self, figures: dict[str, Any], *, complete: bool) -> None:
        content = {"schema": 1, "complete": complete, "options": self.options} | figures
        with atomic(self.report) as stream:
            text = json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False)
            stream.write(text.encode("utf-8", "backslashreplace") + b"\n")


def _check_options(report: Path, options: dict[str, Any]) -> None:
    earlier = read_json(report)
    earlier = earlier.get("options") if isinstance(earlier, dict) else None
    if not isinstance(earlier, dict):
        raise RecordError("is no report of `maskcodec prepare`", file=str(report))
    for name, value in options.items():
        if earlier.get(name) != value:
            raise MaskCodecError(
                f"can't be continued: the earlier run had {name} {earlier.get(name)!r}, this one "
                f"has {value!r} (see {report}); give the same options, or --overwrite"
            )


def _entries_aside(path: Path) -> set[str]:
    """The entries that left a trace in the list of what was set aside."""
    if not path.exists() or not path.stat().st_size:
        return set()
    return {
        entry_id(name)
        for record in read_records(path)
        if isinstance(record, Record) and isinstance(name := record.fields.get("id"), str)
    }


def twice(item: AnnotatedEntry) -> Done:
    """What becomes of an entry whose id an earlier one has."""
    reason = f"{item.id!r} is the id of an earlier record already; ids must differ"
    error = RecordError(reason, file=item.file, line=item.line, field="id")
    return Done(item.id, False, (), ((error, row_id(item.id)),))
