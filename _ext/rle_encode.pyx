# cython: language_level=3, binding=False
"""COCO run lengths of full masks in C order, without a transposed copy.

COCO counts runs down the columns, memory runs along the rows. A run begins where a pixel differs
from the one before it in column order, which for the pixel (y, x) is the one above:

      row y-1    . . # # # .
      row y      . # # # . .
      xor          ^     ^        two changes, at (y, 1) and (y, 4)

and for the pixel (0, x) the last one of column x - 1. So 128 pixels are compared at a time by one
xor of folded rows, and only the changes, few in a mask of an object, have to be brought into
column order. Sums and positions are uint32: the caller keeps masks below 2**32 pixels.
"""

from cpython.buffer cimport (
    PyBUF_C_CONTIGUOUS,
    PyBUF_ND,
    PyBUF_STRIDES,
    PyBUF_WRITABLE,
    PyBuffer_IsContiguous,
    PyBuffer_Release,
)
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memchr, memcpy, memset

from bits cimport fold_changes, folded_pixel, lowest_bit
from buffers cimport open_buffer
from folded_rows cimport MOST_WORDS, block_of_row, fold_before
from prefetch cimport fetch_ahead_twice


cdef inline Py_ssize_t _list(
    uint64_t* change, Py_ssize_t start, Py_ssize_t y,
    uint32_t* changes, Py_ssize_t count, uint32_t* per_column
) noexcept nogil:
    """List the changes of a block: mostly one, so that one loop for both words guesses better."""
    cdef uint64_t first = change[0], second = change[1], rest
    cdef uint32_t column
    cdef bint word
    while first | second:
        word = first == 0
        rest = second if word else first
        column = <uint32_t>(start + folded_pixel(lowest_bit(rest), word))
        rest &= rest - 1
        second = rest if word else second
        first = 0 if word else rest
        changes[count] = <uint32_t>y << 16 | column
        per_column[column] += 1
        count += 1
    return count


cdef inline Py_ssize_t _empty_rows(
    const uint8_t* row, const uint8_t* end, Py_ssize_t width
) noexcept nogil:
    """How many rows from `row` on are empty; `memchr` reads them as fast as memory goes."""
    cdef const uint8_t* found = <const uint8_t*>memchr(row, 1, end - row)
    return ((found if found != NULL else end) - row) // width


cdef inline bint _is_empty(const uint64_t* folded, Py_ssize_t words) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(words):
        if folded[i]:
            return False
    return True


cdef Py_ssize_t _changes(
    const uint8_t* row, Py_ssize_t height, Py_ssize_t width,
    uint32_t* changes, Py_ssize_t room, uint32_t* per_column
) noexcept nogil:
    """List the changes, y << 16 | x, row by row, and count them per column.

    Returns how many, or -1 where `room` for them runs out.
    """
    cdef uint64_t[MOST_WORDS] folded
    cdef uint64_t[2] change, last_columns
    cdef uint8_t[128] spare
    cdef Py_ssize_t blocks = (width - 1) // 128, count = 0, y = 0, i, before
    cdef const uint8_t* end = row + height * width
    memset(folded, 0, (blocks + 1) * 2 * sizeof(uint64_t))
    memset(spare, 0, 128)
    fold_before(end - width, width, folded, last_columns)
    while row != end:
        if count + width > room:
            return -1
        before = count
        for i in range(blocks):
            fetch_ahead_twice(row + 128 * i, 128)
            if fold_changes(row + 128 * i, folded + 2 * i, change):
                count = _list(change, 128 * i, y, changes, count, per_column)
        fetch_ahead_twice(row + 128 * blocks, width - 128 * blocks)
        if fold_changes(block_of_row(row, 128 * blocks, width, spare), folded + 2 * blocks, change):
            change[0] &= last_columns[0]
            change[1] &= last_columns[1]
            count = _list(change, width - 128, y, changes, count, per_column)
        if (y == 0 or count != before) and _is_empty(folded, 2 * blocks + 2):
            i = _empty_rows(row + width, end, width)  # such rows hold no change
            y += i
            row += i * width
        y += 1
        row += width
    return count


cdef Py_ssize_t _encode(
    const uint8_t* pixels, Py_ssize_t height, Py_ssize_t width, uint32_t* counts, Py_ssize_t room,
    uint32_t* spare
) noexcept nogil:
    """Write run lengths, one more than there are changes; -1 where there are more than `room`.

    `spare` holds `room` + `width` words.
    """
    cdef uint32_t* next_slot = spare + room
    cdef uint32_t start = 0, column, before = 0, position
    cdef Py_ssize_t count, i
    if height == 0 or width == 0:
        counts[0] = 0
        return 1
    if height > 65536 or width > 65536:
        return -1
    memset(next_slot, 0, width * sizeof(uint32_t))
    count = _changes(pixels, height, width, counts, room, next_slot)
    for i in range(width):
        position = next_slot[i]
        next_slot[i] = start
        start += position
    for i in range(count):  # rows ascend within each column, as they were listed
        column = counts[i] & 0xFFFF
        position = next_slot[column]
        next_slot[column] = position + 1
        spare[position] = column * <uint32_t>height + (counts[i] >> 16)
    for i in range(count):
        position = spare[i]
        counts[i] = position - before
        before = position
    if count >= 0:
        counts[count] = <uint32_t>(height * width) - before
    return count + 1 if count >= 0 else -1


cdef inline bint _is_mask(const Py_buffer* view) noexcept:
    return view.ndim == 2 and view.itemsize == 1


def encode_one(mask, Py_ssize_t pixels_per_change, new):
    """Encode one mask in C order; `new(n)` makes the array for n run lengths, uint32.

    Returns that array; None where the mask is no array of two dimensions and one byte a pixel in
    C order, or changes more often than once in so many pixels. All in one call, since taking apart
    arguments and results in Python takes a tenth of the time that a mask takes.
    """
    cdef Py_buffer views[2]
    cdef Py_ssize_t height, width, room, length = -1
    cdef uint32_t* counts = NULL
    cdef int k
    memset(views, 0, sizeof(views))  # releasing one is harmless then
    try:
        open_buffer(mask, &views[0], PyBUF_STRIDES, -1)
        if not _is_mask(&views[0]) or not PyBuffer_IsContiguous(&views[0], c"C"):
            return None
        height = views[0].shape[0]
        width = views[0].shape[1]
        room = height * width // pixels_per_change + 2 * width
        counts = <uint32_t*>malloc((2 * room + width + 1) * sizeof(uint32_t))
        if counts == NULL:
            raise MemoryError
        with nogil:
            length = _encode(
                <const uint8_t*>views[0].buf, height, width, counts, room, counts + room + 1
            )
        if length < 0:
            return None
        result = new(length)
        open_buffer(result, &views[1], PyBUF_WRITABLE, 4 * length)
        memcpy(views[1].buf, counts, 4 * length)
        return result
    finally:
        free(counts)
        for k in range(2):
            PyBuffer_Release(&views[k])


cdef struct Job:
    Py_buffer mask
    Py_ssize_t length  # of its run lengths


cdef Py_ssize_t _encode_all(
    Job* jobs, Py_ssize_t masks, uint32_t* counts, Py_ssize_t words, Py_ssize_t room
) noexcept nogil:
    """Encode masks until one doesn't fit, one after the other; return how many."""
    cdef Py_ssize_t done, height, width
    for done in range(masks):
        height = jobs[done].mask.shape[0]
        width = jobs[done].mask.shape[1]
        if words < 2 * room + width + 1:
            return done
        jobs[done].length = _encode(
            <const uint8_t*>jobs[done].mask.buf, height, width, counts, room, counts + room + 1
        )
        if jobs[done].length < 0:
            return done
        counts += jobs[done].length
        words -= jobs[done].length
    return masks


def encode_sparse(list masks, object scratch, Py_ssize_t room):
    """Write the run lengths of masks to the front of `scratch`, one after the other.

    The masks are arrays of one byte a pixel in C order, (height, width) each, with sides of at most
    65,536 pixels. Returns how many run lengths each has. The list is shorter than `masks` where one
    has more than `room` changes, or where `scratch` (uint32) has less space left for one than
    2 * room + width + 1 words.
    """
    cdef Py_ssize_t count = len(masks), opened = 0, done = 0, i
    cdef Py_buffer words
    cdef Job* jobs = <Job*>malloc((count + 1) * sizeof(Job))
    if jobs == NULL:
        raise MemoryError
    memset(&words, 0, sizeof(Py_buffer))  # releasing it is harmless then
    try:
        open_buffer(scratch, &words, PyBUF_WRITABLE, -1)
        for i in range(count):
            open_buffer(masks[i], &jobs[i].mask, PyBUF_ND | PyBUF_C_CONTIGUOUS, -1)
            opened += 1
            if not _is_mask(&jobs[i].mask):
                raise ValueError("a mask is no two-dimensional array of bytes")
        if room >= 0:
            with nogil:
                done = _encode_all(jobs, count, <uint32_t*>words.buf, words.len // 4, room)
        return [jobs[i].length for i in range(done)]
    finally:
        for i in range(opened):
            PyBuffer_Release(&jobs[i].mask)
        PyBuffer_Release(&words)
        free(jobs)
