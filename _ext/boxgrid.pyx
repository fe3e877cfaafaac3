# cython: language_level=3, binding=False
"""Paints rows of runs inside boxes, and lists where their boundaries walk."""

from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.string cimport memset

from boxgrid_rows cimport MOST, Row, Scale, Sides, join_rows, make_scale, pixel_at, sides_at


cdef bint _load(
    const uint8_t[:, ::1] counts, const uint8_t[:, ::1] runs, int columns, Py_ssize_t item,
    Py_ssize_t* place, Row* rows
) noexcept nogil:
    """Read the rows of one object; False where they are no valid rows."""
    cdef Py_ssize_t i
    cdef int k, last
    for i in range(counts.shape[1]):
        rows[i].count = counts[item, i]
        if rows[i].count > MOST or place[0] + rows[i].count > runs.shape[0]:
            return False
        last = -1
        for k in range(rows[i].count):
            rows[i].start[k] = runs[place[0] + k, 0]
            rows[i].end[k] = runs[place[0] + k, 1]
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


def paint(
    uint8_t[:, :, ::1] planes, const int32_t[:, ::1] boxes, const uint8_t[:, ::1] counts,
    const uint8_t[:, ::1] runs, int columns
):
    cdef Py_ssize_t rows = counts.shape[1], item, place = 0, left, top, right, bottom
    cdef Py_ssize_t stride = planes.shape[2]
    cdef Row[64] found
    cdef bint valid = 1 <= columns and rows <= 64
    if not (boxes.shape[0] == counts.shape[0] == planes.shape[0] and boxes.shape[1] == 4
            and runs.shape[1] == 2):
        raise ValueError("shapes")
    with nogil:
        for item in range(planes.shape[0]):
            if not (valid and _load(counts, runs, columns, item, &place, found)):
                valid = False
                break
            left, top = boxes[item, 0], boxes[item, 1]
            right, bottom = boxes[item, 2], boxes[item, 3]
            if not (0 <= left <= right <= planes.shape[2]
                    and 0 <= top <= bottom <= planes.shape[1]):
                valid = False
                break
            if left < right and top < bottom:
                _paint(
                    found, <int>rows, make_scale(bottom - top, right - left, columns),
                    &planes[item, top, left], stride
                )
    if not valid:
        raise ValueError("rows")


def join(
    const uint8_t[:, ::1] counts, const uint8_t[:, ::1] runs, int columns,
    uint8_t[:, :, :, :, ::1] sides
):
    cdef Py_ssize_t rows = counts.shape[1], item, i, place = 0
    cdef Row[64] found
    cdef int most = 0
    cdef bint valid = rows <= 64
    if not (sides.shape[0] == counts.shape[0] and sides.shape[1] == rows and sides.shape[2] == 2
            and sides.shape[4] == 4 and runs.shape[1] == 2):
        raise ValueError("shapes")
    with nogil:
        for item in range(counts.shape[0]):
            if not (valid and _load(counts, runs, columns, item, &place, found)):
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
