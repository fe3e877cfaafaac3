"""Pictures for people: masks in colours over their image, with contours and label tags."""

from __future__ import annotations

import colorsys
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from .errors import MaskCodecError
from .fonts import font_for
from .mask import Mask

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

Rgb = npt.NDArray[np.uint8]
Colour: TypeAlias = tuple[int, int, int]
ColourBy: TypeAlias = Literal["mask", "label"]

# Bright enough to show on dark photographs, and apart for the common kinds of colour blindness.
_FIRST: tuple[Colour, ...] = (
    (0, 158, 255),
    (255, 138, 0),
    (0, 200, 120),
    (240, 60, 140),
    (250, 220, 40),
    (150, 90, 255),
    (40, 220, 230),
    (230, 50, 50),
    (150, 210, 30),
    (255, 150, 200),
)
_GOLDEN = 0.618033988749895
_TAG_LENGTH = 24


def colours(count: int) -> list[Colour]:
    """`count` colours that tell neighbours apart; the first ones are always the same."""
    more = (
        colorsys.hsv_to_rgb(index * _GOLDEN % 1, (0.75, 0.5)[index % 2], 1.0)
        for index in range(len(_FIRST), count)
    )
    rest = [(round(r * 255), round(g * 255), round(b * 255)) for r, g, b in more]
    return [*_FIRST[:count], *rest]


def as_rgb(image: npt.ArrayLike | Image.Image) -> Rgb:
    """An image as RGB.

    Args:
        image: an array or what NumPy takes for one, a picture of Pillow's too: bool, uint8, uint16,
            or float of 0 to 1; (height, width) grey, or with a last axis of 1 (grey), 3 (RGB) or 4
            channels (RGB and alpha, shown on white).

    Returns:
        uint8, (height, width, 3).

    Raises:
        MaskCodecError: another shape or type.
    """
    image = np.asarray(image)
    grey = image[..., None] if image.ndim == 2 else image
    if grey.ndim != 3 or grey.shape[2] not in (1, 3, 4) or 0 in grey.shape:
        raise MaskCodecError(
            f"image has shape {image.shape}, expected (height, width) or (height, width, 3)"
        )
    values = _as_bytes(grey)
    if values.shape[2] == 4:
        alpha = values[..., 3:].astype(np.uint16)
        values = ((values[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
    return np.array(np.broadcast_to(values, (*values.shape[:2], 3)))


def _as_bytes(image: npt.NDArray[np.generic]) -> npt.NDArray[np.uint8]:
    if image.dtype == np.uint8:
        return image  # type: ignore[return-value]
    if image.dtype == np.bool_:
        return image.astype(np.uint8) * np.uint8(255)
    if image.dtype == np.uint16:
        return (image.astype(np.uint16) >> 8).astype(np.uint8)
    if image.dtype.kind == "f":
        unit = np.clip(np.nan_to_num(image.astype(np.float64)), 0, 1)
        return (unit * 255 + 0.5).astype(np.uint8)
    raise MaskCodecError(f"image is {image.dtype}, expected uint8, uint16, bool or float")


def draw_overlay(
    image: npt.ArrayLike | Image.Image,
    masks: Sequence[Mask],
    *,
    opacity: float = 0.45,
    tags: bool = True,
    colour_by: ColourBy = "mask",
    labels: Sequence[str] = (),
) -> Rgb:
    """Paint masks over an image, each filled, outlined and, where there is room, tagged.

    Args:
        image: see `as_rgb`.
        masks: masks of the image's size; later ones lie on top.
        opacity: of the fill, 0 to 1; contours are opaque.
        tags: whether to write each mask's label next to it.
        colour_by: a colour for each mask, or one for all masks of a label.
        labels: with `colour_by="label"` these take the first colours, so that two pictures agree.

    Returns:
        uint8, (height, width, 3).

    Raises:
        MaskCodecError: a mask has another size than the image, or an option is out of range.
    """
    rgb = as_rgb(image)
    if not 0 <= opacity <= 1:
        raise MaskCodecError(f"opacity is {opacity!r}, expected 0 to 1")
    if colour_by not in get_args(ColourBy):
        raise MaskCodecError(f"colour_by is {colour_by!r}, expected 'mask' or 'label'")
    by_mask = colour_by == "mask"
    keys: Sequence[object] = range(len(masks)) if by_mask else [mask.label for mask in masks]
    order = list(dict.fromkeys([*([] if by_mask else labels), *keys]))
    palette = dict(zip(order, colours(len(order)), strict=True))
    thickness = max(1, round(max(rgb.shape[:2]) / 400))
    for key, mask in zip(keys, masks, strict=True):
        if mask.size != rgb.shape[:2]:
            raise MaskCodecError(
                f"mask {mask.label!r} is {mask.size[0]}x{mask.size[1]}, but the image is "
                f"{rgb.shape[0]}x{rgb.shape[1]} (height x width)"
            )
        _blend(rgb, mask.array, palette[key], opacity, thickness)
    return _tagged(rgb, masks, [palette[key] for key in keys]) if tags else rgb


def _blend(
    rgb: Rgb, inside: npt.NDArray[np.bool_], colour: Colour, opacity: float, thickness: int
) -> None:
    """Fill a mask and its contour, within the mask's own box."""
    window = _box(inside)
    if window is None:
        return
    part, inside = rgb[window], inside[window]
    mixed = part[inside] * (1 - opacity) + np.array(colour) * opacity
    part[inside] = (mixed + 0.5).astype(np.uint8)
    part[inside & ~_eroded(inside, thickness)] = colour


def _box(inside: npt.NDArray[np.bool_]) -> tuple[slice, slice] | None:
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if not len(rows):
        return None
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _eroded(inside: npt.NDArray[np.bool_], steps: int) -> npt.NDArray[np.bool_]:
    """Take away `steps` pixels at every edge of a mask, the edge of the array too."""
    padded = np.pad(inside, 1)
    for _ in range(steps):
        core = padded[1:-1, 1:-1] & padded[:-2, 1:-1] & padded[2:, 1:-1]
        padded[1:-1, 1:-1] = core & padded[1:-1, :-2] & padded[1:-1, 2:]
    eroded: npt.NDArray[np.bool_] = padded[1:-1, 1:-1]
    return eroded


def _tagged(rgb: Rgb, masks: Sequence[Mask], palette: Sequence[Colour]) -> Rgb:
    """Write labels, large objects first, where no other tag stands yet."""
    from PIL import Image, ImageDraw

    picture = Image.fromarray(rgb)
    drawing = ImageDraw.Draw(picture)
    size = max(9, round(max(rgb.shape[:2]) / 40))
    taken: list[tuple[int, int, int, int]] = []
    for index in sorted(range(len(masks)), key=lambda index: -masks[index].area):
        window = _box(masks[index].array)
        label = _printable(masks[index].label)
        if window is None or not label:
            continue
        font = font_for(label, size)
        box = _tag_box(drawing, label, font, window, picture)
        if any(
            box[0] < x1 and x0 < box[2] and box[1] < y1 and y0 < box[3] for x0, y0, x1, y1 in taken
        ):
            continue
        taken.append(box)
        colour = palette[index]
        dark = sum(weight * c for weight, c in zip((0.3, 0.59, 0.11), colour, strict=True)) > 120
        drawing.rectangle((box[0], box[1], box[2] - 1, box[3] - 1), fill=colour)
        drawing.text((box[0] + 3, box[1] + 1), label, fill="black" if dark else "white", font=font)
    return np.array(picture)


def _tag_box(
    drawing: ImageDraw.ImageDraw,
    label: str,
    font: object,
    window: tuple[slice, slice],
    picture: Image.Image,
) -> tuple[int, int, int, int]:
    """Where a tag goes, xyxy: above the object's upper left corner, or inside at the border."""
    right, bottom = drawing.textbbox((0, 0), label, font=font)[2:]  # type: ignore[arg-type]
    width, height = int(right) + 6, int(bottom) + 4
    x = max(0, min(window[1].start, picture.width - width))
    y = window[0].start - height
    y = max(0, min(y if y >= 0 else window[0].start, picture.height - height))
    return x, y, x + width, y + height


def _printable(label: str) -> str:
    """A label on one line, without control characters, cut to the length of a tag."""
    text = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in label)
    text = " ".join(text.split())
    return text if len(text) <= _TAG_LENGTH else text[: _TAG_LENGTH - 1] + "…"


def crop(
    image: npt.NDArray[np.generic], masks: Sequence[Mask], window: tuple[int, int, int, int]
) -> tuple[npt.NDArray[np.generic], list[Mask]]:
    """Cut `window`, xyxy in pixels, out of an image and its masks."""
    x0, y0, x1, y1 = window
    cut = [Mask(mask.array[y0:y1, x0:x1], mask.label, mask.score) for mask in masks]
    return image[y0:y1, x0:x1], cut


def fit(image: npt.NDArray[np.generic], masks: Sequence[Mask], side: int) -> tuple[Rgb, list[Mask]]:
    """Scale an image with its masks so that its longer side is at most `side` pixels.

    It is shrunk as far as that takes: the image is filtered, and a mask's pixel is set where it
    covers at least half of the pixel. Where there is room it is enlarged by a whole factor: the
    image smoothly, a mask's pixels as squares.
    """
    from PIL import Image

    rgb = as_rgb(image)
    height, width = rgb.shape[:2]
    factor = side // max(height, width)
    scale = factor or side / max(height, width)
    if scale == 1:
        return rgb, list(masks)
    new = max(1, round(width * scale)), max(1, round(height * scale))
    small = Image.fromarray(rgb).resize(new, Image.Resampling.LANCZOS)
    return np.array(small), [_resized(mask, new) for mask in masks]


def _resized(mask: Mask, size: tuple[int, int]) -> Mask:
    from PIL import Image

    coverage = Image.fromarray(mask.array.view(np.uint8) * np.uint8(255))
    resized = np.array(coverage.resize(size, Image.Resampling.BOX))
    return Mask(resized >= 128, mask.label, mask.score)
