"""What `maskcodec segment` is asked: images with expressions, or the examples of a file."""

from __future__ import annotations

import dataclasses
import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskcodec.chat import Form
from maskcodec.datasets.images import IMAGE_SUFFIXES, image_size
from maskcodec.datasets.pictures import read_picture
from maskcodec.errors import MaskCodecError, RecordError
from maskcodec.examples import Example, image_name, read_examples
from maskcodec.generation import Question, question_of, turn_id

RECORDS = (".jsonl", ".jsonl.gz")

_LONG_ANSWERS = 64
"""The answers with most characters, among which the one with most tokens is."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question, its image not yet read.

    Attributes:
        id: unique within the run.
        image: the image's name.
        size: its (height, width) in pixels.
        text: the question.
        form: of the answer.
        example: where the truth is; None where it is not known.
        turn: which of the example's answers is asked for.
        path: the image, where there is no example.
    """

    id: str
    image: str
    size: tuple[int, int]
    text: str
    form: Form
    example: Example | None = None
    turn: int = 0
    path: Path | None = None

    @property
    def file(self) -> str:
        """Where the question comes from, for messages."""
        return str(self.path) if self.example is None else self.example.file

    def error(self, message: str) -> RecordError:
        """An error at this question."""
        line = None if self.example is None else self.example.line
        return RecordError(message, file=self.file, line=line)

    def question(self) -> Question:
        """The question with its image.

        Raises:
            RecordError: an image is missing, damaged or of another size.
        """
        if self.example is not None:
            return dataclasses.replace(question_of(self.example, self.turn), form=self.form)
        assert self.path is not None
        message = {"role": "user", "content": self.text}
        return Question(self.id, [read_picture(self.path, self.size)], [message], self.form)


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What a file of examples says as a whole.

    Attributes:
        count: answers in it.
        labels: the labels of all right masks, sorted.
        answers: the longest right answers.
    """

    count: int
    labels: tuple[str, ...]
    answers: tuple[str, ...]


def is_file_of_examples(inputs: Sequence[str]) -> bool:
    """Whether the inputs are a prepared file.

    Raises:
        MaskCodecError: a file of examples stands among other inputs.
    """
    files = [name for name in inputs if name.lower().endswith(RECORDS)]
    if files and len(inputs) > 1:
        raise MaskCodecError(f"{files[0]} holds questions of its own: give it alone")
    return bool(files)


def from_images(inputs: Sequence[str], template: str, form: Form) -> list[Asked]:
    """Every expression for every image.

    Args:
        inputs: images, and what is none.
        template: the question, with `{}` for the expression.
        form: of answers.

    Raises:
        MaskCodecError: no image, no expression, or a question without a place for it.
        RecordError: an image that is missing or damaged.
    """
    images = [name for name in inputs if _is_image(name)]
    expressions = [name for name in inputs if not _is_image(name)]
    if not images or not expressions:
        raise MaskCodecError(
            f"{len(images)} images and {len(expressions)} expressions are given; both are needed, "
            'as in: maskcodec segment photo.jpg "the dog on the left"'
        )
    if "{}" not in template:
        raise MaskCodecError(f"--question is {template!r}; it needs {{}} where the expression goes")
    found = []
    for image in dict.fromkeys(images):
        size = image_size(Path(image))
        for expression in dict.fromkeys(expressions):
            wanted = expression.strip().rstrip(".")
            if not wanted:
                raise MaskCodecError("an expression is empty: say what to look for")
            text = template.replace("{}", wanted)
            found.append(Asked(f"{image}: {wanted}", image, size, text, form, path=Path(image)))
    return found


def from_file(
    path: str, spec: str | None, form: Form | None, limit: int | None
) -> Iterator[Asked | RecordError]:
    """Each answer of each example of a file, and in its place what is wrong with a line."""
    left = limit
    for example in read_examples(path, spec=spec):
        if isinstance(example, RecordError):
            yield example
            continue
        for turn, said in enumerate(example.turns):
            if left == 0:
                return
            left = None if left is None else left - 1
            yield Asked(
                turn_id(example, turn),
                image_name(example.image_paths()[0], Path.cwd()),
                example.size,
                said.question,
                form or said.form,
                example,
                turn,
            )


def facts(asked: Iterable[Asked | RecordError]) -> FileFacts:
    """Read a file through once."""
    labels: set[str] = set()
    longest: list[str] = []
    count = 0
    for one in asked:
        if isinstance(one, RecordError) or one.example is None:
            continue
        count += 1
        turn = one.example.turns[one.turn]
        labels.update(mask.label for mask in turn.truth)
        longest = heapq.nlargest(_LONG_ANSWERS, [*longest, turn.answer], key=len)
    return FileFacts(count, tuple(sorted(labels)), tuple(longest))


def first_example(path: str) -> Example:
    """The first line that can be read, for its spec.

    Raises:
        RecordError: no line can.
    """
    reason: RecordError | None = None
    for one in read_examples(path):
        if isinstance(one, Example):
            return one
        reason = reason or one
    assert reason is not None
    raise reason


def read_labels(given: Sequence[str] | None) -> list[str] | None:
    """`--labels`: labels, or files with one a line."""
    if given is None:
        return None
    found: list[str] = []
    for one in given:
        path = Path(one)
        if path.suffix == ".txt" or path.is_file():
            found += _lines(path)
        else:
            found.append(one)
    return found


def _lines(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise RecordError(f"can't be read: {error}", file=str(path), field="--labels") from None
    return [line.strip() for line in lines if line.strip()]


def _is_image(name: str) -> bool:
    return name.lower().endswith(IMAGE_SUFFIXES) or _exists(name)


def _exists(name: str) -> bool:
    try:
        return Path(name).is_file()
    except (OSError, ValueError):  # too long for a path, or a NUL byte
        return False


def settings(arguments: Any, spec: str, labels: Sequence[str] | None) -> dict[str, Any]:
    """What a run that goes on must have in common with the one that was stopped."""
    return {
        "schema": 1,
        "model": arguments.model,
        "spec": spec,
        "inputs": list(arguments.input),
        "question": arguments.question,
        "labels": None if labels is None else list(labels),
        "constrained": not arguments.free,
        "form": arguments.form,
        "max_new_tokens": arguments.max_new_tokens,
    }
