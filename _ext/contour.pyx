# cython: language_level=3
"""Contours of a mask along pixel edges: one sweep over the lines between pixel rows.

Two neighbouring rows differ where the contour runs horizontally between them:

      row y-1   . . # # # .        `step` = below - above, per column
      line y    ----+     +----        0 0 0 - - 0   a corner wherever it changes
      row y     . . # . . .

The ends of a maximal stretch of equal non-zero steps are two corners joined by a horizontal edge,
so corners come in pairs (2i, 2i + 1). A corner whose vertical edge goes down waits in `pending` by
its column until a line further down closes that edge. The two partners of every corner make rings.
"""

from libc.stdint cimport uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset

from prefetch cimport fetch_ahead

cdef struct Sweep:
    Py_ssize_t corners  # found so far, whether or not there was room for them
    Py_ssize_t room  # corners that the arrays below can hold
    int* x
    int* y
    int* vertical  # per corner, its partner along the vertical edge
    int* left  # per horizontal edge: RISING, FALLING, or where to read a hole's parent
    int* pending  # per column, the corner above whose vertical edge is still open, or -1
    int left_column  # on this line, the nearest open edge at or left of `left_column` ...
    int left_corner  # ... began at `left_corner`

cdef int RISING = -1  # the mask lies below the edge
cdef int FALLING = -2  # the mask lies above it, and the edge can't be the top of a hole


cdef inline void close_edge(Sweep* s, int corner, int x) noexcept nogil:
    cdef int above = s.pending[x]
    s.vertical[corner] = above
    s.vertical[above] = corner
    s.pending[x] = -1
    s.left_column = x
    s.left_corner = above


cdef int open_edge_left_of(Sweep* s, int x, int y) noexcept nogil:
    """The corner that began the nearest vertical edge, at x or left of it, through row y - 1."""
    cdef int column = x, corner
    while column > s.left_column:
        corner = s.pending[column]
        if corner >= 0 and s.y[corner] < y:  # one that begins on this very line doesn't count
            s.left_corner = corner
            break
        column -= 1
    s.left_column = x
    return s.left_corner


cdef void turn(Sweep* s, int x, int y, int before, int after, bint has_above) noexcept nogil:
    """A change of step at column x: one corner, or two where pixels meet diagonally."""
    cdef int ending, starting
    cdef Py_ssize_t count = (before != 0) + (after != 0)
    if s.corners + count > s.room:
        s.room = 0  # from here on corners are only counted
        s.corners += count
        return
    ending = starting = <int>s.corners
    if count == 2:
        starting += 1
    s.corners += count
    s.x[ending] = s.x[starting] = x
    s.y[ending] = s.y[starting] = y
    if count == 2:
        # Diagonal pixels belong together (8-connectivity): each corner hugs one background pixel.
        if before < 0:
            close_edge(s, starting, x)
            s.pending[x] = ending
        else:
            close_edge(s, ending, x)
            s.pending[x] = starting
    elif has_above:
        close_edge(s, ending, x)
    else:
        s.pending[x] = ending
    if after > 0:
        s.left[starting >> 1] = RISING
    elif after < 0:
        s.left[starting >> 1] = FALLING
        if s.pending[x] == starting:  # its left side goes down: perhaps a hole begins
            s.left[starting >> 1] = open_edge_left_of(s, x, y)


cdef inline bint same(
    const unsigned char* above, const unsigned char* below, int words
) noexcept nogil:
    """Whether 8 * words pixels are equal."""
    cdef uint64_t a, b, differ = 0
    cdef int k
    for k in range(words):
        memcpy(&a, above + 8 * k, 8)
        memcpy(&b, below + 8 * k, 8)
        differ |= a ^ b
    return differ == 0


cdef void sweep_line(
    Sweep* s, const unsigned char* above, const unsigned char* below, int width, int y
) noexcept nogil:
    cdef int x = 0, stop, step, last = 0
    s.left_column = -1
    s.left_corner = -1
    while x < width:
        fetch_ahead(below + x, 64)
        if last == 0 and x + 64 <= width and same(above + x, below + x, 8):
            x += 64
            continue
        stop = min(x + 64, width)
        while x < stop:
            if last == 0 and x + 8 <= stop and same(above + x, below + x, 1):
                x += 8
                continue
            step = (below[x] != 0) - (above[x] != 0)
            if step != last:
                turn(s, x, y, last, step, (above[x] != 0) != (x > 0 and above[x - 1] != 0))
                last = step
            x += 1
    if last != 0:
        turn(s, width, y, last, 0, above[width - 1] != 0)


cdef inline int next_corner(Sweep* s, int corner, bint hole) noexcept nogil:
    """Two edges on: outer rings run clockwise on the screen, holes the other way."""
    return s.vertical[corner] ^ 1 if hole else s.vertical[corner ^ 1]


cdef int find_rings(
    Sweep* s, int* ring_of, int* first, int* length, int* parent
) noexcept nogil:
    """Number rings by their first corner in reading order; a hole's parent is its outer ring."""
    cdef int rings = 0, edge, corner, start, beside
    cdef bint hole
    for edge in range(<int>(s.corners >> 1)):
        start = 2 * edge
        if ring_of[start] >= 0:
            continue
        hole = s.left[edge] != RISING
        first[rings] = start
        length[rings] = 0
        parent[rings] = rings
        if hole:
            beside = ring_of[s.left[edge]]
            parent[rings] = parent[beside]
        corner = start
        while True:
            ring_of[corner] = rings
            ring_of[s.vertical[corner] if hole else corner ^ 1] = rings
            length[rings] += 2
            corner = next_corner(s, corner, hole)
            if corner == start:
                break
        rings += 1
    return rings


cdef void write_ring(Sweep* s, int start, bint hole, int* xy) noexcept nogil:
    cdef int corner = start, other
    while True:
        other = s.vertical[corner] if hole else corner ^ 1
        xy[0] = s.x[corner]
        xy[1] = s.y[corner]
        xy[2] = s.x[other]
        xy[3] = s.y[other]
        xy += 4
        corner = next_corner(s, corner, hole)
        if corner == start:
            break


cdef int arrange(
    Sweep* s, int* scratch, int[:, ::1] xy, int[::1] starts, unsigned char[::1] hole
) noexcept nogil:
    """Write the rings out, each hole after its outer ring. `scratch` holds 2.25 ints a corner."""
    cdef int total = <int>s.corners, r, place = 0, slot = 0, at
    cdef int* ring_of = scratch
    cdef int* first = ring_of + total
    cdef int* length = first + total // 4
    cdef int* parent = length + total // 4
    cdef int* next_hole = parent + total // 4
    cdef int* last_hole = next_hole + total // 4
    cdef int rings
    memset(ring_of, -1, total * sizeof(int))
    rings = find_rings(s, ring_of, first, length, parent)
    for r in range(rings):  # chain the holes of every outer ring
        next_hole[r] = -1
        last_hole[r] = r
    for r in range(rings):
        if parent[r] != r:
            next_hole[last_hole[parent[r]]] = r
            last_hole[parent[r]] = r
    for r in range(rings):
        at = r if parent[r] == r else -1
        while at >= 0:
            starts[slot] = place
            hole[slot] = at != r
            write_ring(s, first[at], at != r, &xy[place, 0])
            place += length[at]
            slot += 1
            at = next_hole[at]
    starts[rings] = place
    return rings


def trace(
    const unsigned char[:, ::1] mask,
    int[:, ::1] xy,
    int[::1] starts,
    unsigned char[::1] hole,
):
    """Fill the corners, first corner of every ring (and the end) and hole flags of `mask`.

    Returns (corners, rings). Where `xy` has no room for the corners, rings is -1 and nothing was
    written. There are never more rings than a quarter of the corners.
    """
    cdef int height = <int>mask.shape[0], width = <int>mask.shape[1], y, rings = -1
    cdef Py_ssize_t room = xy.shape[0]
    cdef Sweep s
    cdef int* scratch
    cdef unsigned char* blank
    if xy.shape[1] != 2 or starts.shape[0] < room // 4 + 1 or hole.shape[0] < room // 4:
        raise ValueError("xy must be (n, 2), starts n//4 + 1 and hole n//4 long")
    if room > 2**31 - 8:
        raise ValueError("xy must be shorter than 2**31")
    if height == 0 or width == 0:
        starts[0] = 0
        return 0, 0
    scratch = <int*>malloc((<size_t>room * 6 + width + 8) * sizeof(int))
    blank = <unsigned char*>calloc(width, 1)
    if scratch == NULL or blank == NULL:
        free(scratch)
        free(blank)
        raise MemoryError()
    with nogil:
        s.corners = 0
        s.room = room
        s.x = scratch
        s.y = s.x + room
        s.vertical = s.y + room
        s.left = s.vertical + room
        s.pending = s.left + room // 2 + 1
        memset(s.pending, -1, (width + 1) * sizeof(int))
        for y in range(height + 1):
            sweep_line(
                &s,
                &mask[y - 1, 0] if y > 0 else blank,
                &mask[y, 0] if y < height else blank,
                width,
                y,
            )
        if s.corners <= room and s.room == room:
            rings = 0
            starts[0] = 0
            if s.corners:
                rings = arrange(&s, s.pending + width + 1, xy, starts, hole)
    free(scratch)
    free(blank)
    return s.corners, rings
