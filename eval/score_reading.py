"""From what stands in a file of predictions to masks: text, run lengths, polygons or arrays.

What can't be read is an invalid prediction, with the kind of what was wrong, and scored like one
that found nothing; it is never an error of the run.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from maskcodec.chat import AnswerMasks, Form, read_answer
from maskcodec.codec import Codec
from maskcodec.datasets.images import image_path
from maskcodec.datasets.label_map import binary_mask, label_masks
from maskcodec.datasets.panoptic import segment_numbers
from maskcodec.datasets.segmentation import paint, paint_counts
from maskcodec.decoded import Repair
from maskcodec.errors import DecodeError, MaskCodecError, RecordError
from maskcodec.mask import Mask
from maskcodec.records import Record, brief
from maskcodec.registry import get_codec
from maskcodec.resample import sample_nearest
from maskcodec.scores.pair import Status

from .score_arrays import read_array
from .score_questions import Question

MAX_MASKS = 10_000
MAX_PIXELS = 2**29
"""Most masks, and most pixels of all of them together, that one prediction may have."""

Bits = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Reader:
    """How predictions are read; the same in every process.

    Attributes:
        spec: of texts that name none.
        names: the names of categories by `category_id`.
        values: the names of the values of label maps; None where arrays are masks.
        by_rows: whether run lengths go along the rows.
        resize: whether masks of another size are resampled.
        arrays: whether records say where arrays lie. Those of a file that others wrote must not:
            they could name any file of this machine.
    """

    spec: str = ""
    names: Mapping[int, str] | None = None
    values: Mapping[int, str] | None = None
    by_rows: bool = False
    resize: bool = False
    arrays: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A prediction, read.

    Attributes:
        masks: none where it is invalid, or says that nothing is there.
        status: see `Pair`.
        kinds: of repairs, and of what made it invalid; each once.
        repairs: of a text.
        text: as it was printed; None where it came as masks.
        spec: of the text.
        tokens: of the text; None where nothing says it.
        problem: why it is invalid, for people.
        other_size: whether it was made for an image of another size.
    """

    masks: tuple[Mask, ...]
    status: Status
    kinds: tuple[str, ...] = ()
    repairs: tuple[Repair, ...] = ()
    text: str | None = None
    spec: str = ""
    tokens: int | None = None
    problem: str = ""
    other_size: bool = False


MISSING = Reading((), "missing")


class UndrawableError(MaskCodecError):
    """A codec that can't draw here, whatever a text says: weights or a network are missing.

    It ends the run, since a system must not be scored for what this machine lacks.
    """


def read_prediction(records: Sequence[Record], question: Question, reader: Reader) -> Reading:
    """Read what was predicted for a sample; no records are a missing prediction."""
    if not records:
        return MISSING
    if "text" in records[0].fields:
        return _read_text(records[0], question, reader)
    try:
        masks = _masks(records, question, reader)
    except RecordError as error:
        return Reading((), "invalid", (_kind(error),), problem=str(error))
    except MaskCodecError as error:
        return Reading((), "invalid", ("bad-record",), problem=str(error))
    return Reading(tuple(masks), "valid")


def _read_text(record: Record, question: Question, reader: Reader) -> Reading:
    text = record.fields["text"]
    try:
        text = record.raw_text("text")
        spec = str(record.fields.get("spec") or reader.spec)
        form = record.fields.get("form")
        tokens = record.whole("tokens") if record.fields.get("tokens") is not None else None
        other = "size" in record.fields and record.size() != question.size
        read = _answer(text, spec, question, form)
    except UndrawableError:
        raise
    except MaskCodecError as error:
        said = text if isinstance(text, str) else None
        return Reading((), "invalid", ("bad-record",), text=said, problem=str(error))
    repairs = read.repairs
    status: Status = "valid"
    if repairs:
        status = "repaired" if read.labels else "invalid"
    kinds = tuple(dict.fromkeys(repair.kind for repair in repairs))
    return Reading(tuple(read.masks), status, kinds, repairs, text, spec, tokens, other_size=other)


def _answer(text: str, spec: str, question: Question, form: object) -> AnswerMasks:
    """What a text says.

    Raises:
        UndrawableError: its codec can't draw here.
    """
    known: Form | None = form if form in ("bare", "tagged") else question.form
    try:
        return read_answer(text, codec_of(spec), question.size, form=known)
    except DecodeError:
        raise
    except MaskCodecError as error:  # repairs take care of all that a text may be
        raise UndrawableError(str(error)) from None


@functools.lru_cache(maxsize=16)
def codec_of(spec: str) -> Codec[Any]:
    """The codec of a spec."""
    return get_codec(spec)


def _kind(error: RecordError) -> str:
    """A short name to count by."""
    named = {"size": "wrong-size", "counts": "bad-counts", "category_id": "unknown-category"}
    last = (error.field or "").rpartition(".")[2]
    if last in named:
        return named[last]
    if "segmentation" in (error.field or "") and not error.reason.startswith("is missing"):
        return "bad-polygon"
    return "damaged-file" if error.field is None and "damaged" in error.reason else "bad-record"


def _masks(records: Sequence[Record], question: Question, reader: Reader) -> list[Mask]:
    found: list[Mask] = []
    for record in records:
        if reader.arrays:
            found += _array_masks(record, question, reader)
        else:
            found += _record_masks(record, question, reader)
        _check_room(record, len(found), question)
    return found


def _check_room(record: Record, count: int, question: Question) -> None:
    """Refuse masks that would fill the memory."""
    area = question.size[0] * question.size[1]
    if count > MAX_MASKS or count * area > MAX_PIXELS:
        raise record.error(f"holds {count:,} masks or more, too many of this size")


def _record_masks(record: Record, question: Question, reader: Reader) -> list[Mask]:
    label, score = _label(record, reader), _score(record)
    fields = record.fields
    if "masks" in fields:
        items = record.items("masks")
        _check_room(record, len(items), question)
        parts = [_part(record, index, item) for index, item in enumerate(items)]
        return [mask for part in parts for mask in _record_masks(part, question, reader)]
    if "segments_info" in fields:
        return _segments(record, question, reader)
    if "counts" in fields:
        return [Mask(_counts(record, question, reader), label, score)]
    value = record.get("segmentation")
    if value is None or value == []:
        return []
    if isinstance(value, dict):
        inside = Record(record.file, record.line, value, f"{record.prefix}segmentation.")
        return [Mask(_counts(inside, question, reader), label, score)]
    if isinstance(value, list) and isinstance(value[0], dict):
        _check_room(record, len(value), question)
        parts = [record.child("segmentation", index, item) for index, item in enumerate(value)]
        return [Mask(_counts(part, question, reader), label, score) for part in parts]
    if reader.resize and "size" in fields:
        size = record.size()
        return [Mask(_fitted(paint(record, size), question), label, score)]
    return [Mask(paint(record, question.size), label, score)]


def _segments(record: Record, question: Question, reader: Reader) -> list[Mask]:
    """A panoptic prediction: a PNG in the folder named like the json, and what its segments are."""
    path = Path(record.file.removesuffix(".gz")).with_suffix("")
    file = image_path(path, record.text("file_name"))
    numbers = segment_numbers(file)
    if numbers.shape != question.size:
        raise RecordError(
            f"is {numbers.shape[0]}x{numbers.shape[1]} (height x width), but the image is "
            f"{question.size[0]}x{question.size[1]}",
            file=str(file),
            field="size",
        )
    found = []
    segments = record.items("segments_info")
    _check_room(record, len(segments), question)
    for index, item in enumerate(segments):
        segment = record.child("segments_info", index, item)
        label = _label(segment, reader)
        found.append(Mask(numbers == segment.whole("id"), label, _score(segment)))
    return found


def _part(record: Record, index: int, item: Any) -> Record:
    """One of several masks; run lengths alone, or a record of its own."""
    child = record.child("masks", index, item)
    known = {"segmentation", "counts"} & set(child.fields)
    if not known:
        raise child.error("has no segmentation")
    return child


def _counts(record: Record, question: Question, reader: Reader) -> Bits:
    own = record.size()
    if own != question.size and not reader.resize:
        turned = own == question.size[::-1]
        raise record.error(
            f"is {own[0]}x{own[1]} (height x width), but the image is "
            f"{question.size[0]}x{question.size[1]}"
            + (": height and width have changed places" if turned else "; --resize would fit it"),
            "size",
        )
    if not reader.by_rows:
        return _fitted(paint_counts(record, own), question)
    flipped = Record(
        record.file, record.line, record.fields | {"size": [own[1], own[0]]}, record.prefix
    )
    return _fitted(np.ascontiguousarray(paint_counts(flipped, own[::-1]).T), question)


def _fitted(array: Bits, question: Question) -> Bits:
    if array.shape == question.size:
        return array
    fitted: Bits = sample_nearest(array, question.size)
    return fitted


def _label(record: Record, reader: Reader) -> str:
    for name in ("label", "category"):
        if isinstance(record.fields.get(name), str):
            return record.text(name)
    if record.fields.get("category_id") is None or reader.names is None:
        return ""
    number = record.whole("category_id")
    if number not in reader.names:
        raise record.error(f"{number} is the id of no category of the truth", "category_id")
    return reader.names[number]


def _score(record: Record) -> float | None:
    value = record.fields.get("score")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise record.error(f"is {brief(value)}, expected a number", "score")
    return float(value)


def _array_masks(record: Record, question: Question, reader: Reader) -> list[Mask]:
    values, labels = read_array(record)
    file = record.text("file")
    size = (int(values.shape[-2]), int(values.shape[-1]))
    if size != question.size and not reader.resize:
        raise RecordError(
            f"is {size[0]}x{size[1]} (height x width), but the image is "
            f"{question.size[0]}x{question.size[1]}; --resize would fit it",
            file=file,
            field="size",
        )
    planes = values[None] if values.ndim == 2 else values
    _check_room(record, len(planes), question)
    if values.ndim == 2 and reader.values is not None:
        names = dict(reader.values)
        found = list(label_masks(np.asarray(values), names, file).values())
    else:
        label = record.text("label", "")
        given = labels or (label,) * len(planes)
        found = [
            binary_mask(np.asarray(plane), one, file)
            for plane, one in zip(planes, given, strict=True)
        ]
    if size == question.size:
        return found
    return [Mask(_fitted(mask.array, question), mask.label, mask.score) for mask in found]


def turned(records: Sequence[Record], question: Question, reader: Reader) -> Bits | None:
    """The union of predicted run lengths if they went the other way; None where there are none."""
    if not records or "text" in records[0].fields or reader.arrays:
        return None
    other = dataclasses.replace(reader, by_rows=not reader.by_rows)
    union = np.zeros(question.size, np.bool_)
    try:
        for mask in _masks(records, question, other):
            union |= mask.array
    except MaskCodecError:
        return None
    return union
