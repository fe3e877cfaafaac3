# cython: language_level=3
"""Vertices on a lattice of bins, moved until the rings agree best with the mask.

Rasterised by COCO's rule, a ring covers in each column what lies between its crossings. So its
area, and its area in common with the mask, are sums over edges and columns: the pixels above the
crossing, counted minus for an edge that runs right and plus for one that runs left. A vertex that
moves changes two edges, and a table of how many mask pixels lie above each point makes their sums
cheap.
"""

cimport cython
from libc.stdint cimport int64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from crossings cimport Edge, crossing, prepare, row_at


cdef struct Table:
    int* above  # (bottom - top + 1, right - left): mask pixels above, in the column
    int left, top, right, bottom  # the box of the mask, half-open
    int height, width  # of the image
    int bins
    int64_t area  # of the mask


cdef struct Sums:
    int64_t common  # pixels of the rings that the mask has too
    int64_t own  # pixels of the rings


cdef struct Search:
    int* xy
    unsigned char* fresh  # vertices that moved, or have a neighbour that did, since they were tried
    Sums total


@cython.cdivision(True)  # bins is at least 2; nothing is negative
cdef inline int fifths(int position, int side, int bins) noexcept nogil:
    """Where a bin lies on a side of so many pixels, to the nearest fifth of a pixel."""
    return <int>((10 * <int64_t>position * side + bins - 1) // (2 * (bins - 1)))


cdef Sums along(const Table* t, const int* a, const int* b) noexcept nogil:
    """What the edge from a to b (bins) adds to the sums."""
    cdef Edge e
    cdef Sums s
    cdef int column, row, span = t.right - t.left, deepest = t.bottom - t.top
    cdef int ax = fifths(a[0], t.width, t.bins), ay = fifths(a[1], t.height, t.bins)
    cdef int bx = fifths(b[0], t.width, t.bins), by = fifths(b[1], t.height, t.bins)
    s.common = 0
    s.own = 0
    prepare(&e, ax, ay, bx, by, 0, t.width)
    for column in range(e.first, e.last + 1):
        row = row_at(crossing(&e, column), t.height)
        s.own += row
        if t.left <= column < t.right and row > t.top:
            row = min(row - t.top, deepest)
            s.common += t.above[<Py_ssize_t>row * span + column - t.left]
    if ax < bx:
        s.own = -s.own
        s.common = -s.common
    return s


cdef inline double agreement(const Table* t, const Sums* s) noexcept nogil:
    """The IoU, or 0 for sums that only rings over each other can have."""
    cdef int64_t either = t.area + s.own - s.common
    if s.common > s.own or s.common > t.area or either <= 0:
        return 0.0
    return <double>s.common / <double>either


cdef inline void add(Sums* total, Sums change, int sign) noexcept nogil:
    total.common += sign * change.common
    total.own += sign * change.own


@cython.cdivision(True)  # the divisor is 3
cdef bint improve(
    const Table* t, Search* s, int before, int k, int after, int step
) noexcept nogil:
    """Move vertex k by `step` bins to the best of its eight neighbours, if that is better."""
    cdef int* v = s.xy + 2 * k
    cdef const int* a = s.xy + 2 * before
    cdef const int* b = s.xy + 2 * after
    cdef int d, x = v[0], y = v[1], best_x = x, best_y = y
    cdef Sums base = s.total, tried, found = s.total
    cdef double score, best = agreement(t, &s.total)
    add(&base, along(t, a, v), -1)
    add(&base, along(t, v, b), -1)
    for d in range(9):
        v[0] = x + (d % 3 - 1) * step
        v[1] = y + (d // 3 - 1) * step
        if d == 4 or not (0 <= v[0] < t.bins and 0 <= v[1] < t.bins):
            continue
        tried = base
        add(&tried, along(t, a, v), 1)
        add(&tried, along(t, v, b), 1)
        score = agreement(t, &tried)
        if score > best:
            best = score
            best_x = v[0]
            best_y = v[1]
            found = tried
    v[0] = best_x
    v[1] = best_y
    s.total = found
    return best_x != x or best_y != y


@cython.boundscheck(False)  # fit has checked that the box lies inside the mask
@cython.wraparound(False)
cdef void tabulate(Table* t, const unsigned char[:, ::1] mask) noexcept nogil:
    cdef Py_ssize_t span = t.right - t.left, x
    cdef int y
    cdef int* row = t.above
    cdef const unsigned char* pixels
    memset(row, 0, span * sizeof(int))
    for y in range(t.top, t.bottom):
        pixels = &mask[y, t.left]
        for x in range(span):
            row[span + x] = row[x] + (pixels[x] != 0)
        row += span
    t.area = 0
    for x in range(span):
        t.area += row[x]


@cython.boundscheck(False)  # fit has checked that starts rises to the number of vertices
@cython.wraparound(False)
cdef void run(
    const Table* t, Search* s, const int[::1] starts, int step, int rounds
) noexcept nogil:
    cdef int r, k, before, after, last, left, rings = <int>starts.shape[0] - 1
    cdef bint moved
    s.total.common = 0
    s.total.own = 0
    for r in range(rings):
        for k in range(starts[r], starts[r + 1]):
            after = k + 1 if k + 1 < starts[r + 1] else starts[r]
            add(&s.total, along(t, s.xy + 2 * k, s.xy + 2 * after), 1)
    while step > 0:
        memset(s.fresh, 1, starts[rings])
        left = rounds
        moved = True
        while moved and left > 0 and agreement(t, &s.total) < 1:
            moved = False
            left -= 1
            for r in range(rings):
                last = starts[r + 1] - 1
                for k in range(starts[r], last + 1):
                    if not s.fresh[k]:
                        continue
                    before = k - 1 if k > starts[r] else last
                    after = k + 1 if k < last else starts[r]
                    s.fresh[k] = 0
                    if improve(t, s, before, k, after, step):
                        s.fresh[before] = s.fresh[k] = s.fresh[after] = 1
                        moved = True
        step >>= 1


def fit(
    const unsigned char[:, ::1] mask,
    int left,
    int top,
    int right,
    int bottom,
    int bins,
    int[:, ::1] xy,
    const int[::1] starts,
    int step,
    int rounds,
):
    """Move the vertices `xy` (bins, of rings xy[starts[r]:starts[r + 1]]) in place.

    Vertices try steps of `step`, step // 2, ..., 1 bins, up to `rounds` times each. Outer rings run
    clockwise (x to the right, y down) and holes the other way. All mask pixels lie in the box.
    Returns the pixels that rings and mask have in common and the pixels of the rings.
    """
    cdef Table t
    cdef Search s
    cdef Py_ssize_t r, k
    t.left, t.top, t.right, t.bottom = left, top, right, bottom
    t.height, t.width, t.bins = <int>mask.shape[0], <int>mask.shape[1], bins
    if not (0 <= left < right <= t.width and 0 <= top < bottom <= t.height and bins >= 2):
        raise ValueError("the box must lie inside the mask, and bins be 2 or more")
    if xy.shape[0] == 0 or xy.shape[1] != 2 or starts.shape[0] < 2:
        raise ValueError("xy must be (n, 2) and hold a ring")
    if starts[0] != 0 or starts[starts.shape[0] - 1] != xy.shape[0]:
        raise ValueError("starts must rise from 0 to len(xy)")
    for r in range(starts.shape[0] - 1):
        if starts[r] > starts[r + 1]:
            raise ValueError("starts must rise from 0 to len(xy)")
    for k in range(xy.shape[0]):
        if not (0 <= xy[k, 0] < bins and 0 <= xy[k, 1] < bins):
            raise ValueError("vertices must lie within 0..bins - 1")
    t.above = <int*>malloc(<size_t>(bottom - top + 1) * (right - left) * sizeof(int))
    s.fresh = <unsigned char*>malloc(xy.shape[0])
    s.xy = &xy[0, 0]
    if t.above == NULL or s.fresh == NULL:
        free(t.above)
        free(s.fresh)
        raise MemoryError()
    with nogil:
        tabulate(&t, mask)
        run(&t, &s, starts, step, rounds)
        free(t.above)
        free(s.fresh)
    return s.total.common, s.total.own
