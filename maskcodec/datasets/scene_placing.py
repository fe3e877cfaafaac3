"""Where the objects of a generated scene go: what is drawn, how large, and where it has room."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .draw import Draw
from .scene_measures import apart, grow
from .scene_options import SIZES, SceneOptions
from .scene_paint import Colour
from .scene_shapes import TURNABLE, TURNS, Stencil, draw_shape, draw_silhouette

Bits = npt.NDArray[np.bool_]

_LEAST_AREA = 12
_PLACES = 24


@dataclass(slots=True, eq=False)
class Placed:
    """An object that has its look, and once it is placed, its place.

    Attributes:
        shift: what is added to its colour, see `scene_paint.paint_object`.
        stencil: its shape at its size.
        corner: the (y, x) of the stencil's upper left pixel in the image.
        whole_area: pixels of its mask, hidden ones too.
    """

    noun: str
    colour: str
    texture: str
    size: str
    shift: Colour
    stencil: Stencil
    corner: tuple[int, int] = (0, 0)
    whole_area: int = 0


def place_all(draw: Draw, count: int, options: SceneOptions) -> list[Placed]:
    """Draw objects, back to front; one that finds no place in many tries is left out."""
    owner = np.full(options.size, -1, dtype=np.int16)
    left: list[int] = []  # how much of each is visible
    placed: list[Placed] = []
    for _ in range(count):
        for attempt in range(_PLACES):
            # What does not fit is tried smaller.
            one = _draw_object(draw, placed, options, small=attempt * 2 >= _PLACES)
            if one is not None and _place(draw, one, owner, left, placed, options):
                placed.append(one)
                break
    return placed


def _draw_object(
    draw: Draw, before: list[Placed], options: SceneOptions, *, small: bool
) -> Placed | None:
    other = draw.pick(before) if before else None
    colour, texture = draw.pick(options.colours), draw.pick(options.textures)
    if draw.chance(options.repeat) and other is not None:
        colour = other.colour
    size = SIZES[0] if small else draw.pick(SIZES)
    share = draw.share(*options.extent_range(size))
    extent = max(5, round(share * min(options.size)))
    wanted = other.noun if draw.chance(options.repeat) and other is not None else None
    noun, stencil = _draw_stencil(draw, wanted, extent, options)
    height, width = stencil.mask.shape
    area = int(np.count_nonzero(stencil.mask))
    if height > options.size[0] or width > options.size[1] or area < _LEAST_AREA:
        return None
    shift = (draw.between(-12, 12), draw.between(-12, 12), draw.between(-12, 12))
    return Placed(noun, colour, texture, size, shift, stencil, whole_area=area)


def _draw_stencil(
    draw: Draw, wanted: str | None, extent: int, options: SceneOptions
) -> tuple[str, Stencil]:
    if not options.silhouettes:
        noun = wanted or draw.pick(options.shapes)
        turn = draw.below(TURNS) if options.turns == "kept" and noun in TURNABLE else 0
        return noun, draw_shape(noun, extent, turn)
    nouns = _by_noun(options.silhouettes)
    noun = wanted or draw.pick(tuple(nouns))
    template = draw.pick(nouns[noun])
    if draw.chance(0.5):
        template = template[:, ::-1]
    longer = max(template.shape)
    size = [max(3, (2 * side * extent + longer) // (2 * longer)) for side in template.shape]
    return noun, draw_silhouette(template, (size[0], size[1]))


def _place(
    draw: Draw,
    one: Placed,
    owner: npt.NDArray[np.int16],
    left: list[int],
    placed: list[Placed],
    options: SceneOptions,
) -> bool:
    """Find `one` a place and write it into `owner` and `left`; False where the drawn one is taken.

    Objects that keep apart may not come within the gap of a pixel of another.
    """
    height, width = one.stencil.mask.shape
    top = draw.below(owner.shape[0] - height + 1)
    start = draw.below(owner.shape[1] - width + 1)
    part = owner[top : top + height, start : start + width]
    if options.overlap:
        hidden = np.bincount(part[one.stencil.mask] + 1, minlength=len(left) + 1)[1:].tolist()
        for index, area in enumerate(hidden):
            below = placed[index]
            # Over one of its own colour, nobody could tell where an object ends.
            if area and below.colour == one.colour:
                return False
            if 2 * (left[index] - area) < below.whole_area:
                return False
        for index, area in enumerate(hidden):
            left[index] -= area
    elif _is_near(one.stencil.mask, owner, top, start, apart(options.size)):
        return False
    part[one.stencil.mask] = len(left)
    left.append(one.whole_area)
    one.corner = (top, start)
    return True


def _is_near(mask: Bits, owner: npt.NDArray[np.int16], top: int, start: int, gap: int) -> bool:
    """Whether a pixel of an object lies within `gap` pixels, diagonals too, of the mask."""
    height, width = mask.shape
    y, x = max(0, top - gap), max(0, start - gap)
    taken = owner[y : top + height + gap, x : start + width + gap] >= 0
    if not taken.any():
        return False
    wide = np.zeros((height + 2 * gap, width + 2 * gap), dtype=np.bool_)
    wide[gap : gap + height, gap : gap + width] = mask
    grown = grow(wide, gap)[y - top + gap :, x - start + gap :]
    return bool((grown[: taken.shape[0], : taken.shape[1]] & taken).any())


_NOUNS: dict[int, tuple[object, dict[str, list[Bits]]]] = {}


def _by_noun(silhouettes: tuple[Any, ...]) -> dict[str, list[Bits]]:
    """The silhouettes of each noun, made once a tuple: there may be thousands of them."""
    known = _NOUNS.get(id(silhouettes))
    if known is None or known[0] is not silhouettes:
        nouns: dict[str, list[Bits]] = {}
        for one in silhouettes:
            nouns.setdefault(one.noun, []).append(one.mask)
        _NOUNS.clear()
        known = _NOUNS[id(silhouettes)] = (silhouettes, nouns)
    return known[1]
