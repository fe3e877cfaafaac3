"""A video whose objects are masks: label maps of its frames, and what is asked of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import RecordError
from ..mask import MAX_PIXELS
from ..records import brief
from .images import read_png

IGNORE = 255
"""Stands for "not annotated" in label maps of DAVIS and YouTube-VOS."""

MOST_FRAMES = 100_000

Bits = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class VideoTarget:
    """One object of a video, or what one expression means.

    Attributes:
        id: "VIDEO/OBJECT" or "VIDEO/EXPRESSION", unique in a data set.
        name: the object's number, or the expression's id.
        values: of the label maps that it has; empty for a right "nothing".
        text: the expression; "" for an object.
    """

    id: str
    name: str
    values: tuple[int, ...]
    text: str = ""


@dataclass(frozen=True, slots=True)
class Video:
    """One video; its frames are not loaded.

    Attributes:
        name: of its folder.
        frames: names of its frames without suffix, in order.
        targets: objects or expressions.
        folder: of its label maps.
        images: of its pictures; None where there is no such folder.
        expressions: whether the targets are expressions.
        binary: whether label maps hold one object, set where they are not 0.
    """

    name: str
    frames: tuple[str, ...]
    targets: tuple[VideoTarget, ...]
    folder: Path
    images: Path | None
    expressions: bool = False
    binary: bool = False

    def load(self) -> npt.NDArray[np.uint8]:
        """The label maps of all frames: uint8 (frames, height, width).

        Raises:
            RecordError: one is missing, damaged, of another size, or has values beyond 255.
        """
        maps: npt.NDArray[np.uint8] | None = None
        for at, frame in enumerate(self.frames):
            path = self.folder / f"{frame}.png"
            values = read_png(path)
            if values.dtype not in (np.uint8, np.bool_):
                raise RecordError(f"is {values.dtype}, expected values up to 255", file=str(path))
            if maps is None:
                if len(self.frames) * values.size > MAX_PIXELS:
                    raise RecordError(
                        f"{len(self.frames)} frames of its size are more than {MAX_PIXELS:,} "
                        "pixels; split the video",
                        file=str(path),
                    )
                maps = np.empty((len(self.frames), *values.shape), np.uint8)
            check_size(values, maps.shape[1:], path)
            maps[at] = values
        if maps is None:
            raise RecordError("holds no frame", file=str(self.folder))
        return maps

    def truth(self, maps: npt.NDArray[np.uint8], target: VideoTarget) -> Iterator[tuple[Bits, Any]]:
        """What is true in each frame, and the pixels that nobody annotated (None where all are).

        Args:
            maps: what `load` gave.
            target: one of `targets`.
        """
        for values in maps:
            if self.binary:
                yield values != 0, None
                continue
            ignored = values == IGNORE
            yield np.isin(values, target.values), ignored if ignored.any() else None

    def image(self, frame: str) -> Path | None:
        """The picture of a frame; None where there is none."""
        for suffix in (".jpg", ".png", ".jpeg"):
            path = None if self.images is None else self.images / f"{frame}{suffix}"
            if path is not None and path.is_file():
                return path
        return None


def check_name(name: str, file: Path, what: str) -> str:
    """`name`, if it is one part of a path.

    Raises:
        RecordError: it would lead elsewhere.
    """
    if name in ("", ".", "..") or any(c in name for c in "/\\\0:") or len(name.encode()) > 200:
        raise RecordError(
            f"{what} {brief(name)}: that can't be the name of a file or folder", file=str(file)
        )
    return name


def frame_names(folder: Path) -> tuple[str, ...]:
    """The names of the label maps in a folder, without suffix, in order.

    Raises:
        RecordError: there is no folder, or none in it, or too many.
    """
    if not folder.is_dir():
        raise RecordError("no such folder of label maps", file=str(folder))
    frames = tuple(sorted(one.stem for one in folder.glob("*.png") if one.name[0] != "."))
    if not 1 <= len(frames) <= MOST_FRAMES:
        raise RecordError(
            f"holds {len(frames)} .png, expected 1 to {MOST_FRAMES:,}", file=str(folder)
        )
    return frames


def check_size(values: npt.NDArray[Any], size: tuple[int, ...], path: Path) -> None:
    """Check that a label map is of the (height, width) of the others.

    Raises:
        RecordError: it is not.
    """
    if values.shape != size:
        raise RecordError(
            f"is {values.shape[0]}x{values.shape[1]} (height x width), "
            f"expected {size[0]}x{size[1]}",
            file=str(path),
        )
