"""Objects out of a text of coordinates, collected number by number; limits hold whatever comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ..codec import MAX_OBJECTS
from ..decoded import RepairLog
from ..geometry.polygon import MAX_VERTICES, Polygons, Rings
from ._polygon_limits import within_cover

_LOST = -1  # stands for a coordinate that can't be read
_SURPLUS = 3  # coordinates of a point that one fault may have made of two


@dataclass(slots=True)
class Item:
    """One object: its label, and for each ring x and y of each vertex, one after the other."""

    label: str
    rings: list[list[int]] = field(default_factory=lambda: [[]])


class Collector:
    """Takes coordinates in, under repair.

    Args:
        log: gets the repairs.
        largest: the largest coordinate.
        items: what was read before.
        is_open: whether the last one of these goes on.
    """

    def __init__(
        self, log: RepairLog, largest: int, items: Sequence[Item] = (), *, is_open: bool = False
    ) -> None:
        self.items = list(items)
        self._log = log
        self._largest = largest
        self._open = is_open and bool(items)
        self._left = 2 * MAX_VERTICES - sum(len(ring) for item in items for ring in item.rings)
        self._ended = 0  # coordinates of the ring before the point that goes on
        self._noted_range = False

    def is_full(self, at: int) -> bool:
        """Whether nothing more can be taken in; notes it."""
        if len(self.items) <= MAX_OBJECTS and self._left > 0:
            return False
        limit = f"at most {MAX_OBJECTS:,} objects of {MAX_VERTICES:,} vertices in all"
        self._log.note("too-many", at, limit, "more", "drops the rest")
        del self.items[MAX_OBJECTS:]
        return True

    @property
    def has_begun(self) -> bool:
        """Whether an object goes on that has a coordinate already."""
        return self._open and any(self.items[-1].rings)

    @property
    def is_open(self) -> bool:
        """Whether an object goes on."""
        return self._open

    @property
    def is_partial(self) -> bool:
        """Whether a ring goes on that can't end here: at half a vertex, or before the third."""
        ring = self.items[-1].rings[-1] if self._open else []
        return len(ring) % 2 == 1 or 0 < len(ring) < 6

    def begin(self, label: str = "") -> None:
        """A new object."""
        self.items.append(Item(label))
        self._open = True

    def end_object(self, at: int) -> None:
        """The object that goes on is over."""
        self.end_ring(at)
        self._open = False

    def take(self, number: int, at: int) -> None:
        """A coordinate; without an object, one begins."""
        if number > self._largest and not self._noted_range:
            self._noted_range = True
            limit = f"coordinates of {self._largest} bins"
            self._log.note("range", at, limit, "a larger one", "takes the largest")
        if not self._open:
            self.begin()
        ring = self.items[-1].rings[-1]
        ring.append(min(number, self._largest))
        self._left -= 1
        if len(ring) % 2 == 0 and _LOST in ring[-2:]:
            del ring[-2:]
            self._log.note("lost", at, "x and y of a vertex", "a damaged one", "drops the vertex")

    def lose(self, at: int) -> None:
        """A coordinate stands here that can't be read: its vertex is dropped, and no other."""
        self.take(_LOST, at)

    def end_vertex(self, at: int) -> None:
        """A bracket ends a point here: one of an odd number of coordinates is dropped.

        What has five or more is a list without brackets around its points; it loses the last one.
        """
        if not self._open:
            return
        ring = self.items[-1].rings[-1]
        count = len(ring) - self._ended
        if count % 2:
            dropped = count if count <= _SURPLUS else 1
            del ring[-dropped:]
            what = f"{count} numbers"
            self._log.note("odd", at, "x and y of each vertex", what, f"drops {dropped}")
        self._ended = len(ring)

    def end_ring(self, at: int) -> None:
        """The ring is over: half a vertex, and a ring of fewer than three, is dropped."""
        if not self._open:
            return
        self.end_vertex(at)
        self._ended = 0
        rings = self.items[-1].rings
        if 0 < len(rings[-1]) < 6:
            count = f"{len(rings[-1]) // 2}"
            self._log.note("ring", at, "three vertices a ring", count, "drops the ring")
            rings[-1].clear()
        if rings[-1]:
            rings.append([])


def to_polygons(
    items: Sequence[Item], bins: int, log: RepairLog, *, centre: bool = False
) -> Polygons:
    """Objects that have a ring, as geometry.

    Args:
        items: the objects; what has fewer than three vertices is no ring.
        bins: of the geometry.
        log: learns of rings that would take too long to paint.
        centre: whether a coordinate n is the bin 2n + 1.

    Raises:
        DecodeError: there is too much to paint, and the log is strict.
    """
    objects, labels = [], []
    for item in items[:MAX_OBJECTS]:
        rings = [ring for ring in item.rings if len(ring) >= 6]
        if rings:
            objects.append(_rings(rings, centre))
            labels.append(item.label)
    kept = within_cover(objects, bins, log)
    shown = [index for index, rings in enumerate(kept) if len(rings.hole)]
    return Polygons(tuple(labels[i] for i in shown), bins, tuple(kept[i] for i in shown))


def _rings(rings: list[list[int]], centre: bool) -> Rings:
    xy = np.concatenate([np.array(ring, np.int32) for ring in rings]).reshape(-1, 2)
    starts = np.cumsum([0, *(len(ring) // 2 for ring in rings)]).astype(np.int32)
    return Rings(2 * xy + 1 if centre else xy, starts, np.zeros(len(rings), np.bool_))
