"""Refer-YouTube-VOS' folder, and Ref-DAVIS': expressions of videos in one json.

`meta_expressions/SPLIT/meta_expressions.json` (or `SPLIT/meta_expressions.json`) has the
expressions of each video and its frames, and `SPLIT/Annotations/VIDEO/00000.png` the objects, of
which an expression's `obj_id` says one or several.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import RecordError
from ..records import Record, brief, read_json
from .videos import IGNORE, MOST_FRAMES, Video, VideoTarget, check_name, frame_names

META = "meta_expressions.json"


def find_meta(path: Path, split: str | None) -> Path | None:
    """The json of expressions; of the only split, where none is named.

    Raises:
        RecordError: there are several splits, or not the one that is named.
    """
    found = {
        file.parent.name: file
        for pattern in (f"*/{META}", f"meta_expressions/*/{META}")
        for file in sorted(path.glob(pattern))
    }
    if (path / META).is_file():
        found = {"": path / META}
    if not found:
        return None
    if split is not None and split in found:
        return found[split]
    if len(found) > 1 or (split is not None and "" not in found):
        raise RecordError(f"has these splits: {', '.join(sorted(found))}", file=str(path))
    return next(iter(found.values()))


def read_expressions(meta: Path, path: Path, split: str | None) -> Iterator[Video | RecordError]:
    """The videos of a json of expressions, and in its place the error of what can't be read."""
    value = read_json(meta)
    if not isinstance(value, dict) or not isinstance(value.get("videos"), dict):
        raise RecordError('is no object with "videos"', file=str(meta))
    part = split if split is not None else meta.parent.name
    root = path / part if (path / part / "Annotations").is_dir() else path
    if not (root / "Annotations").is_dir():
        raise RecordError(
            f"there is no {part}/Annotations with the true masks; those of the challenge's own "
            "valid and test parts are not public",
            file=str(path),
        )
    for name, fields in value["videos"].items():
        try:
            if not isinstance(fields, dict):
                raise RecordError(
                    f"is {brief(fields)}, expected an object",
                    file=str(meta),
                    field=f"videos.{name}",
                )
            record = Record(str(meta), None, fields, f"videos.{name}.")
            yield _referring_video(record, check_name(name, meta, "video"), root)
        except RecordError as error:
            yield error


def _referring_video(record: Record, name: str, root: Path) -> Video:
    folder = root / "Annotations" / name
    if "frames" in record.fields:
        frames = tuple(
            check_name(frame, Path(record.file), "frame") if isinstance(frame, str) else ""
            for frame in record.items("frames")
        )
        if not 1 <= len(frames) <= MOST_FRAMES or "" in frames or len(set(frames)) < len(frames):
            raise record.error("are no names of frames, each once", "frames")
    else:
        frames = frame_names(folder)
    expressions = record.get("expressions")
    if not isinstance(expressions, dict):
        raise record.error(f"is {brief(expressions)}, expected an object", "expressions")
    targets = tuple(
        _expression(
            Record(record.file, None, fields, f"{record.prefix}expressions.{key}."), name, key
        )
        if isinstance(fields, dict)
        else _refuse(record, key, fields)
        for key, fields in expressions.items()
    )
    images = root / "JPEGImages" / name
    return Video(name, frames, targets, folder, images if images.is_dir() else None, True)


def _refuse(record: Record, key: str, fields: Any) -> VideoTarget:
    raise record.error(f"is {brief(fields)}, expected an object", f"expressions.{key}")


def _expression(record: Record, video: str, key: str) -> VideoTarget:
    check_name(key, Path(record.file), "expression")
    value = record.get("obj_id")
    values = []
    for one in value if isinstance(value, list) else [value]:
        text = str(one) if type(one) in (int, str) else ""
        if not (text.isascii() and text.isdigit() and len(text) < 4 and 0 < int(text) < IGNORE):
            raise record.error(f"is {brief(value)}, expected objects from 1 to 254", "obj_id")
        values.append(int(text))
    return VideoTarget(f"{video}/{key}", key, tuple(values), record.text("exp"))
