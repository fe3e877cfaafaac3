# cython: language_level=3, binding=False
"""Paints rows of runs inside boxes, and lists where their boundaries walk."""

from cpython.buffer cimport PyBUF_ND, PyBuffer_Release
from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from boxgrid_rows cimport MOST, Row, Scale, Sides, join_rows, make_scale, pixel_at, sides_at
from buffers cimport open_buffer
from canvas cimport Canvas, clear, close_canvases, count_planes, open_canvases


cdef bint _load(
    const uint8_t* counts, Py_ssize_t height, const uint8_t* runs, Py_ssize_t length, int columns,
    Py_ssize_t* place, Row* rows
) noexcept nogil:
    """Read the rows of one object from run `place` on; False where they are no valid rows."""
    cdef Py_ssize_t i
    cdef int k, last
    for i in range(height):
        rows[i].count = counts[i]
        if rows[i].count > MOST or place[0] + rows[i].count > length:
            return False
        last = -1
        for k in range(rows[i].count):
            rows[i].start[k] = runs[2 * (place[0] + k)]
            rows[i].end[k] = runs[2 * (place[0] + k) + 1]
            if not last < rows[i].start[k] < rows[i].end[k] <= columns:
                return False
            last = rows[i].end[k]
        place[0] += rows[i].count
    return True


cdef void _paint(
    const Row* rows, int count, Scale scale, uint8_t* corner, Py_ssize_t stride
) noexcept nogil:
    cdef int64_t y, share = 0
    cdef int k, start, end, key = -1
    cdef Sides sides
    sides.count = 0
    for y in range(scale.height):
        sides_at(rows, count, y, scale.height, &share, &key, &sides)
        for k in range(sides.count):
            start = pixel_at(&scale, sides.start_above[k], sides.start_below[k], share)
            end = pixel_at(&scale, sides.end_above[k], sides.end_below[k], share)
            if end > start:
                memset(corner + y * stride + start, 1, end - start)


cdef struct Item:  # the objects of an image
    Py_buffer counts  # (objects, rows)
    Py_buffer runs  # (all runs, 2)


cdef bint _paint_item(
    const Item* item, const int32_t* boxes, int columns, const Canvas* canvas
) noexcept nogil:
    """Paint the objects of an image; False where they are not valid."""
    cdef Py_ssize_t rows = item.counts.shape[1], plane, place = 0
    cdef const uint8_t* counts = <const uint8_t*>item.counts.buf
    cdef const int32_t* box
    cdef Row[64] found
    if not 1 <= rows <= 64:
        return False
    for plane in range(canvas.count):
        box = boxes + 4 * plane
        if not (
            0 <= box[0] <= box[2] <= canvas.width and 0 <= box[1] <= box[3] <= canvas.height
            and _load(
                counts + plane * rows, rows, <const uint8_t*>item.runs.buf, item.runs.len // 2,
                columns, &place, found
            )
        ):
            return False
        clear(canvas, plane, box[1], box[3])
        if box[0] < box[2] and box[1] < box[3]:
            _paint(
                found, <int>rows, make_scale(box[3] - box[1], box[2] - box[0], columns),
                canvas.pixels + (plane * canvas.height + box[1]) * canvas.width + box[0],
                canvas.width
            )
    return True


def paint(canvases, const int32_t[:, ::1] boxes, items, int columns):
    """Paint objects into `canvases`, pairs of bytes (objects, height, width) and what they hold.

    Each of `items` is a pair: how many runs each row of each object has, uint8 (objects, rows), up
    to 64 rows, and the runs, uint8 (runs, 2). `boxes` (all objects, 4) are left, top, right,
    bottom, half-open pixels within the planes. A box without area sets nothing.
    """
    cdef Py_ssize_t count = len(canvases), ready = 0, first = 0, i
    cdef bint valid = columns >= 1
    cdef Item* images = NULL
    cdef Canvas* opened = open_canvases(canvases)
    try:
        if not (len(items) == count and boxes.shape[0] == count_planes(opened, count)
                and boxes.shape[1] == 4):
            raise ValueError("shapes")
        images = <Item*>calloc(count + 1, sizeof(Item))
        if images == NULL:
            raise MemoryError
        for i in range(count):
            counts, runs = items[i]
            ready += 1  # releasing a buffer that is still zeros is harmless
            open_buffer(counts, &images[i].counts, PyBUF_ND, -1)
            open_buffer(runs, &images[i].runs, PyBUF_ND, -1)
            if not (images[i].counts.itemsize == images[i].runs.itemsize == 1
                    and images[i].counts.ndim == images[i].runs.ndim == 2
                    and images[i].counts.shape[0] == opened[i].count
                    and images[i].runs.shape[1] == 2):
                raise ValueError("counts are uint8 (objects, rows), and runs (runs, 2)")
        with nogil:
            for i in range(count):
                if valid and opened[i].count:
                    valid = _paint_item(&images[i], &boxes[first, 0], columns, &opened[i])
                first += opened[i].count
        if not valid:
            raise ValueError("rows")
    finally:
        for i in range(ready):
            PyBuffer_Release(&images[i].counts)
            PyBuffer_Release(&images[i].runs)
        free(images)
        close_canvases(opened, count)


def join(
    const uint8_t[:, ::1] counts, const uint8_t[:, ::1] runs, int columns,
    uint8_t[:, :, :, :, ::1] sides
):
    cdef Py_ssize_t rows = counts.shape[1], item, i, place = 0
    cdef Row[64] found
    cdef int most = 0
    cdef bint valid = 1 <= rows <= 64
    if not (sides.shape[0] == counts.shape[0] and sides.shape[1] == rows and sides.shape[2] == 2
            and sides.shape[4] == 4 and runs.shape[1] == 2):
        raise ValueError("shapes")
    with nogil:
        for item in range(counts.shape[0]):
            if not (valid and _load(
                &counts[item, 0], rows, &runs[0, 0] if runs.shape[0] else NULL, runs.shape[0],
                columns, &place, found
            )):
                valid = False
                break
            for i in range(rows):
                most = max(most, found[i].count)
            if most > sides.shape[3]:
                valid = False
                break
            for i in range(rows):
                _fill(found, i, min(i + 1, rows - 1), &sides[item, i, 0, 0, 0], sides.shape[3])
    if not valid:
        raise ValueError("rows")


cdef void _fill(
    const Row* rows, Py_ssize_t above, Py_ssize_t below, uint8_t* target, Py_ssize_t most
) noexcept nogil:
    """Write the sides of one pair of rows, first where the upper row is nearer: (2, most, 4)."""
    cdef Sides sides
    cdef int half, k
    for half in range(2):
        if half:
            join_rows(&rows[below], &rows[above], False, &sides)
        else:
            join_rows(&rows[above], &rows[below], True, &sides)
        for k in range(sides.count):
            target[4 * k] = <uint8_t>sides.start_above[k]
            target[4 * k + 1] = <uint8_t>sides.start_below[k]
            target[4 * k + 2] = <uint8_t>sides.end_above[k]
            target[4 * k + 3] = <uint8_t>sides.end_below[k]
        target += 4 * most
