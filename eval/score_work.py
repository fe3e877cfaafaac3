"""The work on one unit of the truth: from files to rows, in a process of its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from maskcodec.chat import read_answer
from maskcodec.datasets.videos import Video
from maskcodec.errors import EncodeError, MaskCodecError, RecordError
from maskcodec.mask import Mask
from maskcodec.metrics import iou, union_of
from maskcodec.records import Record, dump_line
from maskcodec.scores.pair import Pair
from maskcodec.scores.referring_rows import ReferringRow
from maskcodec.scores.video_folders import score_video

from .score_boxes import BoxReader, read_boxes_of
from .score_kinds import Row, Rules, compare
from .score_predictions import PredictionFile
from .score_questions import Question, Unusable, questions
from .score_reading import Reader, Reading, UndrawableError, codec_of, read_prediction, turned
from .score_scenes import facts_of
from .score_truth import Unit

OWN = "own"
"""Instead of a spec: the ceiling is that of the codec that each prediction is spelt in."""

LONGEST_PROBLEM = 300
"""Characters of a problem that a row keeps."""

LOOKED_AT = 400
"""Units whose run lengths are read the other way round too, to see which way they go."""


@dataclass(frozen=True, slots=True)
class System:
    """One system's predictions.

    Attributes:
        file: where they are.
        reader: how they are read.
        boxes: how boxes are read; None where masks are scored.
        has_text: whether they are texts.
        spec: the one codec that all texts are spelt in; "" where there are several, or no texts.
    """

    file: PredictionFile
    reader: Reader
    boxes: BoxReader | None = None
    has_text: bool = False
    spec: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """What is done with every unit; the same in every process.

    Attributes:
        systems: one, or two to be compared.
        rules: what is measured.
        tasks: of a prepared file, those that are wanted; empty takes all.
        ceiling: a spec, `OWN`, or "" for none.
    """

    systems: tuple[System, ...]
    rules: Rules
    tasks: tuple[str, ...]
    ceiling: str


@dataclass(slots=True)
class Done:
    """What became of a unit.

    Attributes:
        number: of the unit.
        lines: its rows as lines, with their ids.
        errors: what of the truth can't be used.
        words: answers in words, which have no masks; those of units with rows stand in the rows.
        turned: sums of IoU as it stands and the other way round, and of how many; of run lengths.
    """

    number: int
    lines: list[tuple[str, bytes]] = field(default_factory=list)
    errors: list[RecordError] = field(default_factory=list)
    words: int = 0
    turned: tuple[float, float, int] = (0.0, 0.0, 0)


def score_unit(unit: Unit, job: Job) -> Done:
    """Score the samples of a unit."""
    done = Done(unit.number)
    if unit.video is not None:
        return _score_video(unit.video, job, done)
    rows: list[dict[str, Any]] = []
    ceilings: dict[tuple[Any, ...], Sequence[Mask] | None] = {}
    for question in questions(unit, job.rules.kind, job.tasks):
        if isinstance(question, Unusable):
            if question.error is None:
                done.words += 1
            else:
                done.errors.append(question.error)
            continue
        try:
            rows.append(_score(question, job, done, ceilings))
        except UndrawableError:
            raise
        except MaskCodecError as error:
            done.errors.append(RecordError(f"{question.id}: {error}", file=unit.file, line=unit.at))
    for place, row in enumerate(rows):
        head: dict[str, Any] = {"unit": unit.number, "place": place, "of": len(rows)}
        if done.words:
            head["words"] = done.words * (not place)
        done.lines.append((row["row"]["id"], dump_line(head | row)))
    if rows:
        done.words = 0
    return done


def _score_video(video: Video, job: Job, done: Done) -> Done:
    """The objects or expressions of a video, whose predictions are a folder of frames."""
    try:
        scored = [score_video(video, Path(system.file.path)) for system in job.systems]
    except MaskCodecError as error:
        wrong = error if isinstance(error, RecordError) else RecordError(str(error))
        done.errors.append(wrong)
        return done
    problems = scored[0][1]
    for place, rows in enumerate(zip(*(rows for rows, _ in scored), strict=True)):
        fields: dict[str, Any] = {"unit": done.number, "place": place, "of": len(scored[0][0])}
        fields["row"] = rows[0].fields()
        if len(rows) > 1:
            fields["other"] = rows[1].fields()
        if rows[0].status in ("repaired", "invalid"):
            fields["repairs"] = ["damaged-file"]
            fields["problem"] = str(problems[0])[:LONGEST_PROBLEM] if problems else ""
        done.lines.append((rows[0].id, dump_line(fields)))
    return done


def _score(
    question: Question,
    job: Job,
    done: Done,
    ceilings: dict[tuple[Any, ...], Sequence[Mask] | None],
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for number, system in enumerate(job.systems):
        name, records = system.file.find(question.names)
        reading = read_prediction(records, question, system.reader) if not system.boxes else None
        given = None
        if system.boxes is not None:
            reading, given = read_boxes_of(records, question, system.reader, system.boxes)
        assert reading is not None
        if number == 0:
            found |= _remarks(name, question, reading)
        if number == 0 and done.number < LOOKED_AT:
            _look_turned(records, reading, question, system.reader, done)
        best = None
        if job.ceiling and number == 0:
            spec = _spec(job.ceiling, reading, system, question)
            best = _ceiling(question, spec, ceilings, wanted=job.ceiling != OWN)
        pair = _pair(question, reading)
        row, best_row = compare(pair, job.rules, best, given, facts_of(pair))
        fields = _fields(row, reading, question, system)
        if number:
            found["other"] = fields
        else:
            found["row"] = fields
            if job.rules.kind != "referring":
                found["tokens"], found["repairs"] = reading.tokens, list(reading.kinds)
            if best_row is not None:
                found["ceiling"] = best_row.fields()
    return found


def _remarks(name: str, question: Question, reading: Reading) -> dict[str, Any]:
    """What a row says of its prediction beside the counts."""
    found: dict[str, Any] = {}
    if name and name != question.id:
        found["by"] = name
    if reading.problem:
        found["problem"] = reading.problem[:LONGEST_PROBLEM]
    if reading.other_size:
        found["other_size"] = True
    return found


def _pair(question: Question, reading: Reading) -> Pair:
    return Pair(
        question.id,
        question.size,
        reading.masks,
        question.targets,
        question.ignore,
        reading.status,
        question.task,
        question.group,
        question.constraints,
        reading.text,
        question.crowds,
        question.areas,
    )


def _fields(row: Row, reading: Reading, question: Question, system: System) -> dict[str, Any]:
    if isinstance(row, ReferringRow):
        # Masks alone name nothing, nor are the labels of a data set those that were asked for.
        named = system.has_text and question.answer is not None
        row = dataclasses.replace(
            row,
            repairs=reading.kinds,
            tokens=reading.tokens,
            answer_right=row.answer_right if named else None,
        )
    return row.fields()


def _spec(wanted: str, reading: Reading, system: System, question: Question) -> str:
    if wanted != OWN:
        return wanted
    return reading.spec or system.spec or system.reader.spec or question.spec


def _ceiling(
    question: Question,
    spec: str,
    known: dict[tuple[Any, ...], Sequence[Mask] | None],
    *,
    wanted: bool,
) -> Sequence[Mask] | None:
    """What the truth decodes to, once it was spelt; None where the codec can't spell it.

    Raises:
        UndrawableError: it can't spell or draw anything here, and its ceiling was asked for.
    """
    if not spec:
        return None
    codec = codec_of(spec)
    if question.answer is not None and codec.spec == question.spec:
        return read_answer(question.answer, codec, question.size, form=question.form).masks
    key = (spec, *(id(target) for target in question.targets))
    if key not in known:
        try:
            text = codec.encode(question.targets, question.size)
            known[key] = codec.decode(text, question.size, errors="repair").masks
        except EncodeError:
            known[key] = None
        except MaskCodecError as error:
            if wanted:
                raise UndrawableError(f"--ceiling {spec}: {error}") from None
            known[key] = None
    return known[key]


def _look_turned(
    records: Sequence[Record], reading: Reading, question: Question, reader: Reader, done: Done
) -> None:
    """See whether run lengths read the other way round agree better with the truth."""
    if not question.targets or reading.status != "valid" or not reading.masks:
        return
    other: npt.NDArray[np.bool_] | None = turned(records, question, reader)
    if other is None:
        return
    truth = union_of(question.targets, question.size)
    own, flipped, count = done.turned
    done.turned = (
        own + iou(union_of(reading.masks, question.size), truth),
        flipped + iou(other, truth),
        count + 1,
    )
