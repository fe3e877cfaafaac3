"""Label maps and binary masks: from an array of values to masks with labels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import RecordError
from ..mask import Mask

BACKGROUND = 0
IGNORE = 255
"""Stands for "not annotated" (PASCAL VOC, Cityscapes), unless a names file names it."""


MOST_RANGES = 4
"""Ranges of values that a message lists."""


def label_masks(values: npt.NDArray[Any], names: dict[int, str], file: str) -> dict[int, Mask]:
    """Split a label map into one mask a value.

    Args:
        values: whole numbers, (height, width). 0 is background and 255 not annotated, unless
            `names` names them.
        names: the name of each value.
        file: for messages.

    Returns:
        the mask of each value that occurs, in rising order.

    Raises:
        RecordError: a value without a name, or no whole numbers.
    """
    found = _values(values, file)
    unknown = [v for v in found if v not in names and v not in (BACKGROUND, IGNORE)]
    if unknown:
        shown = ", ".join(map(str, unknown[:5])) + (", ..." if len(unknown) > 5 else "")
        raise RecordError(
            f"holds {shown}, which the names file does not name; it names {_ranges(names)}",
            file=file,
        )
    values = values.astype(np.uint8) if values.dtype == np.bool_ else values
    return {v: Mask(values == v, names[v]) for v in found if v in names}


def binary_mask(values: npt.NDArray[Any], label: str, file: str) -> Mask:
    """Take an image of two values, 0 and another, as one mask.

    Raises:
        RecordError: it holds other values too, or numbers that are not whole.
    """
    if values.dtype == np.bool_:
        return Mask(values, label)
    if values.dtype.kind not in "iu":
        raise RecordError(f"is {values.dtype}, expected a mask; {_fix(values)}", file=file)
    high = values.max()
    inside = values == high if high > 0 else np.zeros(values.shape, dtype=np.bool_)
    if not np.array_equal(inside, values != 0):
        found = _values(values, file)
        shown = ", ".join(map(str, found[:5])) + (", ..." if len(found) > 5 else "")
        raise RecordError(
            f"holds {len(found)} values ({shown}), expected 0 and one other; give --names for a "
            "label map (where there is no --names, its COCO json: `maskcodec encode --names`, then "
            "`decode --format coco`), or threshold it first",
            file=file,
        )
    return Mask(inside, label)


def _values(values: npt.NDArray[Any], file: str) -> list[int]:
    """The values that occur, in rising order."""
    if values.dtype.kind not in "iub":
        raise RecordError(f"is {values.dtype}, expected whole numbers; {_fix(values)}", file=file)
    if values.dtype == np.uint8:
        return [int(v) for v in np.flatnonzero(np.bincount(values.ravel(), minlength=256))]
    found = [int(v) for v in np.unique(values)]
    if found and found[0] < 0:
        raise RecordError(f"holds {found[0]}, expected values from 0", file=file)
    return found


def _fix(values: npt.NDArray[Any]) -> str:
    if values.dtype.kind == "f" and np.isnan(values).any():
        return "it holds NaN: compare first, e.g. probability > 0.5"
    return "compare first, e.g. probability > 0.5, and save the bool array"


def _ranges(values: Iterable[int]) -> str:
    """Whole numbers, briefly: `1 to 20, 255`."""
    ranges: list[list[int]] = []
    for value in sorted(values):
        if ranges and value == ranges[-1][1] + 1:
            ranges[-1][1] = value
        else:
            ranges.append([value, value])
    shown = [str(first) if first == last else f"{first} to {last}" for first, last in ranges]
    return ", ".join(shown[:MOST_RANGES]) + (", ..." if len(shown) > MOST_RANGES else "")
