"""The masks that benchmarks rotate through: at least 64 a set, so that no cache holds them all.

A set is made once and kept in files, which every process of a benchmark maps into its memory.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from maskcodec import MaskCodecError, rle
from maskcodec.records import read_records

Array = npt.NDArray[np.bool_]

COUNT = 64
"""Masks in a set, at least."""

PAST_CACHES = 1 << 26
"""Bytes of a synthetic set, at least: what a cache holds is read and cleared faster than memory."""

ARRAYS, PAGE = "arrays.bin", 4_096
"""The file of a set's arrays, and a multiple of the bytes at which each begins."""

SIZES = ((480, 640), (1024, 1024), (2160, 3840))
"""(height, width) in pixels of the sets."""


@dataclass(frozen=True, eq=False)
class MaskSet:
    """Masks of one kind.

    Attributes:
        name: what they are, e.g. `"shapes 480x640"`.
        kind: `shapes`, `noise`, `checkerboard` or `real`.
        masks: bool arrays, (height, width) each.
        label_maps: uint8 arrays of the same sizes with up to 21 values.
    """

    name: str
    kind: str
    masks: list[Array]
    label_maps: list[npt.NDArray[np.uint8]]

    @property
    def count(self) -> int:
        """How many masks there are."""
        return len(self.masks)

    def save(self, folder: Path) -> None:
        """Write the arrays into an empty folder, one file in all; none is written twice.

        Each begins a page of memory, as an array of its own does.
        """
        places: dict[int, int] = {}
        with (folder / ARRAYS).open("wb") as stream:
            for array in (*self.masks, *self.label_maps):
                if id(array) not in places:
                    places[id(array)] = stream.seek(-(-stream.tell() // PAGE) * PAGE)
                    stream.write(np.ascontiguousarray(array).view(np.uint8).data)
        about = {
            "name": self.name,
            "kind": self.kind,
            "masks": [(places[id(one)], one.shape) for one in self.masks],
            "label_maps": [(places[id(one)], one.shape) for one in self.label_maps],
        }
        (folder / "set.json").write_text(json.dumps(about), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> MaskSet:
        """Map the arrays of a saved set; what is written into one is seen by this process alone."""
        about = json.loads((folder / "set.json").read_text("utf-8"))
        octets = np.asarray(np.memmap(folder / ARRAYS, np.uint8, mode="c"))
        lists = [
            [octets[start : start + math.prod(shape)].reshape(shape) for start, shape in about[key]]
            for key in ("masks", "label_maps")
        ]
        masks = [array.view(np.bool_) for array in lists[0]]
        return cls(about["name"], about["kind"], masks, lists[1])


def shapes(size: tuple[int, int], seed: int) -> Array:
    """Like a photograph's object: one to three blobs with wavy outlines, sometimes a hole."""
    random = np.random.default_rng(seed)
    height, width = size
    array = np.zeros(size, np.bool_)
    for part in range(random.integers(1, 4)):
        cy, cx = random.uniform(0.15, 0.85, 2) * size
        radius = random.uniform(0.05, 0.3) * min(size)
        reach = int(radius * 1.8) + 2
        top, left = max(0, int(cy) - reach), max(0, int(cx) - reach)
        bottom, right = min(height, int(cy) + reach), min(width, int(cx) + reach)
        y, x = np.ogrid[top:bottom, left:right]
        angle = np.arctan2(y - cy, x - cx)
        wave = sum(
            random.uniform(0, 0.25) / k * np.cos(k * angle + random.uniform(0, 7))
            for k in range(1, 7)
        )
        blob = np.hypot(y - cy, x - cx) < radius * (1 + wave)
        window = array[top:bottom, left:right]
        if part == 2:
            window &= ~blob
        else:
            window |= blob
    return array


def draw(kind: str, size: tuple[int, int], seed: int) -> Array:
    """One mask of a synthetic kind."""
    if kind == "shapes":
        return shapes(size, seed)
    if kind == "noise":
        return np.random.default_rng(seed).random(size, np.float32) < 0.5
    y, x = np.ogrid[: size[0], : size[1]]
    board: Array = (y + x + seed) % 2 == 0
    return board


def label_map(size: tuple[int, int], seed: int) -> npt.NDArray[np.uint8]:
    """Twenty objects on a background, later ones above earlier ones."""
    labels = np.zeros(size, np.uint8)
    for label in range(1, 21):
        labels[shapes(size, 1_000 * seed + label)] = label
    return labels


def synthetic(
    sizes: Sequence[tuple[int, int]] = SIZES, count: int | None = None, seed: int = 0
) -> Iterator[MaskSet]:
    """The synthetic sets: shapes at every size, noise and checkerboards at the first.

    `count=None` takes `COUNT` masks, and more of a small size, for `PAST_CACHES`.
    """
    for size in sizes:
        seeds = _seeds(size, count, seed)
        masks = [shapes(size, one) for one in seeds]
        maps = [label_map(size, one) for one in seeds[:4]]
        maps = [maps[index % len(maps)] for index in range(len(masks))]
        yield MaskSet(f"shapes {size[0]}x{size[1]}", "shapes", masks, maps)
    for kind in ("noise", "checkerboard"):
        masks = [draw(kind, sizes[0], one) for one in _seeds(sizes[0], count, seed)]
        maps = [mask.astype(np.uint8) for mask in masks]
        yield MaskSet(f"{kind} {sizes[0][0]}x{sizes[0][1]}", kind, masks, maps)


def _seeds(size: tuple[int, int], count: int | None, seed: int) -> range:
    if count is None:
        count = max(COUNT, -(-PAST_CACHES // (size[0] * size[1])))
    return range(seed, seed + count)


def real(path: Path, name: str = "") -> MaskSet:
    """The first masks of a JSONL file of COCO RLE records, one a line, also gzipped.

    Args:
        path: the file.
        name: what reports call it; the file's name up to its first dot if empty.

    Raises:
        MaskCodecError: the file holds fewer than 64 records, or one that is wrong.
    """
    masks = []
    for record in read_records(path):
        if isinstance(record, MaskCodecError):
            raise record
        try:
            counts = rle.from_string(record.text("counts"))
            masks.append(rle.decode(counts, record.size()))
        except MaskCodecError as error:
            raise record.error(str(error)) from None
        if len(masks) == 4 * COUNT:
            break
    if len(masks) < COUNT:
        raise MaskCodecError(f"{path} holds {len(masks)} masks, expected at least {COUNT}")
    maps = [mask.astype(np.uint8) for mask in masks]
    return MaskSet(f"real ({name or path.name.partition('.')[0]})", "real", masks, maps)
