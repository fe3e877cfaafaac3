# cython: language_level=3, binding=False
"""The cheapest extensions of a beam of hypotheses by one more code, and how well they fit."""

from libc.stdint cimport int32_t, uint8_t


cdef enum:
    LOOK = 32  # costs that are compared together: few are among the cheapest


# In C, since Cython can't say that a function is to be compiled twice, for AVX2 too, and the faster
# one taken where it runs. Both round alike: there is no fused multiply-add in either.
cdef extern from * nogil:
    """
    #include <stddef.h>
    #include <stdint.h>
    #if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && defined(__GLIBC__)
    #define MASKCODEC_WIDE __attribute__((target_clones("avx2", "default")))
    #else
    #define MASKCODEC_WIDE
    #endif

    /* The next place from `place` on where any of 32 costs is below a bound; if there is none, that
       from which fewer are left. */
    MASKCODEC_WIDE static ptrdiff_t next_below(
        float start, const float *dot, const float *own, float bound, ptrdiff_t place,
        ptrdiff_t codes)
    {
        for (; place + 32 <= codes; place += 32) {
            int32_t found = 0;
            ptrdiff_t i;
            for (i = place; i < place + 32; i++)
                found |= start - (dot[i] + dot[i]) + own[i] < bound;
            if (found)
                break;
        }
        return place;
    }

    /* How many of some cells are above their level, and how many of these the target has too. */
    MASKCODEC_WIDE static void count_above(
        const float *values, const float *levels, const uint8_t *target, ptrdiff_t cells,
        int32_t *both, int32_t *painted)
    {
        int32_t shared = 0, above = 0;
        ptrdiff_t i;
        for (i = 0; i < cells; i++) {
            above += values[i] > levels[i];
            shared += (values[i] > levels[i]) & target[i];
        }
        *both = shared;
        *painted = above;
    }
    """
    Py_ssize_t next_below(
        float start, const float* dot, const float* own, float bound, Py_ssize_t place,
        Py_ssize_t codes
    )
    void count_above(
        const float* values, const float* levels, const uint8_t* target, Py_ssize_t cells,
        int32_t* both, int32_t* painted
    )


cdef void _sink(float* costs, int32_t* places, Py_ssize_t count) noexcept nogil:
    """Let the top of a heap, largest first, sink to its place."""
    cdef Py_ssize_t i = 0, child = 1
    cdef float cost = costs[0]
    cdef int32_t place = places[0]
    while child < count:
        if child + 1 < count:
            child += costs[child + 1] > costs[child]  # a sum, since a branch is guessed wrong
        if costs[child] <= cost:
            break
        costs[i], places[i] = costs[child], places[child]
        i = child
        child = 2 * i + 1
    costs[i], places[i] = cost, place


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
                    c = next_below(start, dot, own, heap[0], c, codes)
                    end = min(c + LOOK, codes)
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
    cdef Py_ssize_t rows = values.shape[0], cells = values.shape[1], row
    if not (levels.shape[0] == target.shape[0] == cells
            and both.shape[0] == painted.shape[0] == rows and cells < 2**31):
        raise ValueError("shapes")
    if cells == 0:
        both[:] = 0
        painted[:] = 0
        return
    with nogil:
        for row in range(rows):
            count_above(&values[row, 0], &levels[0], &target[0], cells, &both[row], &painted[row])
