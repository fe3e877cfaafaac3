"""Planes that a batch is painted into."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from .blocks import BLOCK, FAR_BYTES, Before, take
from .decoded import Geometry
from .threads import map_pieces

Bools = npt.NDArray[np.bool_]
G = TypeVar("G", bound=Geometry)

TOGETHER = 16
"""Images that a thread paints without handing over the GIL."""


ALONE = 8 << 20
"""Bytes of planes up to which one thread paints them: it is done before another one has woken up
and has been waited for (docs/decisions/0009).
"""


class Planes(NamedTuple):
    """The planes of an image.

    Attributes:
        array: bool (count, height, width), C order.
        before: what they hold.
    """

    array: Bools
    before: Before

    @property
    def is_clear(self) -> bool:
        """Whether all of it is False; if not, it may hold anything."""
        return self.before is Before.CLEAR

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return self.array.shape[1], self.array.shape[2]


def paint_batch(
    paint: Callable[[Sequence[G], Sequence[Planes]], object],
    items: Sequence[G],
    sizes: Sequence[tuple[int, int]],
    *,
    all_written: bool = False,
    threads: int | None = None,
) -> list[Bools]:
    """Paint the objects of many images: bool (objects, height, width) each.

    Args:
        paint: paints some of the images into their planes, in few calls of kernels, which release
            the GIL.
        items: the geometry of each image.
        sizes: (height, width) of each image, in pixels.
        all_written: whether `paint` sets every pixel, whatever there is before.
        threads: how many to use; None means one a core, and one alone for little work.
    """
    if len(items) == len(sizes) == 1:  # for which what follows would take longer than to paint
        count, (height, width) = len(items[0].labels), sizes[0]
        length = count * height * width
        block, is_clear = take(length, all_written=all_written)
        array = block.reshape(count, height, width)
        paint(items, (Planes(array, _before(length, is_clear=is_clear)),))
        return [array]
    counts = [len(item.labels) for item in items]
    planes = new_planes(counts, sizes, all_written=all_written)
    if threads is None and sum(one.array.nbytes for one in planes) <= ALONE:
        threads = 1
    map_pieces(lambda part: paint(items[part], planes[part]), len(items), TOGETHER, threads=threads)
    return [one.array for one in planes]


def sizes_of(planes: Sequence[Planes]) -> npt.NDArray[np.int64]:
    """The (height, width) of each plane of all images: (planes, 2), or (1, 2) if all are alike."""
    sizes = [one.size for one in planes]
    if len(set(sizes)) == 1:
        return np.array(sizes[:1], np.int64)
    counts = [len(one.array) for one in planes]
    return np.array(sizes, np.int64).reshape(-1, 2).repeat(counts, axis=0)


def new_planes(
    counts: Sequence[int], sizes: Sequence[tuple[int, int]], *, all_written: bool = False
) -> list[Planes]:
    """Planes for each image, in blocks of memory that small images share.

    A block lives as long as any of its images.

    Args:
        counts: planes of each image.
        sizes: (height, width) of each image, in pixels.
        all_written: whether every pixel will be set, whatever there is before.
    """
    shapes = [(count, *size) for count, size in zip(counts, sizes, strict=True)]
    lengths = [count * height * width for count, height, width in shapes]
    whole = sum(lengths)
    found: list[Planes] = []
    first = 0
    while first < len(shapes):
        stop, total = first + 1, lengths[first]
        while stop < len(shapes) and total + lengths[stop] <= BLOCK:
            total += lengths[stop]
            stop += 1
        block, is_clear = take(total, all_written=all_written)
        before = _before(whole, is_clear=is_clear)
        ends = accumulate(lengths[first:stop], initial=0)
        places = zip(pairwise(ends), shapes[first:stop], strict=True)
        found += [Planes(block[start:end].reshape(shape), before) for (start, end), shape in places]
        first = stop
    return found


def _before(whole: int, *, is_clear: bool) -> Before:
    """What memory holds that was taken for a batch of `whole` bytes."""
    if is_clear:
        return Before.CLEAR
    return Before.FAR if whole >= FAR_BYTES else Before.DIRTY
