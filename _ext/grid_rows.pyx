# cython: language_level=3, binding=False
"""Rows of a grid of labels: filled from runs, and mended by their neighbours.

A row of the wrong length has lost or gained cells somewhere. `align` tries every run boundary and
keeps the place where the row, so mended, agrees best with the rows above and below it:

      above     o o o d d d o o
      row       o o o d d o o            one cell short
      tried   [o]o o o d d o o   4 + 2   five cells agree behind the gap, ...
                o o o d d[d]o o  8       ... all eight agree: this one
"""

from cpython.buffer cimport (
    PyBUF_SIMPLE,
    PyBUF_WRITABLE,
    PyBuffer_Release,
    PyObject_GetBuffer,
)
from libc.stdint cimport int32_t
from libc.stdlib cimport free, malloc

from label_runs cimport expand_runs

cdef struct Neighbours:
    const int32_t* above    # NULL where there is none
    const int32_t* below


cdef inline int32_t _agree(const Neighbours* n, int32_t label, Py_ssize_t x) noexcept nogil:
    """How many of the neighbours have this label at x."""
    return (n.above != NULL and n.above[x] == label) + (n.below != NULL and n.below[x] == label)


cdef void _insert(
    const int32_t* runs, Py_ssize_t first, Py_ssize_t last, const int32_t* row, Py_ssize_t length,
    const Neighbours* n, int32_t* before, int32_t* after, int32_t* cells, Py_ssize_t columns
) noexcept nogil:
    """Widen a short row, at a run's end by more of the run or of what stands above."""
    cdef Py_ssize_t missing = columns - length, run, x, end = 0, best_end = 0, longest = -1
    cdef const int32_t* other = n.above if n.above != NULL else n.below
    cdef int32_t score, most = -1, label = 0
    cdef bint copied = other != NULL
    before[0] = after[length] = 0
    for x in range(length):
        before[x + 1] = before[x] + _agree(n, row[x], x)
    for x in range(length - 1, -1, -1):
        after[x] = after[x + 1] + _agree(n, row[x], x + missing)
    if other != NULL:
        most = after[0]
        for x in range(missing):
            most += _agree(n, other[x], x)
        longest = 0
    for run in range(first, last):
        if end >= length:
            break
        end = min(end + runs[2 * run + 1], length)
        score = before[end] + after[end]
        for x in range(end, end + missing):
            score += _agree(n, runs[2 * run], x)
        if score > most or score == most and runs[2 * run + 1] > longest:
            most, longest, best_end, label = score, runs[2 * run + 1], end, runs[2 * run]
            copied = False
        if other != NULL:
            score = before[end] + after[end]
            for x in range(end, end + missing):
                score += _agree(n, other[x], x)
            if score > most:
                most, longest, best_end, copied = score, 0, end, True
    for x in range(best_end):
        cells[x] = row[x]
    for x in range(best_end, best_end + missing):
        cells[x] = other[x] if copied else label
    for x in range(best_end, length):
        cells[x + missing] = row[x]


cdef void _remove(
    const int32_t* runs, Py_ssize_t first, Py_ssize_t last, const int32_t* row, Py_ssize_t length,
    const Neighbours* n, int32_t* before, int32_t* after, int32_t* cells, Py_ssize_t columns
) noexcept nogil:
    """Narrow a long row, at a run's start or at its own end."""
    cdef Py_ssize_t surplus = length - columns, run, x, start = 0, best_start = columns, longest = 0
    cdef int32_t score, most
    before[0] = after[columns] = 0
    for x in range(columns):
        before[x + 1] = before[x] + _agree(n, row[x], x)
    for x in range(columns - 1, -1, -1):
        after[x] = after[x + 1] + _agree(n, row[x + surplus], x)
    most = before[columns]
    for run in range(first, last):
        if start > columns:
            break
        score = before[start] + after[start]
        if score > most or score == most and runs[2 * run + 1] > longest:
            most, longest, best_start = score, runs[2 * run + 1], start
        start += min(<Py_ssize_t>runs[2 * run + 1], columns)
    for x in range(best_start):
        cells[x] = row[x]
    for x in range(best_start, columns):
        cells[x] = row[x + surplus]


cdef bint _align(
    const int32_t* runs, Py_ssize_t first, Py_ssize_t last, const Neighbours* n,
    int32_t* cells, Py_ssize_t columns
) noexcept nogil:
    """Fill `cells` with a row of any length; False where there is no memory."""
    cdef int32_t* row = <int32_t*>malloc((4 * columns + 2) * sizeof(int32_t))
    cdef int32_t* before = row + 2 * columns
    cdef int32_t* after = before + columns + 1
    cdef Py_ssize_t length = 0, run, _cell
    if row == NULL:
        return False
    for run in range(first, last):
        for _cell in range(min(<Py_ssize_t>runs[2 * run + 1], columns)):
            if length == 2 * columns:
                break
            row[length] = runs[2 * run]
            length += 1
    if length <= columns:
        _insert(runs, first, last, row, length, n, before, after, cells, columns)
    else:
        _remove(runs, first, last, row, length, n, before, after, cells, columns)
    free(row)
    return True


def align(runs, Py_ssize_t first, Py_ssize_t last, above, below, cells):
    """Fill a row from runs that may be too short or too long for it.

    A run counts for no more cells than the row has, and cells beyond twice the row are not looked
    at. Of places that agree equally well with the neighbours, the one at the longest run is mended.

    Args:
        runs: int32 (n, 2), (label, count) of each run.
        first, last: the row is runs[first:last].
        above, below: int32 (columns,), the rows next to it; None where there is none.
        cells: int32 (columns,), becomes the row.
    """
    cdef Py_buffer views[4]
    cdef Neighbours n
    cdef Py_ssize_t columns
    cdef int view = 0, held = 0, side = 0
    cdef bint done = True
    n.above = n.below = NULL
    try:
        for array in (cells, runs):
            PyObject_GetBuffer(
                array, &views[held], PyBUF_SIMPLE if held else PyBUF_SIMPLE | PyBUF_WRITABLE
            )
            held += 1
        columns = views[0].len // 4
        if not 0 <= first <= last <= views[1].len // 8:
            raise ValueError("first and last must be runs")
        for array in (above, below):
            side += 1
            if array is not None:
                PyObject_GetBuffer(array, &views[held], PyBUF_SIMPLE)
                held += 1
                if views[held - 1].len != columns * 4:
                    raise ValueError("above and below must be as long as cells")
                if side == 1:
                    n.above = <const int32_t*>views[held - 1].buf
                else:
                    n.below = <const int32_t*>views[held - 1].buf
        with nogil:
            done = columns == 0 or _align(
                <const int32_t*>views[1].buf, first, last, &n, <int32_t*>views[0].buf, columns
            )
        if not done:
            raise MemoryError
    finally:
        for view in range(held):
            PyBuffer_Release(&views[view])


def expand(runs, Py_ssize_t first, Py_ssize_t last, cells):
    """Fill `cells`, int32 (n,), with the cells of runs[first:last]; return how many they fill.

    Up to three cells after those may change too. More cells than there is room for are left out.
    """
    cdef Py_buffer source, target
    cdef Py_ssize_t filled = 0
    PyObject_GetBuffer(runs, &source, PyBUF_SIMPLE)
    try:
        if not 0 <= first <= last <= source.len // 8:
            raise ValueError("first and last must be runs")
        PyObject_GetBuffer(cells, &target, PyBUF_SIMPLE | PyBUF_WRITABLE)
        with nogil:
            filled = expand_runs(
                <const int32_t*>source.buf, first, last, <int32_t*>target.buf, target.len // 4
            )
        PyBuffer_Release(&target)
    finally:
        PyBuffer_Release(&source)
    return filled
