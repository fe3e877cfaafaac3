"""The one rule by which masks are split by image, into those to train on and those held out.

An image is held out iff the first eight bytes of SHA-256 of its name, read as a big-endian number,
are divisible by 8: one image in eight. The name is the file name's stem in UTF-8: without folders,
without the last extension, and without the `COCO_val2014_` that COCO once put before the number of
its photographs and LVIS's files still do. So a photograph falls on the same side in COCO and in
LVIS, as `000000565853.jpg`, as `COCO_val2014_000000565853.jpg` and as a path or an address of
either. All masks of an image go together.

The rule never changes, so that what was measured on held-out images stays comparable.
"""

from __future__ import annotations

import hashlib
import re
from typing import Literal, TypeAlias

Split: TypeAlias = Literal["held-out", "train", "all"]

SHARE = 8
"""One image in so many is held out."""

_FOLDERS = re.compile(r".*[/\\]", re.DOTALL)
_COCO_2014 = re.compile(r"^COCO_(?:train|val|test)20[0-9]{2}_(?=[0-9])")


def is_held_out(image: str) -> bool:
    r"""Whether the masks of an image are kept for evaluation.

    Args:
        image: the image's file name; folders before it, parted by "/" or "\", play no part.
    """
    digest = hashlib.sha256(_name(image).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") % SHARE == 0


def in_split(image: str, split: Split) -> bool:
    """Whether an image belongs to a split; every image belongs to `"all"`."""
    return split == "all" or is_held_out(image) == (split == "held-out")


def _name(image: str) -> str:
    """What is hashed; the same on every system, whatever its own separator."""
    file = _FOLDERS.sub("", image)
    stem, _, _ = file.rpartition(".")
    return _COCO_2014.sub("", stem if stem.strip(".") else file)
