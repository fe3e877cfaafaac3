"""How good a codebook of shape tokens is on held-out masks, and the card that says so."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from maskcodec import Mask, RecordError
from maskcodec.datasets.image_split import in_split
from maskcodec.datasets.inputs import open_inputs
from maskcodec.datasets.sample import ReadOptions
from maskcodec.geometry.boxes import to_pixels
from maskcodec.geometry.shape_boxes import boxes_of, reached
from maskcodec.geometry.shape_codebook import BINS, ShapeCodebook
from maskcodec.geometry.shape_field import field_of
from maskcodec.geometry.shape_search import search
from maskcodec.geometry.shape_tables import SearchTables, tables_of
from maskcodec.metrics import IouTally

PREFIXES = (1, 2, 4, 8, 16)

MOST_MASKS = 2_000
"""Masks of a file that are measured, spread evenly over it."""

BOXES = 2
"""Boxes tried for each object, the codec's default."""

Figures = dict[str, dict[str, float | int | None]]


def measure(book: ShapeCodebook, path: Path) -> Figures:
    """Mean IoU at native resolution of a file's held-out masks, by the number of codes.

    Boxes are rounded to 1,024 edges, as in text; small objects have less than 32² pixels.
    """
    tables = tables_of(book)
    tallies = {count: IouTally() for count in PREFIXES if count <= book.stages}
    masks = list(_held_out(path))
    step = max(1, -(-len(masks) // MOST_MASKS))
    for mask in tqdm(masks[::step], f"measures {path.name}", unit=" masks", disable=None):
        for count, tally in tallies.items():
            tally.add(_iou(book, tables, mask, count), mask.area)
    return {
        str(count): {
            "masks": tally.count,
            "iou": _rounded(tally.mean()),
            **{size: _rounded(tally.mean(size)) for size in ("small", "medium", "large")},
        }
        for count, tally in tallies.items()
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _held_out(path: Path) -> Sequence[Mask]:
    found: list[Mask] = []
    for entry in open_inputs([path], ReadOptions(per="object")).items:
        if isinstance(entry, RecordError):
            continue  # reported while training
        if entry.image is not None and not in_split(entry.image, "held-out"):
            continue
        try:
            sample = entry.load()
        except RecordError:
            continue
        if in_split(sample.image, "held-out"):
            found.extend(_cut(mask) for mask in sample.masks if mask.area)
    return found


def _cut(mask: Mask) -> Mask:
    """A copy that does not keep its file's other masks in memory."""
    return Mask(np.array(mask.array), mask.label)


def _iou(book: ShapeCodebook, tables: SearchTables, mask: Mask, count: int) -> float:
    """With the better of two boxes, as the codec does by default."""
    boxes = to_pixels(boxes_of(mask.array, BOXES), mask.size, BINS)
    codes = search(tables, np.stack([field_of(mask.array, box).ravel() for box in boxes]), count)
    painted = book.fields(np.full(len(codes), count, np.int32), np.concatenate(codes))
    return max(reached(mask.array, boxes, painted))


def write_card(book: ShapeCodebook) -> str:
    """The card as Markdown."""
    card = book.card
    lines = [
        f"# Codebook `{book.name}`",
        "",
        f"{book.stages} stages of {book.codes.shape[1]:,} codes, {book.dimensions} dimensions, for "
        f"the codec `shapetokens:codebook={book.name}`. The name stands for these numbers for "
        "ever; another training gets another name.",
        "",
        f"- **Data:** {card['data']}",
        f"- **Licence:** {card['licence']}",
        f"- **Trained on:** {card['objects']:,} objects of images that are not held out "
        "(`maskcodec.datasets.image_split`), and shapes composed of them "
        "(`maskcodec.training.shape_augment`).",
        f"- **Command:** `{card['command']}`",
        f"- **Seed:** {card['seed']}; versions: "
        + ", ".join(f"{name} {version}" for name, version in card["versions"].items()),
        "",
        f"Mean IoU at native resolution on masks of held-out images, the better of {BOXES} boxes, "
        "rounded to 1,024 edges:",
        "",
        "| file | masks | codes | IoU | small | medium | large |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, figures in card["figures"].items():
        for codes, row in figures.items():
            values = (row[key] for key in ("iou", "small", "medium", "large"))
            shown = " | ".join("–" if value is None else f"{value:.3f}" for value in values)
            lines.append(f"| {name} | {row['masks']:,} | {codes} | {shown} |")
    return "\n".join(lines) + "\n"


def versions() -> dict[str, Any]:
    """What the training ran with."""
    from importlib.metadata import version

    return {name: version(name) for name in ("maskcodec", "numpy")}
