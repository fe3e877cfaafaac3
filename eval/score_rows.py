"""The folder of a run: its settings, and its rows.

`rows.jsonl` has a line for each sample: which unit of the truth it belongs to, and what was counted
of it. Scores are always made of that file, so that an interrupted run that went on, and parts that
were merged, give what one run gives.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from maskcodec.errors import RecordError
from maskcodec.records import Record, brief, read_json, read_records
from maskcodec.writing import LineFile, atomic

from .score_kinds import Row, read_row

ROWS = "rows.jsonl"
SETTINGS = "run.json"
NAMES = "names"
"""The entry of the settings that says what the systems are called; no figure depends on it."""
UNMATCHED = "unmatched.jsonl"
REJECTED = "rejected.jsonl"
FILES = (ROWS, SETTINGS, UNMATCHED, REJECTED, "scores.json", "page.html")

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Stored:
    """A line of `rows.jsonl`.

    Attributes:
        unit: of the truth.
        place: in its unit.
        of: how many the unit has.
        row: what was counted.
        ceiling: the same of the ceiling, where the row doesn't hold it itself.
        other: the same of the other system.
        repairs: kinds of what was wrong with the prediction.
        tokens: of the prediction.
        by: the name that the prediction was found by; "" where there is none.
        problem: why it is invalid.
        words: answers in words beside the unit's rows.
        other_size: whether the prediction was made for an image of another size.
    """

    unit: int
    place: int
    of: int
    row: Row
    ceiling: Row | None
    other: Row | None
    repairs: tuple[str, ...]
    tokens: int | None
    by: str = ""
    problem: str = ""
    words: int = 0
    other_size: bool = False


@dataclass(slots=True)
class Tally:
    """What is counted beside the rows.

    Attributes:
        ids: ids that the predictions have.
        used: those of them that a sample has.
        duplicate: predictions that stand twice.
        unreadable: records of predictions that can't be used.
        rejected: samples of the truth that can't be used.
        words: answers in words.
        other_size: predictions made for images of another size.
        torn: whether the predictions end in the middle of a line.
    """

    ids: int = 0
    used: int = 0
    duplicate: int = 0
    unreadable: int = 0
    rejected: int = 0
    words: int = 0
    other_size: int = 0
    torn: bool = False

    @property
    def extra(self) -> int:
        """Ids of predictions that no sample has."""
        return self.ids - self.used

    def fields(self) -> dict[str, Any]:
        """As JSON."""
        return {name: getattr(self, name) for name in _TALLY}

    @classmethod
    def read(cls, record: Record) -> Tally:
        """From `fields`, as untrusted data."""
        found = cls(torn=record.fields.get("torn") is True)
        for name in _TALLY[:-1]:
            value = record.whole(name, 0)
            if value < 0:
                raise record.error(f"is {value}, expected 0 or more", name)
            setattr(found, name, value)
        return found


_TALLY = ("ids", "used", "duplicate", "unreadable", "rejected", "words", "other_size", "torn")


@dataclass(slots=True)
class Folder:
    """A run's folder.

    Attributes:
        path: of the folder.
        settings: what the run was asked.
        tally: what it counted beside its rows; None where it was interrupted.
        known: ids of rows that are there, by unit.
        sizes: how many rows each unit has.
    """

    path: Path
    settings: dict[str, Any]
    tally: Tally | None = None
    known: dict[int, set[str]] = field(default_factory=dict)
    sizes: dict[int, int] = field(default_factory=dict)

    def is_done(self, unit: int) -> bool:
        """Whether all rows of a unit are there."""
        return unit in self.sizes and len(self.known[unit]) >= self.sizes[unit]

    def write_settings(self, tally: Tally | None = None) -> None:
        """Write `run.json`; with the tally once the run is complete."""
        self.tally = tally
        document = self.settings | ({} if tally is None else {"tally": tally.fields()})
        with atomic(self.path / SETTINGS) as stream:
            stream.write(json.dumps(document, indent=1).encode("ascii") + b"\n")


def start(path: Path, settings: dict[str, Any], *, resume: bool, overwrite: bool) -> Folder:
    """Make a run's folder, or open that of a run that goes on.

    Raises:
        RecordError: it has files that may not be replaced, or those of another run.
    """
    if path.exists() and not path.is_dir():
        raise RecordError("is a file, expected a folder", file=str(path))
    path.mkdir(parents=True, exist_ok=True)
    folder = Folder(path, settings)
    if resume and (path / SETTINGS).exists():
        earlier = _settings(path / SETTINGS)
        differs = [
            key for key, value in settings.items() if key != NAMES and earlier.get(key) != value
        ]
        if differs:
            options = _options_that_differ(earlier.get("arguments"), settings.get("arguments"))
            named = [*options, *(key for key in differs if key != "arguments" or not options)]
            raise RecordError(
                f"is of a run with another {', '.join(named)}; give the same, or a new --output",
                file=str(path / SETTINGS),
            )
        LineFile(path / ROWS, resume=True).close()  # cuts a torn line
        for record in _records(path / ROWS):
            unit = record.whole("unit")
            folder.known.setdefault(unit, set()).add(_inner(record, "row").identifier("id"))
            folder.sizes[unit] = record.whole("of")
        return folder
    if any(path.iterdir()) and not overwrite and not resume:
        raise RecordError(
            "holds files already; give a new folder, --resume or --overwrite", file=str(path)
        )
    clear(path)
    folder.write_settings()
    return folder


def _options_that_differ(earlier: object, now: object) -> list[str]:
    """As the command line spells them."""
    if not isinstance(earlier, dict) or not isinstance(now, dict):
        return []
    names = [name for name, value in now.items() if earlier.get(name) != value]
    return [name if name == "predictions" else f"--{name.replace('_', '-')}" for name in names]


def clear(path: Path) -> None:
    """Remove what an earlier run wrote."""
    for name in FILES:
        (path / name).unlink(missing_ok=True)


def _settings(path: Path) -> dict[str, Any]:
    value = read_json(path)
    if not isinstance(value, dict):
        raise RecordError(f"is {brief(value)}, expected an object", file=str(path))
    return value


def read_folder(path: Path) -> Folder:
    """Open the folder of a run to put it together with others, by itself or by its `rows.jsonl`.

    Raises:
        RecordError: it is none, or was not completed.
    """
    path = path.parent if path.name == ROWS else path
    if not (path / SETTINGS).is_file():
        raise RecordError(
            f"holds no {SETTINGS}: it is no folder of `maskcodec score`", file=str(path)
        )
    settings = _settings(path / SETTINGS)
    if settings.get("schema") != SCHEMA:
        raise RecordError(
            f"is {brief(settings.get('schema'))}, but this version reads {SCHEMA}",
            file=str(path / SETTINGS),
            field="schema",
        )
    record = Record(str(path / SETTINGS), None, settings)
    if "tally" not in settings:
        raise RecordError("is of a run that was interrupted: go on with --resume", file=record.file)
    tally = Tally.read(Record(record.file, None, _object(record, "tally"), "tally."))
    return Folder(path, settings, tally)


def read_rows(path: Path, kind: str) -> Iterator[Stored]:
    """The rows of a folder, in the order of the file.

    Raises:
        RecordError: one can't be read.
    """
    for record in _records(path / ROWS):
        place, of, unit = record.whole("place"), record.whole("of"), record.whole("unit")
        if not 0 <= place < of or unit < 0:
            raise record.error(f"is {place} of {of}, which can't be", "place")
        ceiling, other = (
            read_row(kind, _inner(record, name)) if record.fields.get(name) is not None else None
            for name in ("ceiling", "other")
        )
        row = read_row(kind, _inner(record, "row"))
        kinds = record.items("repairs", []) if kind != "referring" else _own(row, "repairs", ())
        tokens = record.fields.get("tokens") if kind != "referring" else _own(row, "tokens", None)
        yield Stored(
            unit,
            place,
            of,
            row,
            ceiling,
            other,
            tuple(str(one) for one in kinds),
            tokens if isinstance(tokens, int) else None,
            "" if row.status == "missing" else record.text("by", row.id),
            record.raw_text("problem", ""),
            record.whole("words", 0),
            record.fields.get("other_size") is True,
        )


def _own(row: Row, name: str, default: Any) -> Any:
    return getattr(row, name, default)


def _records(path: Path) -> Iterator[Record]:
    if not path.exists() or not path.stat().st_size:
        return
    for record in read_records(path):
        if isinstance(record, RecordError):
            raise record
        yield record


def _inner(record: Record, field: str) -> Record:
    return Record(record.file, record.line, _object(record, field), f"{field}.")


def _object(record: Record, field: str) -> dict[str, Any]:
    value = record.get(field)
    if not isinstance(value, dict):
        raise record.error(f"is {brief(value)}, expected an object", field)
    return value
