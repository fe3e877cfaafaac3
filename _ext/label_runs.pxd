"""Runs of labels, pairs (label, count) of int32, into the cells of a grid."""

from libc.stdint cimport int32_t


cdef inline Py_ssize_t expand_runs(
    const int32_t* runs, Py_ssize_t first, Py_ssize_t last, int32_t* cells, Py_ssize_t room
) noexcept nogil:
    """Write the cells of runs first to last - 1, as many as there is room for; return how many.

    Up to three cells after those are written too, within the room.
    """
    cdef Py_ssize_t run, at = 0, i, stop
    cdef int32_t label
    for run in range(first, last):
        label = runs[2 * run]
        stop = at + runs[2 * run + 1]
        if stop + 4 <= room:
            for i in range(at, stop, 4):
                cells[i] = label
                cells[i + 1] = label
                cells[i + 2] = label
                cells[i + 3] = label
            at = stop
        else:
            stop = min(stop, room)
            for i in range(at, stop):
                cells[i] = label
            at = stop
            if at == room:
                break
    return at
