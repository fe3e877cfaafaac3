"""The fields that a codebook of shape tokens is trained on, read from any data set of masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from maskcodec import MaskCodecError, RecordError
from maskcodec.datasets.image_split import Split, in_split
from maskcodec.datasets.inputs import open_inputs
from maskcodec.datasets.sample import ReadOptions
from maskcodec.geometry.boxes import to_pixels
from maskcodec.geometry.shape_boxes import boxes_of
from maskcodec.geometry.shape_codebook import BINS
from maskcodec.geometry.shape_field import field_of

Halves = npt.NDArray[np.float16]


@dataclass(frozen=True)
class Fields:
    """The fields of many objects.

    Attributes:
        values: float16 (objects, CELLS, CELLS), -1 to 1; see `maskcodec.geometry.shape_field`.
        aspects: float32 (objects,), width over height of each box in pixels.
        source: int32 (objects,), which of the files each is from.
    """

    values: Halves
    aspects: npt.NDArray[np.float32]
    source: npt.NDArray[np.int32]


def read_fields(paths: Sequence[Path], split: Split) -> tuple[Fields, list[str]]:
    """Read each mask of a split as a field.

    Returns:
        The fields, and one line for each record that could not be read.

    Raises:
        RecordError: there is no such file.
        MaskCodecError: no file holds a mask of that split.
    """
    values: list[Halves] = []
    aspects: list[float] = []
    files: list[int] = []
    problems: list[str] = []
    for number, path in enumerate(paths):
        entries = open_inputs([path], ReadOptions(per="object"))
        for entry in tqdm(entries.items, path.name, entries.total, unit=" masks", disable=None):
            try:
                if isinstance(entry, RecordError):
                    raise entry
                if entry.image is not None and not in_split(entry.image, split):
                    continue
                sample = entry.load()
            except RecordError as error:
                problems.append(str(error))
                continue
            if not in_split(sample.image, split):
                continue
            for mask in sample.masks:
                for box in to_pixels(boxes_of(mask.array, 1), sample.size, BINS):
                    values.append(field_of(mask.array, box).astype(np.float16))
                    aspects.append(float((box[2] - box[0]) / (box[3] - box[1])))
                    files.append(number)
    if not values:
        raise MaskCodecError(f"no mask of split {split!r} in {', '.join(map(str, paths))}")
    return Fields(
        np.stack(values), np.array(aspects, np.float32), np.array(files, np.int32)
    ), problems


def draw(
    fields: Fields, weights: Sequence[float], count: int, rng: np.random.Generator
) -> npt.NDArray[np.intp]:
    """Which objects to train on: `count` of them, each file by its weight, with replacement."""
    sizes = np.bincount(fields.source, minlength=len(weights))
    chance = np.asarray(weights, np.float64) / np.maximum(sizes, 1)
    each = chance[fields.source]
    return rng.choice(len(each), count, p=each / each.sum())


def turned(values: Halves, rng: np.random.Generator) -> Halves:
    """Each field mirrored, turned by quarters, or both, at random."""
    out = np.empty_like(values)
    for index, turn in enumerate(rng.integers(8, size=len(values))):
        field = values[index]
        field = field[::-1] if turn & 1 else field
        field = field[:, ::-1] if turn & 2 else field
        out[index] = field.T if turn & 4 else field
    return out
