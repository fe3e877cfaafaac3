"""The document of a run, `scores.json`: everything that was found, and how to find it again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from maskcodec.machine import describe_machine, describe_versions

from . import score_figures as figures
from .score_figures import Asked
from .score_kinds import Row, describe_convention
from .score_parts import lacking
from .score_rows import Stored, Tally

SCHEMA = 1
PROGRAM = "maskcodec score"


@dataclass(frozen=True, slots=True)
class About:
    """What is said of a run beside its figures.

    Attributes:
        command: that made it, as a shell takes it.
        system: what was scored.
        other: what it is compared with; "" for nothing.
        preset: the name of the benchmark's rules.
        dataset: its name.
        split: of the data set.
    """

    command: str
    system: str
    other: str = ""
    preset: str | None = None
    dataset: str | None = None
    split: str | None = None


def make_document(
    rows: Sequence[Stored], asked: Asked, settings: dict[str, Any], tally: Tally, about: About
) -> dict[str, Any]:
    """All figures of rows, as JSON.

    Args:
        rows: in the order of the truth.
        asked: which figures.
        settings: of the run, see `score_rows`.
        tally: what was counted beside the rows.
        about: names.
    """
    columns = figures.columns_of((one.row for one in rows), asked.rules)
    ceiling = _ceiling(rows, columns, asked)
    comparison = None
    if about.other:
        rivals = [one.other for one in rows if one.other is not None]
        other = figures.columns_of(rivals, asked.rules)
        comparison = figures.comparison(columns, other, about.other, asked)
    return {
        "schema": SCHEMA,
        "program": PROGRAM,
        "command": about.command,
        "versions": describe_versions(("maskcodec", "numpy", "pillow", "opencv-python-headless")),
        "machine": describe_machine(),
        "seed": asked.seed,
        "resamples": asked.draws,
        "kind": asked.rules.kind,
        "preset": about.preset,
        "dataset": about.dataset,
        "split": about.split,
        "system": about.system,
        "convention": describe_convention(asked.rules.kind, asked.convention),
        "inputs": settings["inputs"],
        "counts": _counts(rows, tally),
        "repairs": dict(Counter(kind for one in rows for kind in one.repairs).most_common()),
        "scores": figures.scores(columns, ceiling, asked),
        "groups": figures.groups(columns, asked),
        "histogram": figures.histogram(columns, asked),
        "labels": figures.labels(columns, asked),
        "comparison": comparison,
        "lacking": lacking(settings),
        "rows": "rows.jsonl",
    }


def _ceiling(rows: Sequence[Stored], columns: Any, asked: Asked) -> Any:
    if asked.rules.kind == "referring":
        return columns.ceiling()
    known: list[Row] = [one.ceiling for one in rows if one.ceiling is not None]
    return figures.columns_of(known, asked.rules) if known else None


def _counts(rows: Sequence[Stored], tally: Tally) -> dict[str, int]:
    statuses = Counter(one.row.status for one in rows)
    tokens = [one.tokens for one in rows if one.tokens is not None]
    counts = {
        "truth": len(rows),
        "scored": len(rows),
        "missing": statuses["missing"],
        "invalid": statuses["invalid"],
        "repaired": statuses["repaired"],
        "extra": tally.extra,
        "duplicate": tally.duplicate,
        "rejected": tally.rejected,
        "unreadable": tally.unreadable,
        "words": tally.words,
        "other_size": tally.other_size,
    }
    return counts | ({"tokens": sum(tokens)} if tokens else {})
