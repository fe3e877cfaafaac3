"""Checkpoints that a killed run leaves whole or not at all, and what a run remembers of itself.

A checkpoint is a folder `checkpoint-N`. It counts once `complete.json` lies in it, which lists its
files and their sizes and is written last; a folder without one, or with a file that is shorter
than it says, is half-written and is passed over, and cleared away by the next run.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from maskcodec import MaskCodecError
from maskcodec.adapter_card import NAME as CARD
from maskcodec.commands.train_options import FIELDS, TrainOptions, checked
from maskcodec.records import read_json
from maskcodec.writing import atomic

COMPLETE = "complete.json"
RUN = "run.json"
REJECTED = "rejected.jsonl"

FREE = ("output", "keep", "image_cache", "eval_batch", "threads", "save_steps")
"""Options that may change when a run goes on: they change nothing that it computes."""

_NAME = re.compile(r"checkpoint-([0-9]{1,9})")


def complete(folder: Path, memory: Mapping[str, Any]) -> None:
    """Declare a checkpoint whole.

    Args:
        folder: the checkpoint, all its other files written.
        memory: what the run must remember beside them, as JSON.
    """
    files = {
        path.relative_to(folder).as_posix(): path.stat().st_size
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != COMPLETE
    }
    with atomic(folder / COMPLETE) as stream:
        stream.write(json.dumps({"files": files, "memory": dict(memory)}).encode())


def newest(output: Path) -> Path | None:
    """The last whole checkpoint of a run; None where there is none."""
    found = [
        (int(match[1]), path)
        for path in output.glob("checkpoint-*")
        if (match := _NAME.fullmatch(path.name)) and is_whole(path)
    ]
    return max(found)[1] if found else None


def is_whole(folder: Path) -> bool:
    """Whether a checkpoint has all its files, each as long as it was."""
    try:
        files = json.loads((folder / COMPLETE).read_bytes())["files"]
        return all((folder / name).stat().st_size == size for name, size in files.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def memory_of(folder: Path) -> dict[str, Any]:
    """What the run remembered with a checkpoint."""
    found: dict[str, Any] = json.loads((folder / COMPLETE).read_bytes())["memory"]
    return found


def clear_halves(output: Path) -> None:
    """Remove half-written checkpoints."""
    for path in output.glob("checkpoint-*"):
        if _NAME.fullmatch(path.name) and path.is_dir() and not is_whole(path):
            shutil.rmtree(path)


def clear(output: Path) -> None:
    """Remove what an earlier run made of its folder: checkpoints, adapter and log."""
    for path in output.glob("checkpoint-*"):
        if _NAME.fullmatch(path.name):
            shutil.rmtree(path)
    for name in (CARD, "adapter_model.safetensors", "log.jsonl"):
        (output / name).unlink(missing_ok=True)


def holds_more(output: Path) -> bool:
    """Whether a folder holds more than what a run leaves that could not start."""
    return any(path.name != REJECTED for path in output.iterdir())


def write_run(output: Path, options: TrainOptions, facts: Mapping[str, Any]) -> None:
    """Keep a run's options, and facts that must still hold when it goes on."""
    with atomic(output / RUN) as stream:
        stream.write(json.dumps({"options": asdict(options), "facts": dict(facts)}).encode())


def read_run(output: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The options and facts of a run.

    Raises:
        MaskCodecError: the folder holds no run, or one of another version.
    """
    path = output / RUN
    if not path.is_file():
        raise MaskCodecError(
            f"{output} holds no run to go on with ({RUN} is missing); start it without --resume"
        )
    found = read_json(path)
    try:
        options = {name: checked(name, value) for name, value in found["options"].items()}
        return options, dict(found["facts"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise MaskCodecError(f"{path} is of another version, or damaged: {error}") from None


def facts(options: TrainOptions) -> dict[str, Any]:
    """What must still hold when a run goes on: the bytes of its data."""
    return {"data": {path: _digest(Path(path)) for path in options.data}}


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def resumed(options: TrainOptions, given: Mapping[str, Any], output: Path) -> TrainOptions:
    """The options of a run that goes on.

    Args:
        options: those that were asked for now.
        given: the names of those that were named now, in flags or YAML.
        output: the run's folder.

    Raises:
        MaskCodecError: one of them differs from the run's own, so that it could not go on as it
            would have.
    """
    before, known = read_run(output)
    values = {name: value for name, value in before.items() if name in FIELDS}
    for name in given:
        new = getattr(options, name)
        if name in FREE:
            values[name] = new
        elif name in values and values[name] != new:
            raise MaskCodecError(
                f"--{name.replace('_', '-')} is {new!r}, but the run in {output} has "
                f"{values[name]!r}; leave it out to go on with that, or start another run"
            )
    values["output"] = options.output
    whole = TrainOptions(**values)
    for path, digest in known.get("data", {}).items():
        if Path(path).is_file() and _digest(Path(path)) != digest:
            raise MaskCodecError(
                f"{path} has changed since the run in {output} began; it can't go on with other "
                "examples: put the file back, or start another run"
            )
    return whole


def is_finished(output: Path) -> bool:
    """Whether a run came to its end, and its adapter lies in the folder."""
    return (output / CARD).is_file()
