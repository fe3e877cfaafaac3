"""Which reader takes a path, and all inputs of a command as one sequence of entries."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from ..errors import RecordError
from ..records import check_file
from . import coco, mask_files, rle_jsonl
from .sample import Entries, Entry, ReadOptions

KINDS = {
    ".png": "mask",
    ".npy": "mask",
    ".json": "coco",
    ".json.gz": "coco",
    ".jsonl": "rle",
    ".jsonl.gz": "rle",
}


def kind_of(path: Path) -> str:
    """How a path is read: "mask", "coco", "rle" or "folder".

    Raises:
        RecordError: it does not exist, or its suffix is none that is known.
    """
    if path.is_dir():
        return "folder"
    check_file(path)
    for suffix, kind in KINDS.items():
        if path.name.lower().endswith(suffix):
            return kind
    raise RecordError(
        "has no suffix that is known: .png and .npy are masks, .json is COCO, .jsonl (or "
        ".jsonl.gz) is run lengths, one object a line, and a folder holds .png and .npy",
        file=str(path),
    )


def is_single(paths: Sequence[Path]) -> bool:
    """Whether the inputs are one mask file, and so one image."""
    return len(paths) == 1 and kind_of(paths[0]) == "mask"


def open_inputs(paths: Sequence[Path], options: ReadOptions) -> Entries:
    """Open every input; wrong paths are found before anything is read.

    Raises:
        RecordError: a path is missing, stands twice, or is of no known kind, or a whole file is
            unusable.
    """
    kinds = [kind_of(path) for path in paths]
    _check_twice(paths)
    parts: list[Entries] = []
    for kind, pairs in groupby(zip(kinds, paths, strict=True), key=lambda pair: pair[0]):
        group = [path for _, path in pairs]
        if kind == "coco":
            parts.extend(coco.read(path, options) for path in group)
        elif kind == "rle":
            parts.extend(rle_jsonl.read(path, options) for path in group)
        elif kind == "folder":
            root = _common(group)
            parts.extend(mask_files.read(mask_files.find(path), root, options) for path in group)
        else:
            root = _common([path.parent for path in group])
            parts.append(mask_files.read(group, root, options))
    totals = [part.total for part in parts]
    total = None if None in totals else sum(filter(None, totals))
    return Entries(_chain(parts), total)


def _chain(parts: list[Entries]) -> Iterator[Entry | RecordError]:
    for part in parts:
        yield from part.items


def _common(folders: list[Path]) -> Path:
    """The folder that ids are relative to."""
    return Path(os.path.commonpath([os.path.abspath(folder) for folder in folders]))  # noqa: PTH100


def _check_twice(paths: Sequence[Path]) -> None:
    seen: dict[Path, Path] = {}
    for path in paths:
        real = path.resolve()
        if real in seen:
            raise RecordError(f"is given twice (also as {str(seen[real])!r})", file=str(path))
        seen[real] = path
