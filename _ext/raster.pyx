# cython: language_level=3, binding=False
"""Rings to pixels by COCO's rule: toggles where edges cross columns, then a pass down the rows."""

cimport cython
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release
from libc.stdlib cimport calloc, free

from buffers cimport open_buffer
from canvas cimport Canvas, clear, close_canvases, count_planes, open_canvases
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


cdef void settle(Plane* p, unsigned char* out, Py_ssize_t stride, bint hole) noexcept nogil:
    """Turn toggles into insides, row by row, and add them to `out` or take them out of it."""
    cdef Py_ssize_t width = p.right - p.left, x
    cdef int y
    cdef unsigned char* inside = p.toggles
    cdef unsigned char* target
    for y in range(p.top, p.bottom):
        target = out + y * stride + p.left
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


@cython.cdivision(True)  # the dividends are not negative
cdef int paint_ring(
    const int* xy, Py_ssize_t count, unsigned char* out, int height, int width, bint hole
) noexcept nogil:
    """Paint a ring of one vertex or more; -1 where there is no memory."""
    cdef Plane p
    cdef Py_ssize_t k, after
    cdef int low_x = xy[0], high_x = low_x, low_y = xy[1], high_y = low_y
    for k in range(1, count):
        low_x = min(low_x, xy[2 * k])
        high_x = max(high_x, xy[2 * k])
        low_y = min(low_y, xy[2 * k + 1])
        high_y = max(high_y, xy[2 * k + 1])
    p.left = max(low_x, 0) // 5
    p.right = min(width, max(high_x, 0) // 5 + 1)
    p.top = row_at(low_y - 1, height)  # rounding may stray by one step
    p.bottom = row_at(high_y + 1, height)
    if p.left >= p.right or p.top >= p.bottom:
        return 0
    p.toggles = <unsigned char*>calloc(<size_t>(p.right - p.left) * (p.bottom - p.top), 1)
    if p.toggles == NULL:
        return -1
    for k in range(count):
        after = k + 1 if k + 1 < count else 0
        toggle(&p, xy[2 * k], xy[2 * k + 1], xy[2 * after], xy[2 * after + 1], height)
    settle(&p, out, width, hole)
    free(p.toggles)
    return 0


cdef struct Rings:  # of an object
    Py_buffer xy
    Py_buffer starts
    Py_buffer hole


cdef int _open(Rings* rings, tuple arguments) except -1:
    """Take over one tuple of `paint`, checked."""
    cdef Py_ssize_t count, vertices, r
    cdef const int* starts
    xy, first, hole = arguments
    open_buffer(xy, &rings.xy, PyBUF_SIMPLE, -1)
    open_buffer(first, &rings.starts, PyBUF_SIMPLE, -1)
    open_buffer(hole, &rings.hole, PyBUF_SIMPLE, -1)
    count, vertices = rings.hole.len, rings.xy.len // 8
    starts = <const int*>rings.starts.buf
    if not (rings.xy.itemsize == rings.starts.itemsize == 4 and rings.hole.itemsize == 1
            and rings.starts.len == 4 * (count + 1) and rings.xy.len == 8 * vertices):
        raise ValueError("xy must be (n, 2) and starts one longer than hole")
    for r in range(count):
        if not 0 <= starts[r] <= starts[r + 1] <= vertices:
            raise ValueError("starts must rise from 0 to len(xy)")
    return 0


cdef bint _is_near(const Rings* rings) noexcept nogil:
    """Whether all vertices are within bounds."""
    cdef const int* xy = <const int*>rings.xy.buf
    cdef Py_ssize_t k
    for k in range(rings.xy.len // 4):
        if not -FARTHEST <= xy[k] <= FARTHEST:
            return False
    return True


cdef void _rows(
    const Rings* rings, Py_ssize_t height, Py_ssize_t* top, Py_ssize_t* bottom
) noexcept nogil:
    """The rows between which all vertices lie."""
    cdef const int* xy = <const int*>rings.xy.buf
    cdef Py_ssize_t count = rings.xy.len // 8, k
    cdef int first = xy[1] if count else 0, last = first
    for k in range(1, count):
        first = min(first, xy[2 * k + 1])
        last = max(last, xy[2 * k + 1])
    top[0] = min(max(first // 5, 0), height)
    bottom[0] = min(max(last // 5 + 1, top[0]), height)


cdef int _paint(
    const Rings* rings, unsigned char* out, Py_ssize_t height, Py_ssize_t width
) noexcept nogil:
    """Paint the rings of an object; -1 where there is no memory."""
    cdef const int* starts = <const int*>rings.starts.buf
    cdef const unsigned char* hole = <const unsigned char*>rings.hole.buf
    cdef Py_ssize_t r
    if height == 0 or width == 0:
        return 0
    for r in range(rings.hole.len):
        if starts[r] < starts[r + 1] and paint_ring(
            <const int*>rings.xy.buf + 2 * starts[r], starts[r + 1] - starts[r], out, <int>height,
            <int>width, hole[r] != 0
        ):
            return -1
    return 0


def paint(objects, canvases):
    """Paint objects into `canvases`, pairs of bytes (objects, height, width) and what they hold.

    Each object is a tuple of its vertices, int32 (vertices, 2), in fifths of a pixel within
    -2**26..2**26, `starts`, int32 (rings + 1,), and whether each ring is a hole, one byte each: the
    vertices of ring r are xy[starts[r]:starts[r + 1]]. Rings are painted in order, holes clear
    pixels and the others set them. Each takes time and memory as the part of its bounding box that
    lies inside the plane.
    """
    cdef Py_ssize_t count = len(objects), images = len(canvases), ready = 0, item = 0, i, plane
    cdef Py_ssize_t top = 0, bottom = 0
    cdef int failed = 0
    cdef bint near = True
    cdef Rings* rings = NULL
    cdef Canvas* opened = open_canvases(canvases)
    try:
        if count != count_planes(opened, images):
            raise ValueError("a plane for each object")
        rings = <Rings*>calloc(count + 1, sizeof(Rings))
        if rings == NULL:
            raise MemoryError
        for i in range(count):
            ready += 1  # releasing a buffer that is still zeros is harmless
            _open(&rings[i], objects[i])
        with nogil:
            for i in range(count):
                near = near and _is_near(&rings[i])
            for i in range(images if near else 0):
                for plane in range(opened[i].count):
                    _rows(&rings[item], opened[i].height, &top, &bottom)
                    clear(&opened[i], plane, top, bottom)
                    if not failed:
                        failed = _paint(
                            &rings[item],
                            opened[i].pixels + plane * opened[i].height * opened[i].width,
                            opened[i].height, opened[i].width
                        )
                    item += 1
        if not near:
            raise ValueError("vertices must lie within -2**26..2**26 fifths of a pixel")
        if failed:
            raise MemoryError
    finally:
        for i in range(ready):
            PyBuffer_Release(&rings[i].xy)
            PyBuffer_Release(&rings[i].starts)
            PyBuffer_Release(&rings[i].hole)
        free(rings)
        close_canvases(opened, images)
