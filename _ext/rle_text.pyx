# cython: language_level=3, binding=False
"""COCO's compressed run lengths: variable-length integers in printable bytes.

A count, from the fourth on as its difference to the count two before it, is cut into groups of
five bits, lowest first; the last group carries the sign in its bit 4. A byte is 48 + group, plus 32
where more groups follow, so the alphabet runs from `0` (48) to `o` (111). A difference of two
uint32 counts has 33 bits and a sign: at most seven groups. Source: the COCO API (`maskApi.c`).
"""

cimport cython
from libc.stdint cimport UINT32_MAX, int64_t, uint8_t, uint32_t, uint64_t

cdef enum:
    MOST_GROUPS = 7


@cython.boundscheck(False)
@cython.wraparound(False)
def write(const uint32_t[::1] counts, uint8_t[::1] text):
    """Spell `counts` at the front of `text`, which has room for seven bytes a count.

    Returns how many bytes were written, or -1 where `text` is shorter than that.
    """
    cdef Py_ssize_t length = counts.shape[0], i, used = 0
    cdef int64_t value
    cdef uint8_t group
    if text.shape[0] < MOST_GROUPS * length:
        return -1
    with nogil:
        for i in range(length):
            value = counts[i]
            if i > 2:
                value -= counts[i - 2]
            while True:
                group = value & 31
                value >>= 5  # arithmetic: a negative value goes to -1
                if value == (-1 if group & 16 else 0):
                    break
                text[used] = 48 + 32 + group
                used += 1
            text[used] = 48 + group
            used += 1
    return used


def read(const uint8_t[::1] text, uint32_t[::1] counts):
    """Read counts from `text`, until its end or the first thing that is wrong.

    Returns (number of counts read, bytes that they took, fault): the fault is 0 at the end of the
    text, 1 where the byte after them is outside the alphabet, 2 where the text ends inside a count,
    3 where a count is below 0 or above 2**32 - 1, 4 where `counts` is full. The bytes taken end
    with the last whole count, except for fault 1, where they end at the byte in question.
    """
    cdef Py_ssize_t length = text.shape[0], room = counts.shape[0]
    cdef Py_ssize_t place = 0, start = 0, count = 0
    cdef int64_t value, before = 0, two_before = 0  # the two counts last read
    cdef int shift, byte, fault = 0
    with nogil:
        while place < length:
            if count == room:
                fault = 4
                break
            byte = text[place] - 48
            if 0 <= byte < 32:  # one group, as most counts have
                place += 1
                value = (byte & 15) - (byte & 16)
            else:
                value = 0
                shift = 0
                while True:
                    if place == length:
                        fault = 2
                        break
                    byte = text[place] - 48
                    if byte < 0 or byte > 63:
                        fault = 1
                        break
                    place += 1
                    value |= (<int64_t>(byte & 31)) << shift
                    shift += 5
                    if byte < 32:
                        value -= (<int64_t>(byte & 16)) << (shift - 4)  # the sign
                        break
                    if shift == 5 * MOST_GROUPS:
                        fault = 3
                        break
                if fault:
                    break
            if count > 2:
                value += two_before
            if <uint64_t>value > UINT32_MAX:  # or below 0
                fault = 3
                break
            counts[count] = <uint32_t>value
            two_before = before
            before = value
            count += 1
            start = place
    return count, place if fault == 1 else start, fault
