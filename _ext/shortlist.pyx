# cython: language_level=3, binding=False
"""The cheapest extensions of a beam of hypotheses by one more code, and how well they fit."""

from libc.stdint cimport int32_t, uint8_t
from libc.stdlib cimport free, malloc


cdef enum:
    LANES = 32  # groups of a hypothesis's codes: code c is in group c % LANES


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

    /* The least cost of each group of codes. */
    MASKCODEC_WIDE static void find_least(
        float start, const float *dot, const float *own, ptrdiff_t codes, float *least)
    {
        float kept[32];
        ptrdiff_t c, i;
        for (i = 0; i < 32; i++)
            kept[i] = 3.4e38f;
        for (c = 0; c + 32 <= codes; c += 32)
            for (i = 0; i < 32; i++) {
                float cost = start - (dot[c + i] + dot[c + i]) + own[c + i];
                kept[i] = cost < kept[i] ? cost : kept[i];
            }
        for (i = 0; c + i < codes; i++) {
            float cost = start - (dot[c + i] + dot[c + i]) + own[c + i];
            kept[i] = cost < kept[i] ? cost : kept[i];
        }
        for (i = 0; i < 32; i++)
            least[i] = kept[i];
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

    /* The same of the sums of two values each. */
    MASKCODEC_WIDE static void count_sums_above(
        const float *values, const float *more, const float *levels, const uint8_t *target,
        ptrdiff_t cells, int32_t *both, int32_t *painted)
    {
        int32_t shared = 0, above = 0;
        ptrdiff_t i;
        for (i = 0; i < cells; i++) {
            int32_t set = values[i] + more[i] > levels[i];
            above += set;
            shared += set & target[i];
        }
        *both = shared;
        *painted = above;
    }
    """
    void find_least(
        float start, const float* dot, const float* own, Py_ssize_t codes, float* least
    )
    void count_above(
        const float* values, const float* levels, const uint8_t* target, Py_ssize_t cells,
        int32_t* both, int32_t* painted
    )
    void count_sums_above(
        const float* values, const float* more, const float* levels, const uint8_t* target,
        Py_ssize_t cells, int32_t* both, int32_t* painted
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


cdef void _start_heap(float* costs, int32_t* places, Py_ssize_t count) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(count):
        costs[i] = 3.4e38
        places[i] = 0


cdef void _find_cheapest(
    const float* before, Py_ssize_t beam, const float* dots, const float* own, Py_ssize_t codes,
    float* least, float* heap, int32_t* at, Py_ssize_t room
) noexcept nogil:
    """The least of each group tell a bound first, which few other costs are below.

    As many groups as there is room for have a cost up to it, and so as many costs are that low.
    """
    cdef Py_ssize_t h, c, i, groups = beam * LANES
    cdef float cost, bound = 3.4e38
    for h in range(beam):
        find_least(before[h], dots + h * codes, own, codes, least + h * LANES)
    if room <= groups:
        _start_heap(heap, at, room)
        for i in range(groups):
            if least[i] < heap[0]:
                heap[0] = least[i]
                _sink(heap, at, room)
        bound = heap[0]
    _start_heap(heap, at, room)
    for i in range(groups):
        if least[i] > bound:
            continue
        h, c = i // LANES, i % LANES
        while c < codes:
            cost = before[h] - (dots[h * codes + c] + dots[h * codes + c]) + own[c]
            if cost < heap[0]:
                heap[0], at[0] = cost, <int32_t>(h * codes + c)
                _sink(heap, at, room)
            c += LANES
    for i in range(room - 1, 0, -1):  # heap sort: the dearest goes to the end
        heap[0], heap[i] = heap[i], heap[0]
        at[0], at[i] = at[i], at[0]
        _sink(heap, at, i)


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
    cdef Py_ssize_t room = costs.shape[1], item
    cdef float* least
    if not (before.shape[0] == energy.shape[0] == costs.shape[0] == places.shape[0] == masks
            and before.shape[1] == beam and energy.shape[1] == codes
            and places.shape[1] == room and 1 <= room <= beam * codes < 2**31):
        raise ValueError("shapes")
    least = <float*>malloc(beam * LANES * sizeof(float))
    if least == NULL:
        raise MemoryError
    with nogil:
        for item in range(masks):
            _find_cheapest(
                &before[item, 0], beam, &dots[item, 0, 0], &energy[item, 0], codes, least,
                &costs[item, 0], &places[item, 0], room
            )
    free(least)


def overlaps(
    const float[:, :, ::1] values, const float[::1] levels, const uint8_t[:, ::1] targets,
    int32_t[:, ::1] both, int32_t[:, ::1] painted
):
    """Count, for each row of `values` (masks, rows, cells), the cells above their level.

    `painted` (masks, rows) gets their number and `both` that of those which are 1, not 0, in the
    mask's row of `targets`.
    """
    cdef Py_ssize_t masks = values.shape[0], rows = values.shape[1], cells = values.shape[2]
    cdef Py_ssize_t item, row
    if not (targets.shape[0] == both.shape[0] == painted.shape[0] == masks
            and levels.shape[0] == targets.shape[1] == cells
            and both.shape[1] == painted.shape[1] == rows and cells < 2**31):
        raise ValueError("shapes")
    if cells == 0:
        both[:, :] = 0
        painted[:, :] = 0
        return
    with nogil:
        for item in range(masks):
            for row in range(rows):
                count_above(
                    &values[item, row, 0], &levels[0], &targets[item, 0], cells,
                    &both[item, row], &painted[item, row]
                )


def overlaps_of_sums(
    const float[:, :, ::1] values, const int32_t[:, ::1] parents, const float[:, ::1] steps,
    const int32_t[:, ::1] added, const float[::1] levels, const uint8_t[:, ::1] targets,
    int32_t[:, ::1] both, int32_t[:, ::1] painted
):
    """As `overlaps`, for rows that are sums of a row of `values` and one of `steps`.

    `parents` and `added` (masks, rows) say of which: `values` is (masks, parents, cells), `steps`
    (codes, cells).
    """
    cdef Py_ssize_t masks = parents.shape[0], rows = parents.shape[1], cells = values.shape[2]
    cdef Py_ssize_t codes = steps.shape[0], item, row, parent, code
    cdef bint valid = True
    if not (values.shape[0] == added.shape[0] == targets.shape[0] == both.shape[0]
            == painted.shape[0] == masks
            and added.shape[1] == both.shape[1] == painted.shape[1] == rows
            and steps.shape[1] == levels.shape[0] == targets.shape[1] == cells and cells < 2**31):
        raise ValueError("shapes")
    for item in range(masks):
        for row in range(rows):
            parent, code = parents[item, row], added[item, row]
            valid &= 0 <= parent < values.shape[1] and 0 <= code < codes
    if not valid:
        raise ValueError("places")
    if cells == 0:
        both[:, :] = 0
        painted[:, :] = 0
        return
    with nogil:
        for item in range(masks):
            for row in range(rows):
                count_sums_above(
                    &values[item, parents[item, row], 0], &steps[added[item, row], 0], &levels[0],
                    &targets[item, 0], cells, &both[item, row], &painted[item, row]
                )
