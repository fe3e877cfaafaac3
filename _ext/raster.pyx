# cython: language_level=3
"""Rings to pixels by COCO's rule, touching only the columns that an edge crosses.

COCO rounds vertices to fifths of a pixel and walks every edge in steps of a fifth, with rounding, as
a line on a bitmap. A column of pixels is toggled where the walk passes its centre, that is, between
the fifths 5c + 2 and 5c + 3, from the first row whose centre lies at or below the higher of these
two steps. This file solves for those steps in place of walking. Arithmetic on edges is in doubles,
in the order that COCO's has, because its rounding is part of the rule.
"""

cimport cython
from libc.stdlib cimport calloc, free


cdef inline int row_at(int y, int height) noexcept nogil:
    """The first row whose centre lies at or below `y` fifths, within 0..height."""
    if y < 0:
        return 0
    y = (y + 2) // 5
    return y if y < height else height


cdef inline int rounded(int start, double slope, int steps) noexcept nogil:
    return <int>(start + slope * steps + 0.5)


cdef struct Plane:
    unsigned char *toggles      # (bottom - top, right - left)
    int left, right             # columns
    int top, bottom             # rows
    int height


cdef inline void toggle(Plane *p, int column, int y) noexcept nogil:
    cdef int row = row_at(y, p.height)
    if p.top <= row < p.bottom:
        p.toggles[<Py_ssize_t>(row - p.top) * (p.right - p.left) + column - p.left] ^= 1


@cython.cdivision(True)
cdef void flat_edge(Plane *p, int xs, int ys, int xe, int ye) noexcept nogil:
    """An edge with dx >= dy, walked along x from xs to xe, xs < xe."""
    cdef double slope = <double>(ye - ys) / (xe - xs)
    cdef int column = p.left, last = p.right - 1, at
    if xs > 2:
        column = max(column, (xs + 2) // 5)         # the first with xs <= 5 column + 2
    if xe < 3:
        return
    last = min(last, (xe - 3) // 5)                 # the last with 5 column + 3 <= xe
    while column <= last:
        at = 5 * column + 2 - xs
        toggle(p, column, min(rounded(ys, slope, at), rounded(ys, slope, at + 1)))
        column += 1


@cython.cdivision(True)
cdef void steep_edge(Plane *p, int xs, int ys, int xe, int ye) noexcept nogil:
    """An edge with dx < dy, walked along y from ys to ye, ys < ye."""
    cdef int dy = ye - ys, low = min(xs, xe), high = max(xs, xe), column, last, at, side
    cdef double slope = <double>(xe - xs) / dy
    if high < 3 or low == high:
        return
    column = max(p.left, (low + 2) // 5) if low > 2 else p.left
    last = min(p.right - 1, (high - 3) // 5)
    while column <= last:
        # `at` becomes the first step past the centre: guessed, then put right.
        side = 5 * column + 3 if xs < xe else 5 * column + 2
        at = <int>((5 * column + 2.5 - xs) / slope)
        at = min(max(at, 1), dy)
        if xs < xe:
            while at > 1 and rounded(xs, slope, at - 1) >= side:
                at -= 1
            while at < dy and rounded(xs, slope, at) < side:
                at += 1
        else:
            while at > 1 and rounded(xs, slope, at - 1) <= side:
                at -= 1
            while at < dy and rounded(xs, slope, at) > side:
                at += 1
        toggle(p, column, ys + at - 1)
        column += 1


cdef void edge(Plane *p, int xs, int ys, int xe, int ye) noexcept nogil:
    cdef int dx = abs(xe - xs), dy = abs(ye - ys)
    if dx >= dy:
        if xs < xe:
            flat_edge(p, xs, ys, xe, ye)
        elif xs > xe:
            flat_edge(p, xe, ye, xs, ys)
    elif ys < ye:
        steep_edge(p, xs, ys, xe, ye)
    else:
        steep_edge(p, xe, ye, xs, ys)


cdef void settle(Plane *p, unsigned char[:, ::1] out, bint hole) noexcept nogil:
    """Turn toggles into insides, row by row, and add them to `out` or take them out of it."""
    cdef Py_ssize_t width = p.right - p.left, x
    cdef int y
    cdef unsigned char *inside = p.toggles
    cdef unsigned char *target
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


@cython.boundscheck(False)  # the caller has checked begin <= end <= len(xy)
@cython.wraparound(False)
cdef int paint_ring(
    const int[:, ::1] xy, Py_ssize_t begin, Py_ssize_t end, unsigned char[:, ::1] out, bint hole
) noexcept nogil:
    cdef Plane p
    cdef Py_ssize_t k
    cdef int low_x = xy[begin, 0], high_x = low_x, low_y = xy[begin, 1], high_y = low_y
    for k in range(begin + 1, end):
        low_x = min(low_x, xy[k, 0])
        high_x = max(high_x, xy[k, 0])
        low_y = min(low_y, xy[k, 1])
        high_y = max(high_y, xy[k, 1])
    p.height = <int>out.shape[0]
    p.left = max(low_x, 0) // 5
    p.right = min(<int>out.shape[1], max(high_x, 0) // 5 + 1)
    p.top = row_at(low_y - 1, p.height)             # rounding may stray by one step
    p.bottom = row_at(high_y + 1, p.height)
    if p.left >= p.right or p.top >= p.bottom:
        return 0
    p.toggles = <unsigned char *>calloc(<size_t>(p.right - p.left) * (p.bottom - p.top), 1)
    if p.toggles == NULL:
        return -1
    for k in range(begin, end - 1):
        edge(&p, xy[k, 0], xy[k, 1], xy[k + 1, 0], xy[k + 1, 1])
    edge(&p, xy[end - 1, 0], xy[end - 1, 1], xy[begin, 0], xy[begin, 1])
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

    `xy` are vertices in fifths of a pixel within -2**26..2**26; ring r is xy[starts[r]:starts[r+1]].
    """
    cdef Py_ssize_t r, rings = hole.shape[0], k
    cdef int failed = 0
    if starts.shape[0] != rings + 1 or xy.shape[1] != 2:
        raise ValueError("xy must be (n, 2) and starts one longer than hole")
    for r in range(rings):
        if not 0 <= starts[r] <= starts[r + 1] <= xy.shape[0]:
            raise ValueError("starts must rise from 0 to len(xy)")
    for k in range(xy.shape[0]):
        if abs(xy[k, 0]) > 2**26 or abs(xy[k, 1]) > 2**26:
            raise ValueError("vertices must lie within -2**26..2**26 fifths of a pixel")
    with nogil:
        for r in range(rings):
            if starts[r] < starts[r + 1] and out.shape[0] and out.shape[1]:
                failed = paint_ring(xy, starts[r], starts[r + 1], out, hole[r] != 0)
                if failed:
                    break
    if failed:
        raise MemoryError()
