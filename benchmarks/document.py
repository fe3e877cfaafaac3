"""The JSON of every benchmark: one form, which `maskcodec bench compare` reads.

    {"schema": 1, "bench": "kernels", "command": "maskcodec bench kernels", "date": "2026-01-31...",
     "machine": {...}, "versions": {...}, "seed": 0, "settings": {...},
     "results": [{"name": {"kernel": "RLE encode", "masks": "shapes 480x640"},
                  "figures": {"seconds": 4e-05, "pycocotools": 15.1},
                  "gates": {"pycocotools": {"least": 10, "stretch": 15}}}, ...],
     "interrupted": false}

A result's `name` says what was measured and is unlike every other's; its `figures` are numbers, or
null where there was nothing to measure. A gate belongs to the figure of its name: `least` must be
reached, `stretch` (which may be left out) would be better still. `reach` stands where memory at
its speed in that run, or two threads of that machine at other work, would miss the gate too: the
ratio that they reach.
"""

from __future__ import annotations

import json
import math
import shlex
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from maskcodec import MaskCodecError, RecordError
from maskcodec.commands.bench import PROGRAMS
from maskcodec.machine import PACKAGES, describe_machine, describe_versions
from maskcodec.records import Record, brief, read_json
from maskcodec.writing import atomic

SCHEMA = 1

BENCHES = ("kernels", "decode", "rd", "generate", "learn", "refinement", "score")

PEERS = (
    *("pycocotools", "rlemasklib", "opencv-python-headless", "faster-coco-eval", "supervision"),
    *("transformers", "xgrammar", "peft"),
)
"""Packages whose versions matter beside those of `machine.PACKAGES`."""

Document: TypeAlias = dict[str, Any]
Result: TypeAlias = dict[str, Any]
Name: TypeAlias = Mapping[str, str | int | float]
Key: TypeAlias = tuple[tuple[str, str | int | float], ...]


def start(
    bench: str,
    argv: Sequence[str] | None = None,
    seed: int | None = 0,
    settings: Mapping[str, Any] | None = None,
) -> Document:
    """A document without results.

    Args:
        bench: one of `BENCHES`.
        argv: what followed the program's name; None takes it from this process.
        seed: what every random choice came from; None where there is none.
        settings: the options that decide what is measured; JSON values.
    """
    if bench not in BENCHES:
        raise ValueError(f"bench is {bench!r}, expected one of {', '.join(BENCHES)}")
    return {
        "schema": SCHEMA,
        "bench": bench,
        "command": command(bench, argv),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": describe_machine(),
        "versions": describe_versions((*PACKAGES, *PEERS)),
        "seed": seed,
        "settings": dict(settings or {}),
        "results": [],
        "interrupted": False,
    }


def command(bench: str, argv: Sequence[str] | None = None) -> str:
    """The command of this run, as a shell takes it."""
    if argv is None:
        argv = sys.argv[1:]
        if list(argv[:2]) == ["bench", bench]:
            argv = argv[2:]
        else:
            module = PROGRAMS.get(bench, bench)
            return shlex.join(["python", "-m", f"maskcodec.benchmarks.{module}", *argv])
    return shlex.join(["maskcodec", "bench", bench, *map(str, argv)])


def add(
    document: Document,
    name: Name,
    figures: Mapping[str, float | None],
    gates: Mapping[str, Mapping[str, float]] | None = None,
) -> Result:
    """Add a result, or replace the one of this name; numbers that are not finite become None."""
    result: Result = {
        "name": dict(name),
        "figures": {key: _finite(value) for key, value in figures.items()},
    }
    if gates:
        result["gates"] = {key: dict(gate) for key, gate in gates.items()}
    key = key_of(result)
    found = [index for index, old in enumerate(document["results"]) if key_of(old) == key]
    if found:
        document["results"][found[0]] = result
    else:
        document["results"].append(result)
    return result


def _finite(value: float | None) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    return int(value) if isinstance(value, int) else float(value)


def key_of(result: Result) -> Key:
    """A result's name, in whichever order its keys stand, for dicts and sets."""
    return tuple(sorted(result["name"].items()))


def missed(result: Result) -> list[str]:
    """The figures of a result that stay below their gate."""
    return [
        figure
        for figure, gate in result.get("gates", {}).items()
        if (value := result["figures"].get(figure)) is not None and value < gate["least"]
    ]


def write(path: Path, document: Document) -> None:
    """Write a document, whole or not at all.

    Raises:
        MaskCodecError: it is none: a program's mistake, found before it is written.
    """
    check(document, str(path))
    content = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
    with atomic(path) as stream:
        stream.write(content.encode("utf-8", "backslashreplace") + b"\n")


def read(path: Path, bench: str | None = None) -> Document:
    """Read a document.

    Raises:
        RecordError: there is no such file, it is no JSON, or a field is wrong; the message says
            which. Also where it is of another bench than `bench`.
    """
    try:
        value = read_json(path)
    except RecordError as error:
        if error.line is None:
            raise
        reason = f"{error.reason}; expected the file of a bench's --json"
        raise RecordError(reason, file=error.file, line=error.line) from None
    check(value, str(path))
    document: Document = value
    if bench is not None and document["bench"] != bench:
        raise Record(str(path), None, document).error(
            f"is {brief(document['bench'])}, expected {bench!r}", "bench"
        )
    return document


def keep_finished(document: Document, path: Path) -> set[Key]:
    """Take over the results of an earlier run with the same settings and seed; their names.

    Raises:
        MaskCodecError: the file holds no such run.
    """
    old = read(path, document["bench"])
    # Through JSON, where a tuple is a list and every key a string.
    now = json.loads(json.dumps({"seed": document["seed"], **document["settings"]}))
    then = {"seed": old["seed"], **old["settings"]}
    differs = [key for key in {**then, **now} if then.get(key) != now.get(key)]
    if differs:
        shown = ", ".join(f"{key} {brief(then.get(key))}" for key in differs)
        raise MaskCodecError(
            f"{path}: was measured with another {shown}; give the same, or another file"
        )
    document["results"] = old["results"]
    return {key_of(result) for result in old["results"]}


def check(value: Any, file: str) -> None:
    """Check that a value is a document.

    Raises:
        RecordError: it is none; the message names the field.
    """
    if not isinstance(value, dict) or "bench" not in value:
        raise Record(file, None, {}).error(
            f"is {brief(value)} without a field 'bench', expected what `maskcodec bench` wrote"
        )
    record = Record(file, None, value)
    if record.get("schema") != SCHEMA:
        raise record.error(f"is {brief(value['schema'])}, expected {SCHEMA}", "schema")
    if record.get("bench") not in BENCHES:
        expected = ", ".join(BENCHES)
        raise record.error(f"is {brief(value['bench'])}, expected one of {expected}", "bench")
    for field in ("command", "date"):
        record.text(field)
    for field in ("machine", "versions", "settings"):
        if not isinstance(record.get(field), dict):
            raise record.error(f"is {brief(value[field])}, expected an object", field)
    if record.get("seed") is not None:
        record.whole("seed")
    if not isinstance(record.get("interrupted"), bool):
        raise record.error(
            f"is {brief(value['interrupted'])}, expected true or false", "interrupted"
        )
    seen: dict[Key, int] = {}
    for index, item in enumerate(record.items("results")):
        entry = record.child("results", index, item)
        _check_result(entry)
        first = seen.setdefault(key_of(entry.fields), index)
        if first != index:
            raise entry.error(f"is the name of results[{first}] too", "name")


def _check_result(entry: Record) -> None:
    """One result: a name of strings and numbers, figures of numbers or null, gates of figures."""
    for field in ("name", "figures"):
        if not isinstance(entry.get(field), dict):
            raise entry.error(f"is {brief(entry.fields[field])}, expected an object", field)
    if not entry.fields["name"]:
        raise entry.error("is empty, expected what was measured", "name")
    for key, value in entry.fields["name"].items():
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise entry.error(f"is {brief(value)}, expected a string or a number", f"name.{key}")
    for key, value in entry.fields["figures"].items():
        if value is not None and not _is_number(value):
            raise entry.error(f"is {brief(value)}, expected a number or null", f"figures.{key}")
    gates = entry.get("gates", {})
    if not isinstance(gates, dict):
        raise entry.error(f"is {brief(gates)}, expected an object", "gates")
    for key, gate in gates.items():
        if key not in entry.fields["figures"]:
            raise entry.error("is the gate of a figure that is not there", f"gates.{key}")
        if not isinstance(gate, dict) or not _is_number(gate.get("least")):
            raise entry.error(f"is {brief(gate)}, expected {{'least': number}}", f"gates.{key}")
        for field in ("stretch", "reach"):
            if gate.get(field) is not None and not _is_number(gate[field]):
                raise entry.error(f"is {brief(gate[field])}, expected a number", f"gates.{key}")


def _is_number(value: object) -> bool:
    """A number that a float can hold; JSON's true is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond every float
        return False
