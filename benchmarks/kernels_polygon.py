"""Contours against OpenCV and scikit-image, and polygons to pixels against COCO's own painters.

No two of the tracers answer alike: OpenCV goes through the centres of pixels, turns only,
scikit-image through the points half way between two, and ours along the sides of pixels, turns
only. What is compared is that OpenCV finds as many rings, that scikit-image goes through every
change between two pixels, and that ours painted give the mask back. COCO's painters know no holes,
so outer rings alone are painted; ours go to a C-order array, theirs to the Fortran-order one that
they decode to.
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any

import numpy as np
import numpy.typing as npt

from maskcodec._reference import contour as contour_twin
from maskcodec._reference import raster as raster_twin
from maskcodec.geometry import polygon
from maskcodec.geometry.polygon import Polygons, Rings

from .kernel_case import Builder, KernelCase
from .kernel_inputs import equal, mean_bytes, sizes_of, spread
from .mask_sets import MaskSet

Bools = npt.NDArray[np.bool_]

BINS = 100_000
TOLERANCES = (0.0, 0.005)
CHECKED = 4
CROWDED = 20_000
"""Masks of more corners than this, on average, are only traced, and by us alone: OpenCV takes
seconds for a checkerboard of 480x640."""


@lru_cache(1)
def corners_of(masks: MaskSet) -> float:
    """Corners of a mask's outlines, on average."""
    return float(np.mean([len(polygon.trace(mask)[0]) for mask in masks.masks]))


def trace_case(given: MaskSet) -> KernelCase:
    """A mask to its rings."""
    masks, corners = given.masks, corners_of(given)

    def check() -> None:
        for index in spread(len(masks), CHECKED):
            mask = masks[index]
            xy, starts, hole = polygon.trace(mask)
            item = Polygons(("",), BINS, (on_bins(xy, starts, hole, mask),))
            equal(polygon.paint(item, mask.shape)[0], mask)
            crop = np.ascontiguousarray(mask[:48, :64])
            xy, starts, hole = polygon.trace(crop)
            wanted = contour_twin.trace(crop)
            assert hole.tolist() == [is_hole for _, is_hole in wanted]
            equal(xy, np.concatenate([xy[:0], *(r for r, _ in wanted)]))

    def agree(index: int, answer: Any) -> None:
        mask = masks[index]
        if isinstance(answer, int):
            assert answer == len(polygon.trace(mask)[2])
            return
        changes = [
            np.argwhere(np.diff(mask, axis=axis)) + [(0.5, 0), (0, 0.5)][axis] for axis in (0, 1)
        ]
        equal(answer, np.unique(np.concatenate(changes), axis=0))

    return KernelCase(
        lambda i: polygon.trace(masks[i]),
        check,
        "contours" if corners <= CROWDED else "",
        {"masks": masks},
        agree,
        spread(len(masks), CHECKED),
        bytes_read=mean_bytes(masks),
        bytes_written=int(corners) * 8,
    )


def outline_case(given: MaskSet) -> KernelCase | None:
    """All of encoding but the text; nobody else does this job."""
    masks = given.masks
    if corners_of(given) > CROWDED:
        return None

    def check() -> None:
        for index in spread(len(masks), CHECKED):
            exact = polygon.outline(masks[index], BINS)
            painted = polygon.paint(Polygons(("",), BINS, (exact,)), masks[index].shape)[0]
            equal(painted, masks[index])

    return KernelCase(
        lambda i: polygon.outline(masks[i], 676, TOLERANCES[1]),
        check,
        bytes_read=mean_bytes(masks),
    )


def paint_case(given: MaskSet, tolerance: float) -> KernelCase | None:
    """Rings to pixels."""
    masks, sizes = given.masks, sizes_of(given.masks)
    if corners_of(given) > CROWDED:
        return None
    items = [
        Polygons(("",), BINS, (outer_rings(polygon.outline(mask, BINS, tolerance)),))
        for mask in masks
    ]
    texts = [
        [polygon.to_pixels(ring, BINS, size).ravel().tolist() for ring in item.objects[0].split()]
        for item, size in zip(items, sizes, strict=True)
    ]

    def check() -> None:
        for index in spread(len(masks), CHECKED):
            rings = items[index].objects[0].head(min(4, len(items[index].objects[0].hole)))
            size = (48, 64)
            wanted = raster_twin.paint_rings(
                polygon.in_fifths(rings.xy, BINS, size), rings.starts, rings.hole, size
            )
            equal(polygon.paint(Polygons(("",), BINS, (rings,)), size)[0], wanted)

    def agree(index: int, answer: Any) -> None:
        painted = polygon.paint(items[index], sizes[index])[0]
        equal(painted, np.zeros_like(painted) if answer is None else answer)

    return KernelCase(
        lambda i: polygon.paint(items[i], sizes[i]),
        check,
        "paint_polygons",
        {"polygons": texts, "sizes": sizes},
        agree,
        spread(len(masks), CHECKED),
        bytes_written=mean_bytes(masks),
    )


def outer_rings(rings: Rings) -> Rings:
    """The rings that are not holes; no more than pycocotools can merge in good time."""
    kept = [ring for ring, hole in zip(rings.split(), rings.hole, strict=True) if not hole][:500]
    starts = np.cumsum([0, *map(len, kept)]).astype(np.int32)
    xy = np.concatenate([rings.xy[:0], *kept])
    return Rings(xy, starts, np.zeros(len(kept), np.bool_))


def on_bins(
    xy: npt.NDArray[np.int32], starts: npt.NDArray[np.int32], hole: Bools, mask: Bools
) -> Rings:
    """A traced contour on a lattice that is fine enough to keep every corner."""
    side = np.array(mask.shape[::-1])
    placed = (2 * xy.astype(np.int64) * (BINS - 1) + side) // (2 * side)
    return Rings(placed.astype(np.int32), starts, hole)


CASES: dict[str, Builder] = {
    "contours": trace_case,
    f"contours, simplified at {TOLERANCES[1]}": outline_case,
    **{
        f"paint polygons, tolerance {tolerance:g}": partial(paint_case, tolerance=tolerance)
        for tolerance in TOLERANCES
    },
}
