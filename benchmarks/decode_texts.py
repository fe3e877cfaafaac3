"""The texts that `bench decode` reads: many different ones, written from real outlines."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from maskcodec import Codec, Mask, MaskCodecError, RecordError
from maskcodec.datasets.inputs import open_inputs
from maskcodec.datasets.photographs import load_photograph, photograph_names
from maskcodec.datasets.sample import ReadOptions
from maskcodec.resample import sample_nearest

from .rate_distortion_specs import read_setting, short_spec

Bools = npt.NDArray[np.bool_]
Size = tuple[int, int]

DISTINCT = 256
"""Texts that batches rotate through: one text read again and again trains a processor on it."""

SMALLEST = 64
"""Pixels that a mask must have to be taken."""

MOST_MASKS = 512
"""Masks that are taken from files."""


@dataclass(frozen=True)
class Texts:
    """What a codec wrote.

    Attributes:
        codec: the codec.
        size: (height, width) of the masks in pixels.
        objects: masks a text.
        texts: one an image.
        refused: why images could not be written, one message an image; there is no text of theirs.
    """

    codec: Codec[Any]
    size: Size
    objects: int
    texts: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def batch(self, count: int, first: int = 0) -> list[str]:
        """So many texts in turn, from one on."""
        return [self.texts[index % len(self.texts)] for index in range(first, first + count)]

    @property
    def name(self) -> str:
        """The codec's spec, without most of what is a default."""
        return short_spec(read_setting(self.codec.spec))

    @property
    def sha256(self) -> str:
        """What two runs share if they read the same texts."""
        return hashlib.sha256("\0".join(self.texts).encode()).hexdigest()


def write_texts(
    codecs: Sequence[Codec[Any]],
    size: Size,
    objects: int,
    seed: int,
    paths: Sequence[Path] = (),
    count: int = DISTINCT,
) -> list[Texts]:
    """Write the same images by each codec.

    Returns:
        what each wrote; no text at all where a codec can write none of the images.

    Raises:
        RecordError: a file can't be read.
        MaskCodecError: there is no mask, or no codec can write an image; the message says why.
    """
    written = [Texts(codec, size, objects) for codec in codecs]
    for masks in images(size, objects, seed, paths, count):
        for texts in written:
            try:
                texts.texts.append(texts.codec.encode(masks, size))
            except MaskCodecError as error:
                texts.refused.append(str(error))
    if not any(texts.texts for texts in written):
        first = written[0]
        raise MaskCodecError(f"{first.codec.spec}: can write no image: {first.refused[0]}")
    return written


def images(
    size: Size, objects: int, seed: int, paths: Sequence[Path] = (), count: int = DISTINCT
) -> Iterator[list[Mask]]:
    """The masks of images of one size, `objects` each, no two images alike.

    Args:
        size: (height, width) in pixels; masks are sampled to it.
        objects: masks an image, labelled `object 1` and so on where there are several.
        seed: chooses masks, mirrors and shifts them.
        paths: files of masks; none takes those of the built-in photographs.
        count: images.

    Raises:
        RecordError: a file can't be read.
        MaskCodecError: there is no mask.
    """
    sources = _read(tuple(paths)) if paths else _built_in()
    chance = random.Random(seed)
    names = ["dog"] if objects == 1 else [f"object {number + 1}" for number in range(objects)]
    for _ in range(count):
        yield [Mask(_varied(chance.choice(sources), size, chance), name) for name in names]


@lru_cache(maxsize=1)
def _built_in() -> tuple[Bools, ...]:
    return tuple(
        mask.array
        for name in photograph_names()
        for mask in load_photograph(name).masks
        if mask.area >= SMALLEST
    )


@lru_cache(maxsize=1)
def _read(paths: tuple[Path, ...]) -> tuple[Bools, ...]:
    found: list[Bools] = []
    for item in open_inputs(paths, ReadOptions(per="object")).items:
        if isinstance(item, RecordError):
            raise item
        found += [mask.array for mask in item.load().masks if mask.area >= SMALLEST]
        if len(found) >= MOST_MASKS:
            break
    if not found:
        names = ", ".join(map(str, paths))
        raise MaskCodecError(f"{names}: no mask of {SMALLEST} pixels or more")
    return tuple(found)


def _varied(array: Bools, size: Size, chance: random.Random) -> Bools:
    """A mask sampled to `size`, mirrored or not, and shifted within the image."""
    if chance.random() < 0.5:
        array = array[:, ::-1]
    sampled = sample_nearest(np.ascontiguousarray(array), size)
    rows, columns = (np.flatnonzero(sampled.any(axis=axis)) for axis in (1, 0))
    if not len(rows):  # too slender to be seen at this size
        sampled[size[0] // 4 : size[0] // 2 + 1, size[1] // 4 : size[1] // 2 + 1] = True
        return sampled
    down = chance.randint(-int(rows[0]), size[0] - 1 - int(rows[-1]))
    right = chance.randint(-int(columns[0]), size[1] - 1 - int(columns[-1]))
    return np.roll(sampled, (down, right), axis=(0, 1))
