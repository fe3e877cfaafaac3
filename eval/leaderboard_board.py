"""Systems side by side: published results and a user's own, and why some of them do not compare."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from maskcodec.scores.conventions import CONVENTIONS as PROGRAMS
from maskcodec.scores.published import CONVENTIONS, DATASETS, Published

from .leaderboard_runs import Figure, Run

AVERAGE = "average"

DECIDES = {
    "refcoco": ("unit",),
    "refcoco+": ("unit",),
    "refcocog": ("unit",),
    "reasonseg": ("unit", "ignore"),
    "grefcoco": ("unit", "empty", "failed", "missed", "reject"),
}
"""Options of a convention that change figures on a data set. RefCOCO's samples all have a target
and no pixel that nobody annotated, so that most options change nothing there."""

DIFFERENCES = {
    "unit": "expressions of an object are averaged first in one of the two",
    "ignore": "pixels that nobody annotated are counted differently",
    "empty": "a right “nothing there” is counted differently",
    "failed": "answers that can't be read are counted differently",
    "missed": "a mask where nothing is there is counted differently",
    "reject": "“nothing there” begins at another number of pixels",
}
"""What it means that an option differs."""


@dataclass(frozen=True, slots=True)
class Column:
    """One split of a data set."""

    dataset: str
    split: str

    @property
    def name(self) -> str:
        """`refcoco val`."""
        return f"{self.dataset} {self.split}"


@dataclass(frozen=True, slots=True)
class Row:
    """One system.

    Attributes:
        system: its name.
        backbone: may be empty.
        kind: see `maskcodec.scores.published`; "yours" for a user's own.
        needs_decoder: whether a network that sees the image makes the pixels.
        convention: how it was counted.
        figures: by column; a column without one is left out.
        sources: where the figures were read.
        notes: remarks.
        differs: why its figures do not compare with the user's own, or without one with those of
            most rows.
    """

    system: str
    backbone: str
    kind: str
    needs_decoder: bool | None
    convention: str
    figures: Mapping[Column, Figure]
    sources: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()

    @property
    def yours(self) -> bool:
        """Whether it is a user's own."""
        return self.kind == "yours"


@dataclass(frozen=True, slots=True)
class Board:
    """A table of results, the best first.

    Attributes:
        metric: what the figures are.
        columns: one or more.
        order: the column that it is sorted by, or None: by the average.
        rows: those with a figure in any column.
    """

    metric: str
    columns: tuple[Column, ...]
    order: Column | None
    rows: tuple[Row, ...] = field(default=())

    @property
    def has_yours(self) -> bool:
        """Whether a user's own run is among the rows."""
        return any(row.yours for row in self.rows)

    def average(self, row: Row) -> float | None:
        """The mean over all columns; None where one is missing."""
        if any(column not in row.figures for column in self.columns):
            return None
        return sum(row.figures[column].value for column in self.columns) / len(self.columns)

    def sorted_by(self, row: Row) -> float | None:
        """The figure that decides a row's place."""
        if self.order is None:
            return self.average(row)
        return row.figures[self.order].value if self.order in row.figures else None

    def ranks(self) -> list[int | None]:
        """Each row's place from 1; equal figures share one; None where it has no such figure."""
        values = [self.sorted_by(row) for row in self.rows]
        return [
            None if value is None else 1 + sum(v is not None and v > value for v in values)
            for value in values
        ]

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "schema": 1,
            "program": "maskcodec leaderboard",
            "metric": self.metric,
            "columns": [{"dataset": one.dataset, "split": one.split} for one in self.columns],
            "sorted_by": AVERAGE if self.order is None else self.order.name,
            "rows": [
                self._fields(row, rank) for row, rank in zip(self.rows, self.ranks(), strict=True)
            ],
        }

    def _fields(self, row: Row, rank: int | None) -> dict[str, Any]:
        figures = (row.figures.get(column) for column in self.columns)
        average = self.average(row)
        return {
            "rank": rank,
            "system": row.system,
            "backbone": row.backbone,
            "kind": row.kind,
            "yours": row.yours,
            "needs_decoder": row.needs_decoder,
            "convention": row.convention,
            "values": [None if one is None else round(one.value, 4) for one in figures],
            "ceilings": [
                None if one is None or one.ceiling is None else round(one.ceiling, 4)
                for one in (row.figures.get(column) for column in self.columns)
            ],
            "average": None if average is None else round(average, 4),
            "differs": list(row.differs),
            "notes": list(row.notes),
            "sources": list(row.sources),
        }


def make_board(
    published: Iterable[Published],
    runs: Sequence[Run],
    columns: Sequence[Column],
    metric: str,
    order: Column | str | None = None,
) -> Board:
    """Put published results and runs into one table.

    Args:
        published: results; only those of the columns and the metric are taken.
        runs: a user's own; those of the same system are one row.
        columns: one or more.
        metric: a name of `maskcodec.scores.published.METRICS`.
        order: what to sort by: a column, or "average"; None: the first column that a run has, or
            the first one.

    Returns:
        the table; rows without the figure that it is sorted by stand last, by name.
    """
    rows = [*_published(published, columns, metric), *_yours(runs, columns, metric)]
    rows = [row if row.yours else replace(row, differs=_differs(row, runs)) for row in rows]
    if order is None:
        own = [one for one in columns if any(row.yours and one in row.figures for row in rows)]
        order = own[0] if own else columns[0]
    board = Board(metric, tuple(columns), None if isinstance(order, str) else order)
    best = sorted(rows, key=lambda row: _place(board, row))
    return replace(board, rows=tuple(best))


def _place(board: Board, row: Row) -> tuple[bool, float, bool, str, str]:
    value = board.sorted_by(row)
    return value is None, -(value or 0.0), not row.yours, row.system.lower(), row.backbone


def _published(published: Iterable[Published], columns: Sequence[Column], metric: str) -> list[Row]:
    groups: dict[tuple[str, str, str], list[Published]] = {}
    for one in published:
        if one.metric == metric and Column(one.dataset, one.split) in columns:
            groups.setdefault((one.system, one.backbone, one.convention), []).append(one)
    return [
        Row(
            system=system,
            backbone=backbone,
            kind=found[0].kind,
            needs_decoder=found[0].needs_decoder,
            convention=convention,
            figures={Column(one.dataset, one.split): Figure(one.value) for one in found},
            sources=tuple(dict.fromkeys(one.source for one in found)),
            notes=tuple(dict.fromkeys(one.note for one in found if one.note)),
        )
        for (system, backbone, convention), found in groups.items()
    ]


def _yours(runs: Sequence[Run], columns: Sequence[Column], metric: str) -> list[Row]:
    rows: dict[str, Row] = {}
    for run in runs:
        column, figure = Column(run.dataset, run.split), run.figure(metric)
        if column not in columns or figure is None:
            continue
        notes = tuple(f"{column.name}: {gap}" for gap in run.gaps())
        if metric not in run.figures:
            notes += (f"{metric} is what the run calls {_called(run, metric)}",)
        row = rows.get(run.system) or Row(run.system, "", "yours", None, run.convention, {})
        rows[run.system] = replace(
            row,
            figures={**row.figures, column: figure},
            sources=(*row.sources, run.file),
            notes=(*row.notes, *notes),
        )
    return list(rows.values())


def _called(run: Run, metric: str) -> str:
    figure = run.figure(metric)
    return next(name for name, one in run.figures.items() if one is figure)


def _differs(row: Row, runs: Sequence[Run]) -> tuple[str, ...]:
    """Why a published row does not compare with the runs that share a column with it.

    Without runs: why it does not compare with rows of one sample an expression, which most are.
    """
    counted = CONVENTIONS[row.convention]
    reasons: dict[str, None] = {}
    if any(prompts != counted.prompts for prompts in [run.prompts for run in runs] or ["single"]):
        reasons[counted.doc] = None
    if counted.other_metric:
        reasons[counted.other_metric] = None
    if counted.like is None:
        return tuple(reasons)
    theirs = PROGRAMS[counted.like].options
    for run in runs:
        if Column(run.dataset, run.split) not in row.figures:
            continue
        for option in DECIDES.get(run.dataset, tuple(DIFFERENCES)):
            if option in run.options and run.options[option] != theirs[option]:
                said = f"{DIFFERENCES[option]} (there {theirs[option]}, here {run.options[option]})"
                reasons[said] = None
    return tuple(reasons)


def columns_of(datasets: Sequence[str], splits: Sequence[str] = ()) -> list[Column]:
    """The columns of data sets: all their splits, or those that are named."""
    return [
        Column(dataset, split)
        for dataset in datasets
        for split in DATASETS[dataset]
        if not splits or split in splits
    ]
