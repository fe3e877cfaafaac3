"""Prompts for a promptable segmenter, from a coarse mask: box, points and low-resolution logits.

Conventions, those of the SAM family as published (Kirillov et al., "Segment Anything", ICCV 2023;
Ravi et al., "SAM 2", 2024) and as transformers runs them:

- SAM scales an image so that its longer side is 1024 pixels, the other rounded, and pads it with
  zeros at the right and below ("letterbox"). SAM 2 stretches it to 1024 x 1024.
- A coordinate is a pixel's index: the network itself adds one half to reach the pixel's centre. So
  the centre of pixel x of the image, at x + 1/2, becomes (x + 1/2) * scale - 1/2.
- A box goes from the centre of its first pixel to that of its last, both within the object.
- A mask prompt is a plane of logits of a quarter of the input's side (256 x 256), padded as the
  image is; a network's own answers have that form too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .errors import MaskCodecError
from .refine_region import Bits, Floats
from .rle import mask_bounding_box

Box = tuple[int, int, int, int]
Points = npt.NDArray[np.int64]

LOW = 4
"""Pixels of the input along the side of one of the mask prompt."""

SPACING = 0.15
"""Least distance of two points, in sizes of the object (square roots of its area)."""


@dataclass(frozen=True, slots=True)
class Frame:
    """How an image lies in a network's square input.

    Attributes:
        size: the image's (height, width) in pixels.
        side: of the input, in pixels.
        letterbox: whether the image keeps its proportions and is padded, or is stretched.
    """

    size: tuple[int, int]
    side: int = 1024
    letterbox: bool = True

    @property
    def reach(self) -> tuple[int, int]:
        """The (height, width) of the image in the input, in its pixels; the rest is padding."""
        if not self.letterbox:
            return self.side, self.side
        scale = self.side / max(self.size)
        height, width = (max(1, int(length * scale + 0.5)) for length in self.size)
        return height, width

    @property
    def scale(self) -> tuple[float, float]:
        """Pixels of the input to a pixel of the image, across and down: (x, y)."""
        return self.reach[1] / self.size[1], self.reach[0] / self.size[0]

    def place(self, pixels: npt.ArrayLike) -> Floats:
        """Indices of pixels, (..., 2) as (x, y), as coordinates of the input, float64."""
        return (np.asarray(pixels, np.float64) + 0.5) * self.scale - 0.5

    def place_box(self, box: Box) -> Floats:
        """A half-open box of pixels as (left, top, right, bottom) of the input, float64 (4,)."""
        return self.place([[box[0], box[1]], [box[2] - 1, box[3] - 1]]).reshape(4)

    def logits(self, mask: Bits, strength: float) -> npt.NDArray[np.float32]:
        """A mask as a low-resolution prompt.

        Each entry is `strength * (2 c - 1)`, c the share of what it covers that is the object's,
        fractions of pixels included; padding is no object.

        Returns:
            float32, (side / 4, side / 4), -strength to strength.
        """
        cells = self.side // LOW
        across, down = (
            _overlaps(pixels, cells, LOW / scale)
            for pixels, scale in zip(mask.shape[::-1], self.scale, strict=True)
        )
        covered = np.clip(down @ mask.astype(np.float32) @ across.T, 0, 1)
        return np.asarray((2 * covered - 1) * np.float32(strength), np.float32)


def _overlaps(pixels: int, cells: int, length: float) -> npt.NDArray[np.float32]:
    """The share of each cell, `length` pixels long, that each pixel takes: (cells, pixels)."""
    starts = np.arange(cells)[:, None] * length
    first = np.arange(pixels)
    ends = np.minimum(first + 1, starts + length)
    shares = np.clip(ends - np.maximum(first, starts), 0, None) / length
    return np.asarray(shares, np.float32)


def prompt_box(mask: Bits, margin: float) -> Box:
    """The mask's box, xyxy in pixels, half-open, grown by `margin` of its sides within the image.

    Raises:
        MaskCodecError: the mask is empty.
    """
    found = mask_bounding_box(mask)
    if found is None:
        raise MaskCodecError("an empty mask prompts nothing")
    x0, y0, x1, y1 = found
    across, down = round(margin * (x1 - x0)), round(margin * (y1 - y0))
    height, width = mask.shape
    return max(0, x0 - across), max(0, y0 - down), min(width, x1 + across), min(height, y1 + down)


def interior_points(mask: Bits, count: int) -> Points:
    """Pixels deep inside the mask, deepest first.

    Each is the pixel farthest from the mask's outside (the image's border counts as outside) of
    those that are `SPACING` away from the earlier ones, and half of an earlier one's depth.

    Returns:
        int64, (1 to `count`, 2) as (x, y); every point lies in the mask. (0, 2) for an empty mask.
    """
    return _peaks(mask, np.pad(mask, 1), count, SPACING * float(np.sqrt(np.count_nonzero(mask))))


def outside_points(mask: Bits, box: Box, count: int, distance: float) -> Points:
    """Pixels in `box` that are at least `distance` from the mask, farthest first.

    Returns:
        int64, (0 to `count`, 2) as (x, y), none of them in the mask.
    """
    from scipy.ndimage import distance_transform_edt

    x0, y0, x1, y1 = box
    part = mask[y0:y1, x0:x1]
    if not part.any():
        return np.zeros((0, 2), np.int64)
    free = distance_transform_edt(~part) >= max(1.0, distance)
    size = float(np.sqrt(np.count_nonzero(mask)))
    found = _peaks(free, np.pad(free, 1), count, SPACING * size)
    found += (x0, y0)
    return found


def _peaks(part: Bits, padded: Bits, count: int, spacing: float) -> Points:
    """Up to `count` maxima of the distance to the outside of `part`, as (x, y)."""
    from scipy.ndimage import distance_transform_edt

    depth: Floats = distance_transform_edt(padded)[1:-1, 1:-1]
    rows, columns = np.arange(part.shape[0])[:, None], np.arange(part.shape[1])
    found = []
    for _ in range(count):
        row, column = np.unravel_index(int(depth.argmax()), depth.shape)
        deepest = depth[row, column]
        if deepest <= 0:
            break
        found.append((int(column), int(row)))
        near = (rows - row) ** 2 + (columns - column) ** 2 < max(deepest / 2, spacing) ** 2
        depth[near] = 0
        depth[row, column] = 0
    return np.array(found, np.int64).reshape(-1, 2)
