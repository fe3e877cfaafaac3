"""Masks to PaliGemma's boxes and codes and back.

The network sees the mask's bounding box, squeezed to 64x64 pixels with antialiasing. What it draws
is stretched to the box of the text by the same filter, and set where it exceeds 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from ..decoded import Pixels
from ..geometry.boxes import to_bins, to_pixels
from ..geometry.tokens import ShapeTokens
from ..mask import Mask
from ..rle import mask_bounding_box
from ._triangle import ROWS, shrink, triangle_weights
from .loading import batches, canvases, load

BATCH = 256
"""Masks at a time."""


@torch.inference_mode()
def take(
    weights: str, masks: Sequence[Mask], size: tuple[int, int], bins: int, largest: int
) -> ShapeTokens:
    """The boxes and codes of masks; one without pixels has the box 0, 0, 0, 0 and a blank's codes.

    Args:
        weights: the file of weights.
        masks: any number of masks.
        size: the image's (height, width) in pixels.
        bins: what stands for the whole width or height.
        largest: the largest number that a text can hold, `bins` or less.
    """
    network = load(weights, "paligemma", "cpu")
    side = network.config.image
    boxes = np.zeros((len(masks), 4), np.int32)
    pictures = np.zeros((len(masks), side, side), np.float32)
    for index, mask in enumerate(masks):
        box = mask_bounding_box(mask.array)
        if box is not None:
            x0, y0, x1, y1 = box
            boxes[index] = _clip(to_bins(box, size, bins), largest)
            pictures[index] = shrink(mask.array[y0:y1, x0:x1], side)
    codes = [
        network.encode(torch.from_numpy(pictures[start : start + BATCH])).numpy()
        for start in range(0, len(masks), BATCH)
    ]
    count = network.config.grid**2
    return ShapeTokens(
        "paligemma",
        bins,
        tuple(mask.label for mask in masks),
        boxes,
        np.full(len(masks), count, np.int32),
        np.concatenate([np.zeros((0, count), np.int64), *codes]).astype(np.int32).reshape(-1),
    )


def _clip(box: tuple[int, int, int, int], largest: int) -> tuple[int, int, int, int]:
    """The box with its edges at most at `largest`; it keeps an area."""
    right, bottom = min(box[2], largest), min(box[3], largest)
    return min(box[0], right - 1), min(box[1], bottom - 1), right, bottom


@torch.inference_mode()
def draw(
    weights: str,
    geometries: Sequence[ShapeTokens],
    sizes: Sequence[tuple[int, int]],
    device: str | torch.device,
) -> list[Pixels]:
    """Masks of boxes and codes; one without codes, or whose box has no area, has no pixels."""
    network = load(weights, "paligemma", device)
    planes = canvases(geometries, sizes, device)
    boxes = [
        to_pixels(geometry.boxes, size, geometry.bins).tolist()
        for geometry, size in zip(geometries, sizes, strict=True)
    ]
    for codes, counts, users in batches(geometries, network.config.grid**2, BATCH):
        drawn = network.decode(
            torch.from_numpy(codes).to(device), torch.from_numpy(counts).to(device)
        )
        for field, places in zip(drawn, users, strict=True):
            for index, item in places:
                x0, y0, x1, y1 = boxes[index][item]
                if x0 < x1 and y0 < y1:
                    _stretch(field, planes[index][item, y0:y1, x0:x1])
    return [plane.numpy() for plane in planes] if device == "cpu" else list(planes)


def _stretch(field: torch.Tensor, out: torch.Tensor) -> None:
    """Set `out`, bool (height, width), where the stretched field exceeds 0."""
    height, width = out.shape
    side = field.shape[0]
    rows = torch.tensor(triangle_weights(side, height), device=field.device)
    columns = torch.tensor(triangle_weights(side, width), device=field.device).T
    across = field @ columns
    step = max(1, ROWS // width)
    for start in range(0, height, step):
        out[start : start + step] = rows[start : start + step] @ across > 0
