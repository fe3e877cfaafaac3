"""The examples of a run, checked before it starts: specs, images, and lengths in tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from maskcodec import MaskCodecError, get_codec
from maskcodec.datasets.images import image_size
from maskcodec.errors import RecordError
from maskcodec.examples import Example, read_examples

from .answers import Answered, Answers
from .batches import Images

Reject = Callable[[RecordError, str | None], None]
"""Takes an error and the id of its example, if that was read."""


def read_all(
    paths: Sequence[str], spec: str, reject: Reject, source: str = "--spec"
) -> list[Example]:
    """The examples of all files, which must agree on their codec.

    Args:
        paths: JSONL files of examples.
        spec: the codec that they must name; empty for that of the first line.
        reject: gets what can't be read.
        source: who says that codec, for messages.

    Raises:
        RecordError: a file is missing, or a line names another codec.
        MaskCodecError: no example is left.
    """
    wanted = get_codec(spec).spec if spec else ""
    found = []
    for path in paths:
        for item in read_examples(path):
            if isinstance(item, RecordError):
                reject(item, None)
                continue
            if not wanted:
                wanted, source = item.spec, f"{item.file}:{item.line}"
            if item.spec != wanted:
                raise item.error(
                    f"is {item.spec!r}, but {source} says {wanted!r}: an adapter speaks one codec; "
                    "prepare all files with the same --spec",
                    "spec",
                )
            found.append(item)
    if not found:
        raise MaskCodecError(f"there is no example in {', '.join(paths)}")
    return found


def with_images(examples: Iterable[Example], reject: Reject) -> list[Example]:
    """Those examples whose images exist, the first of the size that they say."""
    known: dict[Path, tuple[int, int] | str] = {}
    kept = []
    for example in examples:
        reasons = (
            _problem(path, example.size if not index else None, known)
            for index, path in enumerate(example.image_paths())
        )
        reason = next(filter(None, reasons), "")
        if reason:
            reject(example.error(reason, "images"), example.id)
        else:
            kept.append(example)
    return kept


def _problem(
    path: Path, size: tuple[int, int] | None, known: dict[Path, tuple[int, int] | str]
) -> str:
    """What is wrong with an image; nothing where all is well."""
    if path not in known:
        try:
            known[path] = image_size(path)
        except RecordError as error:
            known[path] = f"{path}: {error.reason}"
    found = known[path]
    if isinstance(found, str):
        return found
    if size is not None and found != size:
        height, width = found
        return f"{path} is {height}x{width} (height x width), but size says {size[0]}x{size[1]}"
    return ""


@dataclass
class Lengths:
    """How long examples are, in tokens of the model.

    Attributes:
        context: the most tokens that the model takes.
        answers: tokens of all answers of each example.
        whole: tokens of each example, images and all.
    """

    context: int
    answers: list[int] = field(default_factory=list)
    whole: list[int] = field(default_factory=list)

    @property
    def longest(self) -> int:
        """Of all examples."""
        return max(self.whole, default=0)

    @property
    def mean_answer(self) -> float:
        """Tokens of an example's answers."""
        return sum(self.answers) / max(1, len(self.answers))


def tokenized(
    examples: Iterable[Example], answers: Answers, images: Images, context: int, reject: Reject
) -> tuple[list[Example], list[Answered], Lengths]:
    """Examples as tokens; what does not fit the model's context is left out, never cut.

    An image's tokens are counted once for each size of image.
    """
    kept: list[Example] = []
    made: list[Answered] = []
    lengths = Lengths(context)
    heads: dict[tuple[object, ...], int] = {}
    for example in examples:
        try:
            one = answers.of(example)
            key = (one.head, example.size)
            if key not in heads:
                heads[key] = len(images.see(example.image_paths(), example.size, one.head).ids)
        except RecordError as error:
            reject(error, example.id)
            continue
        length = heads[key] + len(one.ids)
        if length > context:
            spoken = sum(stop - start for start, stop in one.answers)
            reject(
                example.error(
                    f"is {length:,} tokens ({spoken:,} of them answers), but the model's context "
                    f"is {context:,}: it would be cut; take a shorter spec",
                    "messages",
                ),
                example.id,
            )
            continue
        kept.append(example)
        made.append(one)
        lengths.whole.append(length)
        lengths.answers.append(sum(stop - start for start, stop in one.answers))
    return kept, made, lengths


def spread(examples: Sequence[Example], count: int) -> list[Example]:
    """`count` of the examples, evenly spread, in order."""
    if count >= len(examples):
        return list(examples)
    step = len(examples) / count
    return [examples[int((index + 0.5) * step)] for index in range(count)]
