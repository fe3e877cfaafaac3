"""Decoded masks as files: a PNG a mask, a label map an image, or an npz an image."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ..errors import MaskCodecError
from ..writing import LineFile, atomic
from .label_map import BACKGROUND, IGNORE
from .naming import Names, safe_name
from .sample import Sample

LARGEST_VALUE = 65_535


class Writer(Protocol):
    """Takes decoded images one after the other."""

    def add(self, sample: Sample) -> None:
        """Write the masks of one text.

        Raises:
            MaskCodecError: the form can't hold them; nothing of this sample is written.
        """
        ...

    def finish(self, *, complete: bool = True) -> None:
        """Write what belongs to all of them.

        Args:
            complete: false where the run was interrupted: what was written must stay readable.
        """
        ...


class Numbering:
    """The number of each label: from a names file, and further ones in order of appearance.

    Attributes:
        numbers: what was given out so far.
        unnamed: the labels that the names file lacks.
    """

    def __init__(self, names: dict[int, str] | None, *, skip: tuple[int, ...] = ()) -> None:
        self.numbers: dict[str, int] = {}
        for number, label in sorted((names or {}).items(), reverse=True):
            self.numbers[label] = number  # the lowest number where a name stands twice
        self.unnamed: list[str] = []
        self._named = names is not None
        self._skip = skip
        self._last = max(self.numbers.values(), default=0)

    def number(self, label: str) -> int:
        """The number of a label, a new one where it has none yet."""
        if label not in self.numbers:
            self._last += 1
            while self._last in self._skip:
                self._last += 1
            self.numbers[label] = self._last
            if self._named:
                self.unnamed.append(label)
        return self.numbers[label]


class PngWriter:
    """One PNG a mask, 0 and 255, and `masks.jsonl`, which says what each file shows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._names = Names()
        self._index = LineFile(folder / "masks.jsonl")

    def add(self, sample: Sample) -> None:
        """Write `NAME.N.LABEL.png` for each mask; NAME is the id made safe, N counts from 1."""
        name = self._names.take(sample.id)
        for number, mask in enumerate(sample.masks, start=1):
            # NAME is unique and the label has no dot, so no two files can share a name.
            file = f"{name}.{number}.{safe_name(mask.label).replace('.', '_')}.png"
            save_png(self.folder / file, mask.array.astype(np.uint8) * np.uint8(255))
            self._index.append(
                {
                    "file": file,
                    "id": sample.id,
                    "image": sample.image,
                    "label": mask.label,
                    "size": list(sample.size),
                    "area": mask.area,
                }
            )

    def finish(self, *, complete: bool = True) -> None:
        """Nothing is left to do but to close the index."""
        self._index.touch()
        self._index.close()


class LabelMapWriter:
    """One label map an image, and `names.json`, which says what each value stands for.

    Values up to 255 make a palette PNG, larger ones a 16-bit PNG. Where masks overlap, later ones
    win. 0 is background; 255 is never given out, since readers take it as not annotated.
    """

    def __init__(self, folder: Path, names: dict[int, str] | None) -> None:
        self.folder = folder
        self.numbering = Numbering(names, skip=(BACKGROUND, IGNORE))
        self._names = Names()

    def add(self, sample: Sample) -> None:
        """Write `NAME.png`; NAME is the id made safe."""
        values = label_map(sample, self.numbering)
        save_png(self.folder / f"{self._names.take(sample.id)}.png", values)

    def finish(self, *, complete: bool = True) -> None:
        """Write `names.json`."""
        names = {str(number): label for label, number in self.numbering.numbers.items()}
        with atomic(self.folder / "names.json") as stream:
            stream.write(json.dumps(names, ensure_ascii=True, indent=1).encode() + b"\n")


class NpzWriter:
    """One `.npz` an image: `masks` bool (masks, height, width), `labels`, `id` and `image`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._names = Names()

    def add(self, sample: Sample) -> None:
        """Write `NAME.npz`; NAME is the id made safe."""
        save_npz(self.folder / f"{self._names.take(sample.id)}.npz", sample)

    def finish(self, *, complete: bool = True) -> None:
        """Nothing is left to do."""


class OneFile:
    """Writes the masks of one text to one file, in the form that its suffix says."""

    def __init__(self, path: Path, form: str, names: dict[int, str] | None) -> None:
        self.path = path
        self.form = form
        self.numbering = Numbering(names, skip=(BACKGROUND, IGNORE))

    def add(self, sample: Sample) -> None:
        """Write the file; of form "png" it holds the text's only mask."""
        if self.form == "npz":
            save_npz(self.path, sample)
        elif self.form == "labels":
            save_png(self.path, label_map(sample, self.numbering))
        elif len(sample.masks) == 1:
            save_png(self.path, sample.masks[0].array.astype(np.uint8) * np.uint8(255))
        else:
            raise MaskCodecError(
                f"the text says {len(sample.masks)} masks, but {self.path.name} holds one: give a "
                "folder as --output, or --format labels"
            )

    def finish(self, *, complete: bool = True) -> None:
        """Nothing is left to do."""


def label_map(sample: Sample, numbering: Numbering) -> npt.NDArray[np.uint8 | np.uint16]:
    """The masks of an image as one map of values, uint8 or where that is too small uint16.

    Raises:
        MaskCodecError: the number of a label is that of the background, or too large for a map.
    """
    numbers = [numbering.number(mask.label) for mask in sample.masks]
    for number, mask in zip(numbers, sample.masks, strict=True):
        if not BACKGROUND < number <= LARGEST_VALUE:
            raise MaskCodecError(
                f"label {mask.label!r} has the number {number}, but in a label map 0 is background "
                f"and {LARGEST_VALUE:,} the largest; give it another in the names file"
            )
    highest = max(numbers, default=0)
    values = np.zeros(sample.size, dtype=np.uint8 if highest <= 255 else np.uint16)
    for number, mask in zip(numbers, sample.masks, strict=True):
        values[mask.array] = number
    return values


def save_png(path: Path, values: npt.NDArray[np.uint8 | np.uint16]) -> None:
    """Save an array as PNG; a map of small values gets a palette, so that a person sees it."""
    from PIL import Image

    image = Image.fromarray(values)
    if values.dtype == np.uint8 and 0 < values.max(initial=0) < 255:
        image.putpalette(palette())
    with atomic(path) as stream:
        # Run-length matching: on masks twice as fast as zlib's default, and smaller.
        image.save(stream, format="PNG", compress_type=zlib.Z_RLE)


def save_npz(path: Path, sample: Sample) -> None:
    """Save the masks of an image as a compressed npz that loads without pickle."""
    planes = [mask.array for mask in sample.masks]
    arrays: dict[str, Any] = {
        "masks": np.stack(planes) if planes else np.zeros((0, *sample.size), dtype=np.bool_),
        "labels": np.array([mask.label for mask in sample.masks], dtype=np.str_),
        "id": np.array(sample.id),
        "image": np.array(sample.image),
    }
    with atomic(path) as stream:
        np.savez_compressed(stream, **arrays)


def palette() -> bytes:
    """256 colours, RGB, black first: neighbours differ, as the bits of a value go to the channels.

    Bit 3k of the value goes to bit 7-k of red, 3k+1 of green, 3k+2 of blue, which is the rule of
    PASCAL VOC's colour map.
    """
    values = np.arange(256, dtype=np.uint8)
    colours = np.zeros((256, 3), dtype=np.uint8)
    for k in range(3):
        for channel in range(3):
            colours[:, channel] |= ((values >> (3 * k + channel)) & 1) << (7 - k)
    return colours.tobytes()
