"""Labels of a text as small numbers: 0 is the background, the others count up as they appear.

A name is a piece of the text; nothing is copied. An open-addressing table, small and on the stack
until a text has many labels, finds a name again.
"""

from libc.stdint cimport int16_t, int32_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memchr, memcmp, memcpy, memset

cdef enum:
    GUESSED = 64           # names that `follow` covers
    SMALL_TABLE = 128
    LARGE_TABLE = 32768
    MOST_NAMES = 10_001    # the background and 10,000; fills a third of the large table

cdef struct Names:
    const uint8_t* text
    int32_t* spans                # (first byte, end) of each name but the background, 0
    Py_ssize_t room
    Py_ssize_t count
    const uint8_t* start[GUESSED]
    Py_ssize_t length[GUESSED]
    uint8_t follow[GUESSED]       # the name that came after this one the last time
    bint plain[GUESSED]           # whether every reading of a line ends this name where it ends
    int32_t recent                # the last two names that were looked up
    int32_t earlier
    int16_t small[SMALL_TABLE]
    int16_t* table
    uint32_t mask
    bint full


cdef inline bint same_bytes(const uint8_t* a, const uint8_t* b, Py_ssize_t length) noexcept nogil:
    """Whether two strings of one length are equal; short ones without a call."""
    cdef uint64_t x, y
    cdef uint32_t u, v
    if length > 16:
        return memcmp(a, b, length) == 0
    if length >= 8:
        memcpy(&x, a, 8)
        memcpy(&y, b, 8)
        if x != y:
            return False
        memcpy(&x, a + length - 8, 8)
        memcpy(&y, b + length - 8, 8)
        return x == y
    if length >= 4:
        memcpy(&u, a, 4)
        memcpy(&v, b, 4)
        if u != v:
            return False
        memcpy(&u, a + length - 4, 4)
        memcpy(&v, b + length - 4, 4)
        return u == v
    while length > 0:
        length -= 1
        if a[length] != b[length]:
            return False
    return True


cdef inline bint _is_plain(const uint8_t* name, Py_ssize_t length) noexcept nogil:
    """Whether a name neither ends in white space nor holds half of a multiplication sign."""
    return length > 0 and name[length - 1] > 32 and memchr(name, 0xC3, length) == NULL


cdef inline void open_names(
    Names* n, const uint8_t* text, int32_t* spans, Py_ssize_t room,
    const uint8_t* background, Py_ssize_t background_length
) noexcept nogil:
    """Begin with the background alone. `room` is the length of `spans` in names, at least 1."""
    n.text = text
    n.spans = spans
    n.room = min(room, <Py_ssize_t>MOST_NAMES)
    n.count = 1
    n.start[0] = background
    n.length[0] = background_length
    n.follow[0] = 0
    n.plain[0] = _is_plain(background, background_length)
    n.recent = n.earlier = 0
    n.table = n.small
    n.mask = SMALL_TABLE - 1
    n.full = False
    memset(n.small, 255, sizeof(n.small))
    n.table[_hash(background, background_length) & n.mask] = 0


cdef inline void close_names(Names* n) noexcept nogil:
    if n.table != n.small:
        free(n.table)


cdef inline uint32_t _hash(const uint8_t* name, Py_ssize_t length) noexcept nogil:
    cdef uint32_t value = 2166136261
    cdef Py_ssize_t i
    for i in range(length):
        value = (value ^ name[i]) * 16777619
    return value ^ value >> 15


cdef inline const uint8_t* _name(Names* n, Py_ssize_t index, Py_ssize_t* length) noexcept nogil:
    if index == 0:
        length[0] = n.length[0]
        return n.start[0]
    length[0] = n.spans[2 * index + 1] - n.spans[2 * index]
    return n.text + n.spans[2 * index]


cdef inline bint _grow(Names* n) noexcept nogil:
    """Move to the large table; False where there is no memory for it."""
    cdef int16_t* table = <int16_t*>malloc(LARGE_TABLE * sizeof(int16_t))
    cdef Py_ssize_t index, length = 0
    cdef const uint8_t* name
    cdef uint32_t slot
    if table == NULL:
        return False
    memset(table, 255, LARGE_TABLE * sizeof(int16_t))
    for index in range(n.count):
        name = _name(n, index, &length)
        slot = _hash(name, length) & (LARGE_TABLE - 1)
        while table[slot] >= 0:
            slot = (slot + 1) & (LARGE_TABLE - 1)
        table[slot] = <int16_t>index
    n.table = table
    n.mask = LARGE_TABLE - 1
    return True


cdef inline bint _is_name(
    Names* n, int32_t index, const uint8_t* name, Py_ssize_t length
) noexcept nogil:
    cdef Py_ssize_t other = 0
    cdef const uint8_t* known = _name(n, index, &other)
    return other == length and same_bytes(known, name, length)


cdef inline bint is_recent(
    Names* n, Py_ssize_t start, Py_ssize_t stop, Py_ssize_t* length
) noexcept nogil:
    """Whether text[start:stop] begins with one of the last two names, the earlier one first.

    The name becomes `n.recent`, its length `length`; a byte of text follows it.
    """
    cdef int32_t name
    cdef int _turn
    for _turn in range(2):
        name = n.earlier
        n.earlier = n.recent
        n.recent = name
        if name < GUESSED and n.plain[name] and n.length[name] < stop - start and same_bytes(
            n.start[name], n.text + start, n.length[name]
        ):
            length[0] = n.length[name]
            return True
    return False


cdef inline int32_t _find(Names* n, const uint8_t* name, Py_ssize_t length) noexcept nogil:
    """The number of a name that is known; otherwise -1 - its place in the table."""
    cdef uint32_t slot = _hash(name, length) & n.mask
    while n.table[slot] >= 0:
        if _is_name(n, n.table[slot], name, length):
            return n.table[slot]
        slot = (slot + 1) & n.mask
    return -1 - <int32_t>slot


cdef inline int32_t intern_name(Names* n, Py_ssize_t start, Py_ssize_t end) noexcept nogil:
    """The number of the name text[start:end]; -1, and `full` is set, where the room is out."""
    cdef const uint8_t* name = n.text + start
    cdef Py_ssize_t length = end - start
    cdef int32_t index
    if _is_name(n, n.earlier, name, length):  # in most texts two labels take turns
        n.recent, n.earlier = n.earlier, n.recent
        return n.recent
    if _is_name(n, n.recent, name, length):
        return n.recent
    index = _find(n, name, length)
    if index < 0:
        if n.count >= n.room:
            n.full = True
            return -1
        n.table[-1 - index] = <int16_t>n.count
        index = <int32_t>n.count
        n.spans[2 * index] = <int32_t>start
        n.spans[2 * index + 1] = <int32_t>end
        if index < GUESSED:
            n.start[index] = name
            n.length[index] = length
            n.follow[index] = 0
            n.plain[index] = _is_plain(name, length)
        n.count += 1
        if n.table == n.small and n.count * 2 >= SMALL_TABLE and not _grow(n):
            n.room = n.count
    n.earlier = n.recent
    n.recent = index
    return index
