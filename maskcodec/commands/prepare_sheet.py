"""A sheet of prepared examples: image, question, truth, and what the answer decodes to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from .. import sheet
from ..chat import read_answer
from ..datasets.pictures import read_picture
from ..errors import MaskCodecError, RecordError
from ..examples import Example, read_examples
from ..writing import atomic

GREY = 96
"""What stands for an image that can't be read."""

LEAD = (
    "What a model will be asked, and the answer that it is trained on. The masks on the right are "
    "decoded from that answer: what differs from the truth, the codec itself loses."
)


def write_example_sheet(path: Path, examples: Path, count: int) -> int:
    """Write a sheet of `count` examples, evenly spread over the file.

    Returns:
        how many are on it.

    Raises:
        RecordError: the file of examples is gone.
        OSError: the sheet can't be written.
    """
    total = sum(isinstance(item, Example) for item in _read(examples))
    wanted = {index * total // count for index in range(count)} if total else set()
    chosen = (
        item
        for index, item in enumerate(one for one in _read(examples) if isinstance(one, Example))
        if index in wanted
    )
    with atomic(path) as stream:
        title = f"maskcodec: {examples.name}"
        sheet.write_sheet(stream, title, map(_shown, chosen), lead=LEAD)
    return len(wanted)


def _read(examples: Path) -> Iterator[Example | RecordError]:
    return read_examples(examples) if examples.stat().st_size else iter(())


def _shown(example: Example) -> sheet.Example:
    try:
        image = read_picture(example.image_paths()[0], example.size)
    except MaskCodecError:
        image = np.full((*example.size, 3), GREY, dtype=np.uint8)
    groups = [_group(example, index) for index in range(len(example.turns))]
    return sheet.Example(example.id, f"{example.task} · {example.images[0]}", image, groups)


def _group(example: Example, index: int) -> sheet.Group:
    turn = example.turns[index]
    truth = example.masks(index)
    read = read_answer(turn.answer, example.codec, example.size, form=turn.form)
    figures = example.figures or {}
    tokens: Sequence[int] = figures.get("tokens") or []
    ious: Sequence[float | None] = figures.get("answer_iou") or []
    answer = sheet.Answer(
        example.spec,
        turn.answer,
        read.masks,
        ious[index] if index < len(ious) else None,
        tokens[index] if index < len(tokens) else None,
        read.repairs,
    )
    answers = [answer]
    asked = read_answer(turn.question, example.codec, example.size, form="tagged")
    if asked.masks:
        answers.insert(0, sheet.Answer("mask in the question", asked.prose, asked.masks))
    alike = list(read.labels) == [mask.label for mask in truth]
    return sheet.Group(turn.question, truth, answers, "mask" if alike else "label")
