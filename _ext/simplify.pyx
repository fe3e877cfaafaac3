# cython: language_level=3
"""Fewer vertices at the least change of area: segments collapsed one at a time, cheapest first.

First every corner of the contour is cut off, one pixel from it or half an edge, whichever is less:
a staircase becomes the straight line along its middle.

A segment BC between A and D becomes one vertex E, on the line through AB or through CD, such that
the ring keeps its area; what lies between the old and the new path is the price.

        B---C                     E
       /     `-.        ->       / `-._
      A         D               A      D

The vertices and segments of all rings of an object compete in one heap: a segment carries the
number of its first vertex. A triangle can only go as a whole. Everything is done in doubles in a
fixed order, so that a mask has one text on every machine. (After Kronenfeld and others,
"Simplification of polylines by segment collapse", 2020.)
"""

cimport cython
from libc.math cimport fabs
from libc.stdlib cimport free, malloc

cdef int MOST = 2**30 - 1

cdef struct Chain:
    double* x
    double* y
    int* after  # the next vertex of the ring
    int* before  # the one before, -1 for a vertex that is gone
    int* ring
    double* price  # of collapsing the segment that begins here ...
    double* new_x  # ... into this vertex
    double* new_y
    int* heap  # segments, the cheapest on top
    int* place  # of a segment in the heap, -1 if it isn't there
    int waiting  # segments in the heap
    int* left  # per ring, its remaining vertices
    int* first  # per ring, its first vertex, and the end of the last ring
    int points  # remaining in all
    int outers  # remaining rings that aren't holes


cdef inline double cross(double ax, double ay, double bx, double by) noexcept nogil:
    return ax * by - ay * bx


cdef inline bint cheaper(Chain* c, int a, int b) noexcept nogil:
    return c.price[a] < c.price[b] or (c.price[a] == c.price[b] and a < b)


cdef void settle(Chain* c, int segment) noexcept nogil:
    """Put a segment of the heap where its price belongs."""
    cdef int at = c.place[segment], other
    while at > 0 and cheaper(c, segment, c.heap[(at - 1) // 2]):
        other = c.heap[(at - 1) // 2]
        c.heap[at] = other
        c.place[other] = at
        at = (at - 1) // 2
    while 2 * at + 1 < c.waiting:
        other = 2 * at + 1
        if other + 1 < c.waiting and cheaper(c, c.heap[other + 1], c.heap[other]):
            other += 1
        if not cheaper(c, c.heap[other], segment):
            break
        c.heap[at] = c.heap[other]
        c.place[c.heap[at]] = at
        at = other
    c.heap[at] = segment
    c.place[segment] = at


cdef void withdraw(Chain* c, int segment) noexcept nogil:
    cdef int at = c.place[segment], last
    if at < 0:
        return
    c.place[segment] = -1
    c.waiting -= 1
    last = c.heap[c.waiting]
    if last != segment:
        c.heap[at] = last
        c.place[last] = at
        settle(c, last)


cdef double between(
    double ex, double ey, double bx, double by, double cx, double cy, double dx, double dy
) noexcept nogil:
    """The area between the paths E-B-C-D and E-D, which cross once on BC at t."""
    cdef double whole = cross(cx - bx, cy - by, dx - ex, dy - ey), t, xx, xy
    if whole == 0:
        return fabs(cross(bx - ex, by - ey, cx - ex, cy - ey)) / 2
    t = cross(ex - bx, ey - by, dx - ex, dy - ey) / whole
    xx = bx + t * (cx - bx)
    xy = by + t * (cy - by)
    return (
        fabs(cross(bx - ex, by - ey, xx - ex, xy - ey))
        + fabs(cross(cx - dx, cy - dy, xx - dx, xy - dy))
    ) / 2


cdef void appraise(Chain* c, int b) noexcept nogil:
    """Price the collapse of the segment that begins at vertex b."""
    cdef int a = c.before[b], e = c.after[b], d = c.after[e]
    cdef double ax = c.x[a], ay = c.y[a]
    cdef double bx = c.x[b] - ax, by = c.y[b] - ay  # everything relative to A
    cdef double cx = c.x[e] - ax, cy = c.y[e] - ay
    cdef double dx = c.x[d] - ax, dy = c.y[d] - ay
    cdef double off_b = cross(dx, dy, bx, by), off_c = cross(dx, dy, cx, cy)
    cdef double off_e = off_c - cross(bx, by, cx, cy)  # what keeps the area
    cdef double t
    cdef bint along_ab
    if c.left[c.ring[b]] <= 3:
        c.price[b] = fabs(cross(bx, by, cx, cy)) / 6  # a third of the area: three vertices go
        return
    if off_b * off_c >= 0:
        along_ab = fabs(off_b) > fabs(off_c)
    else:
        along_ab = off_b * off_e > 0
    if along_ab and off_b != 0:
        t = off_e / off_b
        c.new_x[b] = t * bx
        c.new_y[b] = t * by
        c.price[b] = between(c.new_x[b], c.new_y[b], bx, by, cx, cy, dx, dy)
    elif not along_ab and off_c != 0:
        t = off_e / off_c
        c.new_x[b] = dx + t * (cx - dx)
        c.new_y[b] = dy + t * (cy - dy)
        c.price[b] = between(c.new_x[b], c.new_y[b], cx, cy, bx, by, 0, 0)
    else:  # A, B, C, D on a line, or A meets D
        c.new_x[b] = (bx + cx) / 2
        c.new_y[b] = (by + cy) / 2
        c.price[b] = fabs(cross(bx, by, cx, cy)) / 2
    c.new_x[b] += ax
    c.new_y[b] += ay


cdef void reprice(Chain* c, int segment) noexcept nogil:
    appraise(c, segment)
    if c.place[segment] >= 0:
        settle(c, segment)


cdef void collapse(Chain* c, int b) noexcept nogil:
    cdef int gone = c.after[b], d = c.after[gone]
    withdraw(c, gone)
    c.before[gone] = -1
    c.after[b] = d
    c.before[d] = b
    c.x[b] = c.new_x[b]
    c.y[b] = c.new_y[b]
    c.left[c.ring[b]] -= 1
    c.points -= 1
    reprice(c, c.before[c.before[b]])
    reprice(c, c.before[b])
    reprice(c, b)
    reprice(c, d)


cdef void discard(Chain* c, int first, int stop) noexcept nogil:
    """Take the rings of vertices first..stop - 1 away."""
    cdef int k
    for k in range(first, stop):
        if c.before[k] >= 0:
            withdraw(c, k)
            c.before[k] = -1
            c.left[c.ring[k]] -= 1
            c.points -= 1


@cython.boundscheck(False)  # r is the ring of a vertex
@cython.wraparound(False)
cdef void run(
    Chain* c, const unsigned char[::1] hole, double limit, int budget
) noexcept nogil:
    cdef int segment, r, rings = <int>hole.shape[0], past
    while c.waiting:
        segment = c.heap[0]
        if c.price[segment] > limit and c.points <= budget:
            break
        r = c.ring[segment]
        if c.left[r] > 3:
            collapse(c, segment)
        elif hole[r] or c.outers > 1:
            past = r + 1
            if not hole[r]:
                c.outers -= 1
                while past < rings and hole[past]:  # holes go with their outer ring
                    past += 1
            discard(c, c.first[r], c.first[past])
        else:
            withdraw(c, segment)  # an object keeps one ring


cdef inline double towards(int here, int there) noexcept nogil:
    """One pixel from `here`, or half way where `there` is nearer than two."""
    if here < there:
        return min(here + 1.0, (here + there) / 2.0)
    return max(here - 1.0, (here + there) / 2.0)


cdef void append(Chain* c, double x, double y, int first) noexcept nogil:
    """Add a vertex to the ring that begins at `first`, unless it repeats the one before."""
    cdef int k = c.points
    if k > first and c.x[k - 1] == x and c.y[k - 1] == y:
        return
    c.x[k] = x
    c.y[k] = y
    c.points += 1


@cython.boundscheck(False)  # simplify has checked that starts rises from 0 to the vertices
@cython.wraparound(False)
cdef void cut_ring(Chain* c, const int[:, ::1] xy, int begin, int end) noexcept nogil:
    """Add a ring with its corners cut off."""
    cdef int k, first = c.points, before = end - 1, after
    for k in range(begin, end):
        after = k + 1 if k + 1 < end else begin
        append(c, towards(xy[k, 0], xy[before, 0]), towards(xy[k, 1], xy[before, 1]), first)
        append(c, towards(xy[k, 0], xy[after, 0]), towards(xy[k, 1], xy[after, 1]), first)
        before = k
    k = c.points - 1
    if k > first and c.x[k] == c.x[first] and c.y[k] == c.y[first]:
        c.points -= 1


@cython.boundscheck(False)  # as above
@cython.wraparound(False)
cdef void load(
    Chain* c, const int[:, ::1] xy, const int[::1] starts, const unsigned char[::1] hole
) noexcept nogil:
    cdef int r, k, first
    c.points = 0
    c.waiting = 0
    c.outers = 0
    for r in range(<int>hole.shape[0]):
        first = c.points
        c.first[r] = first
        cut_ring(c, xy, starts[r], starts[r + 1])
        c.left[r] = c.points - first
        c.outers += not hole[r]
        for k in range(first, c.points):
            c.ring[k] = r
            c.after[k] = k + 1
            c.before[k] = k - 1
        c.before[first] = c.points - 1
        c.after[c.points - 1] = first
    c.first[hole.shape[0]] = c.points
    for k in range(c.points):
        appraise(c, k)
        c.heap[k] = k
        c.place[k] = k
        c.waiting += 1
        settle(c, k)


@cython.boundscheck(False)  # as above; out has room for every vertex
@cython.wraparound(False)
cdef int unload(Chain* c, double[:, ::1] out, int[::1] left) noexcept nogil:
    cdef int r, k, place = 0
    for r in range(<int>left.shape[0]):
        left[r] = c.left[r]
        for k in range(c.first[r], c.first[r + 1]):
            if c.before[k] >= 0:
                out[place, 0] = c.x[k]
                out[place, 1] = c.y[k]
                place += 1
    return place


def simplify(
    const int[:, ::1] xy,
    const int[::1] starts,
    const unsigned char[::1] hole,
    double limit,
    int budget,
    double[:, ::1] out,
    int[::1] left,
):
    """Cut corners, then collapse while a step costs at most `limit` or more than `budget` are left.

    Rings as `contour.trace` gives them: edges along x or y, holes after their outer ring. Fills
    `out`, which needs room for two vertices a corner, with the vertices that remain, and `left`
    with their number in each ring, 0 for a ring that went; returns the number of all. One ring that
    isn't a hole always stays. `limit` is in pixels of area.
    """
    cdef Py_ssize_t rings = hole.shape[0], r, corners = xy.shape[0], count = 2 * xy.shape[0]
    cdef int remaining
    cdef Chain c
    if starts.shape[0] != rings + 1 or left.shape[0] != rings or starts[0] != 0:
        raise ValueError("starts must be one longer than hole and left, and begin with 0")
    for r in range(rings):
        if starts[r + 1] - starts[r] < 3:
            raise ValueError("every ring needs three vertices")
    if starts[rings] != corners or xy.shape[1] != 2 or corners > MOST:
        raise ValueError("starts must end with len(xy), which is below 2**30")
    if out.shape[0] < count or out.shape[1] != 2:
        raise ValueError("out must be twice as long as xy")
    cdef size_t wide = 5 * sizeof(double) * <size_t>count
    cdef char* scratch = <char*>malloc(wide + (5 * <size_t>count + 2 * rings + 1) * sizeof(int))
    if scratch == NULL:
        raise MemoryError()
    with nogil:
        c.x = <double*>scratch
        c.y = c.x + count
        c.price = c.y + count
        c.new_x = c.price + count
        c.new_y = c.new_x + count
        c.after = <int*>(scratch + wide)
        c.before = c.after + count
        c.ring = c.before + count
        c.heap = c.ring + count
        c.place = c.heap + count
        c.left = c.place + count
        c.first = c.left + rings
        load(&c, xy, starts, hole)
        run(&c, hole, limit, budget)
        remaining = unload(&c, out, left)
        free(scratch)
    return remaining
