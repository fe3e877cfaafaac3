# cython: language_level=3, binding=False
"""The COCO run lengths of every label of a label map, from one pass over its pixels.

A run of a label map, in column order, begins where a pixel differs from the one above it (in the
first row: from the last one of the column before). These places are found for all labels at once,
sorted by column, and then dealt out: each run ends a gap of its own label and no other's.
"""

cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memset

from bits cimport different_bytes, lowest_bit
from prefetch cimport fetch_ahead_twice

ctypedef fused label_t:
    uint8_t
    uint16_t
    int32_t


cdef inline uint64_t _different(
    const label_t* labels, const label_t* others, Py_ssize_t x, Py_ssize_t width
) noexcept nogil:
    """Which labels from x on differ; label i of the 64 bytes has its bit at i * sizeof(label)."""
    cdef Py_ssize_t i, step = sizeof(label_t), lanes = 64 // step
    cdef uint64_t word = 0
    if x + lanes <= width:
        word = different_bytes(<const uint8_t*>(labels + x), <const uint8_t*>(others + x))
    elif width >= lanes:
        i = width - lanes
        word = different_bytes(<const uint8_t*>(labels + i), <const uint8_t*>(others + i))
        word >>= (x - i) * step
    else:
        for i in range(x, width):
            word |= (<uint64_t>(labels[i] != others[i])) << ((i - x) * step)
    if label_t is uint16_t:
        word = (word | word >> 1) & <uint64_t>0x5555555555555555
    elif label_t is int32_t:
        word |= word >> 1
        word = (word | word >> 2) & <uint64_t>0x1111111111111111
    return word


cdef Py_ssize_t _row_changes(
    const label_t* labels, const label_t* others, Py_ssize_t width, uint32_t y, uint32_t x0,
    uint32_t* changes, Py_ssize_t count, uint32_t* per_column
) noexcept nogil:
    """List y << 16 | x0 + x for every x where two rows differ; return the new count."""
    cdef Py_ssize_t x = 0, lanes = 64 // <Py_ssize_t>sizeof(label_t)
    cdef uint64_t word
    cdef uint32_t column
    while x < width:
        fetch_ahead_twice(<const uint8_t*>(labels + x), 64)
        word = _different(labels, others, x, width)
        while word:
            column = x0 + <uint32_t>x + <uint32_t>lowest_bit(word) // <uint32_t>sizeof(label_t)
            word &= word - 1
            changes[count] = y << 16 | column
            per_column[column] += 1
            count += 1
        x += lanes
    return count


cdef Py_ssize_t _runs(
    const label_t* labels, Py_ssize_t height, Py_ssize_t width, uint32_t* starts, int32_t* values,
    uint32_t* changes, Py_ssize_t room, uint32_t* next_slot
) noexcept nogil:
    cdef Py_ssize_t count = 1, y, i
    cdef uint32_t start, slot, column
    cdef const label_t* row = labels
    memset(next_slot, 0, width * sizeof(uint32_t))
    changes[0] = 0  # the first pixel of all begins a run
    next_slot[0] = 1
    for y in range(height):
        if count + width > room:
            return -1
        if y == 0:
            count = _row_changes(
                row + 1, row + (height - 1) * width, width - 1, 0, 1, changes, count, next_slot
            )
        else:
            count = _row_changes(
                row, row - width, width, <uint32_t>y, 0, changes, count, next_slot
            )
        row += width
    start = 0
    for i in range(width):
        slot = next_slot[i]
        next_slot[i] = start
        start += slot
    for i in range(count):  # rows ascend within each column, as they were listed
        column = changes[i] & 0xFFFF
        y = changes[i] >> 16
        slot = next_slot[column]
        next_slot[column] = slot + 1
        starts[slot] = column * <uint32_t>height + <uint32_t>y
        values[slot] = <int32_t>labels[y * width + column]
    return count


@cython.boundscheck(False)
@cython.wraparound(False)
def label_runs(
    const label_t[:, ::1] labels, uint32_t[::1] starts, int32_t[::1] values, uint32_t[::1] scratch
):
    """Find the runs of a label map in column order: where each starts, and its label.

    `starts`, `values` have room for R runs and `scratch` for R + width words. Returns the number
    of runs, or -1 where R may be too small (it is tested once a row, for a whole row) or a side is
    longer than 65,536 pixels.
    """
    cdef Py_ssize_t height = labels.shape[0], width = labels.shape[1], room = starts.shape[0], count
    if height == 0 or width == 0:
        return 0
    if values.shape[0] < room or scratch.shape[0] < room + width or room < 1:
        return -1
    if height > 65536 or width > 65536:
        return -1
    with nogil:
        count = _runs(
            &labels[0, 0], height, width, &starts[0], &values[0],
            &scratch[0], room, &scratch[0] + room
        )
    return count


@cython.boundscheck(False)
@cython.wraparound(False)
def linear_runs(const label_t[::1] labels, uint32_t[::1] starts, int32_t[::1] values):
    """`label_runs` for labels that lie in column order already, and for noise once it does.

    `starts` and `values` have room for a run a label; with less the result is -1.
    """
    cdef Py_ssize_t length = labels.shape[0], count = 1, i
    cdef const label_t* label
    cdef uint32_t* start
    cdef int32_t* value
    if starts.shape[0] < length or values.shape[0] < length:
        return -1
    if length == 0:
        return 0
    label, start, value = &labels[0], &starts[0], &values[0]
    with nogil:
        start[0] = 0
        value[0] = <int32_t>label[0]
        for i in range(1, length):  # written in any case: noise would make a branch expensive
            start[count] = <uint32_t>i
            value[count] = <int32_t>label[i]
            count += label[i] != label[i - 1]
    return count


@cython.boundscheck(False)
@cython.wraparound(False)
def count_runs(const int32_t[::1] values, int64_t low, int64_t[::1] runs):
    """Add to `runs[label - low]` how many runs each label has.

    Returns 0, or -1 at the first label that `runs` has no place for.
    """
    cdef Py_ssize_t i, length = values.shape[0]
    cdef int64_t kind, kinds = runs.shape[0]
    cdef const int32_t* value
    cdef int64_t* count
    if length == 0 or kinds == 0:
        return 0 if length == 0 else -1
    value, count = &values[0], &runs[0]
    with nogil:
        for i in range(length):
            kind = value[i] - low
            if not 0 <= kind < kinds:
                break
            count[kind] += 1
        else:
            i = length
    return 0 if i == length else -1


cdef bint _deal(
    const uint32_t* starts, const int32_t* values, Py_ssize_t length, int64_t low, uint32_t area,
    uint32_t* counts, int64_t room, int64_t* next_slot, uint32_t* ends, int64_t kinds
) noexcept nogil:
    cdef Py_ssize_t i
    cdef uint32_t start = starts[0], stop
    cdef int64_t kind, slot
    for i in range(length):
        kind = values[i] - low
        if not 0 <= kind < kinds:
            return False
        slot = next_slot[kind]
        if not 0 <= slot < room - 1:
            return False
        stop = starts[i + 1] if i + 1 < length else area
        counts[slot] = start - ends[kind]
        counts[slot + 1] = stop - start
        next_slot[kind] = slot + 2
        ends[kind] = start = stop
    for kind in range(kinds):
        if 0 < ends[kind] < area:
            slot = next_slot[kind]
            if not 0 <= slot < room:
                return False
            counts[slot] = area - ends[kind]
            next_slot[kind] = slot + 1
    return True


@cython.boundscheck(False)
@cython.wraparound(False)
def deal_runs(
    const uint32_t[::1] starts, const int32_t[::1] values, int64_t low, uint32_t area,
    uint32_t[::1] counts, int64_t[::1] next_slot, uint32_t[::1] ends
):
    """Write the run lengths of each label to its part of `counts`.

    Of the label `low` + k, `next_slot[k]` says where its part begins (and in the end, where its
    next count would go) and `ends[k]`, 0 at first, where its last run ends. A label with n runs has
    2 n counts, and one more unless the last run of all is its own. Returns 0, or -1 where arrays
    don't fit each other.
    """
    cdef Py_ssize_t length = starts.shape[0], kinds = ends.shape[0]
    cdef bint fits
    if values.shape[0] != length or next_slot.shape[0] != kinds:
        return -1
    if length == 0 or kinds == 0 or counts.shape[0] == 0:
        return 0 if length == 0 else -1
    with nogil:
        fits = _deal(
            &starts[0], &values[0], length, low, area,
            &counts[0], counts.shape[0], &next_slot[0], &ends[0], kinds
        )
    return 0 if fits else -1
