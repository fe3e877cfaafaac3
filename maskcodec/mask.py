"""`Mask`, the pixels of one labelled object, and the limits on image sizes."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np
import numpy.typing as npt

from .errors import EncodeError, MaskCodecError

MAX_SIDE = 65_536
"""Longest side of an image, in pixels."""

MAX_PIXELS = 2**31 - 1
"""Most pixels in an image: run lengths are uint32 and their sums must stay exact in int32."""


def check_size(size: Sequence[int]) -> tuple[int, int]:
    """Return `size` as `(height, width)` in pixels, two ints of 1 to 65,536.

    Raises:
        MaskCodecError: it is no pair of whole numbers, or a side or the area is out of range.
    """
    try:
        height, width = size
        if not (type(height) is int and type(width) is int):
            height, width = (int(side) for side in (height, width) if int(side) == side)
    except (TypeError, ValueError, OverflowError):
        raise MaskCodecError(
            f"size is {size!r}, expected (height, width): two whole numbers of pixels"
        ) from None
    if not (1 <= height <= MAX_SIDE and 1 <= width <= MAX_SIDE) or height * width > MAX_PIXELS:
        raise MaskCodecError(
            f"size (height, width) is ({height}, {width}): each side must be 1 to {MAX_SIDE:,} "
            f"pixels and the area at most {MAX_PIXELS:,}"
        )
    return height, width


@dataclass(frozen=True, slots=True, eq=False)
class Mask:
    """The pixels of one object (or of one class), with its name.

    Attributes:
        array: bool, shape (height, width), read-only, in C order. uint8 and other integer arrays
            that hold nothing but 0 and 1 (as pycocotools decodes them) are taken as they are. A
            bool array in C order is not copied: the mask shows what is written to it later.
        label: what the pixels show, e.g. `"dog"`; may be empty.
        score: a confidence, usually of 0 to 1, or None where there is none.

    Raises:
        EncodeError: `array` is not a two-dimensional mask with at least one pixel, `label` is not
            a string, or `score` is no finite number.
    """

    array: npt.NDArray[np.bool_]
    label: str = ""
    score: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.label, str):
            raise EncodeError(f"a mask's label is {self.label!r}, expected a string")
        if self.score is not None and not _is_finite(self.score):
            raise EncodeError(
                f"mask {self.label!r} has the score {self.score!r}, expected a number"
            )
        array = _as_bool(_as_array(self.array, self.label), self.label)
        height, width = array.shape
        try:
            check_size((height, width))
        except MaskCodecError as error:
            raise EncodeError(f"mask {self.label!r}: {error}") from None
        array = np.ascontiguousarray(array).view()
        array.flags.writeable = False
        object.__setattr__(self, "array", array)

    def __reduce__(self) -> tuple[type[Mask], tuple[npt.NDArray[np.bool_], str, float | None]]:
        """Copies and pickles are made anew, so that they are read-only too."""
        return Mask, (self.array, self.label, self.score)

    @property
    def size(self) -> tuple[int, int]:
        """The image's (height, width) in pixels."""
        height, width = self.array.shape
        return height, width

    @property
    def area(self) -> int:
        """How many pixels are set."""
        return int(np.count_nonzero(self.array))


def _is_finite(score: object) -> bool:
    return type(score) is not bool and isinstance(score, numbers.Real) and score - score == 0


def _as_array(array: object, label: str) -> npt.NDArray[np.generic]:
    if array is None or isinstance(array, str | bytes | PurePath):
        raise EncodeError(
            f"mask {label!r} is {array!r}, expected a bool array of shape (height, width)"
        )
    try:
        return np.asarray(array)
    except (TypeError, ValueError, RuntimeError) as error:  # rows of two lengths; torch's tensors
        reason = str(error).splitlines()[0]
        raise EncodeError(
            f"mask {label!r} is {type(array).__name__}, which NumPy can't take ({reason}); "
            "expected a bool array, e.g. (tensor.detach() > 0.5).cpu()"
        ) from None


def _as_bool(array: npt.NDArray[np.generic], label: str) -> npt.NDArray[np.bool_]:
    if array.ndim != 2:
        raise EncodeError(
            f"mask {label!r} has shape {array.shape}, expected (height, width); "
            "take one channel or one object at a time"
        )
    if array.dtype == np.bool_:
        # Pillow's bit images have True as 255, which NumPy bears and the kernels would misread.
        octets = array.view(np.uint8)
        return octets != 0 if octets.max(initial=0) > 1 else array  # type: ignore[return-value]
    if array.dtype.kind in "iu" and array.size and array.min() >= 0 and array.max() <= 1:
        return array.astype(np.bool_)
    if array.dtype.kind in "iu":
        found = f"holds values from {array.min()} to {array.max()}" if array.size else "is empty"
        raise EncodeError(
            f"mask {label!r} is {array.dtype} and {found}, expected bool (or only 0 and 1); "
            "compare first, e.g. array > 127, or array == 3 for one class of a label map"
        )
    raise EncodeError(
        f"mask {label!r} is {array.dtype}, expected bool; "
        "compare first, e.g. probability > 0.5 (NaN counts as outside)"
    )


def check_masks(masks: Sequence[Mask], size: Sequence[int]) -> tuple[int, int]:
    """Check that every mask is a `Mask` of the image's size; return (height, width).

    Raises:
        EncodeError: one is not, and the message says which; or `masks` is no list or tuple of them.
        MaskCodecError: `size` itself is wrong.
    """
    checked = check_size(size)
    if not isinstance(masks, Sequence):  # a generator would be empty the next time it is read
        raise EncodeError(
            f"masks is {type(masks).__name__}, expected a list of maskcodec.Mask, e.g. [mask]"
        )
    for index, mask in enumerate(masks):
        if not isinstance(mask, Mask):
            raise EncodeError(
                f"masks[{index}] is {type(mask).__name__}, expected maskcodec.Mask(array, label)"
            )
        if mask.size != checked:
            raise EncodeError(
                f"masks[{index}] ({mask.label!r}) is {mask.size[0]}x{mask.size[1]}, but the "
                f"image's size (height, width) is {checked[0]}x{checked[1]}"
            )
    return checked
