# cython: language_level=3, binding=False
"""Areas, bounding boxes and intersections of masks, from their COCO run lengths alone.

Many masks come as one array: the runs of set pixels of mask i, as positions (start, end) in column
order, are `spans[first[i] : first[i + 1] - 1]`, ascending and apart; one more that lies beyond all
pixels closes them. What else is known of a mask is one row of a table: TOTAL and AREA in pixels,
then its box X0, Y0, X1, Y1, half-open.
"""

cimport cython
from libc.stdint cimport UINT32_MAX, int64_t, uint8_t, uint32_t

cdef enum:
    TOTAL
    AREA
    X0
    Y0
    X1
    Y1
    FIELDS


cdef Py_ssize_t _measure(
    const uint32_t* counts, Py_ssize_t length, int64_t height, uint32_t* spans, int64_t* row
) noexcept nogil:
    cdef Py_ssize_t i, count = 0
    cdef int64_t start, end = 0, area = 0, column = 0, top = height, bottom = 0
    for i in range(1, length, 2):
        start = end + counts[i - 1]
        end = start + counts[i]
        if end == start:
            continue
        area += end - start
        if start >= column + 2 * height:
            column = start // height * height
        elif start >= column + height:
            column += height
        if end <= column + height:
            top = min(top, start - column)
            bottom = max(bottom, end - column)
        else:
            top = 0
            bottom = height
        if count and spans[2 * count - 1] == start:
            count -= 1
        else:
            spans[2 * count] = <uint32_t>start
        spans[2 * count + 1] = <uint32_t>end
        count += 1
    spans[2 * count] = spans[2 * count + 1] = UINT32_MAX
    row[TOTAL] = end + (counts[length - 1] if length & 1 else 0)
    row[AREA] = area
    if count:
        row[X0] = spans[0] // height
        row[Y0] = top
        row[X1] = (spans[2 * count - 1] - 1) // height + 1
        row[Y1] = bottom
    else:
        row[X0] = row[Y0] = row[X1] = row[Y1] = 0
    return count + 1


@cython.boundscheck(False)
@cython.wraparound(False)
def measure(
    const uint32_t[::1] counts, const int64_t[::1] ends, int64_t height,
    uint32_t[:, ::1] spans, int64_t[::1] first, int64_t[:, ::1] table
):
    """Find spans and table of the masks whose run lengths are joined in `counts`.

    `ends` says where each mask's run lengths end; `height`, at least 1, is that of all masks. There
    is room for half as many spans, (N, 2), as there are counts, and one a mask. Returns the total
    that all masks have in common (0 where there is no mask); -1 where their totals differ, and -2
    where an array is too small, `ends` descends or `height` is wrong. Spans mean nothing where
    totals differ or are 2**32 or more: the caller has to look.
    """
    cdef Py_ssize_t masks = ends.shape[0], i, begin = 0, used = 0
    cdef uint32_t none = 0
    cdef bint common = True
    cdef const uint32_t* all_counts = &counts[0] if counts.shape[0] else &none
    cdef uint32_t* all_spans = &spans[0, 0] if spans.shape[0] and spans.shape[1] else &none
    if height < 1 or spans.shape[0] < counts.shape[0] // 2 + masks or spans.shape[1] != 2:
        return -2
    if first.shape[0] != masks + 1 or table.shape[0] != masks or table.shape[1] != FIELDS:
        return -2
    first[0] = 0
    with nogil:
        for i in range(masks):
            if ends[i] < begin or ends[i] > counts.shape[0]:
                begin = -1
                break
            used += _measure(
                all_counts + begin, ends[i] - begin, height, all_spans + 2 * used, &table[i, 0]
            )
            first[i + 1] = used
            begin = ends[i]
            if table[i, TOTAL] != table[0, TOTAL]:
                common = False
    if begin < 0:
        return -2
    if not common:
        return -1
    return table[0, TOTAL] if masks else 0


cdef struct Merge:
    const uint32_t* a
    const uint32_t* stop_a
    const uint32_t* b
    const uint32_t* stop_b
    int64_t area


cdef const uint32_t* _first_beyond(
    const uint32_t* span, const uint32_t* stop, int end, uint32_t position
) noexcept nogil:
    """The first span whose start (`end` 0) or end (`end` 1) lies beyond `position`."""
    cdef Py_ssize_t rest = (stop - span) >> 1, half
    while rest:
        half = rest >> 1
        if span[2 * half + end] <= position:
            span += 2 * half + 2
            half = rest - half - 1
        rest = half
    return span


cdef inline void _step(Merge* m) noexcept nogil:
    """Add what the first spans of both share, and drop one or both.

    A span is done with when the other mask's next one begins at its end or later. That holds for at
    least one of the two, often for both; no branch depends on which, as it can't be predicted.
    """
    cdef uint32_t end_a = m.a[1], end_b = m.b[1], next_a = m.a[2], next_b = m.b[2]
    cdef uint32_t start = max(m.a[0], m.b[0]), end = min(end_a, end_b)
    m.area += max(start, end) - start
    m.a += 2 * (end_a <= next_b)
    m.b += 2 * (end_b <= next_a)


cdef int64_t _intersection(
    const uint32_t* a, const uint32_t* stop_a, const uint32_t* b, const uint32_t* stop_b
) noexcept nogil:
    """How many pixels the spans from a to stop_a and from b to stop_b share; neither is empty.

    Each step waits for the one before it, so two halves are walked side by side: the spans of `a`
    up to and from a middle one, each with the spans of `b` that can touch them.
    """
    cdef Merge one, two
    cdef uint32_t start = max(a[0], b[0]), end = min(stop_a[-1], stop_b[-1]), middle
    if start >= end:
        return 0
    one.a = _first_beyond(a, stop_a, 1, start)
    one.b = _first_beyond(b, stop_b, 1, start)
    two.stop_a = _first_beyond(one.a, stop_a, 0, end - 1)
    two.stop_b = _first_beyond(one.b, stop_b, 0, end - 1)
    one.stop_a = two.a = one.a + ((two.stop_a - one.a) >> 2 << 1)
    middle = two.a[0]
    one.stop_b = _first_beyond(one.b, two.stop_b, 0, middle - 1)
    two.b = _first_beyond(one.b, two.stop_b, 1, middle)
    one.area = two.area = 0
    while one.a < one.stop_a and one.b < one.stop_b and two.a < two.stop_a and two.b < two.stop_b:
        _step(&one)
        _step(&two)
    while one.a < one.stop_a and one.b < one.stop_b:
        _step(&one)
    while two.a < two.stop_a and two.b < two.stop_b:
        _step(&two)
    return one.area + two.area


@cython.boundscheck(False)
@cython.wraparound(False)
def iou(
    const uint32_t[:, ::1] spans_a, const int64_t[::1] first_a, const int64_t[:, ::1] table_a,
    const uint32_t[:, ::1] spans_b, const int64_t[::1] first_b, const int64_t[:, ::1] table_b,
    const uint8_t[::1] crowd, double[:, ::1] matrix
):
    """Fill `matrix`, (masks of a, masks of b), with intersection over union.

    Where `crowd[j]` is not 0, the area of mask i of `a` stands for the union. No intersection is 0,
    whatever the union. Arguments are as `measure` filled them; returns -1 where shapes disagree.
    """
    cdef Py_ssize_t rows = table_a.shape[0], columns = table_b.shape[0], i, j
    cdef int64_t shared, union_area
    cdef bint touching
    cdef const int64_t* one
    cdef const int64_t* other
    if first_a.shape[0] != rows + 1 or first_b.shape[0] != columns + 1:
        return -1
    if matrix.shape[0] != rows or matrix.shape[1] != columns or crowd.shape[0] != columns:
        return -1
    if rows == 0 or columns == 0:
        return 0
    if table_a.shape[1] != FIELDS or table_b.shape[1] != FIELDS:
        return -1
    if first_a[rows] > spans_a.shape[0] or first_b[columns] > spans_b.shape[0]:
        return -1
    with nogil:
        for i in range(rows):
            one = &table_a[i, 0]
            for j in range(columns):
                other = &table_b[j, 0]
                matrix[i, j] = 0
                touching = (one[X0] < other[X1]) & (other[X0] < one[X1])
                touching &= (one[Y0] < other[Y1]) & (other[Y0] < one[Y1])
                if not touching:  # nor is an empty mask, whose box is (0, 0, 0, 0)
                    continue
                shared = _intersection(
                    &spans_a[first_a[i], 0], &spans_a[first_a[i + 1] - 1, 0],
                    &spans_b[first_b[j], 0], &spans_b[first_b[j + 1] - 1, 0]
                )
                if shared:
                    union_area = one[AREA]
                    if not crowd[j]:
                        union_area += other[AREA] - shared
                    matrix[i, j] = <double>shared / <double>union_area
    return 0
