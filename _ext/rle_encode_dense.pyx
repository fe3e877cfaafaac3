# cython: language_level=3, binding=False
"""COCO run lengths of noise: masks that change at more pixels than it pays to sort.

Every change of a mask (see `rle_encode.pyx`) is marked by a bit, tiles of 64 x 64 bits are
transposed, and the bits of each column are read in order. The time of the first two steps hardly
depends on the mask. Positions are uint32: the caller keeps masks below 2**32 pixels.
"""

cimport cython
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memset

from bits cimport (
    count_bits,
    different_bytes,
    fold_changes,
    folded_pixel,
    lowest_bit,
    transpose_words,
)
from folded_rows cimport MOST_WORDS, block_of_row, fold_before


cdef Py_ssize_t _mark_changes(
    const uint8_t* pixels, Py_ssize_t height, Py_ssize_t width, uint64_t* changes
) noexcept nogil:
    cdef uint64_t[MOST_WORDS] folded
    cdef uint64_t[2][64] tiles
    cdef uint64_t[2] change, last_columns
    cdef uint8_t[128] spare
    cdef Py_ssize_t words = (height + 63) // 64, total = 0, x, y, y0, start, word, bit
    cdef Py_ssize_t column
    memset(folded, 0, (width + 127) // 128 * 2 * sizeof(uint64_t))
    memset(spare, 0, 128)
    fold_before(pixels + (height - 1) * width, width, folded, last_columns)
    for y0 in range(0, height, 64):
        for x in range(0, width, 128):
            memset(tiles, 0, sizeof(tiles))
            for y in range(min(64, height - y0)):
                if fold_changes(
                    block_of_row(pixels + (y0 + y) * width, x, width, spare),
                    folded + x // 128 * 2, change
                ):
                    tiles[0][y] = change[0]
                    tiles[1][y] = change[1]
            start = min(x, width - 128)
            for word in range(2):
                transpose_words(tiles[word])
                for bit in range(64):
                    column = start + folded_pixel(bit, word)
                    if column >= x:  # else it belongs to the block before, or to none
                        changes[column * words + y0 // 64] = tiles[word][bit]
                        total += count_bits(tiles[word][bit])
    return total


@cython.boundscheck(False)
@cython.wraparound(False)
def column_changes(const uint8_t[:, ::1] mask, uint64_t[:, ::1] changes):
    """Mark every change of a mask in `changes`, (width, ceil(height / 64)): bit b of word [x, i]
    stands for the pixel (64 * i + b, x). Returns how many there are, or -1 for a wrong shape.

    Its time hardly depends on the mask: for noise, where sorting changes would be slow.
    """
    cdef Py_ssize_t height = mask.shape[0], width = mask.shape[1], total
    if changes.shape[0] != width or changes.shape[1] != (height + 63) // 64 or width > 65536:
        return -1
    if height == 0 or width == 0:
        return 0
    with nogil:
        total = _mark_changes(&mask[0, 0], height, width, &changes[0, 0])
    return total


@cython.boundscheck(False)
@cython.wraparound(False)
def linear_changes(const uint8_t[::1] pixels, uint64_t[:, ::1] changes):
    """Mark every change along `pixels` in `changes`, (1, ceil(length / 64)).

    Returns how many there are, or -1 for a wrong shape. For masks that lie in column order already.
    """
    cdef Py_ssize_t length = pixels.shape[0], x, i, total = 0
    cdef uint64_t change
    if changes.shape[0] != 1 or changes.shape[1] != (length + 63) // 64:
        return -1
    with nogil:
        for x in range(0, length, 64):
            if x and x + 64 <= length:
                change = different_bytes(&pixels[x], &pixels[x - 1])
            else:
                change = pixels[x] != (pixels[x - 1] if x else 0)
                for i in range(x + 1, min(x + 64, length)):
                    change |= <uint64_t>(pixels[i] != pixels[i - 1]) << (i - x)
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
