r"""Rows of runs inside a box, and how neighbouring rows are joined.

A run is a start and an end among the places 0..columns that divide the width of a box. Row i of
`rows` says where the runs lie at the middle of the i-th strip of the box. Between two such middles
each boundary walks along a straight line to its partner in the other row, or stays where it is:

    row i    --[=======]------[====]---      one run of row i has two partners below, so its
    half way ---\=======\------\===|--       two sides walk; the two inner sides of row i + 1
                 |===|  |=\     |==|         stay, and begin half way, where row i + 1 is nearer.
    row i+1  ----[==]---[===]---[==]---

`join_rows` holds that rule. A line of pixels takes its runs from the nearer row.
"""

cimport cython
from libc.stdint cimport int64_t


cdef enum:
    MOST = 16  # runs in a row

cdef struct Row:
    int count
    int[MOST] start
    int[MOST] end

# The boundaries of a line of pixels, each between its place in the row above and the one below.
cdef struct Sides:
    int count
    int[MOST] start_above
    int[MOST] start_below
    int[MOST] end_above
    int[MOST] end_below


cdef inline void join_rows(
    const Row* near, const Row* far, bint near_is_above, Sides* sides
) noexcept nogil:
    """Find where the boundaries of `near` walk to in `far`."""
    cdef int k, first, last, start, end
    sides.count = near.count
    for k in range(near.count):
        start = near.start[k]
        end = near.end[k]
        if near.count == far.count:
            start = far.start[k]
            end = far.end[k]
        else:
            first = 0
            while first < far.count and far.end[first] <= near.start[k]:
                first += 1
            last = first
            while last < far.count and far.start[last] < near.end[k]:
                last += 1
            last -= 1
            if last >= first:
                if k == 0 or near.end[k - 1] <= far.start[first]:
                    start = far.start[first]
                if k + 1 == near.count or near.start[k + 1] >= far.end[last]:
                    end = far.end[last]
        sides.start_above[k] = near.start[k] if near_is_above else start
        sides.start_below[k] = start if near_is_above else near.start[k]
        sides.end_above[k] = near.end[k] if near_is_above else end
        sides.end_below[k] = end if near_is_above else near.end[k]


@cython.cdivision(True)  # nothing is negative here, and height is at least 1
cdef inline int row_above(int64_t y, int64_t height, int rows, int64_t* share) noexcept nogil:
    """The row above line y; the row below has a weight of share / (2 * height)."""
    cdef int64_t place = (2 * y + 1) * rows - height
    place = min(max(place, 0), 2 * height * (rows - 1))
    share[0] = place % (2 * height)
    return <int>(place // (2 * height))


# A boundary at v / (2 * height) places lies at v * width / (2 * height * columns) pixels; the
# first pixel whose centre is not before it is (2 * v * width + half - 1) // (2 * half). Dividing
# by way of a double is exact: both numbers are below 2**53, and with the half that is added the
# quotient, at most 65,536, stays 0.5 / (2 * half) > 7e-8 away from any whole number.
cdef struct Scale:
    int64_t height
    int64_t twice_width
    int64_t half  # 2 * height * columns
    double inverse


cdef inline Scale make_scale(int64_t height, int64_t width, int columns) noexcept nogil:
    cdef Scale scale
    scale.height = height
    scale.twice_width = 2 * width
    scale.half = 2 * height * columns
    scale.inverse = 1.0 / <double>(2 * scale.half)
    return scale


cdef inline int pixel_at(
    const Scale* scale, int64_t above, int64_t below, int64_t share
) noexcept nogil:
    cdef int64_t place = above * (2 * scale.height - share) + below * share
    return <int>((<double>(place * scale.twice_width + scale.half - 1) + 0.5) * scale.inverse)


cdef inline void sides_at(
    const Row* rows, int count, int64_t y, int64_t height, int64_t* share, int* key, Sides* sides
) noexcept nogil:
    """The sides of line y of a box of `count` rows; `key` says which `sides` holds already."""
    cdef int above = row_above(y, height, count, share)
    cdef int below = min(above + 1, count - 1)
    cdef bint nearer_below = share[0] >= height
    if key[0] == 2 * above + nearer_below:
        return
    key[0] = 2 * above + nearer_below
    if nearer_below:
        join_rows(&rows[below], &rows[above], False, sides)
    else:
        join_rows(&rows[above], &rows[below], True, sides)
