"""Which image a file of masks means, where folders hold images of one name."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path, PurePosixPath

from .image_names import slashed
from .sample import Entry


def agreeing_parts(entry: Entry, image: Path) -> int:
    """How many parts of an image's path, from its end, an entry names: 2 of `img/cam2/1.jpg` where
    the entry is about `cam2/1.jpg`. A mask file without an image is named like its image.
    """
    path, named = image.absolute(), entry.image
    if named is None:
        path, named = path.with_suffix(""), entry.id
    parts = PurePosixPath(slashed(named)).parts
    pairs = zip(reversed(path.parts), reversed(parts), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def closest(entries: Sequence[Entry], image: Path) -> list[Entry]:
    """The entries that agree with an image's path in the most parts, and in one at least."""
    agreeing = [agreeing_parts(entry, image) for entry in entries]
    most = max(agreeing, default=0)
    return [one for one, parts in zip(entries, agreeing, strict=True) if parts == most > 0]


def name_of(entry: Entry) -> str:
    """What an entry calls its image."""
    return entry.id if entry.image is None else entry.image
