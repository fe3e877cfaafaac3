"""The log of a run: `log.jsonl`, one line for each stretch of steps and each evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from maskcodec.errors import RecordError
from maskcodec.records import dump_line, read_records
from maskcodec.writing import LineFile, atomic

LOG = "log.jsonl"


class RunLog:
    """Appends to a run's log, and keeps it in memory for curves.

    Args:
        folder: the run's.
        step: the step that the run goes on from; later lines, of a run that was killed after its
            last checkpoint, are dropped. 0 for a new log.
        title: of the page of curves.
        facts: what it says of the run.
    """

    def __init__(self, folder: Path, step: int, title: str, facts: Mapping[str, Any]) -> None:
        self.folder = folder
        self.title = title
        self.facts = facts
        self.lines: list[dict[str, Any]] = []
        path = folder / LOG
        if step and path.exists():
            found = (item for item in read_records(path) if not isinstance(item, RecordError))
            self.lines = [item.fields for item in found if item.whole("step", 0) <= step]
        if step:  # whole or not at all, whenever this process is killed too
            with atomic(path) as stream:
                stream.writelines(map(dump_line, self.lines))
        self._file = LineFile(path, resume=step > 0)

    def add(self, line: dict[str, Any]) -> None:
        """Add a line; it is in the file at once."""
        self.lines.append(line)
        self._file.append(line)

    def last_giou(self) -> str:
        """`, gIoU .71`, or nothing."""
        found = next((line["giou"] for line in reversed(self.lines) if "giou" in line), None)
        return "" if found is None else f", gIoU {found:.3f}".replace("0.", ".")

    def figures(self) -> dict[str, Any]:
        """What the last evaluation measured, and the step it was after."""
        found: dict[str, Any] = next((line for line in reversed(self.lines) if "giou" in line), {})
        return {name: value for name, value in found.items() if "seconds" not in name}

    def draw(self) -> None:
        """Write the curves and the page, with what was logged so far."""
        from .loss_curves import page, picture

        if len(self.lines) > 1:
            with atomic(self.folder / "curves.png") as stream:
                picture(self.lines).save(stream, "PNG")
            with atomic(self.folder / "report.html") as stream:
                stream.write(page(self.title, self.lines, self.facts).encode("utf-8"))

    def close(self) -> None:
        """Close the file."""
        self._file.close()
