"""The masks of one image, from a file of one image or of many."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..datasets.sample import Entry
    from ..mask import Mask


def read_image_masks(
    path: Path, image: str, size: tuple[int, int], names: Path | None, label: str | None
) -> list[Mask]:
    """Read the masks that belong to the image named `image`.

    Args:
        path: any file that the readers in `maskcodec.datasets` take.
        image: the image's file name; looked up where the file holds several images.
        size: the image's (height, width) in pixels.
        names: the names file of a label map.
        label: the label of a binary mask.

    Raises:
        RecordError: the file holds no masks of this image, or of another size.
    """
    from ..datasets.inputs import open_inputs
    from ..datasets.names import read_names
    from ..datasets.sample import Entry, ReadOptions
    from ..errors import RecordError

    options = ReadOptions(names=None if names is None else read_names(names), label=label)
    found, errors = [], []
    for item in open_inputs([path], options).items:
        if isinstance(item, Entry):
            found.append(item)
        else:
            errors.append(item)
    if len(found) > 1:
        found = [entry for entry in found if _is_of(entry, image)]
    if not found:
        if errors:
            raise errors[0]
        raise RecordError(f"holds no masks of an image {image!r}", file=str(path))
    sample = found[0].load()
    if sample.size != size:
        raise RecordError(
            f"has masks of {sample.size[0]}x{sample.size[1]} (height x width), but {image} is "
            f"{size[0]}x{size[1]}",
            file=str(path),
        )
    return list(sample.masks)


def _is_of(entry: Entry, image: str) -> bool:
    """Whether an entry is about the image of this name; mask files are named like their image."""
    if entry.image is not None:
        return PurePosixPath(entry.image).name == image
    return PurePosixPath(entry.id).name == PurePosixPath(image).stem
