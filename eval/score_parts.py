"""The folders of several runs put together: parts of one truth, or of several."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from maskcodec.errors import RecordError

from .score_rows import NAMES, ROWS, Folder, Stored, Tally, read_rows

SAME = ("schema", "kind", "rules", "tasks", "ceiling", "compared")
"""Settings that parts must share to be put together."""


def name_of_all(folders: Sequence[Folder], option: str) -> str | None:
    """What `--system` or `--other` called it in each run; None where runs differ or do not say."""
    names = [folder.settings.get(NAMES) for folder in folders]
    said = [one.get(option) if isinstance(one, dict) else None for one in names]
    return said[0] if isinstance(said[0], str) and all(one == said[0] for one in said) else None


def merged(folders: Sequence[Folder]) -> tuple[list[Stored], dict[str, Any], Tally]:
    """The rows of several runs, in the order of the truth.

    Parts of one truth (`--shard`) are ordered as the truth is; parts of different truths follow
    each other as they are given.

    Returns:
        the rows, the settings, and the tally of all.

    Raises:
        RecordError: the runs measured different things, or two have the same sample.
    """
    first = folders[0]
    for folder in folders[1:]:
        differs = [key for key in SAME if folder.settings.get(key) != first.settings.get(key)]
        if differs:
            raise RecordError(
                f"measured something else than {first.path}: {', '.join(differs)} differ",
                file=str(folder.path),
            )
    kind = str(first.settings["kind"])
    truths = list(dict.fromkeys(_digest(folder, "truth") for folder in folders))
    keyed: list[tuple[int, int, int, Stored]] = []
    owner: dict[str, Path] = {}
    for folder in folders:
        rank = truths.index(_digest(folder, "truth"))
        for one in read_rows(folder.path, kind):
            if one.row.id in owner:
                raise RecordError(
                    f"sample {one.row.id!r} is in {owner[one.row.id]} too: each part must have its "
                    "own samples, as --shard gives them",
                    file=str(folder.path / ROWS),
                )
            owner[one.row.id] = folder.path
            keyed.append((rank, one.unit, one.place, one))
    keyed.sort(key=lambda item: item[:3])
    settings = first.settings | {
        "shard": None,
        "parts": [folder.settings.get("shard") for folder in folders],
        "inputs": _all_inputs(folders),
    }
    return [item[3] for item in keyed], settings, _sum(folders)


def lacking(settings: dict[str, Any]) -> list[str]:
    """The parts I/N that were not among those that were put together."""
    parts = [tuple(part) for part in settings.get("parts", ()) if part]
    totals = {total for _, total in parts}
    return [
        f"{number}/{total}"
        for total in sorted(totals)
        for number in range(total)
        if (number, total) not in parts
    ]


def _digest(folder: Folder, name: str) -> str:
    inputs = folder.settings.get("inputs")
    found = inputs.get(name) if isinstance(inputs, dict) else None
    return json.dumps([one.get("sha256") for one in found]) if isinstance(found, list) else ""


def _all_inputs(folders: Sequence[Folder]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in ("predictions", "against", "truth"):
        entries: dict[str, Any] = {}
        for folder in folders:
            for one in folder.settings["inputs"].get(name, ()):
                entries.setdefault(str(one.get("sha256")), one)
        if entries:
            found[name] = list(entries.values())
    return found


def _sum(folders: Sequence[Folder]) -> Tally:
    """All parts together; what was counted of a whole file counts once for each file."""
    total = Tally()
    files: set[str] = set()
    for folder in folders:
        tally = folder.tally or Tally()
        for name in ("used", "rejected", "words", "other_size"):
            setattr(total, name, getattr(total, name) + getattr(tally, name))
        file = _digest(folder, "predictions")
        if file not in files:
            files.add(file)
            for name in ("ids", "duplicate", "unreadable"):
                setattr(total, name, getattr(total, name) + getattr(tally, name))
            total.torn = total.torn or tally.torn
    return total
