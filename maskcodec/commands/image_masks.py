"""The masks of one image, from a file of one image or of many."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..mask import Mask


def read_image_masks(
    path: Path, image: Path, size: tuple[int, int], names: Path | None, label: str | None
) -> list[Mask]:
    """Read the masks that belong to an image.

    Args:
        path: any file that the readers in `maskcodec.datasets` take.
        image: the image's file; looked up by its path where `path` holds several images.
        size: the image's (height, width) in pixels.
        names: the names file of a label map.
        label: the label of a binary mask.

    Raises:
        RecordError: the file holds no masks of this image, or of another size, or of several images
            that may be this one.
    """
    from ..datasets.images import turned_hint
    from ..datasets.inputs import open_inputs
    from ..datasets.names import read_names
    from ..datasets.same_image import closest, name_of
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
        found = closest(found, image)
    if not found:
        if errors:
            raise errors[0]
        raise RecordError(f"holds no masks of an image {image.name!r}", file=str(path))
    if len({name_of(entry) for entry in found}) > 1:
        several = " and ".join(repr(name_of(entry)) for entry in found[:2])
        raise RecordError(f"has masks of {several}: which of them is {image}?", file=str(path))
    sample = found[0].load()
    if sample.size != size:
        raise RecordError(
            f"has masks of {sample.size[0]}x{sample.size[1]} (height x width), but {image.name} is "
            f"{size[0]}x{size[1]}{turned_hint(size, sample.size)}",
            file=str(path),
        )
    return list(sample.masks)
