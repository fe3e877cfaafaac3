"""Where the examples of the demo come from: built-in photographs, or a folder with its masks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..datasets.image_names import base_name
from ..datasets.images import IMAGE_SUFFIXES
from ..datasets.inputs import open_inputs
from ..datasets.photographs import Photograph, load_photograph, photograph_names
from ..datasets.pictures import read_picture
from ..datasets.same_image import agreeing_parts, name_of
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
    """The images in `folder`, and in the folders in it, that `masks` has masks of, matched by name.

    Where folders hold images of one name, the path that agrees in the most parts counts.

    Raises:
        RecordError: no such folder or file, or no image has masks.
    """
    if not folder.is_dir():
        raise RecordError("is no folder", file=str(folder), field="--images")
    images = [path for path in sorted(folder.rglob("*")) if _is_image(path)]
    entries, problems = [], []
    for entry in open_inputs([masks], ReadOptions()).items:
        if isinstance(entry, RecordError):
            problems.append(str(entry))
        else:
            entries.append(entry)
    joined, unclear = _join(entries, images)
    if not joined:
        raise RecordError(f"names no image of {folder}", file=str(masks))
    items = [
        Source(path.relative_to(folder).as_posix(), partial(_load, entry, path))
        for entry, path in joined
    ]
    missing = len(entries) - len(joined) - len(unclear)
    unmasked = len(images) - len({item.name for item in items})
    problems += [f"{name} may be several images of {folder}; left out" for name in unclear]
    if missing:
        problems.append(
            f"{missing:,} images that {masks} names are not in {folder}; their masks are left out"
        )
    if unmasked:
        problems.append(f"{unmasked:,} images of {folder} have no masks in {masks}; left out")
    return Sources(items, problems)


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES and path.is_file()


def _join(
    entries: Iterable[Entry], images: Iterable[Path]
) -> tuple[list[tuple[Entry, Path]], list[str]]:
    """Entries with their images, and the names of those that may be of several images.

    An image is of the entries whose names agree with its path in the most parts; the others have
    none here.
    """
    called: dict[str, list[Path]] = {}
    for path in images:
        for key in (path.name, path.stem):
            called.setdefault(key, []).append(path)
    wanted: list[tuple[int, Entry, Path]] = []
    unclear = []
    most: dict[Path, int] = {}
    for entry in entries:
        last = base_name(name_of(entry))
        paths = [path for path in called.get(last, ()) if path != Path(entry.file)]
        parts = {path: agreeing_parts(entry, path) for path in paths}
        best = [path for path in parts if parts[path] == max(parts.values()) > 0]
        if len(best) > 1:
            unclear.append(name_of(entry))
        elif best:
            wanted.append((parts[best[0]], entry, best[0]))
            most[best[0]] = max(most.get(best[0], 0), parts[best[0]])
    return [(entry, path) for parts, entry, path in wanted if parts == most[path]], unclear


def _load(entry: Entry, path: Path) -> Photograph:
    sample = entry.load()
    image = read_picture(path, sample.size)
    return Photograph(path.name, image, sample.masks, "")
