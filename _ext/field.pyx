# cython: language_level=3, binding=False
"""Paints fields, a square of integers each, into boxes: a pixel is set where the field is above 0.

All in integers, as `maskcodec.geometry.shapetokens` says, so that every device sets the same
pixels. Fields are within +-2**25 and sides within 2**16, so that sums stay within 2**62.
"""

cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from canvas cimport Canvas, clear, close_canvases, count_planes, open_canvases
from prefetch cimport fetch, row_ahead
from set_pixels cimport count_set


cdef struct Axis:
    int32_t* cell  # before each pixel
    int32_t* share  # of the cell after, in units of 1 / (2 * pixels)


cdef struct Table:  # of a box
    int32_t* block  # that all of the others lie in
    Axis rows
    Axis columns
    int32_t* edges
    int32_t* crossings
    int32_t* runs
    double scale  # 1 / (2 * cells)


cdef void _lay(Axis axis, int64_t pixels, int64_t cells) noexcept nogil:
    """Where each pixel's centre lies between the centres of cells, ends clamped."""
    cdef int64_t i, place, cell = 0
    for i in range(pixels):
        place = (2 * i + 1) * cells - pixels
        place = min(max(place, 0), 2 * pixels * (cells - 1))
        while cell < cells - 2 and place >= (cell + 1) * 2 * pixels:
            cell += 1
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


cdef inline int64_t _find_crossing(
    int64_t level, int64_t fall, int64_t guess, int64_t first, int64_t stop, const int32_t* shares
) noexcept nogil:
    """The first pixel between two cells on the side of the second: exactly, from a near guess.

    The field is above 0 where level > share * fall; `fall`, the first cell less the second, tells
    which of them is.
    """
    if fall > 0:
        while guess > first and level <= shares[guess - 1] * fall:
            guess -= 1
        while guess < stop and level > shares[guess] * fall:
            guess += 1
    else:
        while guess > first and level > shares[guess - 1] * fall:
            guess -= 1
        while guess < stop and level <= shares[guess] * fall:
            guess += 1
    return guess


@cython.cdivision(True)  # two cells between which the sign changes differ
cdef int64_t _find_runs(
    const int32_t* above, int64_t cells, int64_t below, int64_t height, int64_t width,
    const int32_t* shares, const int32_t* edges, const int32_t* crossings, int64_t count,
    int32_t* runs, double scale
) noexcept nogil:
    """Where the field is above 0 in a row of pixels: starts and stops by turns; how many both."""
    cdef int64_t x, i, k, left, right, found = 0
    if above[0] * (2 * height - below) + above[cells] * below > 0:
        runs[0] = 0
        found = 1
    for k in range(count):
        i = crossings[k]
        left = above[i] * (2 * height - below) + above[cells + i] * below
        right = above[i + 1] * (2 * height - below) + above[cells + i + 1] * below
        if (left > 0) == (right > 0):
            continue
        x = edges[i]
        # a share equals (2 * x + 1) * cells - width - 2 * width * i but for the outermost pixels
        x = <int64_t>((2.0 * width * left / (left - right) + width + 2 * width * i) * scale + 0.5)
        runs[found] = <int32_t>_find_crossing(
            2 * width * left, left - right, min(max(x, edges[i]), edges[i + 1]), edges[i],
            edges[i + 1], shares
        )
        found += 1
    if found & 1:
        runs[found] = <int32_t>width
        found += 1
    return found


cdef void _paint(
    const int32_t* field, int64_t cells, int64_t height, int64_t width, Table table,
    uint8_t* corner, Py_ssize_t stride
) noexcept nogil:
    """Row by row, fill the runs between the places where the field changes its sign."""
    cdef int64_t y, k, count = 0, bounds, ahead = row_ahead(stride)
    cdef const int32_t* above
    cdef int32_t* runs = table.runs
    for y in range(height):
        above = field + table.rows.cell[y] * cells
        if y == 0 or table.rows.cell[y] != table.rows.cell[y - 1]:
            count = _list_crossings(above, cells, table.crossings)
        bounds = _find_runs(
            above, cells, table.rows.share[y], height, width, table.columns.share, table.edges,
            table.crossings, count, runs, table.scale
        )
        fetch(corner + y * stride + ahead, width)
        for k in range(0, bounds, 2):
            memset(corner + y * stride + runs[k], 1, runs[k + 1] - runs[k])


cdef void _count(
    const int32_t* field, int64_t cells, int64_t height, int64_t width, Table table,
    const uint8_t* corner, Py_ssize_t stride, int64_t* both, int64_t* painted
) noexcept nogil:
    """As `_paint`, but count the pixels, and those that are set already."""
    cdef int64_t y, k, count = 0, bounds, ahead = row_ahead(stride)
    cdef const int32_t* above
    cdef int32_t* runs = table.runs
    both[0] = painted[0] = 0
    for y in range(height):
        above = field + table.rows.cell[y] * cells
        if y == 0 or table.rows.cell[y] != table.rows.cell[y - 1]:
            count = _list_crossings(above, cells, table.crossings)
        bounds = _find_runs(
            above, cells, table.rows.share[y], height, width, table.columns.share, table.edges,
            table.crossings, count, runs, table.scale
        )
        fetch(corner + y * stride + ahead, width)
        for k in range(0, bounds, 2):
            painted[0] += runs[k + 1] - runs[k]
            both[0] += count_set(corner + y * stride + runs[k], runs[k + 1] - runs[k])


cdef void _find_edges(Axis axis, int64_t pixels, int64_t cells, int32_t* edges) noexcept nogil:
    """The first pixel at or behind each cell's centre; those before the first one count to it."""
    cdef int64_t x = 0, i
    for i in range(cells):
        while x < pixels and axis.cell[x] < i:
            x += 1
        edges[i] = <int32_t>x
    edges[cells - 1] = <int32_t>pixels


cdef int _open(Table* table, Py_ssize_t cells, Py_ssize_t side) except -1:
    """Room for boxes of up to `side` pixels a side."""
    cdef int32_t* block = <int32_t*>malloc((4 * side + 3 * cells + 2) * sizeof(int32_t))
    if block == NULL:
        raise MemoryError
    table.block = block
    table.rows.cell, table.rows.share = block, block + side
    table.columns.cell, table.columns.share = block + 2 * side, block + 3 * side
    table.edges = block + 4 * side
    table.crossings = table.edges + cells
    table.runs = table.crossings + cells
    table.scale = 1 / (2.0 * cells)
    return 0


cdef bint _lay_box(
    Table table, Py_ssize_t cells, const int32_t* box, Py_ssize_t height, Py_ssize_t width
) noexcept nogil:
    """Fill the table for a box; False if it leaves the plane."""
    if not (0 <= box[0] <= box[2] <= width and 0 <= box[1] <= box[3] <= height):
        return False
    if box[0] < box[2] and box[1] < box[3]:
        _lay(table.rows, box[3] - box[1], cells)
        _lay(table.columns, box[2] - box[0], cells)
        _find_edges(table.columns, box[2] - box[0], cells, table.edges)
    return True


def paint(const int32_t[:, :, ::1] fields, const int32_t[:, ::1] boxes, canvases):
    """Paint objects into `canvases`, pairs of bytes (objects, height, width) and what they hold.

    `fields` is (objects, cells, cells), two cells or more a side; `boxes` (objects, 4) are left,
    top, right, bottom, half-open pixels within the planes, those of the first canvas first. A box
    without area sets nothing.
    """
    cdef Py_ssize_t cells = fields.shape[1], count = len(canvases), side = 0, item = 0, i, plane
    cdef bint valid = True
    cdef const int32_t* box
    cdef Table table
    cdef Canvas canvas
    cdef Canvas* opened = open_canvases(canvases)
    table.block = NULL
    try:
        if not (fields.shape[0] == boxes.shape[0] == count_planes(opened, count)
                and fields.shape[2] == cells and boxes.shape[1] == 4 and 2 <= cells <= 1024):
            raise ValueError("shapes")
        for i in range(count):
            side = max(side, opened[i].height, opened[i].width)
        _open(&table, cells, side)
        with nogil:
            for i in range(count):
                canvas = opened[i]
                for plane in range(canvas.count):
                    box = &boxes[item, 0]
                    valid = valid and _lay_box(table, cells, box, canvas.height, canvas.width)
                    if valid:
                        clear(&canvas, plane, box[1], box[3])
                    if valid and box[0] < box[2] and box[1] < box[3]:
                        _paint(
                            &fields[item, 0, 0], cells, box[3] - box[1], box[2] - box[0], table,
                            canvas.pixels + (plane * canvas.height + box[1]) * canvas.width
                            + box[0], canvas.width
                        )
                    item += 1
        if not valid:
            raise ValueError("a box leaves its plane")
    finally:
        free(table.block)
        close_canvases(opened, count)


def overlaps(
    const int32_t[:, :, ::1] fields, const int32_t[:, ::1] boxes, const uint8_t[:, ::1] mask,
    int64_t[::1] both, int64_t[::1] painted
):
    """Count the pixels that `paint` would set for each object, and those set in `mask` too.

    `mask` is (height, width), its pixels 0 or 1.
    """
    cdef Py_ssize_t item, cells = fields.shape[1], most = max(mask.shape[0], mask.shape[1])
    cdef bint valid = True
    cdef const int32_t* box
    cdef Table table
    if not (fields.shape[0] == boxes.shape[0] == both.shape[0] == painted.shape[0]
            and fields.shape[2] == cells and boxes.shape[1] == 4 and 2 <= cells <= 1024
            and most <= 65536):
        raise ValueError("shapes")
    _open(&table, cells, most)
    with nogil:
        for item in range(fields.shape[0]):
            box = &boxes[item, 0]
            valid = _lay_box(table, cells, box, mask.shape[0], mask.shape[1])
            if not valid:
                break
            both[item] = painted[item] = 0
            if box[0] < box[2] and box[1] < box[3]:
                _count(
                    &fields[item, 0, 0], cells, box[3] - box[1], box[2] - box[0], table,
                    &mask[box[1], box[0]], mask.shape[1], &both[item], &painted[item]
                )
    free(table.block)
    if not valid:
        raise ValueError("a box leaves its plane")
