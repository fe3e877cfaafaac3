"""What every reader gives: entries that know where an image's masks are, and load them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from ..errors import RecordError
from ..mask import MAX_PIXELS, Mask
from .coco_ids import ImageId

Per: TypeAlias = Literal["image", "object"]


@dataclass(frozen=True, slots=True)
class Sample:
    """The masks of one image, or one object of it.

    Attributes:
        id: a name that no other sample of the same input has.
        image: the image's file name.
        size: the image's (height, width) in pixels.
        masks: in the order of the file; none means that the image shows no object.
        image_id: the id that a COCO file gives the image; None elsewhere.
    """

    id: str
    image: str
    size: tuple[int, int]
    masks: tuple[Mask, ...]
    image_id: ImageId | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A sample that is not loaded yet.

    Attributes:
        id: the id that the sample will have.
        file: where it comes from, as the path was given.
        line: the line of its (first) record, 1-based; None where the file has no lines.
        load: reads and paints it; raises `RecordError`.
        image: the image's file name as the file says it; None where only loading tells.
        place: where in the file it stands, e.g. `"images[3]"`; None where file and line say it.
    """

    id: str
    file: str
    line: int | None
    load: Callable[[], Sample]
    image: str | None = None
    place: str | None = None


@dataclass(frozen=True, slots=True)
class Entries:
    """What one input holds.

    Attributes:
        items: the entries in order, and in its place the error of what can't become one.
        total: how many there are; None where only reading to the end tells.
    """

    items: Iterable[Entry | RecordError]
    total: int | None = None


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How inputs are read.

    Attributes:
        names: the name of each value of a label map; None takes images as binary masks.
        label: the label of binary masks; None takes the file's name.
        per: one sample an image, or one an object.
        image_dir: where the images lie: their sizes are checked, and read where a file lacks them.
        crowd: whether COCO's crowd regions are masks like others, or passed over.
    """

    names: dict[int, str] | None = None
    label: str | None = None
    per: Per = "image"
    image_dir: Path | None = None
    crowd: bool = True


def check_area(count: int, size: tuple[int, int]) -> str:
    """Say what is wrong with painting `count` masks of `size`; an empty string if nothing is."""
    if count * size[0] * size[1] <= MAX_PIXELS:
        return ""
    return (
        f"{count} masks of {size[0]}x{size[1]} are more than {MAX_PIXELS:,} pixels; "
        "use --per object, or smaller images"
    )
