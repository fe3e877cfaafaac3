"""A sheet of objects at their first 1, 2, 4, 8, ... codes, for codecs of shape tokens."""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterator, Sequence
from typing import Any

from ..boundary import boundary_iou
from ..codec import Codec
from ..datasets.pictures import read_picture
from ..decoded import Decoded, Geometry
from ..errors import MaskCodecError, SpecError
from ..geometry.tokens import ShapeTokens
from ..mask import Mask
from ..metrics import iou
from ..registry import get_codec, list_codecs
from ..sheet import Answer, Example, Group, Table, write_sheet
from ..tokens import TokenCounter
from ..writing import atomic
from .demo_pictures import zoom
from .image_masks import read_image_masks
from .show import RECORDS, load_counter, read_text
from .show_records import RecordSheet, show_records
from .texts import Text

NOTE = (
    "Means over the objects that have so many codes; tokens are those of the object's whole text, "
    "its label and box included."
)


STYLE = """
.cards { grid-template-columns: repeat(auto-fill, minmax(175px, 1fr)); }
.cards pre { max-height: 13rem; }
"""
"""Image, truth and five prefixes in one row."""

MAX_OBJECTS = 100
"""Objects of an image that are shown."""


class PrefixFigures:
    """What the sheet's head says: quality and cost by the number of codes."""

    def __init__(self) -> None:
        self._ious: dict[int, list[float]] = {}
        self._boundaries: dict[int, list[float]] = {}
        self._tokens: dict[int, list[int]] = {}
        self._objects: dict[int, int] = {}

    def add(self, codes: int, answer: Answer, truth: Mask | None) -> None:
        """Add one object at its first `codes` codes."""
        self._objects[codes] = self._objects.get(codes, 0) + 1
        if answer.tokens is not None:
            self._tokens.setdefault(codes, []).append(answer.tokens)
        if truth is not None and answer.iou is not None and answer.masks:
            self._ious.setdefault(codes, []).append(answer.iou)
            near = boundary_iou(answer.masks[0].array, truth.array)
            self._boundaries.setdefault(codes, []).append(near)

    def table(self) -> Table:
        """The table of the head."""
        rows = [
            [
                _codes(codes),
                f"{count:,}",
                _mean(self._ious.get(codes), 3),
                _mean(self._boundaries.get(codes), 3),
                _mean(self._tokens.get(codes), 1),
            ]
            for codes, count in sorted(self._objects.items())
        ]
        return Table(["first", "objects", "mean IoU", "mean boundary IoU", "tokens"], rows, NOTE)


def _codes(count: int) -> str:
    return f"{count} code{'s' * (count != 1)}"


def _mean(values: Sequence[float] | None, digits: int) -> str:
    return f"{statistics.fmean(values):,.{digits}f}" if values else "–"


def prefix_steps(count: int) -> list[int]:
    """How many codes are shown of an object that has `count`: powers of two, and all."""
    powers = (1 << power for power in range(count.bit_length()))
    return [*(step for step in powers if step < count), count]


def prefix_groups(
    codec: Codec[Any],
    geometry: ShapeTokens,
    size: tuple[int, int],
    truth: Sequence[Mask] | None,
    counter: TokenCounter | None,
    figures: PrefixFigures,
) -> Iterator[Group]:
    """A group an object: the truth, and the object at each number of codes.

    Args:
        codec: writes and paints the codes.
        geometry: the objects.
        size: the image's (height, width) in pixels.
        truth: one mask an object, in their order; None where that is not known.
        counter: counts tokens; None counts none.
        figures: the sheet's head.
    """
    if counter is not None:
        counter = counter.adding(codec.vocab())
    more = max(0, len(geometry.labels) - MAX_OBJECTS)
    for index, label in enumerate(geometry.labels[:MAX_OBJECTS]):
        right = None if truth is None else truth[index]
        one = _only(geometry, index)
        answers = []
        for step in prefix_steps(int(one.counts[0])):
            some = one.prefix(step)
            # Where a text must have so many codes, one of fewer is another codec's.
            writer = codec.shorter(step) if hasattr(codec, "shorter") else codec
            text = writer.write(some)
            masks = Decoded(codec.render(some, size), some.labels, (), some).masks
            answer = Answer(
                _codes(step),
                text,
                masks,
                iou=None if right is None else iou(masks[0].array, right.array),
                tokens=None if counter is None else counter.count(text),
            )
            figures.add(step, answer, right)
            answers.append(answer)
        window = zoom(masks[0] if right is None else right)
        title = f"{label} (and {more:,} more objects)" if more and not index else label
        yield Group(title, None if right is None else [right], answers, "mask", window)
    if not geometry.labels:
        yield Group("", truth, [Answer("no object", codec.write(geometry), ())])


def _only(geometry: ShapeTokens, index: int) -> ShapeTokens:
    """One object of several."""
    one = slice(index, index + 1)
    return ShapeTokens(
        geometry.family,
        geometry.bins,
        geometry.labels[one],
        geometry.boxes[one],
        geometry.counts[one],
        geometry.codes_of(index),
    )


def has_prefixes(codec: Codec[Any]) -> bool:
    """Whether a codec's objects are codes of which the first few are a shape too."""
    # Reading needs no network and no weights, as painting may.
    return isinstance(codec.parse("", errors="repair")[0], ShapeTokens)


def _check_prefixes(codec: Codec[Any]) -> None:
    if has_prefixes(codec):
        return
    able = []
    for name in list_codecs():
        try:
            able += [name] * has_prefixes(get_codec(name))
        except SpecError:  # an option without a default
            continue
    raise MaskCodecError(
        f"--prefixes: {codec.name} has no codes to leave away; codecs that have: "
        f"{', '.join(able) or 'none is installed'}"
    )


def _tokens_of(geometry: Geometry) -> ShapeTokens:
    assert isinstance(geometry, ShapeTokens)
    return geometry


class PrefixSheet(RecordSheet):
    """Shows the codes of each record's text, a few at a time."""

    style = STYLE

    def __init__(self, arguments: argparse.Namespace) -> None:
        super().__init__(arguments)
        self.prefixes = PrefixFigures()

    def groups(
        self, text: Text, size: tuple[int, int], truth: Sequence[Mask] | None
    ) -> list[Group]:
        """The objects of one text; the truth goes with them where the labels are the same."""
        _check_prefixes(text.codec)
        geometry = _tokens_of(text.codec.parse(text.text, errors="repair")[0])
        if truth is not None and geometry.labels != tuple(mask.label for mask in truth):
            truth = None
        return list(prefix_groups(text.codec, geometry, size, truth, self.counter, self.prefixes))

    def summary(self) -> Table:
        """The table at the head of the sheet."""
        return self.prefixes.table()


def show_prefixes(arguments: argparse.Namespace) -> int:
    """Write the sheet of an image or of records; 1 if records were left out."""
    if arguments.sheet is None or arguments.output is not None:
        raise MaskCodecError("--prefixes makes a sheet: give --sheet FILE.html, and no --output")
    if arguments.input.name.lower().endswith(RECORDS):
        if arguments.spec is not None:
            _check_prefixes(get_codec(arguments.spec))
        return show_records(arguments, PrefixSheet(arguments))
    if arguments.spec is None or (arguments.masks is None and arguments.text is None):
        raise MaskCodecError("--prefixes needs --spec, and --masks to write or --text to read")
    codec = get_codec(arguments.spec)
    _check_prefixes(codec)
    counter = load_counter(arguments.tokenizer)
    image = read_picture(arguments.input)
    size = image.shape[0], image.shape[1]
    truth = None
    if arguments.masks is not None:
        truth = read_image_masks(
            arguments.masks, arguments.input, size, arguments.names, arguments.label
        )
    if arguments.text is None:
        geometry = _tokens_of(codec.analyze(truth or (), size))
    else:
        geometry = _tokens_of(codec.parse(read_text(arguments.text), errors="repair")[0])
    if truth is not None and len(truth) != len(geometry.labels):
        truth = None
    figures = PrefixFigures()
    groups = list(prefix_groups(codec, geometry, size, truth, counter, figures))
    example = Example(arguments.input.name, "", image, groups)
    title = f"maskcodec: {arguments.input.name}, code by code"
    with atomic(arguments.sheet) as stream:
        write_sheet(stream, title, [example], lead=codec.spec, summary=figures.table, style=STYLE)
    return 0
