# cython: language_level=3, binding=False
"""Paints fields, a square of integers each, into boxes: a pixel is set where the field is above 0.

All in integers, as `maskcodec.geometry.shapetokens` says, so that every device sets the same
pixels. Fields are within +-2**25 and sides within 2**16, so that sums stay within 2**62.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset


cdef struct Axis:
    int32_t* cell  # before each pixel
    int32_t* share  # of the cell after, in units of 1 / (2 * pixels)


cdef void _lay(Axis axis, int64_t pixels, int64_t cells) noexcept nogil:
    """Where each pixel's centre lies between the centres of cells, ends clamped."""
    cdef int64_t i, place, cell
    for i in range(pixels):
        place = (2 * i + 1) * cells - pixels
        place = min(max(place, 0), 2 * pixels * (cells - 1))
        cell = place // (2 * pixels)
        if cell > cells - 2:
            cell = cells - 2
        axis.cell[i] = <int32_t>cell
        axis.share[i] = <int32_t>(place - cell * 2 * pixels)


cdef int64_t _list_crossings(
    const int32_t* above, int64_t cells, int32_t* crossings
) noexcept nogil:
    """The cells before whose next one the field may change its sign, between two of its rows."""
    cdef const int32_t* under = above + cells
    cdef int64_t i, found = 0
    cdef int kind, before = 0
    for i in range(cells):
        kind = (above[i] > 0) + (under[i] > 0)  # 1: it depends on the row of pixels
        if i and (kind != before or kind == 1):
            crossings[found] = <int32_t>(i - 1)
            found += 1
        before = kind
    return found


cdef void _paint(
    const int32_t* field, int64_t cells, int64_t height, int64_t width, Axis rows, Axis columns,
    const int32_t* edges, int32_t* crossings, uint8_t* corner, Py_ssize_t stride
) noexcept nogil:
    """Row by row, fill the runs between the places where the field changes its sign."""
    cdef int64_t y, x, i, k, count = 0, below, left, right, start
    cdef bint inside
    cdef const int32_t* above
    cdef uint8_t* pixels
    for y in range(height):
        above = field + rows.cell[y] * cells
        below = rows.share[y]
        if y == 0 or rows.cell[y] != rows.cell[y - 1]:
            count = _list_crossings(above, cells, crossings)
        pixels = corner + y * stride
        inside = above[0] * (2 * height - below) + above[cells] * below > 0
        start = 0
        for k in range(count):
            i = crossings[k]
            left = above[i] * (2 * height - below) + above[cells + i] * below
            right = above[i + 1] * (2 * height - below) + above[cells + i + 1] * below
            if (left > 0) == (right > 0):
                continue
            x = edges[i]
            if inside:
                while x < edges[i + 1] and left * 2 * width > columns.share[x] * (left - right):
                    x += 1
                memset(pixels + start, 1, x - start)
            else:
                while x < edges[i + 1] and left * 2 * width <= columns.share[x] * (left - right):
                    x += 1
                start = x
            inside = not inside
        if inside:
            memset(pixels + start, 1, width - start)


cdef void _find_edges(Axis axis, int64_t pixels, int64_t cells, int32_t* edges) noexcept nogil:
    """The first pixel at or behind each cell's centre; those before the first one count to it."""
    cdef int64_t x = 0, i
    for i in range(cells):
        while x < pixels and axis.cell[x] < i:
            x += 1
        edges[i] = <int32_t>x
    edges[cells - 1] = <int32_t>pixels


def paint(
    const int32_t[:, :, ::1] fields, const int32_t[:, ::1] boxes, uint8_t[:, :, ::1] planes
):
    """Set pixels of `planes` (objects, height, width), which must be clear.

    `fields` is (objects, cells, cells), two cells or more a side; `boxes` (objects, 4) are left,
    top, right, bottom, half-open pixels within the planes. A box without area sets nothing.
    """
    cdef Py_ssize_t item, cells = fields.shape[1], most = max(planes.shape[1], planes.shape[2])
    cdef Py_ssize_t left, top, right, bottom
    cdef bint valid = True
    cdef Axis rows, columns
    cdef int32_t* block
    cdef int32_t* edges
    if not (fields.shape[0] == boxes.shape[0] == planes.shape[0] and fields.shape[2] == cells
            and boxes.shape[1] == 4 and 2 <= cells <= 1024 and most <= 65536):
        raise ValueError("shapes")
    block = <int32_t*>malloc(max(1, 4 * most) * sizeof(int32_t))
    edges = <int32_t*>malloc(2 * cells * sizeof(int32_t))
    if block == NULL or edges == NULL:
        free(block)
        free(edges)
        raise MemoryError
    rows.cell, rows.share = block, block + most
    columns.cell, columns.share = block + 2 * most, block + 3 * most
    with nogil:
        for item in range(fields.shape[0]):
            left, top, right, bottom = (
                boxes[item, 0], boxes[item, 1], boxes[item, 2], boxes[item, 3]
            )
            valid = (
                0 <= left <= right <= planes.shape[2] and 0 <= top <= bottom <= planes.shape[1]
            )
            if not valid:
                break
            if left == right or top == bottom:
                continue
            _lay(rows, bottom - top, cells)
            _lay(columns, right - left, cells)
            _find_edges(columns, right - left, cells, edges)
            _paint(
                &fields[item, 0, 0], cells, bottom - top, right - left, rows, columns, edges,
                edges + cells, &planes[item, top, left], planes.shape[2]
            )
    free(block)
    free(edges)
    if not valid:
        raise ValueError("a box leaves its plane")
