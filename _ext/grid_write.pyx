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

from bits cimport different_neighbours, lowest_bit

cdef enum:
    NONE = 0    # every cell by itself, on one line
    IMAGE = 1   # runs of the whole grid, on one line
    ROW = 2     # runs of each row, one row a line
    FEW = 64
    SHORT = 32  # bytes of a run up to its digits that are copied whether there are so many or not

cdef struct Name:
    const uint8_t* start
    Py_ssize_t length
    Py_ssize_t prefix      # bytes of `run` that count; none where it cannot hold them
    uint8_t[SHORT + 2] run  # `| dog *`, or `| dog` where cells are written one by one


cdef inline void _set_name(
    Name* name, const uint8_t* start, Py_ssize_t length, bint counted
) noexcept nogil:
    cdef Py_ssize_t prefix = length + 4 if counted else length + 2
    name.start = start
    name.length = length
    name.prefix = prefix if prefix <= SHORT else 0
    if name.prefix:
        memcpy(name.run, b"| ", 2)
        memcpy(name.run + 2, start, length)
        memcpy(name.run + 2 + length, b" *", 2)


cdef inline uint8_t* _digits(uint8_t* out, uint32_t count) noexcept nogil:
    """Write a number; below 100, as most are, without a jump that depends on it."""
    cdef uint8_t[10] reversed_digits
    cdef int length = 0
    cdef uint32_t tens
    if count < 100:
        tens = count * 103 >> 10
        out[0] = 48 + tens
        out[tens != 0] = 48 + count - 10 * tens
        return out + 1 + (tens != 0)
    while count:
        reversed_digits[length] = 48 + count % 10
        count //= 10
        length += 1
    while length:
        length -= 1
        out[0] = reversed_digits[length]
        out += 1
    return out


cdef inline uint64_t _run_ends(
    const int32_t* cells, Py_ssize_t count, const int32_t* stop
) noexcept nogil:
    """Which of `count` <= 64 cells differ from the next one; cells lie before `stop`."""
    cdef uint64_t ends = 0
    cdef Py_ssize_t i = 0
    while i < count and stop - cells > i + 16:
        ends |= <uint64_t>different_neighbours(cells + i) << i
        i += 16
    while i < count and stop - cells > i + 1:
        ends |= <uint64_t>(cells[i] != cells[i + 1]) << i
        i += 1
    return ends


cdef inline Py_ssize_t _write_run(
    const Name* name, uint32_t count, bint first, bint counted, uint8_t* out, Py_ssize_t at,
    Py_ssize_t room
) noexcept nogil:
    """Write a run at out[at]; return the byte after it.

    Where the room is out, nothing is written, here or after that: the byte lies beyond `room`.
    """
    cdef uint8_t* end = out + at
    if at + name.length + SHORT + 16 <= room and name.prefix:
        memcpy(end, name.run + 2 * first, SHORT)
        end += name.prefix - 2 * first
        return (_digits(end, count) if counted else end) - out
    if at + name.length + 16 > room:
        return at + name.length + 16  # 2 for the bar, 2 for the star, up to 10 digits
    if not first:
        end[0] = c"|"
        end[1] = c" "
        end += 2
    memcpy(end, name.start, name.length)
    end += name.length
    if counted:
        end[0] = c" "
        end[1] = c"*"
        end = _digits(end + 2, count)
    return end - out


cdef Py_ssize_t _write_line(
    const int32_t* cells, Py_ssize_t length, const int32_t* stop, const Name* names,
    Py_ssize_t known, bint counted, uint8_t* out, Py_ssize_t at, Py_ssize_t room
) noexcept nogil:
    """Write one line of runs at out[at]; return the byte after it, or -1 at a cell without a name.

    Where the ends of runs lie is found 16 cells at a time: to look at each cell in turn is to guess
    wrong once a run. All cells lie before `stop`. Where the room is out, bytes are counted but not
    written.
    """
    cdef Py_ssize_t block, count, begin = 0, end
    cdef uint64_t ends, all_cells
    cdef int32_t label
    for block in range(0, length, 64):
        count = min(<Py_ssize_t>64, length - block)
        all_cells = <uint64_t>-1 >> (64 - count)
        ends = all_cells
        if counted:
            ends = _run_ends(cells + block, count, stop) & all_cells
            if block + count == length:
                ends |= <uint64_t>1 << (count - 1)
        while ends:
            end = block + lowest_bit(ends) + 1
            ends &= ends - 1
            label = cells[begin]
            if label < 0 or label >= known:
                return -1
            at = _write_run(
                &names[label], <uint32_t>(end - begin), begin == 0, counted, out, at, room
            )
            begin = end
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
        at = _write_line(
            cells + y * length, length, cells + rows * columns, names, known, style != NONE, out,
            at, room
        )
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
                    _set_name(&table[name], start, newline - start, style != NONE)
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
