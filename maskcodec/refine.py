r"""Refinement of decoded masks by the photograph that they belong to: optional, no training.

Text says where an object is to within a cell of a grid or a few pixels of an outline; the
photograph may know better. `refine` moves a mask's contour within a narrow band around it, to where
the picture has an edge, and leaves everything outside of the band as it was::

    masks = refine(image, codec.decode(text, size).masks, "walker", codec=codec)

A method is named as a codec is, `NAME` or `NAME:option=value,...`:

- `guided`: guided filter (see `maskcodec.refine_guided`), the quickest and the mildest;
- `walker`: random walker (`maskcodec.refine_walker`);
- `grabcut`: GrabCut (`maskcodec.refine_grabcut`), needs OpenCV;
- `sam`: a promptable network of the SAM family (`maskcodec.promptable`), needs torch and weights;
- `auto`: what was measured to help the codec that the masks come from, often nothing at all;
- `none`: nothing.

How much each gains or loses is in docs/refinement.md: a coarse grid gains, a mask that is good
already is made worse.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from math import sqrt
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from .codec import Codec
from .errors import MaskCodecError, SpecError
from .mask import Mask
from .overlay import Rgb, as_rgb
from .spec import GridSize, build, nearest, split_spec, write_spec

if TYPE_CHECKING:
    from PIL import Image

Bits = npt.NDArray[np.bool_]

NONE, AUTO = "none", "auto"

COARSE = 32
"""Most cells a side of a grid over the image for which `auto` takes GrabCut."""

COARSE_METHOD, FINE_METHOD = "grabcut", "guided"
"""What `auto` takes for such a grid and for a finer one; docs/decisions/0007-refinement.md."""

_CLASSES = {
    "guided": ("refine_guided", "Guided"),
    "walker": ("refine_walker", "Walker"),
    "grabcut": ("refine_grabcut", "GrabCut"),
    "sam": ("promptable", "Sam"),
}

METHODS = (*_CLASSES, AUTO, NONE)


class Refiner(Protocol):
    """One method with its options; a frozen dataclass whose fields are the options."""

    @property
    def name(self) -> str:
        """The method's name."""
        ...

    def refine_arrays(self, image: Rgb, arrays: Sequence[Bits], cell: float | None) -> list[Bits]:
        """Refine masks of one image.

        Args:
            image: uint8, (height, width, 3).
            arrays: bool, (height, width) each.
            cell: side in pixels of the cells that the masks were painted from, or None.

        Returns:
            bool, (height, width) each, in the same order.
        """
        ...


def refine(
    image: npt.ArrayLike | Image.Image,
    masks: Sequence[Mask],
    method: str | Refiner = "guided",
    *,
    codec: Codec[Any] | None = None,
) -> list[Mask]:
    """Move the contours of masks to the edges of their image.

    Each mask is refined by itself, so that two which met may overlap by a few pixels afterwards, or
    leave a gap. Labels and scores stay. Masks of fewer than 16 pixels stay as they are, without the
    cells of a `codec` also those of fewer than 32 x 32 (the option `area`), and those that leave no
    pixel of the image uncovered. The same input gives the same masks.

    Args:
        image: see `maskcodec.overlay.as_rgb`; of the masks' size.
        masks: of one image.
        method: see the module; or what `read_method` gave, which for `sam` keeps its model loaded.
        codec: where the masks come from: with a grid over the image, its cells say how far off a
            contour may be. Without it the method's option `band` says that.

    Returns:
        one mask for each, in order.

    Raises:
        SpecError: no such method or option.
        MaskCodecError: the sizes differ, or what the method needs is not installed.
    """
    refiner = read_method(method, codec) if isinstance(method, str) else method
    picture = as_rgb(image)
    size = picture.shape[:2]
    for index, mask in enumerate(masks):
        if mask.size != size:
            raise MaskCodecError(
                f"masks[{index}] ({mask.label!r}) is {mask.size[0]}x{mask.size[1]}, but the image "
                f"is {size[0]}x{size[1]} (height x width); refine masks at their image's own size"
            )
    if refiner is None or not masks:
        return list(masks)
    cell = None if codec is None else cell_side(codec, (size[0], size[1]))
    arrays = refiner.refine_arrays(picture, [mask.array for mask in masks], cell)
    return [Mask(array, mask.label, mask.score) for array, mask in zip(arrays, masks, strict=True)]


def read_method(spec: str, codec: Codec[Any] | None = None) -> Refiner | None:
    """The method that a string names; None for `none`, and where `auto` finds that none helps.

    Raises:
        SpecError: no such method or option, a value out of range, or `auto` without a codec.
    """
    name, options = split_spec(spec)
    if name in (NONE, AUTO):
        if options:
            raise SpecError(f"{spec!r}: method {name!r} takes no options")
        if name == AUTO and codec is None:
            raise SpecError("method 'auto' goes by the codec that the masks come from: give it")
        grid = _grid(codec) if name == AUTO else None
        if grid is None:
            return None
        return read_method(COARSE_METHOD if max(grid) <= COARSE else FINE_METHOD)
    if name not in _CLASSES:
        raise SpecError(
            f"{spec!r}: no method {name!r}{nearest(name, METHODS)}; methods are: "
            f"{', '.join(METHODS)}"
        )
    module, class_name = _CLASSES[name]
    found = importlib.import_module(f".{module}", __package__)
    refiner: Refiner = build(getattr(found, class_name), options, spec)
    return refiner


def method_spec(refiner: Refiner | None) -> str:
    """The method with every option spelt out, so that a later default can't change its meaning."""
    return NONE if refiner is None else write_spec(refiner)


def cell_side(codec: Codec[Any], size: tuple[int, int]) -> float | None:
    """The side in pixels of a codec's cells on an image of `size`; None if it has no such grid.

    Cells need not be square: it is that of the square with as many pixels.
    """
    grid = _grid(codec)
    return None if grid is None else sqrt(size[0] / grid.rows * size[1] / grid.columns)


def _grid(codec: Codec[Any] | None) -> GridSize | None:
    """The grid that a codec lays over the whole image, if it does."""
    grid = getattr(codec, "grid", None)
    return grid if isinstance(grid, GridSize) else None
