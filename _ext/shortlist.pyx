# cython: language_level=3, binding=False
"""The cheapest extensions of a beam of hypotheses by one more code, and how well they fit."""

from libc.stdint cimport int32_t, uint8_t


cdef enum:
    LOOK = 32  # costs that are compared together: few are among the cheapest


cdef void _sink(float* costs, int32_t* places, Py_ssize_t count) noexcept nogil:
    """Let the top of a heap, largest first, sink to its place."""
    cdef Py_ssize_t i = 0, child
    cdef float cost = costs[0]
    cdef int32_t place = places[0]
    while True:
        child = 2 * i + 1
        if child >= count:
            break
        if child + 1 < count and costs[child + 1] > costs[child]:
            child += 1
        if costs[child] <= cost:
            break
        costs[i], places[i] = costs[child], places[child]
        i = child
    costs[i], places[i] = cost, place


cdef bint _any_below(
    float start, const float* dot, const float* own, float bound
) noexcept nogil:
    """Whether any of `LOOK` costs is below a bound."""
    cdef Py_ssize_t i
    cdef int found = 0
    for i in range(LOOK):
        found |= start - (dot[i] + dot[i]) + own[i] < bound
    return found


def cheapest(
    const float[:, ::1] before, const float[:, :, ::1] dots, const float[:, ::1] energy,
    float[:, ::1] costs, int32_t[:, ::1] places
):
    """Fill `costs` and `places` (masks, room) with the cheapest of before - 2 dots + energy.

    `before` is (masks, beam), `dots` (masks, beam, codes), `energy` (masks, codes); a place is
    hypothesis * codes + code. Costs ascend; which of equal ones comes first is open. There must be
    at least `room` places.
    """
    cdef Py_ssize_t masks = dots.shape[0], beam = dots.shape[1], codes = dots.shape[2]
    cdef Py_ssize_t room = costs.shape[1], item, h, c, i, end
    cdef float cost, start
    cdef float* heap
    cdef int32_t* at
    cdef const float* dot
    cdef const float* own
    if not (before.shape[0] == energy.shape[0] == costs.shape[0] == places.shape[0] == masks
            and before.shape[1] == beam and energy.shape[1] == codes
            and places.shape[1] == room and 1 <= room <= beam * codes < 2**31):
        raise ValueError("shapes")
    with nogil:
        for item in range(masks):
            heap, at = &costs[item, 0], &places[item, 0]
            for i in range(room):
                heap[i] = 3.4e38
                at[i] = 0
            own = &energy[item, 0]
            for h in range(beam):
                start = before[item, h]
                dot = &dots[item, h, 0]
                c = 0
                while c < codes:
                    end = min(c + LOOK, codes)
                    if end - c == LOOK and not _any_below(start, dot + c, own + c, heap[0]):
                        c = end
                    while c < end:
                        cost = start - (dot[c] + dot[c]) + own[c]
                        if cost < heap[0]:
                            heap[0], at[0] = cost, <int32_t>(h * codes + c)
                            _sink(heap, at, room)
                        c += 1
            for i in range(room - 1, 0, -1):  # heap sort: the dearest goes to the end
                heap[0], heap[i] = heap[i], heap[0]
                at[0], at[i] = at[i], at[0]
                _sink(heap, at, i)


def overlaps(
    const float[:, ::1] values, const float[::1] levels, const uint8_t[::1] target,
    int32_t[::1] both, int32_t[::1] painted
):
    """Count, for each row of `values` (rows, cells), the cells above their level.

    `painted` gets their number and `both` that of those which are 1 in `target`, not 0.
    """
    cdef Py_ssize_t rows = values.shape[0], cells = values.shape[1], row, i
    cdef int32_t shared, above
    cdef const float* value
    cdef const float* level = &levels[0] if cells else NULL
    cdef const uint8_t* wanted = &target[0] if cells else NULL
    if not (levels.shape[0] == target.shape[0] == cells
            and both.shape[0] == painted.shape[0] == rows and cells < 2**31):
        raise ValueError("shapes")
    with nogil:
        for row in range(rows):
            value = &values[row, 0] if cells else NULL
            shared = above = 0
            for i in range(cells):
                above += value[i] > level[i]
                shared += (value[i] > level[i]) & wanted[i]
            both[row], painted[row] = shared, above
