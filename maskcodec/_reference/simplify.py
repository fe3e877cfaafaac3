"""Segments collapsed cheapest first, in plain Python: the specification of `_ext/simplify.pyx`.

After Kronenfeld and others, "Simplification of polylines by segment collapse: minimizing areal
displacement while preserving area" (2020).
"""

from __future__ import annotations

from itertools import count
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int32]


class Point(NamedTuple):
    """A point, or the way from one point to another."""

    x: float
    y: float

    def __sub__(self, other: Point) -> Point:
        return Point(self.x - other.x, self.y - other.y)

    def plus(self, other: Point, times: float = 1.0) -> Point:
        """This point and `times` another."""
        return Point(self.x + times * other.x, self.y + times * other.y)


class Vertex(NamedTuple):
    """A vertex with its number in the input, by which equal prices are told apart."""

    number: int
    at: Point


def cross(a: Point, b: Point) -> float:
    """Twice the signed area between two ways."""
    return a.x * b.y - a.y * b.x


def collapse(a: Point, b: Point, c: Point, d: Point) -> tuple[float, Point]:
    """What B-C becomes between A and D: the area displaced, and the one vertex E that is left."""
    origin = a
    b, c, d = b - a, c - a, d - a
    a = Point(0.0, 0.0)
    off_b, off_c = cross(d, b), cross(d, c)
    off_e = off_c - cross(b, c)  # how far E must lie off AD for the ring to keep its area
    along_ab = abs(off_b) > abs(off_c) if off_b * off_c >= 0 else off_b * off_e > 0
    if along_ab and off_b != 0:
        e = Point(off_e / off_b * b.x, off_e / off_b * b.y)
        price = between(e, b, c, d)
    elif not along_ab and off_c != 0:
        e = d.plus(c - d, off_e / off_c)
        price = between(e, c, b, a)
    else:
        e = Point((b.x + c.x) / 2, (b.y + c.y) / 2)
        price = abs(cross(b, c)) / 2
    return price, e.plus(origin)


def between(e: Point, b: Point, c: Point, d: Point) -> float:
    """The area between the paths E-B-C-D and E-D, which cross on BC."""
    whole = cross(c - b, d - e)
    if whole == 0:
        return abs(cross(b - e, c - e)) / 2
    x = b.plus(c - b, cross(e - b, d - e) / whole)
    return (abs(cross(b - e, x - e)) + abs(cross(c - d, x - d))) / 2


def price_of(ring: list[Vertex], k: int) -> tuple[float, Point]:
    """The price of the segment from vertex k on; a triangle goes at a third of its area each."""
    a, b, c, d = (ring[(k + i) % len(ring)].at for i in (-1, 0, 1, 2))
    if len(ring) <= 3:
        return abs(cross(b - a, c - a)) / 6, b
    return collapse(a, b, c, d)


def cut_corners(ring: Ints) -> list[Point]:
    """Replace each corner by two points, one pixel from it or half an edge, if that is less."""
    cut: list[Point] = []
    for k, corner in enumerate(ring.tolist()):
        for neighbour in (ring[k - 1].tolist(), ring[(k + 1) % len(ring)].tolist()):
            way = [max(-1, min(1, (b - a) / 2)) for a, b in zip(corner, neighbour, strict=True)]
            point = Point(corner[0] + way[0], corner[1] + way[1])
            if not cut or point != cut[-1]:
                cut.append(point)
    return cut[:-1] if cut[-1] == cut[0] else cut


def simplify(
    rings: list[Ints], hole: list[bool], limit: float, budget: int
) -> list[list[tuple[float, float]]]:
    """Cut corners, then collapse while a step costs at most `limit` or over `budget` are left.

    A ring that went is an empty list; holes go with their outer ring; one outer ring stays.
    """
    numbers = count()
    left = [[Vertex(next(numbers), point) for point in cut_corners(ring)] for ring in rings]
    kept: set[int] = set()  # rings that have come down to a triangle and must stay
    while True:
        offers = [
            (price_of(ring, k)[0], ring[k].number, r, k)
            for r, ring in enumerate(left)
            if r not in kept
            for k in range(len(ring))
        ]
        if not offers:
            break
        price, _, r, k = min(offers)
        if price > limit and sum(map(len, left)) <= budget:
            break
        ring = left[r]
        if len(ring) > 3:
            ring[k] = Vertex(ring[k].number, price_of(ring, k)[1])
            del ring[(k + 1) % len(ring)]
        elif hole[r] or sum(bool(o) and not h for o, h in zip(left, hole, strict=True)) > 1:
            left[r] = []
            for inner in range(r + 1, len(left)):
                if hole[r] or not hole[inner]:
                    break
                left[inner] = []
        else:
            kept.add(r)
    return [[(v.at.x, v.at.y) for v in ring] for ring in left]
