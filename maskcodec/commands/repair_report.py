"""Counts what decoding repaired, and writes each repair to a file if asked."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from ..decoded import Repair
from .texts import Text


class RepairReport:
    """What was repaired in all texts of a run.

    Args:
        stream: takes a JSON list of `{"id", "line", "repairs": [{"kind", "position", "message"}]}`,
            one entry a text that needed repair; None writes nothing. `close` ends the list.
    """

    def __init__(self, stream: IO[bytes] | None) -> None:
        self.texts = 0
        self.kinds: Counter[str] = Counter()
        self._stream = stream

    def add(self, text: Text, repairs: Sequence[Repair]) -> None:
        """Count the repairs of one text."""
        if not repairs:
            return
        if self._stream is not None:
            entry = {
                "id": text.id,
                "line": None if text.record is None else text.record.line,
                "repairs": [dataclasses.asdict(repair) for repair in repairs],
            }
            self._stream.write(b",\n" if self.texts else b"[\n")
            self._stream.write(json.dumps(entry).encode("ascii"))
        self.texts += 1
        self.kinds.update(repair.kind for repair in repairs)

    def close(self) -> None:
        """End the list."""
        if self._stream is not None:
            self._stream.write(b"\n]\n" if self.texts else b"[]\n")

    def summary(self) -> str:
        """`; 12 texts repaired (short-row 9, cut 3)`, or nothing."""
        if not self.texts:
            return ""
        kinds = ", ".join(f"{kind} {count}" for kind, count in self.kinds.most_common())
        noun = "text" if self.texts == 1 else "texts"
        return f"; {self.texts} {noun} repaired ({kinds})"


def check_report(path: Path | None, outputs: Sequence[Path]) -> None:
    """Refuse a report that would replace an output.

    Raises:
        MaskCodecError: it has the name of one.
    """
    from ..errors import RecordError

    if path is None:
        return
    if path.is_dir() or path.resolve() in [output.resolve() for output in outputs]:
        raise RecordError(
            "is no file that a report may replace; give another --report", file=str(path)
        )
