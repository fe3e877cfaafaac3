"""The samples of the truth: what is right of each, and what predictions may call it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from maskcodec.chat import Form
from maskcodec.datasets.annotated import Annotated, AnnotatedEntry, one_line
from maskcodec.datasets.naming import safe_name
from maskcodec.errors import MaskCodecError, RecordError
from maskcodec.examples import Example, read_example
from maskcodec.mask import Mask
from maskcodec.records import MAX_LINE, Record, parse_json

from .score_truth import WHOLE_IMAGES, Unit


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """One sample.

    Attributes:
        id: unique in the truth.
        names: what predictions may call it, by field.
        size: (height, width) in pixels.
        targets: the right masks.
        task: one of `maskcodec.examples.TASKS`.
        group: what several samples have in common; may be empty.
        ignore: bool (height, width), what nobody annotated.
        crowds: see `Pair`.
        areas: see `Pair`.
        constraints: see `Pair`.
        asked: the question, or the expression.
        answer: the right answer as text, in `spec`; None where the truth is masks alone.
        spec: of the answer.
        form: of the answer; None where it may be either.
        image: where the image lies; None where it isn't known.
    """

    id: str
    names: dict[str, list[str]]
    size: tuple[int, int]
    targets: tuple[Mask, ...]
    task: str
    group: str = ""
    ignore: npt.NDArray[np.bool_] | None = None
    crowds: tuple[Mask, ...] = ()
    areas: tuple[float, ...] = ()
    constraints: tuple[Any, ...] | None = None
    asked: str = ""
    answer: str | None = None
    spec: str = ""
    form: Form | None = None
    image: Path | None = None


@dataclass(frozen=True, slots=True)
class Unusable:
    """A sample of the truth that can't be scored, or is none.

    Attributes:
        error: why; None where the right answer is words, which have no masks.
    """

    error: RecordError | None


def questions(unit: Unit, kind: str, tasks: Sequence[str]) -> list[Question | Unusable]:
    """The samples of a unit; what is wrong with one of them costs that one."""
    try:
        if unit.error is not None:
            raise unit.error
        if unit.entry is None:
            return _of_line(unit, tasks)
        about = unit.entry.load()
    except RecordError as error:
        return [Unusable(error if error.file else _at(unit, error))]
    except MaskCodecError as error:
        return [Unusable(_at(unit, error))]
    found: list[Question | Unusable] = [Unusable(error) for error in about.problems]
    if kind in WHOLE_IMAGES:
        return [*found, _whole_image(unit.entry, about, kind)]
    return [*found, *_expressions(unit.entry, about)]


def _at(unit: Unit, error: MaskCodecError) -> RecordError:
    reason = error.reason if isinstance(error, RecordError) else str(error)
    field = error.field if isinstance(error, RecordError) else None
    return RecordError(reason, file=unit.file, line=unit.at, field=field)


def _of_line(unit: Unit, tasks: Sequence[str]) -> list[Question | Unusable]:
    if unit.line is None:
        raise RecordError(f"is longer than {MAX_LINE:,} bytes", file=unit.file, line=unit.at)
    fields = parse_json(unit.line.rstrip(b"\r\n"), unit.file, unit.at)
    if not isinstance(fields, dict):
        raise RecordError("is no object", file=unit.file, line=unit.at)
    if tasks and fields.get("task") not in tasks:
        return []
    example = read_example(Record(unit.file, unit.at, fields))
    ignore = example.ignored()
    return [_turn(example, turn, ignore) for turn in range(len(example.turns))]


def _turn(example: Example, turn: int, ignore: npt.NDArray[np.bool_] | None) -> Question | Unusable:
    said = example.turns[turn]
    if said.form == "tagged" and not said.truth and example.task != "grounded":
        return Unusable(None)
    # As `maskcodec segment` names answers.
    name = example.id if len(example.turns) == 1 else f"{example.id}#{turn + 1}"
    shown = (*example.images, *sorted(truth.counts for truth in said.truth))
    try:
        targets = tuple(example.masks(turn))
    except RecordError as error:
        return Unusable(error)
    return Question(
        name,
        {"id": [name, safe_name(name)]},
        example.size,
        targets,
        example.task,
        _digest(shown) if targets else "",
        ignore,
        constraints=said.constraints,
        asked=said.question,
        answer=said.answer,
        spec=example.spec,
        form=said.form,
        image=example.image_paths()[0],
    )


def _digest(parts: Sequence[str]) -> str:
    text = "\n".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()[:16]


def _whole_image(entry: AnnotatedEntry, about: Annotated, kind: str) -> Question:
    task = kind if kind != "instances" else "panoptic"
    return Question(
        entry.id,
        _names(entry, about, "#0", alone=True),
        about.size,
        about.objects,
        task,
        ignore=about.ignore,
        crowds=about.crowds,
        areas=about.areas,
        image=about.path,
    )


def _names(
    entry: AnnotatedEntry, about: Annotated, number: str, *, alone: bool
) -> dict[str, list[str]]:
    """What a sample may be called: by its entry or its file, and the number that `prepare` gives.

    Args:
        entry: of the image.
        about: the image.
        number: of the sample, as `prepare` writes it.
        alone: whether it is the image's only one, for which the image's own name will do.
    """
    image = Path(about.image)
    images = dict.fromkeys(
        [entry.id, image.stem, image.name, image.with_suffix("").as_posix(), Path(entry.id).name]
    )
    numbered = [f"{one}{number}" for one in images]
    names = [one for plain in numbered for one in (plain, safe_name(plain))]
    if not alone:
        return {"id": list(dict.fromkeys(names))}
    names = [*images, *map(safe_name, images), *names]
    return {"id": list(dict.fromkeys(names)), "image_id": list(dict.fromkeys(names))}


def _expressions(entry: AnnotatedEntry, about: Annotated) -> list[Question | Unusable]:
    """The expressions, with the ids that `maskcodec prepare` gives them."""
    found: list[Question | Unusable] = []
    if not about.expressions:
        return found
    task = about.expressions[0].task
    said = [one for one in about.expressions if one.task == task]
    for number, expression in enumerate(said):
        name = f"{entry.id}#{number}"
        names = _names(entry, about, f"#{number}", alone=len(said) == 1)
        if expression.sentence:
            names["sent_id"] = [expression.sentence]
        targets = tuple(about.objects[index] for index in expression.targets)
        text = one_line(expression.text)
        empty = any(not target.area for target in targets)
        if empty and task != "reasoning":
            reason = f"an object that {text[:60]!r} means has no pixels"
            place = expression.place
            found.append(Unusable(RecordError(reason, file=entry.file, field=place)))
            continue
        objects = [about.image, *map(str, sorted(expression.targets))]
        group = f"ref {expression.ref}" if expression.ref else _digest(objects)
        found.append(
            Question(
                name,
                names,
                about.size,
                () if empty else targets,
                task,
                group if targets else "",
                about.ignore,
                constraints=expression.constraints,
                asked=text,
                image=about.path,
            )
        )
    return found
