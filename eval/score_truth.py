"""What is right: the samples of a prepared file, or of a data set as it lies on disk.

Truth comes in units, which processes open on their own: a line of a prepared file, or an image of a
data set. A unit holds one question or several, each a sample that a prediction can be for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from maskcodec.datasets import video_folder
from maskcodec.datasets.annotated import AnnotatedEntry, Source, SourceOptions
from maskcodec.datasets.annotated_sources import open_source
from maskcodec.datasets.video_davis import find_maps
from maskcodec.datasets.video_expressions import find_meta
from maskcodec.datasets.videos import Video
from maskcodec.errors import MaskCodecError, RecordError
from maskcodec.records import MAX_LINE, check_file, open_binary, parse_json

PREPARED = "prepared"
VIDEO = "video"

KINDS = {
    "referring": "referring",
    "generalised": "referring",
    "reasoning": "referring",
    "prompted": "referring",
    "semantic": "semantic",
    "panoptic": "panoptic",
    "grounded": "grounded",
}
"""The family of figures of each task."""

WHOLE_IMAGES = ("semantic", "instances", "panoptic")
"""Kinds whose samples are images of a data set."""

_OF_FORMAT = {"coco": "instances", "panoptic": "panoptic"}
_LABEL_MAPS = ("labels", "ade20k", "cityscapes", "voc", "pascal-context", "coco-stuff")


@dataclass(frozen=True, slots=True)
class Unit:
    """A part of the truth that is opened at once.

    Attributes:
        number: its place in the whole truth, from 0.
        line: of a prepared file.
        entry: of a data set.
        video: of a folder of videos.
        error: why there is neither.
        file: where it stands.
        at: its line.
    """

    number: int
    line: bytes | None = None
    entry: AnnotatedEntry | None = None
    video: Video | None = None
    error: RecordError | None = None
    file: str = ""
    at: int | None = None


@dataclass(slots=True)
class Truth:
    """The whole truth.

    Attributes:
        path: as it was given.
        format: of the data set, or `PREPARED`.
        kind: the family of figures, see `maskcodec.eval.score_kinds`.
        tasks: only these are scored; empty takes all.
        units: how many there are.
        ids: of a prepared file, and of a data set its images'.
        specs: how many answers are spelt in each codec.
        source: of a data set.
        videos: of a folder of videos.
        found: how many samples there are of each task, of a prepared file.
        name: of the data set, as it says itself.
    """

    path: str
    format: str
    kind: str
    tasks: tuple[str, ...] = ()
    units: int = 0
    ids: set[str] = field(default_factory=set)
    specs: Counter[str] = field(default_factory=Counter)
    source: Source | None = None
    videos: list[Video | RecordError] | None = None
    found: Counter[str] = field(default_factory=Counter)
    name: str = ""

    def all_units(self) -> Iterator[Unit]:
        """Every unit, in order."""
        if self.videos is not None:
            for number, video in enumerate(self.videos):
                yield Unit(
                    number,
                    video=None if isinstance(video, RecordError) else video,
                    error=video if isinstance(video, RecordError) else None,
                    file=self.path,
                )
        elif self.source is None:
            for number, (line, at) in enumerate(_raw_lines(Path(self.path))):
                yield Unit(number, line, file=self.path, at=at)
        else:
            for number, item in enumerate(self.source.entries):
                if isinstance(item, RecordError):
                    yield Unit(number, error=item, file=self.path)
                else:
                    yield Unit(number, entry=item, file=item.file, at=item.line)


def open_truth(
    path: str, kind: str | None, form: str, options: SourceOptions, tasks: tuple[str, ...]
) -> Truth:
    """Find out what the truth is; a prepared file is read through once.

    Args:
        path: see `maskcodec score --help`.
        kind: the family of figures; None takes what the truth is for.
        form: the data set's format, or "auto".
        options: how a data set is read.
        tasks: of a prepared file, those that are wanted; empty takes all.

    Raises:
        MaskCodecError: there is no such file, nothing in it, or it is for several kinds of figures.
    """
    if form == "auto" and _is_prepared(path):
        return _prepared(path, kind, tasks)
    if kind == "video" or (kind is None and form == "auto" and _is_video(Path(path), options)):
        videos = video_folder.read(Path(path), options.split)
        return Truth(path, VIDEO, "video", units=len(videos), videos=videos)
    if tasks:
        raise MaskCodecError("--tasks chooses among the tasks of a file of `maskcodec prepare`")
    source = open_source(path, form, options)
    own = _OF_FORMAT.get(source.format) or ("semantic" if source.format in _LABEL_MAPS else "")
    if source.format == "jsonl":
        own = "referring" if source.tasks == ("referring",) else "instances"
    truth = Truth(path, source.format, kind or own or "referring", source=source, name=source.name)
    truth.units = len(source.entries)
    truth.ids = {one.id for one in source.entries if isinstance(one, AnnotatedEntry)}
    return truth


def _is_video(path: Path, options: SourceOptions) -> bool:
    return find_maps(path / "Annotations") is not None or (
        path.is_dir() and find_meta(path, options.split) is not None
    )


def _is_prepared(path: str) -> bool:
    if not path.lower().removesuffix(".gz").endswith(".jsonl"):
        return False
    for line, at in _raw_lines(check_file(path)):
        try:
            value = parse_json(line or b"", path, at)
        except RecordError:
            continue
        return isinstance(value, dict) and "messages" in value
    return True  # no line can be read: the error is the same either way


def _prepared(path: str, kind: str | None, tasks: tuple[str, ...]) -> Truth:
    truth = Truth(path, PREPARED, kind or "", tasks)
    for line, at in _raw_lines(Path(path)):
        truth.units += 1
        try:
            fields = parse_json(line or b"", path, at)
        except RecordError:
            continue
        if not isinstance(fields, dict):
            continue
        task, spec = fields.get("task"), fields.get("spec")
        if isinstance(task, str) and (not tasks or task in tasks):
            truth.found[task] += 1
        if isinstance(spec, str):
            truth.specs[spec] += 1
        truth.ids.add(str(fields.get("id")))
    if not truth.units:
        raise RecordError("is empty, expected one example a line", file=path)
    kinds = {KINDS[task] for task in truth.found if task in KINDS}
    if kind is None:
        if len(kinds) > 1:
            counts = ", ".join(f"{task} {count:,}" for task, count in truth.found.items())
            raise RecordError(
                f"holds tasks that are scored in different ways ({counts}): choose by --tasks",
                file=path,
            )
        truth.kind = kinds.pop() if kinds else "referring"
    if tasks and not truth.found:
        raise RecordError(f"holds no example of {', '.join(tasks)}", file=path)
    return truth


def _raw_lines(path: Path) -> Iterator[tuple[bytes | None, int]]:
    """Each line that isn't blank, with its number; None for one that is too long."""
    with open_binary(path) as stream:
        number = 0
        while line := stream.readline(MAX_LINE + 1):
            number += 1
            if len(line) > MAX_LINE:
                while line and not line.endswith(b"\n"):
                    line = stream.readline(MAX_LINE)
                yield None, number
                continue
            if number == 1:
                line = line.removeprefix(b"\xef\xbb\xbf")
            if line.strip():
                yield line, number
