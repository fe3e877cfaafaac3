"""DAVIS' folder: label maps of a resolution, and lists of videos.

`Annotations/480p/VIDEO/00000.png` number the objects (255 is not annotated), pictures are
`JPEGImages/480p/VIDEO/00000.jpg`, and lists `ImageSets/2017/SPLIT.txt`, or as in 2016
`ImageSets/480p/SPLIT.txt`, one frame a line. The objects are those of the first frame; a first
frame of 0 and 255 alone (2016) shows one object, and nothing is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..errors import RecordError
from .images import read_png
from .videos import IGNORE, Video, VideoTarget, check_name, frame_names

MOST_LIST = 2**26
"""Longest list of videos that is read, in bytes."""


def find_maps(folder: Path) -> Path | None:
    """The folder of label maps of a size: 480p, or the only one that holds videos."""
    if (folder / "480p").is_dir():
        return folder / "480p"
    found = [one for one in sorted(folder.glob("*")) if one.is_dir() and any(one.glob("*/*.png"))]
    return found[0] if len(found) == 1 else None


def read_davis(path: Path, maps: Path, split: str | None) -> Iterator[Video | RecordError]:
    """The videos of a split, and in its place the error of what can't be read."""
    names = _listed(path, maps, split)
    if not names:
        raise RecordError("holds no video", file=str(maps))
    for name in names:
        try:
            yield _davis_video(path, maps, name)
        except RecordError as error:
            yield error


def _listed(path: Path, maps: Path, split: str | None) -> list[str]:
    """The videos of a split, each once, in the order of its list."""
    if split is None:
        return sorted(one.name for one in maps.iterdir() if one.is_dir())
    files = [
        file
        for file in path.glob("ImageSets/*/*.txt")
        if file.stem == split and file.is_file() and not file.name.startswith(".")
    ]
    if not files:
        raise RecordError(f"there is no ImageSets/2017/{split}.txt", file=str(path))
    # The latest year's; 2016 named the folder for the resolution.
    file = max(files, key=lambda one: (one.parent.name.isdigit(), one.parent.name))
    with file.open("rb") as stream:
        text = stream.read(MOST_LIST).decode("utf-8", "replace")
    names: dict[str, None] = {}
    for line in text.splitlines():
        if not line.strip():
            continue
        name = line.split()[-1].strip("/")
        if "/" in name:  # 2016: a picture and a label map a line
            name = name.split("/")[-2]
        names[check_name(name, file, "video")] = None
    return list(names)


def _davis_video(path: Path, maps: Path, name: str) -> Video:
    folder = maps / name
    frames = frame_names(folder)
    images = path / "JPEGImages" / maps.name / name
    first = read_png(folder / f"{frames[0]}.png")
    values = [int(value) for value in np.unique(first) if value != 0]
    binary = values in ([IGNORE], [1]) and (first.dtype == np.bool_ or values == [IGNORE])
    if not binary:
        values = [value for value in values if value != IGNORE]
    targets = tuple(VideoTarget(f"{name}/{one}", str(one), (one,)) for one in values)
    if binary:
        targets = (VideoTarget(f"{name}/1", "1", (IGNORE,)),)
    if not targets:
        raise RecordError(
            "shows no object, and objects are those of the first frame",
            file=str(folder / f"{frames[0]}.png"),
        )
    return Video(name, frames, targets, folder, images if images.is_dir() else None, binary=binary)
