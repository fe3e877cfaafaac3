# cython: language_level=3, binding=False
"""From COCO run lengths to a mask in C order, without a transposed copy.

A row of a mask is the row above it with some pixels flipped. The run lengths say which, column by
column; filed by row, they let the mask be written once, from top to bottom, by copying rows.
"""

cimport cython
from cpython.buffer cimport PyBUF_ND, PyBUF_SIMPLE, PyBUF_WRITABLE, PyBuffer_Release
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

from bits cimport folded_pixel, transpose_words, unfold_pixels
from buffers cimport open_buffer
from clearing cimport stream_zeros
from folded_rows cimport MOST_WORDS
from prefetch cimport fetch_ahead


cdef void _file_changes(
    const uint32_t* counts, Py_ssize_t length, uint64_t height, uint32_t* slots,
    uint32_t* columns, uint8_t* first_row
) noexcept nogil:
    """Walk the run lengths and file each change, by its column, under its row.

    With `columns` NULL the changes of each row are only counted, in `slots`, and the first row is
    painted; otherwise `slots` says where the next column of each row goes.
    """
    cdef Py_ssize_t i, first, stop
    cdef uint64_t x = 0, y = 0, step
    for i in range(length):
        first = <Py_ssize_t>(x + (y != 0))
        y += counts[i]
        if y >= height:
            step = 1 if y < 2 * height else y // height
            x += step
            y -= step * height
        if columns != NULL:
            if y:
                columns[slots[y]] = <uint32_t>x
                slots[y] += 1
        else:
            slots[y] += 1
            stop = <Py_ssize_t>(x + (y != 0))
            if i & 1 and stop > first:
                memset(first_row + first, 1, stop - first)


cdef void _paint(
    const uint32_t* counts, Py_ssize_t length, Py_ssize_t height, Py_ssize_t width,
    uint8_t* pixels, uint32_t* slots, uint32_t* columns, bint far
) noexcept nogil:
    """Paint from top to bottom; `far` says that no cache holds the pixels."""
    cdef Py_ssize_t y, x, i = 0
    cdef int64_t inside = 0  # pixels of the row
    cdef uint32_t start = 0, changes
    cdef uint8_t* row = pixels
    memset(slots, 0, height * sizeof(uint32_t))
    memset(row, 0, width)
    _file_changes(counts, length, height, slots, NULL, row)
    for y in range(1, height):
        changes = slots[y]
        slots[y] = start
        start += changes
    _file_changes(counts, length, height, slots, columns, NULL)
    for x in range(width):
        inside += row[x]
    y = 1
    while y < height:
        if inside:
            fetch_ahead(row + width, width)
            memcpy(row + width, row, width)
        else:
            x = _unchanged_rows(slots, y, height, i)
            _clear(row + width, x * width, far)
            row += x * width
            y += x
            if y == height:
                return
            memset(row + width, 0, width)
        row += width
        while i < slots[y]:  # which is now where the next row's columns begin
            row[columns[i]] ^= 1
            inside += 2 * row[columns[i]] - 1
            i += 1
        y += 1


cdef inline Py_ssize_t _unchanged_rows(
    const uint32_t* slots, Py_ssize_t y, Py_ssize_t height, Py_ssize_t change
) noexcept nogil:
    """How many rows from y on end before the next change."""
    cdef Py_ssize_t stop = y
    while stop < height and slots[stop] == change:
        stop += 1
    return stop - y


cdef inline void _clear(uint8_t* pixels, Py_ssize_t length, bint far) noexcept nogil:
    if far:
        stream_zeros(pixels, length)
    else:
        memset(pixels, 0, length)


cdef uint64_t _sum(const uint32_t* counts, Py_ssize_t length) noexcept nogil:
    cdef uint64_t total = 0
    cdef Py_ssize_t i
    for i in range(length):
        total += counts[i]
    return total


cdef struct Job:
    Py_buffer counts
    Py_buffer mask
    Py_ssize_t height
    Py_ssize_t width


cdef int _open(Job* job, counts, mask) except -1:
    """Take over a uint32 array and a (height, width) array of bytes, checked."""
    open_buffer(counts, &job.counts, PyBUF_SIMPLE, -1)
    open_buffer(mask, &job.mask, PyBUF_WRITABLE | PyBUF_ND, -1)
    if job.counts.itemsize != 4 or job.mask.itemsize != 1 or job.mask.ndim != 2:
        raise ValueError("counts are uint32, a mask is (height, width) bytes")
    job.height, job.width = job.mask.shape[0], job.mask.shape[1]
    return 0


cdef Py_ssize_t _paint_all(
    const Job* jobs, Py_ssize_t count, uint32_t* scratch, Py_ssize_t room, bint far
) noexcept nogil:
    """Paint masks until one can't be; return how many were."""
    cdef Py_ssize_t done, length
    cdef const Job* job
    cdef const uint32_t* values
    for done in range(count):
        job = &jobs[done]
        values = <const uint32_t*>job.counts.buf
        length = job.counts.len // 4
        if (job.height + length > room
                or _sum(values, length) != <uint64_t>(job.height * job.width)):
            return done
        if job.height and job.width:
            _paint(
                values, length, job.height, job.width, <uint8_t*>job.mask.buf, scratch,
                scratch + job.height, far
            )
    return count


def decode_sparse(counts, masks, scratch, bint far=False):
    """Paint run lengths, a uint32 array a mask, into `masks`, (height, width) bytes each.

    `scratch` (uint32) has room for a word a row of a mask and for as many as it has run lengths.
    `far` says that the masks are more than the caches hold, see `clearing`.
    Returns how many masks were painted, every pixel of them: fewer than all where the next one's
    run lengths are more than there is room for, or don't sum to its area.
    """
    cdef Py_ssize_t count = len(counts), opened = 0, done = 0, i
    cdef Py_buffer words
    cdef Job* jobs
    if len(masks) != count:
        raise ValueError("a mask for each array of run lengths")
    jobs = <Job*>calloc(count + 1, sizeof(Job))
    if jobs == NULL:
        raise MemoryError
    memset(&words, 0, sizeof(Py_buffer))
    try:
        open_buffer(scratch, &words, PyBUF_WRITABLE, -1)
        for i in range(count):
            opened += 1  # releasing a buffer that is still zeros is harmless
            _open(&jobs[i], counts[i], masks[i])
        with nogil:
            done = _paint_all(jobs, count, <uint32_t*>words.buf, words.len // 4, far)
        return done
    finally:
        for i in range(opened):
            PyBuffer_Release(&jobs[i].counts)
            PyBuffer_Release(&jobs[i].mask)
        PyBuffer_Release(&words)
        free(jobs)


cdef void _mark_changes(
    const uint32_t* counts, Py_ssize_t length, uint64_t height, uint64_t* changes, uint64_t words
) noexcept nogil:
    """Set the bit of each pixel that differs from the one above it; above the first row is 0."""
    cdef Py_ssize_t i
    cdef uint64_t x = 0, y = 0, step, column, place = 0, pending = 0
    for i in range(length):
        column = x + (y != 0)
        y += counts[i]
        if y >= height:
            step = 1 if y < 2 * height else y // height
            x += step
            y -= step * height
        if i & 1:
            while column < x + (y != 0):
                changes[column * words] ^= 1
                column += 1
        if y:
            if place != x * words + (y >> 6):
                changes[place] ^= pending
                place = x * words + (y >> 6)
                pending = 0
            pending ^= <uint64_t>1 << (y & 63)
    changes[place] ^= pending


cdef void _paint_tile(
    const uint64_t* changes, Py_ssize_t words, Py_ssize_t start, Py_ssize_t rows,
    uint64_t* folded, uint8_t* pixels, Py_ssize_t width
) noexcept nogil:
    """Paint columns `start` to `start` + 127 of up to 64 rows; a negative start is a margin."""
    cdef uint64_t[2][64] tiles
    cdef uint8_t[128] spare
    cdef Py_ssize_t word, y, column
    cdef int bit
    for word in range(2):
        for bit in range(64):
            column = start + folded_pixel(bit, word)
            tiles[word][bit] = changes[column * words] if column >= 0 else 0
        transpose_words(tiles[word])
    for y in range(rows):
        folded[0] ^= tiles[0][y]
        folded[1] ^= tiles[1][y]
        if start >= 0:
            unfold_pixels(folded, pixels + y * width + start)
        else:
            unfold_pixels(folded, spare)
            memcpy(pixels + y * width, spare - start, width)


@cython.boundscheck(False)
@cython.wraparound(False)
def decode_dense(const uint32_t[::1] counts, uint8_t[:, ::1] mask, uint64_t[:, ::1] changes):
    """Paint run lengths so many that filing them would be slower than transposing bits.

    `changes` is (width, ceil(height / 64)). Returns 1, or 0 where nothing was painted because the
    run lengths don't sum to the area, or -1 where `changes` has another shape or the width is above
    65,536.
    """
    cdef Py_ssize_t height = mask.shape[0], width = mask.shape[1], length = counts.shape[0]
    cdef Py_ssize_t words = changes.shape[1], x, y
    cdef uint64_t[MOST_WORDS] folded
    cdef uint64_t total
    if length == 0 or height == 0 or width == 0:
        return -1
    with nogil:
        total = _sum(&counts[0], length)
    if total != <uint64_t>(height * width):
        return 0
    if changes.shape[0] != width or words != (height + 63) // 64 or width > 65536:
        return -1
    with nogil:
        memset(&changes[0, 0], 0, width * words * sizeof(uint64_t))
        memset(folded, 0, sizeof(folded))
        _mark_changes(&counts[0], length, height, &changes[0, 0], words)
        for y in range(0, height, 64):
            for x in range(0, width, 128):
                _paint_tile(
                    &changes[0, y >> 6], words, min(x, width - 128), min(64, height - y),
                    folded + (x >> 6), &mask[y, 0], width
                )
    return 1
