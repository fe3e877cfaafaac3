# cython: language_level=3, binding=False
"""COCO run lengths of full masks, from and to C order, without a transposed copy.

COCO counts runs down the columns, memory runs along the rows. A run begins where a pixel differs
from the one before it in column order, which for the pixel (y, x) is the one above:

      row y-1    . . # # # .
      row y      . # # # . .
      xor          ^     ^        two changes, at (y, 1) and (y, 4)

and for the pixel (0, x) the last one of column x - 1. So 64 pixels are compared at a time by one
xor of packed rows, and only the changes, few in a mask of an object, have to be brought into
column order. Sums and positions are uint32: the caller keeps masks below 2**32 pixels.
"""

cimport cython
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from bits cimport count_bits, lowest_bit, nonzero_bytes, transpose_words

cdef enum:
    MOST_WORDS = 1024  # of 64 pixels, in a row of 65,536


cdef inline uint64_t _packed(const uint8_t* row, Py_ssize_t x, Py_ssize_t width) noexcept nogil:
    """Pixels x to x + 63 of a row; bits beyond the row are 0."""
    cdef uint64_t word = 0
    cdef Py_ssize_t i
    if x + 64 <= width:
        return nonzero_bytes(row + x)
    if width >= 64:
        return nonzero_bytes(row + width - 64) >> (x + 64 - width)
    for i in range(x, width):
        word |= <uint64_t>(row[i] != 0) << (i - x)
    return word


cdef inline void _pack_before(
    const uint8_t* last_row, Py_ssize_t width, uint64_t* words
) noexcept nogil:
    """Pack what comes before the first row in column order: the last row, one column further."""
    cdef uint64_t word, carry = 0
    cdef Py_ssize_t x, i = 0
    for x in range(0, width, 64):
        word = _packed(last_row, x, width)
        words[i] = word << 1 | carry
        carry = word >> 63
        i += 1
    if width & 63:
        words[i - 1] &= ((<uint64_t>1) << (width & 63)) - 1  # the last pixel of all precedes none


cdef Py_ssize_t _changes(
    const uint8_t* pixels, Py_ssize_t height, Py_ssize_t width,
    uint32_t* changes, Py_ssize_t room, uint32_t* per_column
) noexcept nogil:
    """List the changes, y << 16 | x, row by row, and count them per column.

    Returns how many, or -1 where `room` for them runs out.
    """
    cdef uint64_t[MOST_WORDS] above
    cdef uint64_t word, change
    cdef const uint8_t* row = pixels
    cdef Py_ssize_t count = 0, x, y, i
    cdef uint32_t column
    _pack_before(pixels + (height - 1) * width, width, above)
    for y in range(height):
        i = 0
        for x in range(0, width, 64):
            word = _packed(row, x, width)
            change = word ^ above[i]
            if change:
                if count + 64 > room:
                    return -1
                above[i] = word
                while change:
                    column = <uint32_t>(x + lowest_bit(change))
                    change &= change - 1
                    changes[count] = <uint32_t>y << 16 | column
                    per_column[column] += 1
                    count += 1
            i += 1
        row += width
    return count


@cython.boundscheck(False)
@cython.wraparound(False)
def encode_sparse(const uint8_t[:, ::1] mask, uint32_t[::1] scratch):
    """Write the run lengths of a mask with few changes to the front of `scratch`.

    `scratch` holds `width` + 2 * R + 1 words, where R is the room for changes; a side has at most
    65,536 pixels. Returns the number of run lengths, or -1 where R is too small.
    """
    cdef Py_ssize_t height = mask.shape[0], width = mask.shape[1]
    cdef Py_ssize_t room = (scratch.shape[0] - width - 1) // 2
    cdef Py_ssize_t count, i
    cdef uint32_t start, position, before = 0
    cdef uint32_t *changes
    cdef uint32_t *sorted_changes
    cdef uint32_t *next_slot
    if room < 0 or height > 65536 or width > 65536:
        return -1
    changes = &scratch[0]
    if height == 0 or width == 0:
        changes[0] = 0
        return 1
    sorted_changes = changes + room + 1
    next_slot = sorted_changes + room
    with nogil:
        memset(next_slot, 0, width * sizeof(uint32_t))
        count = _changes(&mask[0, 0], height, width, changes, room, next_slot)
        if count >= 0:
            start = 0
            for i in range(width):
                position = next_slot[i]
                next_slot[i] = start
                start += position
            for i in range(count):  # rows ascend within each column, as they were listed
                position = changes[i] & 0xFFFF
                start = next_slot[position]
                next_slot[position] = start + 1
                sorted_changes[start] = position * <uint32_t>height + (changes[i] >> 16)
            for i in range(count):
                position = sorted_changes[i]
                changes[i] = position - before
                before = position
            changes[count] = <uint32_t>(height * width) - before
    return count + 1 if count >= 0 else -1


@cython.boundscheck(False)
@cython.wraparound(False)
def column_changes(const uint8_t[:, ::1] mask, uint64_t[:, ::1] changes):
    """Mark every change of a mask in `changes`, (width, ceil(height / 64)): bit b of word [x, i]
    stands for the pixel (64 * i + b, x). Returns how many there are, or -1 for a wrong shape.

    Its time doesn't depend on the mask: for noise, where sorting changes would be slow.
    """
    cdef Py_ssize_t height = mask.shape[0], width = mask.shape[1]
    cdef Py_ssize_t y0, x0, y, x, rows, total = 0
    cdef const uint8_t* pixels
    cdef uint64_t above, word
    cdef uint64_t[64] tile
    cdef uint64_t[MOST_WORDS] before
    if changes.shape[0] != width or changes.shape[1] != (height + 63) // 64 or width > 65536:
        return -1
    if height == 0 or width == 0:
        return 0
    with nogil:
        pixels = &mask[0, 0]
        _pack_before(pixels + (height - 1) * width, width, before)
        for y0 in range(0, height, 64):
            rows = min(64, height - y0)
            for x0 in range(0, width, 64):
                above = before[x0 >> 6]
                for y in range(rows):
                    word = _packed(pixels + (y0 + y) * width, x0, width)
                    tile[y] = word ^ above
                    total += count_bits(tile[y])
                    above = word
                before[x0 >> 6] = above
                for y in range(rows, 64):
                    tile[y] = 0
                transpose_words(tile)
                for x in range(min(64, width - x0)):
                    changes[x0 + x, y0 >> 6] = tile[x]
    return total


@cython.boundscheck(False)
@cython.wraparound(False)
def linear_changes(const uint8_t[::1] pixels, uint64_t[:, ::1] changes):
    """Mark every change along `pixels` in `changes`, (1, ceil(length / 64)).

    Returns how many there are, or -1 for a wrong shape. For masks that lie in column order already.
    """
    cdef Py_ssize_t length = pixels.shape[0], x, total = 0
    cdef uint64_t word, change, carry = 0
    if changes.shape[0] != 1 or changes.shape[1] != (length + 63) // 64:
        return -1
    with nogil:
        for x in range(0, length, 64):
            word = _packed(&pixels[0], x, length)
            change = word ^ (word << 1 | carry)
            if x + 64 > length:
                change &= ((<uint64_t>1) << (length & 63)) - 1
            carry = word >> 63
            changes[0, x >> 6] = change
            total += count_bits(change)
    return total


cdef Py_ssize_t _differences(
    const uint64_t* changes, Py_ssize_t width, Py_ssize_t words, uint32_t height,
    uint32_t* counts, Py_ssize_t room
) noexcept nogil:
    cdef Py_ssize_t count = 0, x, i
    cdef uint32_t position, before = 0
    cdef uint64_t word
    for x in range(width):
        for i in range(words):
            word = changes[x * words + i]
            while word:
                if count + 1 >= room:
                    return -1
                position = <uint32_t>(x * height + i * 64 + lowest_bit(word))
                word &= word - 1
                counts[count] = position - before
                before = position
                count += 1
    counts[count] = <uint32_t>(width * height) - before
    return count + 1


@cython.boundscheck(False)
@cython.wraparound(False)
def changes_to_counts(const uint64_t[:, ::1] changes, uint32_t height, uint32_t[::1] counts):
    """Turn marked changes of columns of `height` pixels into run lengths.

    Returns how many were written. `counts` has room for one more than there are changes; if it
    has not, the result is -1.
    """
    cdef Py_ssize_t width = changes.shape[0], words = changes.shape[1], count
    if counts.shape[0] == 0:
        return -1
    if width == 0 or words == 0:
        counts[0] = 0
        return 1
    with nogil:
        count = _differences(
            &changes[0, 0], width, words, height, &counts[0], counts.shape[0]
        )
    return count


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
    uint8_t* pixels, uint32_t* slots, uint32_t* columns
) noexcept nogil:
    cdef Py_ssize_t y, i = 0
    cdef uint32_t start = 0, changes
    cdef uint8_t* row = pixels
    memset(slots, 0, height * sizeof(uint32_t))
    memset(row, 0, width)
    _file_changes(counts, length, height, slots, NULL, row)
    slots[0] = 0
    for y in range(1, height):
        changes = slots[y]
        slots[y] = start
        start += changes
    _file_changes(counts, length, height, slots, columns, NULL)
    for y in range(1, height):
        memcpy(row + width, row, width)
        row += width
        while i < slots[y]:  # which is now where the next row's columns begin
            row[columns[i]] ^= 1
            i += 1


@cython.boundscheck(False)
@cython.wraparound(False)
def decode(const uint32_t[::1] counts, uint8_t[:, ::1] mask, uint32_t[::1] scratch):
    """Paint run lengths into `mask`, every pixel of it, if they sum to its area.

    Returns their sum; where it is another, nothing is painted. `scratch` holds height + length of
    `counts` words; with fewer the result is -1.
    """
    cdef Py_ssize_t height = mask.shape[0], width = mask.shape[1], length = counts.shape[0], i
    cdef uint64_t total = 0
    for i in range(length):
        total += counts[i]
    if total != <uint64_t>(height * width) or total == 0:
        return total
    if scratch.shape[0] < height + length:
        return -1
    with nogil:
        _paint(
            &counts[0], length, height, width, &mask[0, 0], &scratch[0], &scratch[0] + height
        )
    return total
