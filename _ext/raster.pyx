# cython: language_level=3
"""Rings to pixels by COCO's rule: toggles where edges cross columns, then a pass down the rows."""

cimport cython
from libc.stdlib cimport calloc, free

from crossings cimport Edge, crossing, prepare, row_at

cdef int FARTHEST = 2**26


cdef struct Plane:
    unsigned char* toggles  # (bottom - top, right - left)
    int left, right  # columns
    int top, bottom  # rows


cdef void toggle(Plane* p, int ax, int ay, int bx, int by, int height) noexcept nogil:
    """Toggle every column that the edge crosses, from the row at which it does so."""
    cdef Edge e
    cdef int column, row
    prepare(&e, ax, ay, bx, by, p.left, p.right)
    for column in range(e.first, e.last + 1):
        row = row_at(crossing(&e, column), height)
        if p.top <= row < p.bottom:
            p.toggles[<Py_ssize_t>(row - p.top) * (p.right - p.left) + column - p.left] ^= 1


@cython.boundscheck(False)  # the plane lies inside `out`
@cython.wraparound(False)
cdef void settle(Plane* p, unsigned char[:, ::1] out, bint hole) noexcept nogil:
    """Turn toggles into insides, row by row, and add them to `out` or take them out of it."""
    cdef Py_ssize_t width = p.right - p.left, x
    cdef int y
    cdef unsigned char* inside = p.toggles
    cdef unsigned char* target
    for y in range(p.top, p.bottom):
        target = &out[y, p.left]
        if y > p.top:
            for x in range(width):
                inside[x] ^= (inside - width)[x]
        if hole:
            for x in range(width):
                target[x] &= inside[x] ^ 1
        else:
            for x in range(width):
                target[x] |= inside[x]
        inside += width


@cython.boundscheck(False)  # paint_rings has checked 0 <= begin < end <= len(xy)
@cython.wraparound(False)
@cython.cdivision(True)  # the dividends are not negative
cdef int paint_ring(
    const int[:, ::1] xy, Py_ssize_t begin, Py_ssize_t end, unsigned char[:, ::1] out, bint hole
) noexcept nogil:
    """Paint one ring; -1 where there is no memory."""
    cdef Plane p
    cdef Py_ssize_t k, after
    cdef int height = <int>out.shape[0]
    cdef int low_x = xy[begin, 0], high_x = low_x, low_y = xy[begin, 1], high_y = low_y
    for k in range(begin + 1, end):
        low_x = min(low_x, xy[k, 0])
        high_x = max(high_x, xy[k, 0])
        low_y = min(low_y, xy[k, 1])
        high_y = max(high_y, xy[k, 1])
    p.left = max(low_x, 0) // 5
    p.right = min(<int>out.shape[1], max(high_x, 0) // 5 + 1)
    p.top = row_at(low_y - 1, height)  # rounding may stray by one step
    p.bottom = row_at(high_y + 1, height)
    if p.left >= p.right or p.top >= p.bottom:
        return 0
    p.toggles = <unsigned char*>calloc(<size_t>(p.right - p.left) * (p.bottom - p.top), 1)
    if p.toggles == NULL:
        return -1
    for k in range(begin, end):
        after = k + 1 if k + 1 < end else begin
        toggle(&p, xy[k, 0], xy[k, 1], xy[after, 0], xy[after, 1], height)
    settle(&p, out, hole)
    free(p.toggles)
    return 0


def paint_rings(
    const int[:, ::1] xy,
    const int[::1] starts,
    const unsigned char[::1] hole,
    unsigned char[:, ::1] out,
):
    """Paint rings, in order, into `out` (H, W) of zeros and ones: holes clear, the others set.

    `xy` are vertices in fifths of a pixel within -2**26..2**26, and those of ring r are
    xy[starts[r]:starts[r + 1]]. Each ring takes time and memory as the part of its bounding box
    that lies inside `out`.
    """
    cdef Py_ssize_t r, k, rings = hole.shape[0]
    cdef int failed = 0
    if starts.shape[0] != rings + 1 or xy.shape[1] != 2:
        raise ValueError("xy must be (n, 2) and starts one longer than hole")
    for r in range(rings):
        if not 0 <= starts[r] <= starts[r + 1] <= xy.shape[0]:
            raise ValueError("starts must rise from 0 to len(xy)")
    for k in range(xy.shape[0]):
        if not (-FARTHEST <= xy[k, 0] <= FARTHEST and -FARTHEST <= xy[k, 1] <= FARTHEST):
            raise ValueError("vertices must lie within -2**26..2**26 fifths of a pixel")
    if out.shape[0] == 0 or out.shape[1] == 0:
        return
    with nogil:
        for r in range(rings):
            if starts[r] < starts[r + 1]:
                failed = paint_ring(xy, starts[r], starts[r + 1], out, hole[r] != 0)
                if failed:
                    break
    if failed:
        raise MemoryError()
