# cython: language_level=3, binding=False
"""Grids of labels written as text: `others *7| white horse *1| others *8`."""

from cpython.buffer cimport (
    PyBUF_SIMPLE,
    PyBUF_WRITABLE,
    PyBuffer_Release,
    PyObject_GetBuffer,
)
from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memchr, memcmp, memcpy

cdef enum:
    NONE = 0    # every cell by itself, on one line
    IMAGE = 1   # runs of the whole grid, on one line
    ROW = 2     # runs of each row, one row a line
    FEW = 64

cdef struct Name:
    const uint8_t* start
    Py_ssize_t length


cdef inline void _copy(uint8_t* out, const uint8_t* name, Py_ssize_t length) noexcept nogil:
    """memcpy; short names without a call, their two halves overlapping."""
    cdef uint64_t head, tail
    cdef uint32_t first, last
    if length > 16:
        memcpy(out, name, length)
    elif length >= 8:
        memcpy(&head, name, 8)
        memcpy(&tail, name + length - 8, 8)
        memcpy(out, &head, 8)
        memcpy(out + length - 8, &tail, 8)
    elif length >= 4:
        memcpy(&first, name, 4)
        memcpy(&last, name + length - 4, 4)
        memcpy(out, &first, 4)
        memcpy(out + length - 4, &last, 4)
    else:
        while length > 0:
            length -= 1
            out[length] = name[length]


cdef inline uint8_t* _digits(uint8_t* out, uint32_t count) noexcept nogil:
    cdef uint8_t[10] reversed_digits
    cdef int length = 0
    if count < 10:
        out[0] = 48 + count
        return out + 1
    while count:
        reversed_digits[length] = 48 + count % 10
        count //= 10
        length += 1
    while length:
        length -= 1
        out[0] = reversed_digits[length]
        out += 1
    return out


cdef inline Py_ssize_t _run_end(
    const int32_t* cells, Py_ssize_t x, Py_ssize_t length, int32_t label
) noexcept nogil:
    """Where the run of `label` that goes on at x ends; eight cells at a time while it is long."""
    while x + 8 <= length and (
        (cells[x] ^ label) | (cells[x + 1] ^ label) | (cells[x + 2] ^ label)
        | (cells[x + 3] ^ label) | (cells[x + 4] ^ label) | (cells[x + 5] ^ label)
        | (cells[x + 6] ^ label) | (cells[x + 7] ^ label)
    ) == 0:
        x += 8
    while x < length and cells[x] == label:
        x += 1
    return x


cdef Py_ssize_t _write_line(
    const int32_t* cells, Py_ssize_t length, const Name* names, Py_ssize_t known, bint counted,
    uint8_t* out, Py_ssize_t at, Py_ssize_t room
) noexcept nogil:
    """Write one line of runs at out[at]; return the byte after it, or -1 at a cell without a name.

    Where the room is out, bytes are counted but not written.
    """
    cdef Py_ssize_t x = 0, stop, size
    cdef int32_t label
    cdef uint8_t* end
    while x < length:
        label = cells[x]
        if label < 0 or label >= known:
            return -1
        stop = _run_end(cells, x + 1, length, label) if counted else x + 1
        size = names[label].length
        if at + size + 16 > room:
            at += size + 16  # 2 for the bar, 2 for the star, up to 10 digits
            room = 0
        else:
            end = out + at
            if x:
                end[0] = c"|"
                end[1] = c" "
                end += 2
            _copy(end, names[label].start, size)
            end += size
            if counted:
                end[0] = c" "
                end[1] = c"*"
                end = _digits(end + 2, <uint32_t>(stop - x))
            at = end - out
        x = stop
    return at


cdef Py_ssize_t _write(
    const int32_t* cells, Py_ssize_t rows, Py_ssize_t columns, const Name* names, Py_ssize_t known,
    int style, uint8_t* out, Py_ssize_t room
) noexcept nogil:
    cdef Py_ssize_t lines = rows if style == ROW else 1
    cdef Py_ssize_t length = columns if style == ROW else rows * columns
    cdef Py_ssize_t at = 0, y, start = 0, size = 0
    for y in range(lines):
        if (
            y and at + size <= room
            and memcmp(cells + (y - 1) * length, cells + y * length, length * sizeof(int32_t)) == 0
        ):
            memcpy(out + at, out + start, size)  # rows repeat more often than not
            start = at
            at += size
            continue
        start = at
        at = _write_line(cells + y * length, length, names, known, style != NONE, out, at, room)
        if at < 0:
            return -1
        if at + 2 <= room:
            out[at] = c"\n"
            out[at + 1] = c" "
        at += 2
        size = at - start
    return at - 1


def write(cells, Py_ssize_t rows, Py_ssize_t columns, bytes names, int style, out):
    """Write a grid as lines of runs, each line closed by a newline and all but the first indented.

    Args:
        cells: int32 (rows, columns), labels as numbers of `names`.
        names: the labels, UTF-8, a newline after each.
        style: NONE, IMAGE or ROW.
        out: uint8, becomes the text.

    Returns:
        How many bytes were written. Where that is more than `out` holds, it is a bound of what is
        needed, and `out` is of no use. -1 where a cell has no name.
    """
    cdef Py_buffer grid, text
    cdef Name few[FEW]
    cdef Name* table = few
    cdef const uint8_t* start = <const uint8_t*><const char*>names
    cdef const uint8_t* stop = start + len(names)
    cdef const uint8_t* newline
    cdef Py_ssize_t known = 0, name, written = 0
    PyObject_GetBuffer(cells, &grid, PyBUF_SIMPLE)
    try:
        if min(rows, columns) < 0 or rows * columns > grid.len // 4:
            raise ValueError("cells must hold rows * columns")
        PyObject_GetBuffer(out, &text, PyBUF_SIMPLE | PyBUF_WRITABLE)
        try:
            for name in range(stop - start):
                known += start[name] == c"\n"
            if known > FEW:
                table = <Name*>malloc(known * sizeof(Name))
                if table == NULL:
                    raise MemoryError
            with nogil:
                for name in range(known):
                    newline = <const uint8_t*>memchr(start, c"\n", stop - start)
                    table[name].start = start
                    table[name].length = newline - start
                    start = newline + 1
                written = _write(
                    <const int32_t*>grid.buf, rows, columns, table, known, style,
                    <uint8_t*>text.buf, text.len
                )
            if table != few:
                free(table)
        finally:
            PyBuffer_Release(&text)
    finally:
        PyBuffer_Release(&grid)
    return written
