"""Masks of many shapes, drawn by formula: blobs, rings, polygons, crosses and detached parts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from maskcodec import Mask
from maskcodec.geometry.boxes import to_pixels
from maskcodec.geometry.shape_boxes import boxes_of
from maskcodec.geometry.shape_codebook import BINS
from maskcodec.geometry.shape_field import field_of

Bools = npt.NDArray[np.bool_]

SHAPES = ("blob", "ring", "polygon", "cross", "pair")


def draw_shape(kind: str, size: tuple[int, int], seed: int) -> Bools:
    """One object that fills a good part of an image of `size`, the same for the same seed."""
    random = np.random.default_rng(seed)
    height, width = size
    y, x = np.mgrid[:height, :width]
    centre_y, centre_x = (random.uniform(0.42, 0.58) * side for side in size)
    reach_y, reach_x = (random.uniform(0.2, 0.4) * side for side in size)
    down, across = (y + 0.5 - centre_y) / reach_y, (x + 0.5 - centre_x) / reach_x
    turn = random.uniform(0, np.pi)
    v = np.cos(turn) * down - np.sin(turn) * across
    u = np.sin(turn) * down + np.cos(turn) * across
    distance, angle = np.hypot(v, u), np.arctan2(v, u)
    if kind == "blob":
        waves = sum(
            random.uniform(0, 0.3) / order * np.cos(order * angle + random.uniform(0, 7))
            for order in (2, 3, 4, 5)
        )
        shape = distance < 0.75 + waves
    elif kind == "ring":
        shape = abs(distance - 0.7) < random.uniform(0.15, 0.3)
    elif kind == "polygon":
        corners = int(random.integers(3, 8))
        sector = np.pi / corners
        shape = distance * np.cos((angle + np.pi) % (2 * sector) - sector) < 0.8
    elif kind == "cross":
        thick = random.uniform(0.15, 0.35)
        shape = (abs(v) < thick) & (abs(u) < 1) | (abs(u) < thick) & (abs(v) < 1)
    else:
        shape = (np.hypot(v, u - 0.6) < 0.45) | (np.hypot(v * 1.5, u + 0.5) < 0.4)
    return np.asarray(shape)


def draw_shapes(count: int, size: tuple[int, int], seed: int = 0) -> list[Mask]:
    """`count` objects, each kind in turn; they may overlap."""
    return [
        Mask(draw_shape(SHAPES[index % len(SHAPES)], size, seed + index), f"object {index}")
        for index in range(count)
    ]


def iou(a: npt.ArrayLike, b: npt.ArrayLike) -> float:
    """Intersection over union; 1 for two empty masks."""
    first, second = np.asarray(a, np.bool_), np.asarray(b, np.bool_)
    either = np.count_nonzero(first | second)
    return np.count_nonzero(first & second) / either if either else 1.0


def fields_of(masks: list[Mask]) -> npt.NDArray[np.float32]:
    """The field of each mask in its tight box: float32 (masks, cells)."""
    boxes = [to_pixels(boxes_of(mask.array, 1)[0], mask.size, BINS) for mask in masks]
    return np.stack(
        [field_of(mask.array, box).ravel() for mask, box in zip(masks, boxes, strict=True)]
    )
