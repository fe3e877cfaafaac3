"""Photographs as RGB arrays, from files that may be anything."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

from ..errors import RecordError
from ..overlay import Rgb, as_rgb
from .images import image_size, turned_hint

_BROKEN = (OSError, SyntaxError, ValueError, EOFError, MemoryError)


def read_picture(path: str | Path, size: tuple[int, int] | None = None) -> Rgb:
    """Read a picture in any format that PIL knows, as stored: EXIF's orientation is not applied.

    Args:
        path: the file.
        size: the (height, width) in pixels that it must have.

    Returns:
        uint8, (height, width, 3), RGB; what is transparent is white.

    Raises:
        RecordError: no such file, no picture, a damaged one, or of another size.
    """
    from PIL import Image

    found = image_size(Path(path))
    if size is not None and found != size:
        raise RecordError(
            f"is {found[0]}x{found[1]} (height x width), expected {size[0]}x{size[1]}"
            f"{turned_hint(found, size)}",
            file=str(path),
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                return _rgb(image)
    except (*_BROKEN, Warning, Image.DecompressionBombError) as error:
        raise RecordError(f"is a damaged or too large image: {error}", file=str(path)) from None


def _rgb(image: object) -> Rgb:
    from PIL import Image

    assert isinstance(image, Image.Image)
    if image.mode.startswith("I;16"):
        return as_rgb(np.array(image).astype(np.uint16))
    if image.mode in ("I", "F"):  # no known range: spread what is there
        values = np.array(image, dtype=np.float64)
        low, high = float(values.min()), float(values.max())
        return as_rgb((values - low) / (high - low or 1.0))
    return as_rgb(np.array(image.convert("RGBA")))
