"""Examples to train and to evaluate on: a JSONL file, one conversation about one image a line.

What `maskcodec prepare` writes, and `train`, `segment` and TRL's `SFTTrainer` read (schema 1)::

    {"id": "refcoco/139#7", "images": ["images/139.jpg"], "size": [480, 640],
     "spec": "boxgrid:rows=24", "task": "referring",
     "messages": [{"role": "user", "content": "Segment the dog on the left."},
                  {"role": "assistant", "content": "dog: 312,208,780,624 az az …"}],
     "truth": [[{"label": "dog", "size": [480, 640], "counts": "…"}]],
     "forms": ["bare"], "source": "refs(unc).p"}

`truth` holds the masks of each assistant turn, in the order of its text, as COCO's compressed run
lengths; none is a right "no object". `constraints`, where it is known, says for each assistant turn
what a program can check. `figures`, where it was measured, says for each assistant turn what the
codec alone loses and how many tokens the answer is. `ignore`, where there are such, are the pixels
that nobody annotated: `{"size": [480, 640], "counts": "…"}`. Images are named relative to the
file's own folder, or absolutely.

A file is untrusted: what is wrong with a line costs that line, with its place and field.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from . import rle
from .chat import Form
from .codec import Codec
from .datasets.segmentation import paint_counts
from .errors import MaskCodecError, RecordError
from .example_fields import read_forms, read_images, read_messages, read_per_turn
from .mask import MAX_PIXELS, Mask
from .records import Record, brief, dump_line, read_records
from .registry import get_codec

SCHEMA = 1

TASKS = (
    "referring",
    "generalised",
    "reasoning",
    "semantic",
    "panoptic",
    "grounded",
    "prompted",
)
"""What can be asked: one object, several or none, by reasoning, every class, every object and
class, prose with masks, and by a box, a point or a mask in the question."""


@dataclass(frozen=True, slots=True)
class TruthMask:
    """A right mask, still as run lengths.

    Attributes:
        label: its name in the answer.
        size: the image's (height, width) in pixels.
        counts: COCO's compressed run lengths.
    """

    label: str
    size: tuple[int, int]
    counts: str

    @classmethod
    def of(cls, mask: Mask) -> TruthMask:
        """From pixels."""
        return cls(mask.label, mask.size, rle.to_string(rle.encode(mask.array)).decode("ascii"))

    def fields(self) -> dict[str, Any]:
        """As JSON."""
        return {"label": self.label, "size": list(self.size), "counts": self.counts}


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and its answer.

    Attributes:
        question: what the user says.
        answer: what the assistant says, mask text and all.
        truth: the masks of the answer, in order.
        form: how mask text stands in the answer, see `maskcodec.chat`.
        constraints: what a program can check of the question's object; JSON values.
    """

    question: str
    answer: str
    truth: tuple[TruthMask, ...]
    form: Form = "bare"
    constraints: tuple[Any, ...] | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """One line of the file.

    Attributes:
        id: unique within the file.
        images: the images' names as the file has them; see `image_paths`.
        size: the image's (height, width) in pixels.
        spec: of the codec that wrote the answers, canonical.
        task: one of `TASKS`.
        turns: the conversation, one question and answer or more.
        source: the file or data set that it comes from; may be empty.
        system: what stands before the first question; mostly nothing.
        figures: what was measured, of the writer's own making; None where nothing was.
        file: the JSONL file; empty where it comes from none.
        line: in the file, 1-based.
        ignore: the pixels that nobody annotated; None where all were.
    """

    id: str
    images: tuple[str, ...]
    size: tuple[int, int]
    spec: str
    task: str
    turns: tuple[Turn, ...]
    source: str = ""
    system: str = ""
    figures: dict[str, Any] | None = None
    file: str = ""
    line: int | None = None
    ignore: TruthMask | None = None

    @property
    def codec(self) -> Codec[Any]:
        """The codec of its answers."""
        return _codec(self.spec)

    @property
    def messages(self) -> list[dict[str, str]]:
        """The conversation as chat templates take it."""
        first = [{"role": "system", "content": self.system}] if self.system else []
        return first + [
            {"role": role, "content": content}
            for turn in self.turns
            for role, content in (("user", turn.question), ("assistant", turn.answer))
        ]

    def image_paths(self) -> list[Path]:
        """Where the images lie: names count from the folder of the file."""
        folder = Path(self.file).parent
        return [folder / name for name in self.images]

    def masks(self, turn: int = 0) -> list[Mask]:
        """The right masks of an answer, painted.

        Raises:
            RecordError: run lengths that don't fill the image.
        """
        return [
            Mask(paint_counts(self._record(turn, index, truth), self.size), truth.label)
            for index, truth in enumerate(self.turns[turn].truth)
        ]

    def ignored(self) -> npt.NDArray[np.bool_] | None:
        """`ignore` painted: bool (height, width).

        Raises:
            RecordError: run lengths that don't fill the image.
        """
        if self.ignore is None:
            return None
        return paint_counts(
            Record(self.file, self.line, self.ignore.fields(), "ignore."), self.size
        )

    def error(self, message: str, field: str | None = None) -> RecordError:
        """An error at this line."""
        return RecordError(message, file=self.file, line=self.line, field=field)

    def _record(self, turn: int, index: int, truth: TruthMask) -> Record:
        return Record(self.file, self.line, truth.fields(), f"truth[{turn}][{index}].")

    def fields(self) -> dict[str, Any]:
        """As JSON."""
        fields: dict[str, Any] = {
            "id": self.id,
            "images": list(self.images),
            "size": list(self.size),
            "spec": self.spec,
            "task": self.task,
            "messages": self.messages,
            "truth": [[truth.fields() for truth in turn.truth] for turn in self.turns],
            "forms": [turn.form for turn in self.turns],
        }
        if any(turn.constraints is not None for turn in self.turns):
            fields["constraints"] = [list(turn.constraints or ()) for turn in self.turns]
        if self.ignore is not None:
            fields["ignore"] = {"size": list(self.size), "counts": self.ignore.counts}
        if self.figures is not None:
            fields["figures"] = self.figures
        fields["source"] = self.source
        return fields

    def to_line(self) -> bytes:
        """As a line of the file, its newline included."""
        return dump_line(self.fields())


def image_name(image: str | Path, folder: str | Path) -> str:
    """How a file in `folder` names an image: relative where it lies below, absolute elsewhere."""
    path, root = (
        one.resolve() if ".." in one.parts else one.absolute()
        for one in (Path(image), Path(folder))
    )
    for one, other in ((path, root), (path.resolve(), root.resolve())):
        if one.is_relative_to(other):
            return one.relative_to(other).as_posix()
    return str(path)


def read_examples(path: str | Path, *, spec: str | None = None) -> Iterator[Example | RecordError]:
    """Read a file of examples (`.gz` too), line by line.

    Args:
        path: the file.
        spec: the canonical spec that every line must name, an adapter's, say; None takes any.

    Yields:
        each example, or in its place the error of its line. Run lengths are checked when an
        example's `masks` are painted, images when they are opened.

    Raises:
        RecordError: there is no such file.
    """
    for record in read_records(path):
        try:
            yield record if isinstance(record, RecordError) else read_example(record, spec=spec)
        except RecordError as error:
            yield error


def read_example(record: Record, *, spec: str | None = None) -> Example:
    """Read one line; see `read_examples`.

    Raises:
        RecordError: a field is missing or wrong.
    """
    schema = record.whole("schema", SCHEMA)
    if schema != SCHEMA:
        raise record.error(f"is {schema}, but this version reads schema {SCHEMA}", "schema")
    own = _spec(record)
    if spec is not None and own != spec:
        raise record.error(
            f"is {own!r}, but {spec!r} is expected: prepare the file again with that spec, "
            "or `maskcodec transcode` it",
            "spec",
        )
    task = record.text("task")
    if task not in TASKS:
        raise record.error(f"is {brief(task)}, expected one of {', '.join(TASKS)}", "task")
    size = record.size()
    system, pairs = read_messages(record)
    truth = read_per_turn(record, "truth", len(pairs))
    forms = read_forms(record, len(pairs))
    constraints: list[Any] = [None] * len(pairs)
    if record.fields.get("constraints") is not None:
        constraints = [tuple(items) for items in read_per_turn(record, "constraints", len(pairs))]
    turns = tuple(
        Turn(question, answer, _truth(record, index, truth[index], size), form, checks)
        for index, ((question, answer), form, checks) in enumerate(
            zip(pairs, forms, constraints, strict=True)
        )
    )
    return Example(
        record.identifier("id"),
        read_images(record),
        size,
        own,
        task,
        turns,
        record.text("source", ""),
        system,
        figures if isinstance(figures := record.fields.get("figures"), dict) else None,
        record.file,
        record.line,
        _ignore(record, size),
    )


@functools.lru_cache(maxsize=64)
def _codec(spec: str) -> Codec[Any]:
    return get_codec(spec)


def _spec(record: Record) -> str:
    try:
        return _codec(record.text("spec")).spec
    except RecordError:
        raise
    except MaskCodecError as error:
        raise record.error(str(error), "spec") from None


def _truth(
    record: Record, turn: int, values: list[Any], size: tuple[int, int]
) -> tuple[TruthMask, ...]:
    if len(values) * size[0] * size[1] > MAX_PIXELS:
        raise record.error(f"holds {len(values)} masks, too many of this size", f"truth[{turn}]")
    return tuple(
        _truth_mask(record.child(f"truth[{turn}]", index, value), size)
        for index, value in enumerate(values)
    )


def _ignore(record: Record, size: tuple[int, int]) -> TruthMask | None:
    value = record.fields.get("ignore")
    if value is None:
        return None
    if not isinstance(value, dict):
        raise record.error('is no run lengths {"size", "counts"}', "ignore")
    return _truth_mask(Record(record.file, record.line, value, "ignore."), size)


def _truth_mask(record: Record, size: tuple[int, int]) -> TruthMask:
    if record.size() != size:
        height, width = record.size()
        raise record.error(
            f"is {height}x{width} (height x width), but the image is {size[0]}x{size[1]}", "size"
        )
    return TruthMask(record.text("label", ""), size, record.text("counts"))
