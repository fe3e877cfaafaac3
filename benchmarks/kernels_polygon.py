"""Contours against OpenCV and scikit-image, and polygons to pixels against pycocotools.

No two of the tracers answer alike: OpenCV goes through the centres of pixels, all of them (NONE) or
turns only (SIMPLE), scikit-image through the points half way between two, and ours along the sides
of pixels, turns only. What is compared is that each finds as many rings as OpenCV, and that ours
painted give the mask back. pycocotools knows no holes, so outer rings alone are painted; ours go to
a C-order array, its to the Fortran-order one that it decodes to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from pycocotools import mask as coco_mask
from skimage.measure import find_contours

from maskcodec._reference import contour as contour_twin
from maskcodec._reference import raster as raster_twin
from maskcodec.geometry import polygon
from maskcodec.geometry.polygon import Polygons, Rings

from .kernel_case import KernelCase

Bools = npt.NDArray[np.bool_]

BINS = 100_000
TOLERANCES = (0.0, 0.005)
CHECKED = 4
CROWDED = 20_000
"""Masks of more corners than this, on average, are only traced, and by us alone: OpenCV takes
seconds for a checkerboard of 480x640."""


def cases(
    masks: Sequence[Bools], label_maps: Sequence[npt.NDArray[np.uint8]]
) -> Iterator[KernelCase]:
    """Tracing, outlining and painting on one set of masks."""
    corners = float(np.mean([len(polygon.trace(mask)[0]) for mask in masks]))
    yield trace_case(masks, corners)
    if corners <= CROWDED:
        yield outline_case(masks)
        for tolerance in TOLERANCES:
            yield paint_case(masks, tolerance)


def trace_case(masks: Sequence[Bools], corners: float) -> KernelCase:
    images = [mask.view(np.uint8) for mask in masks]

    def opencv(method: int) -> Callable[[int], Any]:
        return lambda i: cv2.findContours(images[i], cv2.RETR_CCOMP, method)[0]

    simple = opencv(cv2.CHAIN_APPROX_SIMPLE)
    peers = {"opencv": simple, "opencv NONE": opencv(cv2.CHAIN_APPROX_NONE)}
    if corners > CROWDED:
        peers = {}
    elif mean_bytes(masks) < 2**20:
        peers["scikit-image"] = lambda i: find_contours(images[i], 0.5)

    def check() -> None:
        for index in checked(len(masks)):
            mask = masks[index]
            xy, starts, hole = polygon.trace(mask)
            item = Polygons(("",), BINS, (on_bins(xy, starts, hole, mask),))
            np.testing.assert_array_equal(polygon.paint(item, mask.shape)[0], mask)
            assert not peers or len(hole) == len(simple(index))
            crop = np.ascontiguousarray(mask[:48, :64])
            xy, starts, hole = polygon.trace(crop)
            wanted = contour_twin.trace(crop)
            assert hole.tolist() == [is_hole for _, is_hole in wanted]
            np.testing.assert_array_equal(xy, np.concatenate([xy[:0], *(r for r, _ in wanted)]))

    return KernelCase(
        "contours",
        lambda i: polygon.trace(masks[i]),
        peers,
        check,
        bytes_read=mean_bytes(masks),
        bytes_written=int(corners) * 8,
    )


def outline_case(masks: Sequence[Bools]) -> KernelCase:
    """All of encoding but the text; nobody else does this job."""

    def check() -> None:
        for index in checked(len(masks)):
            exact = polygon.outline(masks[index], BINS)
            painted = polygon.paint(Polygons(("",), BINS, (exact,)), masks[index].shape)[0]
            np.testing.assert_array_equal(painted, masks[index])

    return KernelCase(
        f"contours, simplified at {TOLERANCES[1]}",
        lambda i: polygon.outline(masks[i], 676, TOLERANCES[1]),
        {},
        check,
        bytes_read=mean_bytes(masks),
    )


def paint_case(masks: Sequence[Bools], tolerance: float) -> KernelCase:
    items = [
        Polygons(("",), BINS, (outer_rings(polygon.outline(mask, BINS, tolerance)),))
        for mask in masks
    ]
    sizes = [(mask.shape[0], mask.shape[1]) for mask in masks]
    texts = [
        [polygon.to_pixels(ring, BINS, size).ravel().tolist() for ring in item.objects[0].split()]
        for item, size in zip(items, sizes, strict=True)
    ]

    def pycocotools(index: int) -> Any:
        runs = coco_mask.frPyObjects(texts[index], *sizes[index])
        return coco_mask.decode(coco_mask.merge(runs))

    def check() -> None:
        for index in checked(len(masks)):
            painted = polygon.paint(items[index], sizes[index])[0]
            if texts[index]:
                np.testing.assert_array_equal(painted, pycocotools(index))
            rings = items[index].objects[0].head(min(4, len(items[index].objects[0].hole)))
            size = (48, 64)
            wanted = raster_twin.paint_rings(
                polygon.in_fifths(rings.xy, BINS, size), rings.starts, rings.hole, size
            )
            few = Polygons(("",), BINS, (rings,))
            np.testing.assert_array_equal(polygon.paint(few, size)[0], wanted)

    return KernelCase(
        f"paint polygons, tolerance {tolerance:g}",
        lambda i: polygon.paint(items[i], sizes[i]),
        {"pycocotools": lambda i: texts[i] and pycocotools(i)},
        check,
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


def mean_bytes(masks: Sequence[Bools]) -> int:
    return sum(mask.nbytes for mask in masks) // len(masks)


def checked(count: int) -> range:
    return range(0, count, max(1, count // CHECKED))
