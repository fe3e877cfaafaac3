"""Where the examples of the demo come from: built-in photographs, or a folder with its masks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from ..datasets.images import IMAGE_SUFFIXES
from ..datasets.inputs import open_inputs
from ..datasets.photographs import Photograph, load_photograph, photograph_names
from ..datasets.pictures import read_picture
from ..datasets.sample import Entry, ReadOptions
from ..errors import RecordError


@dataclass(frozen=True, slots=True)
class Source:
    """A photograph with masks that is not loaded yet.

    Attributes:
        name: of the photograph.
        load: reads it; raises `RecordError`.
    """

    name: str
    load: Callable[[], Photograph]


@dataclass(frozen=True, slots=True)
class Sources:
    """All examples, and what is wrong with the rest.

    Attributes:
        items: what can be loaded.
        problems: one line each.
    """

    items: list[Source]
    problems: list[str]


def built_in() -> Sources:
    """The photographs that scikit-image ships."""
    names = photograph_names()
    return Sources([Source(name, partial(load_photograph, name)) for name in names], [])


def from_folder(folder: Path, masks: Path) -> Sources:
    """The images of `folder` that `masks` has masks of, matched by file name.

    Raises:
        RecordError: no such folder or file, or no image has masks.
    """
    if not folder.is_dir():
        raise RecordError("is no folder", file=str(folder), field="--images")
    images = {path.name: path for path in sorted(folder.iterdir()) if _is_image(path)}
    stems = {path.stem: path for path in images.values()}
    items, problems, missing = [], [], 0
    for entry in open_inputs([masks], ReadOptions()).items:
        if isinstance(entry, RecordError):
            problems.append(str(entry))
            continue
        path = _image_of(entry, images, stems)
        if path is None:
            missing += 1
        else:
            items.append(Source(path.name, partial(_load, entry, path)))
    if not items:
        raise RecordError(f"names no image of {folder}", file=str(masks))
    unmasked = len(images) - len({item.name for item in items})
    if missing:
        problems.append(
            f"{missing:,} images that {masks} names are not in {folder}; their masks are left out"
        )
    if unmasked:
        problems.append(f"{unmasked:,} images of {folder} have no masks in {masks}; left out")
    return Sources(items, problems)


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES and path.is_file()


def _image_of(entry: Entry, images: dict[str, Path], stems: dict[str, Path]) -> Path | None:
    """The image that an entry names, or that is named like its mask file."""
    if entry.image is not None:
        return images.get(PurePosixPath(entry.image).name)
    return stems.get(PurePosixPath(entry.id).name)


def _load(entry: Entry, path: Path) -> Photograph:
    sample = entry.load()
    image = read_picture(path, sample.size)
    return Photograph(path.name, image, sample.masks, "")
