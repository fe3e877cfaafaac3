# cython: language_level=3, binding=False
"""The bounding box of a mask, in one pass over its rows from top to bottom.

Most rows of a mask are empty, which `memchr` finds out as fast as memory is read. The others are
joined into one row by `or`: its first and last pixel are the left and right of the box.
"""

cimport cython
from libc.stdint cimport int64_t, uint8_t
from libc.string cimport memchr, memset

from prefetch cimport fetch, row_ahead
from set_pixels cimport count_set

cdef extern from * nogil:
    """
    #include <stddef.h>
    #include <stdint.h>

    /* In C for the sake of __restrict: the compiler makes vector code of this loop only where it
       knows that `columns` is no part of `row`. */
    static void join_row(uint8_t *__restrict columns, const uint8_t *__restrict row,
                         ptrdiff_t width) {
        ptrdiff_t x;
        for (x = 0; x < width; x++) columns[x] |= row[x];
    }

    static void add_row(uint8_t *__restrict columns, const uint8_t *__restrict row,
                        ptrdiff_t width) {
        ptrdiff_t x;
        for (x = 0; x < width; x++) columns[x] += row[x];
    }
    """
    void join_row(uint8_t* columns, const uint8_t* row, Py_ssize_t width)
    void add_row(uint8_t* columns, const uint8_t* row, Py_ssize_t width)

cdef enum:
    CHUNK = 4096


cdef bint _bounds(
    const uint8_t* pixels, Py_ssize_t height, Py_ssize_t width, int64_t* box
) noexcept nogil:
    cdef uint8_t[CHUNK] columns
    cdef Py_ssize_t top, y, x = 0, length, ahead = row_ahead(width)
    cdef const uint8_t* row
    cdef const uint8_t* found = <const uint8_t*>memchr(pixels, 1, height * width)
    if found == NULL:
        return False
    top = (found - pixels) // width
    box[0] = width
    box[1] = top
    box[2] = box[3] = 0
    while x < width:
        length = min(<Py_ssize_t>CHUNK, width - x)
        memset(columns, 0, length)
        for y in range(top, height):
            row = pixels + y * width + x
            fetch(row + ahead, length)
            if memchr(row, 1, length) != NULL:
                join_row(columns, row, length)
                box[3] = max(box[3], y + 1)
        found = <const uint8_t*>memchr(columns, 1, length)
        if found != NULL:
            box[0] = min(box[0], x + (found - columns))
            while columns[length - 1] != 1:
                length -= 1
            box[2] = x + length
        x += CHUNK
    return True


@cython.boundscheck(False)
@cython.wraparound(False)
def bounds(const uint8_t[:, ::1] mask, int64_t[::1] box):
    """Write the half-open box (x0, y0, x1, y1) of the pixels that are 1 to `box`.

    Returns 1, or 0 where there are none, or -1 where `box` is shorter than 4. Pixels are 0 or 1.
    """
    cdef Py_ssize_t height = mask.shape[0], width = mask.shape[1]
    cdef bint found
    if box.shape[0] < 4:
        return -1
    if height == 0 or width == 0:
        return 0
    with nogil:
        found = _bounds(&mask[0, 0], height, width, &box[0])
    return int(found)


cdef void _line_sums(
    const uint8_t* corner, Py_ssize_t stride, Py_ssize_t height, Py_ssize_t width, int64_t* rows,
    int64_t* columns
) noexcept nogil:
    cdef uint8_t[CHUNK] sums
    cdef Py_ssize_t x, y, k, length, stop, ahead = row_ahead(stride)
    memset(rows, 0, height * sizeof(int64_t))
    memset(columns, 0, width * sizeof(int64_t))
    x = 0
    while x < width:
        length = min(<Py_ssize_t>CHUNK, width - x)
        y = 0
        while y < height:
            stop = min(y + 255, height)  # as far as a byte counts
            memset(sums, 0, length)
            while y < stop:
                fetch(corner + y * stride + x + ahead, length)
                rows[y] += count_set(corner + y * stride + x, length)
                add_row(sums, corner + y * stride + x, length)
                y += 1
            for k in range(length):
                columns[x + k] += sums[k]
        x += CHUNK


def line_sums(const uint8_t[:, ::1] mask, box, int64_t[::1] rows, int64_t[::1] columns):
    """Count the pixels that are 1 in each row, and each column, of a box (x0, y0, x1, y1).

    `rows` is (y1 - y0,), `columns` (x1 - x0,). Pixels are 0 or 1.
    """
    cdef Py_ssize_t left, top, right, bottom
    left, top, right, bottom = box
    if not (0 <= left < right <= mask.shape[1] and 0 <= top < bottom <= mask.shape[0]
            and rows.shape[0] == bottom - top and columns.shape[0] == right - left):
        raise ValueError("shapes")
    with nogil:
        _line_sums(
            &mask[top, left], mask.shape[1], bottom - top, right - left, &rows[0], &columns[0]
        )
