"""Data sets in which anything may stand anywhere: an error with its place, or an example."""

from __future__ import annotations

import copy
import json
import pickle
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from layouts import coco, grefcoco, lines, objects, panoptic, reasonseg, ref, refcoco, shape

from maskcodec import MaskCodecError, RecordError
from maskcodec.commands.prepare_rows import Done, Job, prepare_entry
from maskcodec.datasets.annotated import SourceOptions
from maskcodec.datasets.annotated_sources import open_source
from maskcodec.datasets.exchanges import AskOptions
from maskcodec.examples import TASKS

TRIES = 120
VALUES: list[Any] = [
    None, True, False, 0, -1, 1, 18, 101, 2**70, 1.5, -5.0, 1e308, "", "x", "\ud800", "\0",
    "../../x", "a" * 5_000, [], {}, [[]], [1, 2], [-1], [100], ["x"], [None] * 5, {"a": 1},
    [[1e9] * 6], [[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]], {"size": [40, 60], "counts": "~"},
    {"size": [40, 60], "counts": [2400]},
]  # fmt: skip


def write_json(path: Path, document: Any) -> None:
    path.write_text(json.dumps(document))


def write_pickle(path: Path, document: Any) -> None:
    path.write_bytes(pickle.dumps(document, 2))


def write_lines(path: Path, document: Any) -> None:
    rows = document if isinstance(document, list) else [document]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def make(kind: str, folder: Path) -> tuple[Path, Any, Callable[[Path, Any], None]]:
    """A data set's file, what stands in it, and what writes it."""
    refs = [ref(1, 1, 102, "the dog", "left"), ref(2, 1, 101, "b")]
    if kind == "refcoco":
        return refcoco(folder, refs) / "refs(unc).p", refs, write_pickle
    if kind == "grefcoco":
        refs = [ref(1, 1, [101, 102], "both"), ref(2, 1, [-1], "none")]
        return grefcoco(folder, refs) / "grefs(unc).json", refs, write_json
    if kind == "jsonl":
        path = objects(folder / "o.jsonl", 2, said=True)
        return path, lines(path), write_lines
    if kind == "reasonseg":
        path = reasonseg(folder / "a.json", [shape("target", (5, 5), (40, 5), (9, 30))], ["q?"])
    else:
        path = coco(folder) if kind == "coco" else panoptic(folder)
    return path, json.loads(path.read_text()), write_json


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something stands in a document."""
    yield path
    if not isinstance(value, dict | list):
        return
    for key in value if isinstance(value, dict) else range(len(value)):
        yield from places(value[key], (*path, key))


def damaged(document: Any, chance: random.Random) -> Any:
    """A document in which one to three values are gone or others."""
    document = copy.deepcopy(document)
    for _ in range(chance.choice([1, 1, 2, 3])):
        found = [path for path in places(document) if path]
        if not found:
            break
        *path, last = chance.choice(found)
        target = document
        for key in path:
            target = target[key]
        if chance.random() < 0.2:
            del target[last]
        else:
            target[last] = copy.deepcopy(chance.choice(VALUES))
    return document


@pytest.mark.parametrize("kind", ["coco", "refcoco", "grefcoco", "reasonseg", "panoptic", "jsonl"])
def test_damaged_data_sets(tmp_path: Path, kind: str) -> None:
    path, document, save = make(kind, tmp_path)
    source = str(path.parent if kind == "reasonseg" else path)
    output = tmp_path / "t.jsonl"
    job = Job("boxgrid:rows=4", AskOptions(TASKS), None, 2, None, 0, 0.0, output, None, "s")
    chance = random.Random(kind)
    written = refused = 0
    for number in range(TRIES):
        save(path, damaged(document, chance) if number else document)
        tasks = TASKS if number % 2 else ()
        try:
            entries = open_source(source, "auto", SourceOptions(tasks=tasks)).entries
        except MaskCodecError:
            refused += 1
            continue
        for entry in entries:
            done = prepare_entry(entry, job)
            assert isinstance(done, Done | RecordError)
            problems = done.problems if isinstance(done, Done) else ((done, ""),)
            assert all(error.file and error.reason for error, _ in problems)
            written += isinstance(done, Done) and bool(done.lines)
            refused += len(problems)
    assert written > 5
    assert refused > 10
