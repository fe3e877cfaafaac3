"""Polygons: each object as closed rings of vertices on a lattice of bins; holes are rings too.

Bin b of N lies at b / (N - 1) of a side, and there at the nearest fifth of a pixel (halves up), so
that 0 is one edge of the image and N - 1 the other. A ring is rasterised as COCO rasterises it,
fifths of a pixel included. Rings are painted in order: an outer ring adds the pixels in it, a hole
takes them away. Corners of pixels are whole numbers here, so a contour along pixel edges gives its
mask back exactly, as long as a side has fewer pixels than there are bins.

Fewer vertices: segments are collapsed while that displaces at most `tolerance` of the object's
area at a time, or until `points` vertices are left; then vertices move bin by bin to raise IoU.
See `_ext/simplify.pyx`, `_ext/polygon_fit.pyx` and docs/decisions/0005-polygon-spelling.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby, pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from .._ext import contour as _contour
from .._ext import polygon_fit as _fit
from .._ext import raster as _raster
from .._ext import simplify as _simplify
from ..decoded import Pixels
from ..errors import EncodeError
from ..mask import Mask
from ..planes import Planes, paint_batch, sizes_of

if TYPE_CHECKING:
    import torch

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int32]

MAX_BINS = 100_000

MAX_VERTICES = 1 << 20
"""Vertices of one image's polygons, all together."""

MAX_COVER = 1_000.0
"""What the rings of one image may cost to paint, in frames of the image (see `cover`)."""

FIT_VERTICES = 4_096
FIT_PIXELS = 1 << 24
"""An object of more vertices, or in a larger box, keeps the vertices that simplifying left."""

FIT_ROUNDS = 4

_ROOM = 4_096  # corners of a contour that are found without asking twice
_ALL = 2**31 - 1


@dataclass(frozen=True, slots=True, eq=False)
class Rings:
    """The rings of one object.

    Attributes:
        xy: int32 (vertices, 2), x before y, in bins; ring after ring, none of them closed by
            repeating its first vertex.
        starts: int32 (rings + 1,): where each ring begins in `xy`, and the end of the last one.
        hole: bool (rings,).
    """

    xy: Ints
    starts: Ints
    hole: Bools

    def head(self, count: int) -> Rings:
        """The first `count` rings."""
        return Rings(self.xy[: self.starts[count]], self.starts[: count + 1], self.hole[:count])

    def split(self) -> list[Ints]:
        """The vertices of each ring."""
        return [self.xy[start:end] for start, end in pairwise(self.starts.tolist())]


NO_RINGS = Rings(np.zeros((0, 2), np.int32), np.zeros(1, np.int32), np.zeros(0, np.bool_))


@dataclass(frozen=True, slots=True, eq=False)
class Polygons:
    """Objects as rings.

    Attributes:
        labels: one label an object.
        bins: bins along either side of the image; coordinates are 0 to bins - 1.
        objects: the rings of each object; none for a mask without pixels.
    """

    labels: tuple[str, ...]
    bins: int
    objects: tuple[Rings, ...]

    def head(self, count: int) -> Polygons:
        """The first `count` objects."""
        return Polygons(self.labels[:count], self.bins, self.objects[:count])


def analyze(
    masks: Sequence[Mask], size: tuple[int, int], bins: int, tolerance: float, points: int
) -> Polygons:
    """Trace, simplify and fit each mask of an image of `size` (height, width).

    Args:
        masks: the objects.
        size: of the image, in pixels.
        bins: bins along either side, 2 to `MAX_BINS`.
        tolerance: the most that one step of simplifying may displace, as a part of the object's
            area, and half a bin in any case; 0 keeps the contour as it is where all sides have
            fewer pixels than there are bins.
        points: the most vertices of an object; 0 sets no limit.

    Raises:
        EncodeError: more than `MAX_VERTICES` vertices are left, or more to paint than `MAX_COVER`.
    """
    objects = tuple(outline(mask.array, bins, tolerance, points) for mask in masks)
    vertices = sum(len(rings.xy) for rings in objects)
    if vertices > MAX_VERTICES:
        raise EncodeError(
            f"the contours have {vertices:,} vertices in all, expected at most {MAX_VERTICES:,}; "
            "raise tolerance, or set points"
        )
    costly = most_cover(objects) > MAX_COVER
    if costly and sum(float(cover(rings, bins).sum()) for rings in objects) > MAX_COVER:
        raise EncodeError(
            f"the rings cover the image more than {MAX_COVER:,.0f} times over; "
            "raise tolerance, or set points"
        )
    return Polygons(tuple(mask.label for mask in masks), bins, objects)


def outline(array: Bools, bins: int, tolerance: float = 0.0, points: int = 0) -> Rings:
    """The rings of one mask (height, width), in bins; see `analyze`. No pixel, no ring."""
    corners, starts, hole = trace(array)
    if not len(corners):
        return NO_RINGS
    traced = starts
    height, width = array.shape
    side = np.array([width, height])
    exact = tolerance == 0 and not 0 < points < len(corners) and max(array.shape) < bins
    xy: npt.NDArray[np.float64] | Ints = corners
    if not exact:
        limit = max(
            tolerance * int(np.count_nonzero(array)), height * width / (2 * (bins - 1) ** 2)
        )
        xy, starts, hole = simplify(corners, starts, hole, limit, points)
    placed = np.floor(xy * ((bins - 1) / side) + 0.5).clip(0, bins - 1).astype(np.int32)
    rings = _without_repeats(placed, starts, hole)
    if exact:
        return rings
    box = (*corners.min(axis=0).tolist(), *corners.max(axis=0).tolist())
    if len(rings.xy):
        rings = _fitted(rings, array, box, bins)
    if not shows(rings, bins, array.shape):
        return _smallest_box(_largest_box(corners, traced), bins, side)
    return _from_the_top(rings)


def trace(array: Bools) -> tuple[Ints, Ints, Bools]:
    """The contour of a mask along pixel edges: corners (n, 2) xy, starts and hole as in `Rings`.

    Pixels that meet at a corner belong together. Outer rings run clockwise (y down), in reading
    order of their first corners; the holes of each follow it and run the other way.

    Raises:
        EncodeError: there are 2**31 corners or more.
    """
    room = _ROOM
    while True:
        xy = np.empty((room, 2), np.int32)
        starts = np.empty(room // 4 + 1, np.int32)
        hole = np.empty(room // 4, np.bool_)
        corners, rings = _contour.trace(array, xy, starts, hole)
        if rings >= 0:
            return xy[:corners], starts[: rings + 1], hole[:rings]
        if corners > _ALL - 8:
            raise EncodeError(f"the contour of a mask has {corners:,} corners: too many")
        room = corners


def simplify(
    corners: Ints, starts: Ints, hole: Bools, limit: float, points: int
) -> tuple[npt.NDArray[np.float64], Ints, Bools]:
    """Fewer vertices for a traced contour, at about the same area.

    Args:
        corners, starts, hole: as `trace` gives them.
        limit: the largest area in pixels that one step may displace.
        points: more vertices than this are never left, whatever that displaces; 0 for no limit.

    Returns:
        Vertices as float64 pixels, and `starts` and `hole` of the rings that are left.
    """
    out = np.empty((2 * len(corners), 2))
    left = np.empty(len(hole), np.int32)
    count = _simplify.simplify(corners, starts, hole, limit, points or _ALL, out, left)
    kept = left > 0
    return out[:count], _starts(left[kept]), hole[kept]


def _neighbours(starts: Ints, count: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """The indices of each vertex's neighbours on its ring; no ring is empty."""
    before, after = np.arange(-1, count - 1), np.arange(1, count + 1)
    before[starts[:-1]] = starts[1:] - 1
    after[starts[1:] - 1] = starts[:-1]
    return before, after


def _starts(lengths: npt.NDArray[np.integer]) -> Ints:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)


def _without_repeats(xy: Ints, starts: Ints, hole: Bools) -> Rings:
    """Leave out a vertex that equals the one before it, rings of fewer than three vertices, and
    the holes of an outer ring that goes.
    """
    before, _ = _neighbours(starts, len(xy))
    fresh = (xy != xy[before]).any(axis=1)
    lengths = np.add.reduceat(fresh, starts[:-1])
    large = lengths >= 3
    if large.all() and fresh.all():
        return Rings(xy, starts, hole)
    outer = np.flatnonzero(~hole)
    kept = large & large[outer][np.cumsum(~hole) - 1]
    fresh &= np.repeat(kept, np.diff(starts))
    return Rings(xy[fresh], _starts(lengths[kept]), hole[kept])


def _fitted(rings: Rings, array: Bools, box: tuple[int, int, int, int], bins: int) -> Rings:
    """Move vertices to raise IoU; `box` (left, top, right, bottom) holds all pixels of `array`."""
    left, top, right, bottom = box
    if len(rings.xy) > FIT_VERTICES or (right - left) * (bottom - top) > FIT_PIXELS:
        return rings
    height, width = array.shape
    narrow = min((right - left) * (bins - 1) // width, (bottom - top) * (bins - 1) // height)
    step = max(1, min(bins // 300, narrow // 8))
    xy = rings.xy.copy()
    _fit.fit(array, *box, bins, xy, rings.starts, step, FIT_ROUNDS)
    return _without_repeats(xy, rings.starts, rings.hole)


def _from_the_top(rings: Rings) -> Rings:
    """Let every ring begin at its highest vertex, the leftmost of these."""
    order = np.arange(len(rings.xy))
    for start, end in pairwise(rings.starts.tolist()):
        x, y = rings.xy[start:end].T
        order[start:end] = np.roll(order[start:end], -np.lexsort((x, y))[0])
    return Rings(rings.xy[order], rings.starts, rings.hole)


def shows(rings: Rings, bins: int, size: tuple[int, int]) -> bool:
    """Whether rings paint any pixel."""
    if not len(rings.xy):
        return False
    return bool(paint(Polygons(("",), bins, (rings,)), size).any())


def largest_part(array: Bools) -> tuple[int, int, int, int]:
    """The box (left, top, right, bottom) in pixels of the part of a mask, with at least one pixel,
    whose outline encloses most of them.
    """
    corners, starts, _ = trace(array)
    return _largest_box(corners, starts)


def _largest_box(corners: Ints, starts: Ints) -> tuple[int, int, int, int]:
    """That of the ring that encloses most pixels."""
    xy = corners.astype(np.int64)
    _, after = _neighbours(starts, len(xy))
    areas = np.add.reduceat(xy[:, 0] * xy[after, 1] - xy[after, 0] * xy[:, 1], starts[:-1])
    place = int(np.argmax(abs(areas)))
    ring = xy[starts[place] : starts[place + 1]]
    (left, top), (right, bottom) = ring.min(axis=0).tolist(), ring.max(axis=0).tolist()
    return left, top, right, bottom


def _smallest_box(box: tuple[int, int, int, int], bins: int, side: npt.NDArray[np.int_]) -> Rings:
    """The smallest rectangle of bins around pixels that would vanish otherwise."""
    low = np.array(box[:2]) * (bins - 1) // side
    high = -(-np.array(box[2:]) * (bins - 1) // side)
    (left, top), (right, bottom) = low.tolist(), high.tolist()
    xy = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.int32)
    return Rings(xy, np.array([0, 4], np.int32), np.zeros(1, np.bool_))


def cover(rings: Rings, bins: int) -> npt.NDArray[np.float64]:
    """What each ring of an object costs to paint, in frames: its box, and a hundredth for an edge
    across the image. The box of the first ring is free, as the object's own pixels cost as much.
    """
    if not len(rings.hole):
        return np.zeros(0)
    xy = rings.xy.astype(np.int64)
    firsts = rings.starts[:-1]
    extent = np.maximum.reduceat(xy, firsts) - np.minimum.reduceat(xy, firsts)
    extent[0] = 0
    _, after = _neighbours(rings.starts, len(xy))
    across = np.add.reduceat(abs(xy[after, 0] - xy[:, 0]), firsts)
    frame = bins - 1
    cost: npt.NDArray[np.float64] = extent.prod(axis=1) / frame**2 + across / (100 * frame)
    return cost


def most_cover(objects: Sequence[Rings]) -> float:
    """What objects can cost to paint at the most, by their numbers of rings and vertices."""
    further = sum(len(rings.hole) for rings in objects) - len(objects)
    return further + sum(len(rings.xy) for rings in objects) / 100


def in_fifths(xy: Ints, bins: int | npt.NDArray[np.int_], size: tuple[int, int]) -> Ints:
    """Vertices in fifths of a pixel at `size` (height, width); `bins` may be (vertices, 1)."""
    return _in_fifths(xy, bins, np.array(size[::-1], np.int64))


def _in_fifths(xy: Ints, bins: int | npt.NDArray[np.int_], sides: npt.NDArray[np.int64]) -> Ints:
    """Vertices in fifths of a pixel; `sides`, of x and of y, are (2,) or (vertices, 2)."""
    return ((10 * xy * sides + bins - 1) // (2 * (bins - 1))).astype(np.int32)


def to_pixels(xy: Ints, bins: int, size: tuple[int, int]) -> npt.NDArray[np.float64]:
    """Vertices as pycocotools takes them: float64 pixels, x and y, at `size` (height, width)."""
    return in_fifths(xy, bins, size) / 5


def render_batch(
    items: Sequence[Polygons],
    sizes: Sequence[tuple[int, int]],
    *,
    device: str | torch.device = "cpu",
) -> list[Pixels]:
    """Paint each item's objects at its size: bool, (objects, height, width) each."""
    if device == "cpu":
        return list(paint_batch(_paint, items, sizes))
    from .polygon_torch import render_torch

    return list(render_torch(items, sizes, device))


def paint(item: Polygons, size: tuple[int, int]) -> Bools:
    """Paint the objects of one image: bool, (objects, height, width)."""
    return paint_batch(_paint, [item], [size], threads=1)[0]


def _paint(items: Sequence[Polygons], planes: Sequence[Planes]) -> None:
    """Paint some images; what is little work an object is done for all of them at once."""
    for bins, group in groupby(zip(items, planes, strict=True), key=lambda one: one[0].bins):
        same, rooms = zip(*group, strict=True)
        objects = [rings for item in same for rings in item.objects]
        counts = [len(rings.xy) for rings in objects]
        sides = sizes_of(rooms)[:, ::-1]
        if len(sides) == len(objects):
            sides = sides.repeat(counts, axis=0)
        xy = _in_fifths(np.concatenate([NO_RINGS.xy, *(one.xy for one in objects)]), bins, sides)
        ends = pairwise(accumulate(counts, initial=0))
        given = [
            (xy[start:end], rings.starts, rings.hole)
            for rings, (start, end) in zip(objects, ends, strict=True)
        ]
        _raster.paint(given, rooms)


def runs_of(item: Polygons, size: tuple[int, int]) -> list[npt.NDArray[np.uint32]]:
    """COCO counts of each object."""
    from .. import rle

    counts = []
    for label, rings in zip(item.labels, item.objects, strict=True):
        (plane,) = paint(Polygons((label,), item.bins, (rings,)), size)
        counts.append(rle.encode(plane))
    return counts
