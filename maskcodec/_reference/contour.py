"""Contours by following cracks one at a time: the specification of `_ext/contour.pyx`.

A crack is a side of a pixel that parts foreground from background. Following cracks with the
foreground on the right hand (x to the right, y down) runs clockwise round a region and the other
way round a hole in it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Ring = tuple[npt.NDArray[np.int32], bool]
Point = tuple[int, int]
# The side of a foreground pixel (relative to its corner at its own x, y) that faces each neighbour.
SIDES = {
    (0, -1): ((0, 0), (1, 0)),  # the top side, walked to the right
    (1, 0): ((1, 0), (1, 1)),
    (0, 1): ((1, 1), (0, 1)),
    (-1, 0): ((0, 1), (0, 0)),
}


def trace(mask: Bools) -> list[Ring]:
    """Closed rings of `mask` (H, W) as corners (n, 2) xy int32, each with whether it is a hole.

    Foreground is 8-connected and background 4-connected. Rings hold turns only, begin at their
    first corner in reading order, and come in the reading order of the outer rings, each followed
    by its holes in reading order.
    """
    leaving = _cracks(mask)
    outers: list[list[Point]] = []
    holes: list[list[Point]] = []
    while leaving:
        ring = _follow(leaving)
        (holes if _signed_area(ring) < 0 else outers).append(ring)
    region = _regions(mask)

    def owner(ring: list[Point], *, hole: bool) -> int:
        x, y = min(ring, key=lambda p: (p[1], p[0]))
        return region[(x, y - 1 if hole else y)]

    found = []
    for outer in sorted(outers, key=lambda r: (r[0][1], r[0][0])):
        found.append((outer, False))
        mine = [r for r in holes if owner(r, hole=True) == owner(outer, hole=False)]
        found += [(r, True) for r in sorted(mine, key=lambda r: (r[0][1], r[0][0]))]
    return [(np.array(ring, np.int32), hole) for ring, hole in found]


def _cracks(mask: Bools) -> dict[Point, list[Point]]:
    """From each corner, the corners that a crack leads to: two where pixels meet diagonally."""
    height, width = mask.shape
    leaving: dict[Point, list[Point]] = {}
    for y, x in np.argwhere(mask).tolist():
        for (dx, dy), (tail, head) in SIDES.items():
            nx, ny = x + dx, y + dy
            if not (0 <= nx < width and 0 <= ny < height and mask[ny, nx]):
                at = (x + tail[0], y + tail[1])
                leaving.setdefault(at, []).append((x + head[0], y + head[1]))
    return leaving


def _follow(leaving: dict[Point, list[Point]]) -> list[Point]:
    """Take one ring out of `leaving`, from its first corner in reading order."""
    start = min(leaving, key=lambda p: (p[1], p[0]))
    steps = [start]
    here = start
    while True:
        options = leaving[here]
        if len(options) == 2 and len(steps) > 1:
            before = steps[-2]
            came = (here[0] - before[0], here[1] - before[1])
            # Turning left crosses to the diagonal pixel, which keeps the two joined.
            left = (here[0] + came[1], here[1] - came[0])
            options.remove(left)
            after = left
        elif len(options) == 2:  # begin with the crack to the right, or of a hole, downwards
            after = min(options, key=lambda p: (p[1] - here[1], here[0] - p[0]))
            options.remove(after)
        else:
            after = options.pop()
        if not options:
            del leaving[here]
        if after == start:
            break
        steps.append(after)
        here = after
    return _turns(steps)


def _turns(steps: list[Point]) -> list[Point]:
    def straight(i: int) -> bool:
        (ax, ay), (bx, by) = steps[i - 1], steps[(i + 1) % len(steps)]
        return ax == bx or ay == by

    return [p for i, p in enumerate(steps) if not straight(i)]


def _signed_area(ring: list[Point]) -> int:
    following = ring[1:] + ring[:1]
    return sum(ax * by - bx * ay for (ax, ay), (bx, by) in zip(ring, following, strict=True))


def _regions(mask: Bools) -> dict[Point, int]:
    """The number of the 8-connected region that every foreground pixel lies in."""
    left = {(x, y) for y, x in np.argwhere(mask).tolist()}
    region: dict[Point, int] = {}
    while left:
        edge = [left.pop()]
        number = len(region)
        while edge:
            x, y = edge.pop()
            region[(x, y)] = number
            near = {(x + dx, y + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)} & left
            left -= near
            edge += near
    return region
