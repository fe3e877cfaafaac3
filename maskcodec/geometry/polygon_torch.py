"""Rings to pixels by COCO's rule, in batches by torch; the numbers are those of `_ext/raster.pyx`.

The rings of many objects are painted together: every place where an edge crosses a column toggles
what is below it, and a running sum down the columns makes insides of that. Several columns share a
word, their sums a byte each.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from .. import triton
from ..threads import map_threads
from ..torch_batch import Device, Group, chunks, group_by_size, paint_groups, to_device, word_of
from ..torch_runs import paint_runs
from .polygon import NO_RINGS, Polygons, in_fifths, runs_of

MOST_EDGES = 255
"""Edges of a ring: each may cross a column once, and a byte counts the crossings."""

MOST_RINGS = 8
"""Rings of an object; the painting of further ones takes as long as that of the first of all."""

MAX_BYTES = 1 << 29
"""Memory beside the output while painting."""

_STEPS = 3  # by which a guessed step of the walk may be wrong, and one more


class RingList(NamedTuple):
    """Rings of objects of one image size.

    Attributes:
        xy: int64 (vertices, 2), in fifths of a pixel, ring after ring.
        lengths: int64 (rings,), vertices of each.
        hole: bool (rings,).
        plane: int64 (rings,), the object of each.
        rank: int64 (rings,), how many rings of its object come before it.
    """

    xy: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]
    hole: npt.NDArray[np.bool_]
    plane: npt.NDArray[np.int64]
    rank: npt.NDArray[np.int64]

    def take(self, rings: npt.NDArray[np.bool_]) -> RingList:
        """Some of the rings."""
        if rings.all():
            return self
        xy = self.xy[np.repeat(rings, self.lengths)]
        hole, plane, rank = self.hole[rings], self.plane[rings], self.rank[rings]
        return RingList(xy, self.lengths[rings], hole, plane, rank)


def list_rings(items: Sequence[Polygons], size: tuple[int, int]) -> RingList:
    """All rings of some items at `size` (height, width)."""
    objects = [own for item in items for own in item.objects]
    bins = np.repeat(
        [item.bins for item in items], [sum(len(own.xy) for own in item.objects) for item in items]
    )
    xy = in_fifths(np.concatenate([NO_RINGS.xy, *(own.xy for own in objects)]), bins[:, None], size)
    counts = np.array([len(own.hole) for own in objects], np.int64)
    starts = np.concatenate([NO_RINGS.starts, *(own.starts for own in objects)])
    # Of the differences between starts, those between two objects are no lengths.
    lengths = np.delete(np.diff(starts), np.cumsum([0, *(counts[:-1] + 1)]))
    hole = np.concatenate([NO_RINGS.hole, *(own.hole for own in objects)])
    plane = np.repeat(np.arange(len(objects)), counts)
    rank = np.arange(len(plane)) - np.repeat(np.cumsum(counts) - counts, counts)
    return RingList(xy.astype(np.int64), lengths.astype(np.int64), hole, plane, rank)


class Edges(NamedTuple):
    """Edges of several rings, in fifths of a pixel.

    Attributes:
        ends: int64 (edges, 4): x and y of the start and of the end, as COCO walks.
        first: int64 (edges,), the first column that each one crosses.
        crossed: int64 (edges,), how many it crosses.
        ring: int64 (edges,), the ring that it is of.
    """

    ends: npt.NDArray[np.int64]
    first: npt.NDArray[np.int64]
    crossed: npt.NDArray[np.int64]
    ring: npt.NDArray[np.int64]


def edges_of(rings: RingList, width: int) -> Edges:
    """The edges that cross any column."""
    start = rings.xy
    after = np.arange(1, len(start) + 1)
    ends = np.cumsum(rings.lengths)
    after[ends - 1] = ends - rings.lengths
    end = start[after]
    ring = np.repeat(np.arange(len(ends)), rings.lengths)
    low, high = np.minimum(start[:, 0], end[:, 0]), np.maximum(start[:, 0], end[:, 0])
    first = np.maximum((low + 2) // 5, 0)
    count = np.minimum((high - 3) // 5, width - 1) + 1 - first
    crossed = count > 0
    start, end, ring, first, count = (a[crossed] for a in (start, end, ring, first, count))
    reach = abs(end - start)
    flat = reach[:, 0] >= reach[:, 1]
    turned = np.where(flat, start[:, 0] > end[:, 0], start[:, 1] > end[:, 1])[:, None]
    both = np.concatenate([np.where(turned, end, start), np.where(turned, start, end)], axis=1)
    return Edges(both, first, count, ring)


def paint_planes(
    rings: RingList, count: int, size: tuple[int, int], device: Device
) -> torch.Tensor:
    """Paint `count` objects of one image size: bool (objects, height, width) on `device`."""
    height, width = size
    planes = torch.empty((count, height, width), dtype=torch.bool, device=device)
    for part in chunks(count, 2 * height * width, MAX_BYTES):
        some = rings.take((part.start <= rings.plane) & (rings.plane < part.stop))
        own = planes[part]
        own.zero_()
        first = some.take((some.rank == 0) & ~some.hole)  # a hole takes away from nothing
        _count_crossings(first, first.plane - part.start, own)
        for rank in range(1, int(some.rank.max(initial=0)) + 1):
            for adds in (True, False):
                chosen = some.take((some.rank == rank) & (some.hole != adds))
                if len(chosen.plane):
                    _add(chosen, own, part.start, adds=adds)
    return planes


def _add(rings: RingList, planes: torch.Tensor, start: int, *, adds: bool) -> None:
    """Set or clear what lies in one further ring of some objects."""
    inside = planes.new_zeros((len(rings.plane), *planes.shape[1:]))
    _count_crossings(rings, np.arange(len(rings.plane)), inside)
    target = torch.from_numpy(rings.plane - start).to(planes.device)
    before = planes[target]
    planes[target] = before | inside if adds else before & ~inside


def _count_crossings(rings: RingList, planes: npt.NDArray[np.int64], out: torch.Tensor) -> None:
    """Paint each ring into its plane of `out`, bool (planes, height, width), which holds zeros."""
    height, width = out.shape[1:]
    edges = edges_of(rings, width)
    total = int(edges.crossed.sum())
    if not total:
        return
    word = word_of(width)
    words = width // word.itemsize
    counted = out.view(word)
    sent = [*edges[:3], planes[edges.ring]]
    ends, first, crossed, plane = to_device(sent, out.device)
    edge = torch.repeat_interleave(crossed, output_size=total)
    begins = crossed.cumsum(0) - crossed
    column = first[edge] + torch.arange(total, device=out.device) - begins[edge]
    row = (_crossings(ends[edge], column).clamp(min=0) + 2) // 5
    step = (row < height) * (1 << 8 * (column % word.itemsize))
    row = row.clamp(max=height - 1)
    at = (plane[edge] * height + row) * words + column // word.itemsize
    counted.view(-1).index_add_(0, at, step.to(word))
    counted.cumsum_(1)
    counted &= int.from_bytes(b"\1" * word.itemsize, "little")


def render_torch(
    items: Sequence[Polygons], sizes: Sequence[tuple[int, int]], device: Device
) -> list[torch.Tensor]:
    """Paint each item's objects at its size: bool, (objects, height, width) each, on `device`.

    Without kernels, items with a ring of too many edges, or an object of too many rings, are
    painted on the CPU and travel as runs; so they are on Apple's GPUs, which have no doubles.
    """

    def by_kernels() -> list[torch.Tensor]:
        from ..triton.paint import paint_outlines

        groups = group_by_size([len(item.objects) for item in items], sizes)

        def paint(group: Group) -> torch.Tensor:
            rings = list_rings([items[index] for index in group.texts], group.size)
            return paint_outlines(*rings[:4], group.starts[-1], group.size, device)

        return paint_groups(groups, paint, len(items))

    return triton.by_kernels(device, by_kernels, lambda: _by_torch(items, sizes, device))


def _by_torch(
    items: Sequence[Polygons], sizes: Sequence[tuple[int, int]], device: Device
) -> list[torch.Tensor]:
    """`render_torch` without kernels."""
    if torch.device(device).type == "mps":
        plain = list(range(len(items)))
    else:
        plain = [index for index, item in enumerate(items) if not _fits(item)]
    painted: dict[int, torch.Tensor] = {}
    if plain:
        own = [sizes[index] for index in plain]
        counts = map_threads(runs_of, [items[index] for index in plain], own)
        painted |= zip(plain, paint_runs(counts, own, device=device), strict=True)
    fast = [index for index in range(len(items)) if index not in painted]
    counted = [len(items[index].objects) for index in fast]
    groups = group_by_size(counted, [sizes[index] for index in fast])

    def paint(group: Group) -> torch.Tensor:
        if not group.starts[-1]:
            return torch.zeros((0, *group.size), dtype=torch.bool, device=device)
        rings = list_rings([items[fast[index]] for index in group.texts], group.size)
        return paint_planes(rings, group.starts[-1], group.size, device)

    painted |= zip(fast, paint_groups(groups, paint, len(fast)), strict=True)
    return [painted[index] for index in range(len(items))]


def _fits(item: Polygons) -> bool:
    """Whether all of an item's objects have few enough rings and edges."""
    return all(
        len(own.hole) <= MOST_RINGS
        and (len(own.xy) <= MOST_EDGES or np.diff(own.starts).max() <= MOST_EDGES)
        for own in item.objects
    )


def _crossings(ends: torch.Tensor, column: torch.Tensor) -> torch.Tensor:
    """The height in fifths at which each edge (n, 4) crosses its column; see `crossings.pxd`.

    In doubles, one operation at a time: how they round is part of COCO's rule.
    """
    xs, ys, xe, ye = ends.unbind(1)
    dx, dy = xe - xs, ye - ys
    flat = dx.abs() >= dy.abs()
    slope = torch.where(flat, dy, dx).double() / torch.where(flat, dx, dy).double()
    at = 5 * column + 2 - xs
    level = torch.minimum(_walked(ys, slope, at), _walked(ys, slope, at + 1))
    rises = slope > 0
    goal = 5 * column + 2
    # The first step past the centre: guessed, then put right.
    step = ((goal.double() + 0.5 - xs.double()) / torch.where(flat, 1.0, slope)).long()
    step = step.clamp(min=1).minimum(dy)
    for _ in range(_STEPS):
        before = _walked(xs, slope, step - 1)
        is_past = torch.where(rises, before > goal, before <= goal)
        step = step - (is_past & (step > 1) & ~flat).long()
    for _ in range(_STEPS):
        here = _walked(xs, slope, step)
        is_short = torch.where(rises, here <= goal, here > goal)
        step = step + (is_short & (step < dy) & ~flat).long()
    return torch.where(flat, level, ys + step - 1)


def _walked(start: torch.Tensor, slope: torch.Tensor, steps: torch.Tensor) -> torch.Tensor:
    """Where a walk is after some steps; towards zero, as C rounds."""
    moved = slope * steps.double()
    return (start.double() + moved + 0.5).long()
