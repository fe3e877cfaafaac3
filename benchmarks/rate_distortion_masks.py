"""The masks of a rate-distortion run: read from any data set, split by image, sampled by seed."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from maskcodec import MaskCodecError, RecordError, rle
from maskcodec.datasets.image_split import Split, in_split
from maskcodec.datasets.inputs import open_inputs
from maskcodec.datasets.photographs import load_photograph, photograph_names
from maskcodec.datasets.sample import Entry, ReadOptions
from maskcodec.resample import sample_nearest

from .rate_distortion_measure import Shape


@dataclass(frozen=True)
class Masks:
    """The masks of a run.

    Attributes:
        shapes: the masks that hold at least one pixel.
        about: what they are, as JSON takes it; `sha256` tells whether two runs had the same ones.
        problems: what could not be read, one line each.
    """

    shapes: list[Shape]
    about: dict[str, Any]
    problems: list[str]


def read_masks(
    paths: Sequence[Path],
    split: Split,
    count: int | None,
    seed: int,
    *,
    names: dict[int, str] | None = None,
    quiet: bool = False,
) -> Masks:
    """Read the masks of files that `maskcodec.datasets` reads, each object alone.

    Args:
        paths: COCO json, JSONL of run lengths, mask files or folders.
        split: see `maskcodec.datasets.image_split`.
        count: take so many of them, drawn by `seed`; None takes all.
        seed: of the draw.
        names: of the values of label maps; None takes images as binary masks.
        quiet: no progress bar.

    Raises:
        RecordError: there is no such file.
        MaskCodecError: there is no mask.
    """
    entries = open_inputs(paths, ReadOptions(per="object", names=names))
    shapes: list[Shape] = []
    images: list[str] = []
    problems: list[str] = []
    empty = 0
    bar = tqdm(entries.items, total=entries.total, unit=" masks", disable=quiet or None)
    for item in bar:
        try:
            found = _read(item, split)
        except RecordError as error:
            problems.append(str(error))
            continue
        empty += sum(not shape.counts for shape in found[1])
        kept = [shape for shape in found[1] if shape.counts]
        shapes.extend(kept)
        images.extend([found[0]] * len(kept))
    files = [str(path) for path in paths]
    if not shapes:
        reasons = [_nothing(files, split, empty), *([_first(problems)] if problems else [])]
        raise MaskCodecError("; ".join(reasons))
    return _drawn(shapes, images, files, split, count, seed, empty, problems)


def _nothing(files: Sequence[str], split: Split, empty: int) -> str:
    """Why there is nothing to measure."""
    place = ("" if split == "all" else f" of split {split!r}") + f" in {', '.join(files)}"
    if not empty:
        return f"no mask{place}"
    which = "the only mask" if empty == 1 else f"all {empty:,} masks"
    return f"{which}{place} {'is' if empty == 1 else 'are'} without pixels"


def _first(problems: Sequence[str]) -> str:
    return problems[0] if len(problems) == 1 else f"the first of {len(problems)}: {problems[0]}"


PER_PHOTOGRAPH = 6
SHRUNK = (1, 2, 4)


def built_in_masks(split: Split, count: int | None, seed: int) -> Masks:
    """The masks of the built-in photographs, each at full, half and quarter size.

    At most `PER_PHOTOGRAPH` of each photograph, so that the two with dozens of like objects are not
    all there is; the smaller sizes are there because photographs hold few small objects.

    Raises:
        MaskCodecError: a split was asked for; the photographs belong to none.
    """
    if split != "all":
        raise MaskCodecError(f"--split {split} is for your masks; the built-in ones have no split")
    shapes, images = [], []
    for name in photograph_names():
        photograph = load_photograph(name)
        for mask in photograph.masks[:PER_PHOTOGRAPH]:
            for factor in SHRUNK:
                size = (photograph.size[0] // factor, photograph.size[1] // factor)
                array = sample_nearest(mask.array, size)
                if array.any():
                    shapes.append(Shape(size, rle.to_string(rle.encode(array)).decode()))
                    images.append(name)
    return _drawn(shapes, images, ["built-in photographs"], split, count, seed)


def _drawn(
    shapes: list[Shape],
    images: list[str],
    files: list[str],
    split: Split,
    count: int | None,
    seed: int,
    empty: int = 0,
    problems: Sequence[str] = (),
) -> Masks:
    """So many of the masks, drawn by a seed, and what is to be said of them."""
    found = len(shapes)
    if count is not None and count < len(shapes):
        chosen = sorted(random.Random(seed).sample(range(len(shapes)), count))
        shapes, images = [shapes[i] for i in chosen], [images[i] for i in chosen]
    about = {
        "files": files,
        "split": split,
        "count": len(shapes),
        "images": len(set(images)),
        "found": found,
        "drawn": count,
        "seed": seed,
        "without_pixels": empty,
        "unreadable": len(problems),
        "sha256": _digest(shapes),
    }
    return Masks(shapes, about, list(problems))


def sample_lines(about: Mapping[str, Any]) -> Iterator[str]:
    """What a person may not expect of the masks that were taken, a line each."""
    if about["drawn"] is not None and about["drawn"] > about["found"]:
        yield f"--count {about['drawn']:,}: there are {about['found']:,} masks; all are taken"
    if about["without_pixels"]:
        yield f"masks without pixels, which are not measured: {about['without_pixels']:,}"


def _read(item: Entry | RecordError, split: Split) -> tuple[str, list[Shape]]:
    """The image of an entry and its masks in the split; those without pixels have no counts."""
    if isinstance(item, RecordError):
        raise item
    if item.image is not None and not in_split(item.image, split):
        return item.image, []
    sample = item.load()
    if not in_split(sample.image, split):
        return sample.image, []
    shapes = [
        Shape(sample.size, rle.to_string(rle.encode(mask.array)).decode() if mask.area else "")
        for mask in sample.masks
    ]
    return sample.image, shapes


def _digest(shapes: Sequence[Shape]) -> str:
    digest = hashlib.sha256()
    for shape in shapes:
        digest.update(f"{shape.size[0]}x{shape.size[1]} {shape.counts}\n".encode())
    return digest.hexdigest()
