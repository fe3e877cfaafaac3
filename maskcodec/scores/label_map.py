"""The labels that are scored, and masks painted as one label (or one object) a pixel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ..errors import MaskCodecError
from ..labels import composed_label
from ..mask import Mask
from ..rle import mask_bounding_box

NONE = -1
"""In a painted map: the pixel is in no mask."""

Map: TypeAlias = npt.NDArray[np.int32]
"""A painted map."""


def label_key(name: str) -> str:
    """What two spellings of one label have in common: case, white space and whether Unicode
    composes letters with their marks don't count.
    """
    return composed_label(" ".join(name.split()).casefold())


@dataclass(frozen=True, slots=True)
class LabelSet:
    """The labels that are scored, in the order of the tables.

    A printed label means the one that is spelt the same, see `label_key`.

    Attributes:
        names: each label once.

    Raises:
        MaskCodecError: two names have the same key, or there is none.
    """

    names: tuple[str, ...]
    _places: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        places: dict[str, int] = {}
        for place, name in enumerate(self.names):
            if places.setdefault(label_key(name), place) != place:
                other = self.names[places[label_key(name)]]
                raise MaskCodecError(f"labels {other!r} and {name!r} can't be told apart")
        if not places:
            raise MaskCodecError("there are no labels to score")
        object.__setattr__(self, "_places", places)

    def name(self, label: str) -> str | None:
        """The label of the set that is meant; None where it is none of them."""
        place = self._places.get(label_key(label))
        return None if place is None else self.names[place]


def resolve(label: str, labels: LabelSet | None) -> str | None:
    """The label's name in `labels`; without a set, every label is one of its own key."""
    return label_key(label) if labels is None else labels.name(label)


def paint_masks(
    masks: Sequence[Mask], values: Iterable[int], size: tuple[int, int]
) -> tuple[Map, int]:
    """Paint masks one over the other: where two overlap, the later one wins.

    Args:
        masks: bool (height, width) each.
        values: what to paint each with, from 0.
        size: (height, width) in pixels.

    Returns:
        the map, int32 (height, width), `NONE` where no mask is; and how many pixels were painted
        over with another value.
    """
    painted = np.full(size, NONE, np.int32)
    over = 0
    for mask, value in zip(masks, values, strict=True):
        box = mask_bounding_box(mask.array)
        if box is None:
            continue
        left, top, right, bottom = box
        inside = mask.array[top:bottom, left:right]
        before = painted[top:bottom, left:right]
        over += int(np.count_nonzero((before != NONE) & (before != value) & inside))
        np.copyto(before, value, where=inside)
    return painted, over


def overlaps(
    rows: Map, columns: Map, height: int, width: int, valid: npt.NDArray[np.bool_] | None
) -> npt.NDArray[np.int64]:
    """How many pixels have each pair of values: int64 (height + 1, width + 1).

    `rows` and `columns` are painted maps with values below `height` and `width`; the last row and
    the last column are those of `NONE`. Only pixels of `valid` count.
    """
    joint = (rows + 1).astype(np.int64) * (width + 1) + (columns + 1)
    chosen = joint.ravel() if valid is None else joint[valid]
    counts = np.bincount(chosen, minlength=(height + 1) * (width + 1))
    table = counts.astype(np.int64).reshape(height + 1, width + 1)
    return np.roll(table, (-1, -1), (0, 1))
