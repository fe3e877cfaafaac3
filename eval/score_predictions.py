"""Predictions by the id of the sample that each is for, from files of any system.

Every kind of file becomes the same: a file of JSON lines, and an index of where each id's lines
stand in it. The index is small and the lines stay on disk, so that processes can look samples up on
their own and the memory doesn't follow the size of the masks.
"""

from __future__ import annotations

import functools
import json
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from maskcodec.errors import MaskCodecError, RecordError
from maskcodec.records import (
    Record,
    parse_json,
)
from maskcodec.registry import get_codec

from .score_arrays import SUFFIXES, array_records
from .score_sources import Item, Place, document_records, line_records, spooled

FIELDS = ("id", "sent_id", "image_id")
"""What may name a sample in a record, the usual one first."""

JSON_LINES = (".jsonl", ".jsonl.gz", ".ndjson")

LISTED = 10_000
"""Problems with places that are kept of one file; all of them are counted."""


@dataclass(frozen=True, slots=True)
class PredictionFile:
    """What a process needs to look predictions up.

    Attributes:
        path: the file or folder, as it was given.
        lines: the file of JSON lines: `path` itself where it is one.
        index: JSON, the places of each id.
        by_line: whether numbers of places are lines of `path`.
        field: what names a sample: one of `FIELDS`.
        arrays: whether lines say where arrays lie, and were made here.
    """

    path: str
    lines: str
    index: str
    by_line: bool
    field: str
    arrays: bool = False

    def find(self, names: Mapping[str, list[str]]) -> tuple[str, list[Record]]:
        """The predictions of a sample.

        Args:
            names: of the sample, by field; several where a file's name can be spelt in two ways.

        Returns:
            the name that was found, and the records; "" and none where there is no prediction.
        """
        places = _places(self.index)
        for name in map(same_letters, names.get(self.field, ())):
            if name in places:
                return name, [self._read(Place(*one)) for one in places[name]]
        return "", []

    def _read(self, place: Place) -> Record:
        stream = _stream(self.lines)
        stream.seek(place.start)
        line = stream.read(place.length).removeprefix(b"\xef\xbb\xbf")
        number = place.number if self.by_line else None
        fields = cast("dict[str, Any]", parse_json(line, self.path, number))
        return Record(self.path, number, fields, "" if self.by_line else f"[{place.number}].")


def same_letters(name: str) -> str:
    """A name in one spelling: an "é" is one character, or a letter and an accent (macOS)."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


@functools.lru_cache(maxsize=4)
def _places(index: str) -> dict[str, list[list[int]]]:
    found: dict[str, list[list[int]]] = json.loads(Path(index).read_bytes())
    return found


_OPEN: dict[str, IO[bytes]] = {}


def _stream(lines: str) -> IO[bytes]:
    if lines not in _OPEN:
        _OPEN[lines] = Path(lines).open("rb")  # noqa: SIM115  `close_files` closes it
    return _OPEN[lines]


def close_files() -> None:
    """Close what `find` opened in this process."""
    _places.cache_clear()
    while _OPEN:
        _OPEN.popitem()[1].close()


@dataclass(slots=True)
class Predictions:
    """What a file of predictions holds, as the program that starts the processes knows it.

    Attributes:
        file: for processes.
        places: of each id.
        records: predictions that can be used, repeated ones not among them.
        duplicates: repeated ones: the id and its place.
        errors: records that can't be used; `rejected` counts those beyond `LISTED` too.
        rejected: how many can't be used.
        specs: how many texts name each spec; "" for those that name none.
        torn: whether the file ends in the middle of a line.
    """

    file: PredictionFile
    places: dict[str, list[Place]] = field(default_factory=dict)
    records: int = 0
    duplicates: list[tuple[str, Place]] = field(default_factory=list)
    duplicate_count: int = 0
    errors: list[RecordError] = field(default_factory=list)
    rejected: int = 0
    specs: Counter[str] = field(default_factory=Counter)
    torn: bool = False

    @property
    def has_text(self) -> bool:
        """Whether predictions are texts."""
        return bool(self.specs)

    def sample_ids(self, count: int = 3) -> str:
        """Some ids, for messages."""
        return ", ".join(repr(name) for name, _ in zip(self.places, range(count), strict=False))


def open_predictions(path: Path, folder: Path, key: str, order: tuple[str, ...]) -> Predictions:
    """Read a file or a folder of predictions once, and index it.

    Args:
        path: see `maskcodec score --help`.
        folder: where the index goes, and lines where `path` has none.
        key: the field that names samples, or "auto".
        order: which field to take where a record has several and `key` is "auto".

    Raises:
        RecordError: nothing of it can be read.
    """
    if not path.exists():
        raise RecordError("no such file or folder", file=str(path))
    stem = f"predictions-{len(list(folder.iterdir()))}"
    index, spool = folder / f"{stem}.json", folder / f"{stem}.jsonl"
    name = path.name.lower()
    arrays = path.is_dir() or name.endswith(SUFFIXES)
    if arrays:
        source = spooled(array_records(path), spool)
        lines, by_line = spool, False
    elif name.endswith(JSON_LINES):
        plain = not name.endswith(".gz")
        lines, by_line = (path if plain else spool), True
        source = line_records(path, None if plain else spool)
    elif name.endswith((".json", ".json.gz")):
        source = spooled(document_records(path), spool)
        lines, by_line = spool, False
    else:
        raise RecordError(
            "has no suffix that is known: .jsonl is one record a line, .json masks as COCO has "
            "them, .npz arrays; or give a folder of PNGs",
            file=str(path),
        )
    found = Predictions(PredictionFile(str(path), str(lines), str(index), by_line, ""))
    chosen = _collect(source, found, "id" if arrays else key, order)
    if arrays and key != "auto":
        chosen = key  # what files are named by
    found.file = PredictionFile(str(path), str(lines), str(index), by_line, chosen, arrays)
    if not found.places:
        reason = found.errors[0] if found.errors else RecordError("is empty", file=str(path))
        raise reason
    places = {
        name: [[one.start, one.length, one.number] for one in those]
        for name, those in found.places.items()
    }
    index.write_bytes(json.dumps(places).encode("ascii"))
    return found


def _collect(source: Iterator[Item], found: Predictions, key: str, order: tuple[str, ...]) -> str:
    """Index every record; the field that names samples comes back."""
    chosen = "" if key == "auto" else key
    seen: dict[str, set[int]] = {}
    for record, place, whole in source:
        try:
            if isinstance(record, RecordError):
                found.torn = not whole
                raise record if whole else _cut_off(record)
            chosen = chosen or _choose(record, order)
            name = same_letters(record.identifier(chosen))
            text = "text" in record.fields
            if text:
                _check_spec(record, found.specs)
        except RecordError as error:
            found.rejected += 1
            if len(found.errors) < LISTED:
                found.errors.append(error)
            continue
        digest = 0 if text else hash(json.dumps(record.fields, sort_keys=True))
        known = seen.setdefault(name, set())
        if digest in known:
            found.duplicate_count += 1
            if len(found.duplicates) < LISTED:
                found.duplicates.append((name, place))
            continue
        known.add(digest)
        found.places.setdefault(name, []).append(place)
        found.records += 1
    return chosen


def _choose(record: Record, order: tuple[str, ...]) -> str:
    for name in order:
        if name in record.fields:
            return name
    record.get(order[0])  # says which fields there are
    raise AssertionError


def _check_spec(record: Record, specs: Counter[str]) -> None:
    spec = record.text("spec") if record.fields.get("spec") is not None else ""
    if spec and spec not in specs:
        try:
            get_codec(spec)
        except MaskCodecError as error:
            raise record.error(str(error), "spec") from None
    specs[spec] += 1


def _cut_off(error: RecordError) -> RecordError:
    return RecordError(
        "is cut off in the middle: the file is not whole, or is still being written",
        file=error.file,
        line=error.line,
    )
