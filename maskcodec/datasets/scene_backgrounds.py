"""Backgrounds of generated scenes: plain, noisy, or pieces of photographs."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..errors import RecordError
from .draw import Draw
from .photographs import load_pixels
from .pictures import read_picture

Pixels = npt.NDArray[np.uint8]

BACKGROUNDS = ("plain", "noisy", "photo")

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})
"""What a file of a folder of photographs is called, whatever the case."""

_BUILT_IN = ("coffee", "chelsea", "astronaut", "rocket", "camera", "grass", "coins", "galaxies")


def draw_background(
    draw: Draw, kind: str, size: tuple[int, int], photo_dir: str | None = None
) -> Pixels:
    """A background, uint8 (height, width, 3).

    Plain ones are one greyish tone; noisy ones run from a tone to another and are grained; photos
    are a drawn piece of a drawn photograph, half as colourful as they were, so that an object's
    colour stands out. Photographs are those that scikit-image ships, or those of `photo_dir`.

    Raises:
        RecordError: `photo_dir` holds no photograph, or one that can't be read.
    """
    if kind == "plain":
        image = np.empty((*size, 3), dtype=np.uint8)
        image[:] = _tone(draw)
        return image
    if kind == "noisy":
        return _noisy(draw, size)
    return _photo(draw, size, photo_dir)


def _tone(draw: Draw) -> list[int]:
    grey = draw.between(35, 215)
    return [grey + draw.between(-16, 16) for _ in range(3)]


def _noisy(draw: Draw, size: tuple[int, int]) -> Pixels:
    height, width = size
    first, last = np.array([_tone(draw), _tone(draw)], dtype=np.int64)
    down, across = draw.between(0, 8), draw.between(0, 8)
    # How far each pixel is along the way, of `end`.
    way = down * width * np.arange(height)[:, None] + across * height * np.arange(width)
    end = max(1, (down + across) * height * width)
    image = first + (last - first) * way[..., None] // end
    grain = draw.between(6, 44)
    noise = draw.noise(height, width).astype(np.int64) * grain // 255 - grain // 2
    pixels: Pixels = np.clip(image + noise[..., None], 0, 255).astype(np.uint8)
    return pixels


def _photo(draw: Draw, size: tuple[int, int], photo_dir: str | None) -> Pixels:
    from PIL import Image

    names = _BUILT_IN if photo_dir is None else _list(photo_dir)
    name = draw.pick(names)
    photo = _built_in(name) if photo_dir is None else _read(name)
    height, width = size
    tall, wide = photo.shape[:2]
    # The largest piece of the scene's proportions, then a drawn share of it.
    zoom = min(tall / height, wide / width) * draw.share(0.35, 1.0)
    h, w = max(1, min(tall, int(height * zoom))), max(1, min(wide, int(width * zoom)))
    top, left = draw.below(tall - h + 1), draw.below(wide - w + 1)
    flipped = draw.chance(0.5)
    piece = np.ascontiguousarray(photo[top : top + h, left : left + w])
    image = np.array(Image.fromarray(piece).resize((width, height), Image.Resampling.BOX))
    if flipped:
        image = image[:, ::-1]
    grey = image.sum(axis=2, dtype=np.uint16, keepdims=True) // 3
    return np.ascontiguousarray(((image + grey) // 2).astype(np.uint8))


@functools.lru_cache(maxsize=16)
def _built_in(name: str) -> Pixels:
    return load_pixels(name)


@functools.lru_cache(maxsize=8)
def _list(folder: str) -> tuple[str, ...]:
    """The folder's photographs in the order of their names."""
    try:
        found = sorted(p for p in Path(folder).iterdir() if p.suffix.lower() in SUFFIXES)
    except OSError as error:
        raise RecordError(f"can't be listed: {error.strerror}", file=folder) from None
    if not found:
        raise RecordError(f"holds no photograph ({', '.join(sorted(SUFFIXES))})", file=folder)
    return tuple(map(str, found))


@functools.lru_cache(maxsize=64)
def _read(path: str) -> Pixels:
    return read_picture(path)
