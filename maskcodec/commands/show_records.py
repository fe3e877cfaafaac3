"""A sheet of the records of a JSONL file: texts, and where it is known the truth."""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..datasets.images import image_path
from ..datasets.pictures import read_picture
from ..datasets.segmentation import paint_counts
from ..errors import MaskCodecError, RecordError
from ..mask import Mask
from ..overlay import Rgb
from ..records import Record
from ..sheet import Answer, Example, Group, Table, write_sheet
from ..tokens import TokenCounter
from ..writing import atomic
from .show import load_counter, make_answer, make_group
from .terminal import progress, say
from .texts import Text, place, read_texts

GREY = 96
"""What stands for an image that is not there."""

SHOWN = 10
"""Reasons printed on stderr."""

NOTE = (
    "IoU of an answer: of all its pixels where the truth is one object or none; with several "
    "objects the mean over labels of the IoU of all pixels of a label. Nothing found where nothing "
    "is counts as 1."
)


@dataclass(slots=True)
class _Figures:
    """What the sheet's head says of one codec."""

    ious: list[float] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    characters: list[int] = field(default_factory=list)
    repaired: int = 0

    def add(self, answer: Answer) -> None:
        if answer.iou is not None:
            self.ious.append(answer.iou)
        if answer.tokens is not None:
            self.tokens.append(answer.tokens)
        self.characters.append(len(answer.text or ""))
        self.repaired += bool(answer.repairs)

    def row(self, spec: str) -> list[str]:
        return [
            spec,
            f"{len(self.characters):,}",
            f"{statistics.fmean(self.ious):.3f}" if self.ious else "–",
            f"{statistics.median(self.tokens):,.0f}" if self.tokens else "–",
            f"{statistics.median(self.characters):,.0f}",
            f"{self.repaired:,}",
        ]


class RecordSheet:
    """Turns texts into examples and keeps count.

    Attributes:
        style: CSS to be added to the sheet's.
    """

    style = ""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.folder: Path | None = arguments.image_dir
        self.counter: TokenCounter | None = load_counter(arguments.tokenizer)
        self.figures: dict[str, _Figures] = {}
        self.shown = 0
        self.left_out = 0
        self.without_image = 0

    def examples(self, texts: Iterator[Text | RecordError], bar: Any) -> Iterator[Example]:
        """An example for each text that can be shown."""
        for text in texts:
            try:
                if isinstance(text, RecordError):
                    raise text
                example = self._example(text)
                self.shown += 1
                yield example
            except MaskCodecError as error:
                self._leave_out(error)
            bar.update()

    def _leave_out(self, error: MaskCodecError) -> None:
        self.left_out += 1
        if self.left_out <= SHOWN:
            say("show", f"left out: {error}")

    def _example(self, text: Text) -> Example:
        assert text.size is not None
        truth = None if text.record is None else _truth(text.record, text.size)
        groups = self.groups(text, text.size, truth)
        image, about = self._image(text, text.size)
        title = text.id if text.image in text.id else f"{text.id} ({text.image})"
        return Example(title, about, image, groups)

    def groups(
        self, text: Text, size: tuple[int, int], truth: Sequence[Mask] | None
    ) -> list[Group]:
        """What is shown of one text."""
        answer = make_answer(text.codec, text.text, size, truth, self.counter)
        self.figures.setdefault(text.codec.spec, _Figures()).add(answer)
        return [make_group(truth, answer)]

    def _image(self, text: Text, size: tuple[int, int]) -> tuple[Rgb, str]:
        """The image of a text, or grey with the reason."""
        try:
            if self.folder is None:
                raise place(text, "its image is not known: give --image-dir", "image")
            return read_picture(image_path(self.folder, text.image), size), ""
        except RecordError as error:
            self.without_image += 1
            if self.folder is not None and self.without_image <= SHOWN:
                say("show", f"shown without its image: {error}")
            return np.full((*size, 3), GREY, dtype=np.uint8), f"no image: {error.reason}"

    def summary(self) -> Table:
        """The table at the head of the sheet."""
        columns = ["codec", "records", "mean IoU", "tokens", "characters", "with repairs"]
        counted = "not counted" if self.counter is None else f"of {self.counter.name}"
        note = f"Tokens ({counted}) and characters are medians. {NOTE}"
        rows = [figures.row(spec) for spec, figures in self.figures.items()]
        return Table(columns, rows, note)


def _truth(record: Record, size: tuple[int, int]) -> list[Mask] | None:
    """The field `truth`: a list of `{"label", "size", "counts"}`; None where there is none."""
    if record.fields.get("truth") is None:
        return None
    objects = [
        record.child("truth", index, value) for index, value in enumerate(record.items("truth"))
    ]
    return [Mask(paint_counts(one, size), one.text("label", "")) for one in objects]


def show_records(arguments: argparse.Namespace, sheet: RecordSheet | None = None) -> int:
    """Write a sheet of texts beside their truth, or another `sheet`; 1 if records were left out.

    Raises:
        RecordError: no such file.
        MaskCodecError: no record could be shown.
    """
    if arguments.image_dir is not None and not arguments.image_dir.is_dir():
        raise RecordError("is no folder", file=str(arguments.image_dir), field="--image-dir")
    texts = read_texts(str(arguments.input), arguments.spec, None)
    if arguments.limit is not None:
        texts = (text for _, text in zip(range(arguments.limit), texts, strict=False))
    sheet = sheet or RecordSheet(arguments)
    bar = progress(arguments.limit, "records", quiet=arguments.quiet)
    try:
        with atomic(arguments.sheet) as stream:
            examples = sheet.examples(texts, bar)
            title = f"maskcodec: {arguments.input.name}"
            write_sheet(stream, title, examples, summary=sheet.summary, style=sheet.style)
            if not sheet.shown:
                raise MaskCodecError(f"{arguments.input} holds no record that can be shown")
    finally:
        bar.close()
    if not arguments.quiet:
        parts = [f"{sheet.shown} records in {arguments.sheet}"]
        parts += [f"{sheet.left_out} left out"] * bool(sheet.left_out)
        parts += [f"{sheet.without_image} without their image"] * bool(sheet.without_image)
        say("show", "; ".join(parts))
    return 1 if sheet.left_out else 0
