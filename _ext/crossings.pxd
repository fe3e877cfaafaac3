"""Where an edge passes the centres of pixel columns under COCO's rule.

COCO rounds vertices to fifths of a pixel and walks every edge in steps of a fifth, with rounding,
as a line on a bitmap. Column c is crossed where the walk goes between the fifths 5c + 2 and 5c + 3,
at the higher of these two steps. This solves for them in place of walking. The arithmetic is in
doubles, in the order that COCO's has, because its rounding is part of the rule.

Coordinates are fifths of a pixel within -2**26..2**26.
"""

cimport cython


cdef struct Edge:
    int xs, ys, xe, ye  # its ends, in the direction of the walk: along the longer side, upwards
    int first, last  # the columns that it crosses
    bint flat  # walked along x
    double slope


cdef inline int walked(int start, double slope, int steps) noexcept nogil:
    return <int>(start + slope * steps + 0.5)


@cython.cdivision(True)  # divisors are 5, or a longer side that is not 0; dividends are positive
cdef inline void prepare(
    Edge* e, int ax, int ay, int bx, int by, int left, int right
) noexcept nogil:
    """The edge from a to b, of which columns left..right - 1 matter."""
    cdef int low = min(ax, bx), high = max(ax, bx)
    cdef int dx = high - low, dy = max(ay, by) - min(ay, by)
    e.flat = dx >= dy
    if (ax > bx) if e.flat else (ay > by):
        e.xs, e.ys, e.xe, e.ye = bx, by, ax, ay
    else:
        e.xs, e.ys, e.xe, e.ye = ax, ay, bx, by
    # the first column with low <= 5c + 2, the last with 5c + 3 <= high
    e.first = max(left, (low + 2) // 5) if low > 2 else left
    e.last = min(right - 1, (high - 3) // 5) if high > 2 else left - 1
    e.slope = 0
    if dx > 0:
        e.slope = <double>(e.ye - e.ys) / dx if e.flat else <double>(e.xe - e.xs) / dy


@cython.cdivision(True)  # a steep edge that crosses a column has a slope
cdef inline int crossing(const Edge* e, int column) noexcept nogil:
    """The height, in fifths of a pixel, at which the edge crosses a column of first..last."""
    cdef int at
    if e.flat:
        at = 5 * column + 2 - e.xs
        return min(walked(e.ys, e.slope, at), walked(e.ys, e.slope, at + 1))
    # `at` becomes the first step past the centre: guessed, then put right.
    at = <int>((5 * column + 2.5 - e.xs) / e.slope)
    at = min(max(at, 1), e.ye - e.ys)
    if e.slope > 0:
        while at > 1 and walked(e.xs, e.slope, at - 1) >= 5 * column + 3:
            at -= 1
        while at < e.ye - e.ys and walked(e.xs, e.slope, at) < 5 * column + 3:
            at += 1
    else:
        while at > 1 and walked(e.xs, e.slope, at - 1) <= 5 * column + 2:
            at -= 1
        while at < e.ye - e.ys and walked(e.xs, e.slope, at) > 5 * column + 2:
            at += 1
    return e.ys + at - 1


@cython.cdivision(True)  # the dividend is positive
cdef inline int row_at(int y, int height) noexcept nogil:
    """The first row whose centre lies at or below y fifths, within 0..height."""
    if y < 0:
        return 0
    y = (y + 2) // 5
    return y if y < height else height
