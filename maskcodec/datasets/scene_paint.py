"""Colours and textures of the objects of generated scenes."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from .scene_shapes import SUB, Stencil

Colour: TypeAlias = tuple[int, int, int]
Pixels = npt.NDArray[np.uint8]

COLOURS: dict[str, Colour] = {
    "red": (212, 36, 38),
    "orange": (250, 138, 12),
    "yellow": (246, 222, 40),
    "green": (38, 156, 58),
    "cyan": (40, 204, 216),
    "blue": (42, 82, 214),
    "purple": (128, 46, 164),
    "pink": (246, 134, 190),
}

TEXTURES = ("plain", "striped", "dotted", "checked")

_DARK: Colour = (38, 38, 42)
_LIGHT: Colour = (244, 244, 240)
# What a texture's second tone is: the one that stands out against the colour.
_SECOND = {name: _DARK if name in {"yellow", "cyan", "pink"} else _LIGHT for name in COLOURS}


def paint_object(
    image: Pixels,
    stencil: Stencil,
    corner: tuple[int, int],
    colour: str,
    shift: Colour,
    texture: str,
) -> None:
    """Paint a stencil into `image`, uint8 (H, W, 3), its upper left pixel at `corner` (y, x).

    Args:
        shift: what is added to the colour's red, green and blue.
        texture: one of `TEXTURES`; stripes, dots and squares are a quarter of the object's longer
            side apart, but at least 4 pixels.
    """
    height, width = stencil.mask.shape
    part = image[corner[0] : corner[0] + height, corner[1] : corner[1] + width]
    tone = [max(0, min(255, a + b)) for a, b in zip(COLOURS[colour], shift, strict=True)]
    inks = np.array([tone, _SECOND[colour]], dtype=np.uint16)
    ink = inks[0] if texture == "plain" else inks[_pattern(texture, height, width)]
    whole = SUB * SUB
    cover = stencil.cover[..., None]
    part[:] = (part * (whole - cover) + ink * cover + whole // 2) // whole


def _pattern(texture: str, height: int, width: int) -> npt.NDArray[np.intp]:
    """0 or 1 (height, width): which pixels have the second tone."""
    period = max(4, max(height, width) // 4)
    y, x = np.arange(height)[:, None], np.arange(width)[None, :]
    if texture == "striped":
        second = (x + y) % period * 2 >= period
    elif texture == "checked":
        second = (x * 2 // period + y * 2 // period) % 2 == 1
    else:
        # Squared distances from the middle of each cell, in half pixels.
        down, across = 2 * (y % period) + 1 - period, 2 * (x % period) + 1 - period
        second = (down * down + across * across) * 100 <= 36 * period * period
    return second.astype(np.intp)
