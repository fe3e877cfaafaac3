"""A mask row by row, folded: what the run-length encoders share beyond `bits`."""

from libc.stdint cimport uint8_t, uint64_t
from libc.string cimport memcpy, memset

from bits cimport fold_changes

cdef enum:
    MOST_WORDS = 1024  # that a row of 65,536 pixels is folded into


cdef inline const uint8_t* block_of_row(
    const uint8_t* row, Py_ssize_t x, Py_ssize_t width, uint8_t* spare
) noexcept nogil:
    """The 128 pixels that end with the block at x: the last block of a row overlaps the one before
    it, and a row shorter than a block is copied into `spare`, which ends with it."""
    if x + 128 <= width:
        return row + x
    if width >= 128:
        return row + width - 128
    memcpy(spare + 128 - width, row, width)
    return spare


cdef inline void fold_before(
    const uint8_t* last_row, Py_ssize_t width, uint64_t* folded, uint64_t* last_columns
) noexcept nogil:
    """Fold what comes before the first row in column order: the last row, one column further.

    `last_columns` is set to the pixels of the row's last block that no earlier block holds.
    """
    cdef uint8_t[129] pixels
    cdef uint64_t[2] change
    cdef Py_ssize_t x, start, rest = (width - 1) % 128 + 1
    memset(pixels, 0, 129)
    memset(pixels + 128 - rest, 1, rest)
    last_columns[0] = last_columns[1] = 0
    fold_changes(pixels, last_columns, change)
    for x in range(0, width, 128):
        start = min(x, width - 128)
        if start > 0:
            fold_changes(last_row + start - 1, folded, change)
        else:
            memset(pixels, 0, 129)
            memcpy(pixels - start + 1, last_row, min(width, 128))
            fold_changes(pixels, folded, change)
        folded += 2
