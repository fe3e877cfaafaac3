"""Outlines without holes, as published formats write them: fewer vertices, each in its own way.

Every function takes and gives rings as float64 (vertices, 2), x before y, in pixels; none repeats
its first vertex. `polygons_of` turns masks into `Polygons` by one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from ..errors import EncodeError
from ..mask import Mask
from . import polygon
from .polygon import MAX_COVER, MAX_VERTICES, Polygons, Rings, cover

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Reduce = Callable[[npt.NDArray[np.bool_]], list[Floats]]
Place = Callable[[Floats, tuple[int, int]], Ints]
Box = tuple[int, int, int, int]

TINY = 4
"""Bins that an object may be long for its outline to miss all pixels."""

STAIR = 0.5
"""Pixels that one step may displace where only the steps of a staircase are to go."""


def simplified(array: npt.NDArray[np.bool_], tolerance: float, points: int = 0) -> list[Floats]:
    """The outer rings of a mask, collapsed as `polygon.simplify` does.

    Args:
        array: bool (height, width), with at least one pixel.
        tolerance: what one step may displace, as a part of the object's area; half a pixel is
            allowed in any case.
        points: the most vertices of all rings together; 0 sets no limit.
    """
    corners, starts, hole = _outer(array)
    limit = max(STAIR, tolerance * int(np.count_nonzero(array)))
    xy, starts, _ = polygon.simplify(corners, starts, hole, limit, points)
    # To 64ths of a pixel: what moving vertices leaves of a straight edge is not to cross a bin.
    return np.split(np.round(xy * 64) / 64, starts[1:-1])


def of_points(array: npt.NDArray[np.bool_], points: int) -> list[Floats]:
    """The outer rings of a mask with exactly `points` vertices each, those where it bends most.

    A ring of fewer gets more in the middle of its longest edges.
    """
    corners, starts, _ = _outer(array)
    rings = []
    for ring in np.split(corners, starts[1:-1]):
        bends = ring.astype(np.float64)
        if len(ring) > points:
            ends, solid = np.array([0, len(ring)], np.int32), np.zeros(1, np.bool_)
            bends = polygon.simplify(np.ascontiguousarray(ring), ends, solid, STAIR, points)[0]
        rings.append(_padded(bends, points))
    return rings


def within_distance(array: npt.NDArray[np.bool_], share: float) -> list[Floats]:
    """The outer rings of a mask, by Douglas and Peucker: no vertex that goes lies further from the
    new outline than `share` of the ring's length.

    The steps of pixels, which would count as corners, are smoothed before, unless the mask has
    fewer vertices as it is.
    """
    corners, starts, _ = _outer(array)
    plain = [ring.astype(np.float64) for ring in np.split(corners, starts[1:-1])]
    found = []
    for rings in (plain, simplified(array, 0.0)):
        found.append([_douglas_peucker(ring, share * _length(ring)) for ring in rings])
    return min(found, key=lambda rings: sum(map(len, rings)))


def polygons_of(
    masks: Sequence[Mask], bins: int, reduce: Reduce, place: Place, corners: int = 4
) -> Polygons:
    """Turn masks into polygons; those without pixels are left out.

    Args:
        masks: of one image.
        bins: of the geometry.
        reduce: gives the rings of an array.
        place: puts vertices on the bins of the geometry; int32 (vertices, 2).
        corners: vertices of the box that stands for a part without an outline, 3 or more.

    Raises:
        EncodeError: more vertices than `MAX_VERTICES`, or more to paint than `MAX_COVER`.
    """
    shown = [mask for mask in masks if mask.area]
    objects = [_rings(mask.array, bins, reduce, place, corners) for mask in shown]
    vertices = sum(len(rings.xy) for rings in objects)
    if vertices > MAX_VERTICES:
        raise EncodeError(
            f"the outlines have {vertices:,} vertices in all, expected at most {MAX_VERTICES:,}; "
            "write fewer masks, or a format of runs"
        )
    if sum(float(cover(rings, bins).sum()) for rings in objects) > MAX_COVER:
        raise EncodeError(
            f"the outlines cover the image more than {MAX_COVER:,.0f} times over; "
            "write fewer masks, or a format of runs"
        )
    return Polygons(tuple(mask.label for mask in shown), bins, tuple(objects))


def _rings(
    array: npt.NDArray[np.bool_], bins: int, reduce: Reduce, place: Place, corners: int
) -> Rings:
    """The rings of one mask: those with an area, else the box of its largest part.

    The box stands beside them where the largest part is the one that lost its outline: it fills
    half of its box or more, and no ring that is left has a quarter of the box's extent.
    """
    reduced = reduce(array)
    placed = [place(ring, array.shape) for ring in reduced]
    shown = [_has_extent(ring) and len(np.unique(ring, axis=0)) >= 3 for ring in placed]
    kept = [ring for ring, is_shown in zip(placed, shown, strict=True) if is_shown]
    if not all(shown):
        left, top, right, bottom = part = polygon.largest_part(array)
        extent = (right - left) * (bottom - top)
        extents = [_extent(ring) for ring, one in zip(reduced, shown, strict=True) if one]
        filled = int(np.count_nonzero(array[top:bottom, left:right]))
        if not kept or 4 * max(extents) < extent <= 2 * filled:
            kept.append(_box(part, array.shape, place, corners))
    rings = _joined(kept)
    if np.ptp(rings.xy, axis=0).max() <= TINY and not polygon.shows(rings, bins, array.shape):
        return _joined([_box(polygon.largest_part(array), array.shape, place, corners)])
    return rings


def _joined(rings: Sequence[Ints]) -> Rings:
    starts = np.cumsum([0, *map(len, rings)]).astype(np.int32)
    return Rings(np.concatenate(rings), starts, np.zeros(len(rings), np.bool_))


def _has_extent(ring: Ints) -> bool:
    """Whether a ring is no point and no line along an axis."""
    return bool((ring.max(axis=0) > ring.min(axis=0)).all())


def _extent(ring: Floats) -> float:
    """The area of the box around a ring."""
    return float(np.prod(ring.max(axis=0) - ring.min(axis=0)))


def _box(box: tuple[int, int, int, int], size: tuple[int, int], place: Place, corners: int) -> Ints:
    """A box of pixels as a ring, widened where its sides would fall together."""
    left, top, right, bottom = box
    height, width = size
    while True:
        ring = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float64)
        placed = place(_padded(ring[:corners], corners), size)
        thin, flat = (placed.max(axis=0) == placed.min(axis=0)).tolist()
        before = (left, top, right, bottom)
        if thin:
            left, right = (left, right + 1) if right < width else (max(left - 1, 0), right)
        if flat:
            top, bottom = (top, bottom + 1) if bottom < height else (max(top - 1, 0), bottom)
        if before == (left, top, right, bottom):
            return placed


def _outer(array: npt.NDArray[np.bool_]) -> tuple[Ints, Ints, npt.NDArray[np.bool_]]:
    """The contour of a mask without its holes: corners, starts and (no) holes, as in `Rings`."""
    corners, starts, hole = polygon.trace(array)
    lengths = np.diff(starts)
    kept = np.repeat(~hole, lengths)
    outer = np.cumsum([0, *lengths[~hole].tolist()]).astype(np.int32)
    return np.ascontiguousarray(corners[kept]), outer, np.zeros(len(outer) - 1, np.bool_)


def _length(ring: Floats) -> float:
    return float(np.hypot(*(np.roll(ring, -1, axis=0) - ring).T).sum())


def _padded(ring: Floats, points: int) -> Floats:
    """More vertices, always in the middle of the longest edge, the first one of equals."""
    while len(ring) < points:
        after = np.roll(ring, -1, axis=0)
        edge = int(np.argmax(((after - ring) ** 2).sum(axis=1)))
        ring = np.insert(ring, edge + 1, (ring[edge] + after[edge]) / 2, axis=0)
    return ring


def _douglas_peucker(ring: Floats, distance: float) -> Floats:
    """Fewer vertices; the first one and the one furthest from it stay."""
    if len(ring) < 4:
        return ring
    line = np.concatenate([ring, ring[:1]])
    middle = int(np.argmax(((ring - ring[0]) ** 2).sum(axis=1)))
    kept = np.zeros(len(line), np.bool_)
    kept[[0, middle]] = True
    parts = [(0, middle), (middle, len(ring))]
    while parts:
        start, stop = parts.pop()
        if stop - start < 2:
            continue
        (x0, y0), (x1, y1) = line[start], line[stop]
        between = line[start + 1 : stop] - line[start]
        length = float(np.hypot(x1 - x0, y1 - y0))
        if length:
            far = abs(between[:, 0] * (y1 - y0) - between[:, 1] * (x1 - x0)) / length
        else:
            far = np.hypot(*between.T)
        furthest = int(np.argmax(far))
        if far[furthest] > distance:
            kept[start + 1 + furthest] = True
            parts += [(start, start + 1 + furthest), (start + 1 + furthest, stop)]
    return ring[kept[:-1]]
