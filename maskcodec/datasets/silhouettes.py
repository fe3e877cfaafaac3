"""Silhouettes of real objects, for scenes, out of a file of masks."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..errors import MaskCodecError, RecordError
from ..records import brief
from ..rle import mask_bounding_box
from .rle_jsonl import read
from .sample import Entry, ReadOptions
from .scene_shapes import nearest

Bits = npt.NDArray[np.bool_]

LEAST_AREA = 600
"""Pixels of the smallest mask that shows its shape."""

MOST_ASPECT = 4.0
"""Long side by short side of the slimmest silhouette; slimmer ones vanish where they are small."""

MOST_SIDE = 512
"""Pixels of a silhouette's longer side; larger ones are sampled down to it."""

LEAST_FILL = 0.25
"""Share of its box that a silhouette covers at least."""

_NOUN = re.compile(r"\w[\w '&/.+-]{0,59}")


@dataclass(frozen=True, slots=True, eq=False)
class Silhouette:
    """The outline of an object.

    Attributes:
        noun: what it is, in the singular, e.g. `"dog"`: up to 60 letters, digits and spaces.
        mask: bool (height, width), cut to the object.

    Raises:
        MaskCodecError: a noun that no question could hold, or an array that is no mask.
    """

    noun: str
    mask: Bits = field(repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.noun, str) or not _NOUN.fullmatch(self.noun):
            raise MaskCodecError(f"noun is {brief(self.noun)}, expected a word or a few")
        if self.mask.dtype != np.bool_ or self.mask.ndim != 2 or not self.mask.any():
            raise MaskCodecError(
                f"the mask of {self.noun!r} is no bool (height, width) with a pixel set"
            )


def load_silhouettes(path: str | Path, *, limit: int | None = None) -> tuple[Silhouette, ...]:
    """Read silhouettes from JSONL of run lengths (`.gz` too), see `rle_jsonl`.

    Only whole shapes are taken: in one piece, not cut off by the image's border, of at least 600
    pixels, at most four times as long as broad, and covering a quarter of their box. A category
    that is also a colour ("orange") is left out, for the sake of its expressions, and so is one
    that holds more than words. Lines that can't be read are passed over.

    Args:
        limit: most silhouettes of one category, the first of the file; None takes all.

    Raises:
        RecordError: there is no such file, or it holds no usable silhouette; the message says how
            many lines were bad and why the first of them was.
    """
    found: list[Silhouette] = []
    taken: defaultdict[str, int] = defaultdict(int)
    errors: list[RecordError] = []
    for entry in read(Path(path), ReadOptions(per="object")).items:
        try:
            silhouette = _load(entry)
        except RecordError as error:
            errors.append(error)
            continue
        if silhouette is None or (limit is not None and taken[silhouette.noun] >= limit):
            continue
        taken[silhouette.noun] += 1
        found.append(silhouette)
    if not found:
        bad = f"; {len(errors)} bad lines, the first: {errors[0].reason}" if errors else ""
        raise RecordError(
            f"holds no silhouette that is whole and large enough{bad}", file=str(path)
        )
    return tuple(found)


def _load(entry: Entry | RecordError) -> Silhouette | None:
    if isinstance(entry, RecordError):
        raise entry
    mask = entry.load().masks[0]
    noun = " ".join(mask.label.replace("_", " ").split())
    array = cut(mask.array)
    if array is None or not _NOUN.fullmatch(noun) or _is_colour(noun):
        return None
    return Silhouette(noun, array)


def _is_colour(noun: str) -> bool:
    from .scene_paint import COLOURS

    return noun.casefold() in COLOURS


def cut(mask: Bits) -> Bits | None:
    """The mask cut to its object, read-only; None where it is no whole shape to draw."""
    from skimage import measure

    box = mask_bounding_box(mask)
    if box is None or np.count_nonzero(mask) < LEAST_AREA:
        return None
    left, top, right, bottom = box
    if top == 0 or left == 0 or bottom == mask.shape[0] or right == mask.shape[1]:
        return None
    part = _reduced(mask[top:bottom, left:right])
    height, width = part.shape
    if max(height, width) > MOST_ASPECT * min(height, width) or part.mean() < LEAST_FILL:
        return None
    if measure.label(part, connectivity=2, return_num=True)[1] != 1:
        return None
    part.setflags(write=False)
    return part


def _reduced(mask: Bits) -> Bits:
    """A copy of at most `MOST_SIDE` pixels a side."""
    longer = max(mask.shape)
    if longer <= MOST_SIDE:
        return np.ascontiguousarray(mask)
    rows, columns = (nearest(side, max(1, side * MOST_SIDE // longer)) for side in mask.shape)
    return np.ascontiguousarray(mask[rows[:, None], columns[None, :]])
