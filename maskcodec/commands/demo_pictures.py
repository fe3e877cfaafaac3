"""What the demo shows: the examples of its sheet, and one picture with all codecs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from ..datasets.photographs import Photograph
from ..errors import EncodeError
from ..mask import Mask
from ..metrics import answer_iou, mean_iou
from ..overlay import Rgb, draw_overlay, fit
from ..picture_grid import CELL, draw_grid
from ..roundtrip import Totals, round_trip
from ..sheet import Answer, Example, Group
from ..tokens import TokenCounter

LARGE = 0.4
"""Share of the image's side from which on an object is shown in the whole image."""

MARGIN = 1.6
"""Side of the part that is shown of an enlarged object, in sides of the object."""


def examples(
    photographs: Iterable[Photograph], totals: Sequence[Totals], counter: TokenCounter | None
) -> Iterator[Example]:
    """For each photograph one object alone, and all objects in one answer."""
    for photograph in photographs:
        groups = []

        masks = photograph.masks

        def ask(truth: Sequence[Mask], size: tuple[int, int] = photograph.size) -> list[Answer]:
            return [_answer(total, truth, size, counter) for total in totals]

        if masks:
            one = _typical(masks)
            groups.append(Group(f"one object: {one.label}", [one], ask([one]), "mask", zoom(one)))
        else:
            groups.append(Group("nothing to find", (), ask(())))
        if len(masks) > 1:
            labels = ", ".join(dict.fromkeys(mask.label for mask in masks))
            title = f"all {len(masks)} objects in one answer: {labels}"
            groups.append(Group(title, masks, ask(masks), "label"))
        yield Example(photograph.name, photograph.about, photograph.image, groups)


def _typical(masks: Sequence[Mask]) -> Mask:
    """The object of median area."""
    return sorted(masks, key=lambda mask: mask.area)[len(masks) // 2]


def zoom(mask: Mask) -> tuple[int, int, int, int] | None:
    """The part of the image around a small object, of the image's shape; None for a large one."""
    height, width = mask.size
    rows, columns = np.flatnonzero(mask.array.any(axis=1)), np.flatnonzero(mask.array.any(axis=0))
    if not len(rows):
        return None
    share = max((rows[-1] + 1 - rows[0]) / height, (columns[-1] + 1 - columns[0]) / width)
    if share > LARGE:
        return None
    high, wide = round(height * share * MARGIN), round(width * share * MARGIN)
    y = min(max(0, (rows[0] + rows[-1] + 1 - high) // 2), height - high)
    x = min(max(0, (columns[0] + columns[-1] + 1 - wide) // 2), width - wide)
    return int(x), int(y), int(x) + wide, int(y) + high


def _answer(
    total: Totals, truth: Sequence[Mask], size: tuple[int, int], counter: TokenCounter | None
) -> Answer:
    try:
        text = total.codec.encode(truth, size)
    except EncodeError as error:
        return Answer(total.title, None, None, problem=str(error))
    decoded = total.codec.decode(text, size, errors="repair")
    masks = decoded.masks
    return Answer(
        total.title,
        text,
        masks,
        iou=answer_iou(masks, truth, size),
        tokens=None if counter is None else counter.adding(total.codec.vocab()).count(text),
        repairs=decoded.repairs,
    )


def overview(photographs: Iterable[Photograph], totals: Sequence[Totals]) -> Rgb:
    """All objects of each photograph, each encoded alone, in a column for each codec."""
    rows = []
    for photograph in photographs:
        cells = [_cell(photograph, (), ""), _cell(photograph, photograph.masks, "")]
        cells.extend(_codec_cell(photograph, total) for total in totals)
        count = len(photograph.masks)
        rows.append((f"{photograph.name}: {count} object{'s' * (count != 1)}", cells))
    return draw_grid(["photograph", "truth", *(total.title for total in totals)], rows)


def _codec_cell(photograph: Photograph, total: Totals) -> tuple[Rgb, str]:
    found = []
    for mask in photograph.masks:
        try:
            found.append(round_trip(total.codec, mask).mask)
        except EncodeError:
            found.append(Mask(mask.array & False, mask.label))
    caption = f"mean IoU {mean_iou(found, photograph.masks):.3f}" if found else ""
    return _cell(photograph, found, caption)


def _cell(photograph: Photograph, masks: Sequence[Mask], caption: str) -> tuple[Rgb, str]:
    image, shrunk = fit(photograph.image, masks, CELL)
    return draw_overlay(image, shrunk, tags=False), caption
