# cython: language_level=3, binding=False
"""Areas, bounding boxes and intersections of masks, from their COCO run lengths alone.

Many masks come as one array: the runs of set pixels of mask i, as positions (start, end) in column
order, are `spans[first[i] : first[i + 1] - 1]`, ascending and apart; one more that lies beyond all
pixels closes them. What else is known of a mask is one row of a table: TOTAL and AREA in pixels,
then its box X0, Y0, X1, Y1, half-open.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBUF_WRITABLE, PyBuffer_Release
from libc.stdint cimport UINT32_MAX, int64_t, uint8_t, uint32_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from buffers cimport open_buffer

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


def measure(list counts, int64_t height, object spans, object first, object table):
    """Find spans and table of masks, given the run lengths (a uint32 array) of each.

    `height`, at least 1, is that of all masks. `spans`, uint32 (N, 2), has room for half as many as
    there are run lengths and one a mask; `first` is int64 (masks + 1,) and `table` int64
    (masks, 6). Returns the total that all masks have in common (0 where there is no mask), or -1
    where their totals differ. Spans mean nothing where totals differ or are 2**32 or more: the
    caller has to look.
    """
    cdef Py_ssize_t masks = len(counts), opened = 0, lengths = 0, used = 0, i
    cdef Py_buffer room, starts, rows
    cdef Py_buffer* views = <Py_buffer*>malloc((masks + 1) * sizeof(Py_buffer))
    cdef int64_t* row
    cdef int64_t total = 0
    if views == NULL:
        raise MemoryError
    memset(&room, 0, sizeof(Py_buffer))  # releasing them is harmless then
    memset(&starts, 0, sizeof(Py_buffer))
    memset(&rows, 0, sizeof(Py_buffer))
    try:
        for i in range(masks):
            open_buffer(counts[i], &views[i], PyBUF_SIMPLE, -1)
            opened += 1
            lengths += views[i].len // 8
        open_buffer(spans, &room, PyBUF_WRITABLE, -1)
        open_buffer(first, &starts, PyBUF_WRITABLE, 8 * (masks + 1))
        open_buffer(table, &rows, PyBUF_WRITABLE, 8 * FIELDS * masks)
        if height < 1 or room.len < 8 * (lengths + masks):
            raise ValueError("there is too little room for spans, or no height")
        with nogil:
            (<int64_t*>starts.buf)[0] = 0
            for i in range(masks):
                row = <int64_t*>rows.buf + FIELDS * i
                used += _measure(
                    <const uint32_t*>views[i].buf, views[i].len // 4, height,
                    <uint32_t*>room.buf + 2 * used, row
                )
                (<int64_t*>starts.buf)[i + 1] = used
                if i == 0:
                    total = row[TOTAL]
                elif row[TOTAL] != total:
                    total = -1
        return total
    finally:
        for i in range(opened):
            PyBuffer_Release(&views[i])
        PyBuffer_Release(&room)
        PyBuffer_Release(&starts)
        PyBuffer_Release(&rows)
        free(views)


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


cdef void _fill(
    const uint32_t* spans_a, const int64_t* first_a, const int64_t* one, Py_ssize_t rows,
    const uint32_t* spans_b, const int64_t* first_b, const int64_t* table_b, Py_ssize_t columns,
    const uint8_t* crowd, double* matrix
) noexcept nogil:
    cdef Py_ssize_t i, j
    cdef const int64_t* other
    cdef int64_t shared, union_area
    cdef bint touching
    for i in range(rows):
        other = table_b
        for j in range(columns):
            touching = (one[X0] < other[X1]) & (other[X0] < one[X1])
            touching &= (one[Y0] < other[Y1]) & (other[Y0] < one[Y1])
            shared = 0
            if touching:  # which an empty mask never is: its box is (0, 0, 0, 0)
                shared = _intersection(
                    spans_a + 2 * first_a[i], spans_a + 2 * first_a[i + 1] - 2,
                    spans_b + 2 * first_b[j], spans_b + 2 * first_b[j + 1] - 2
                )
            union_area = one[AREA]
            if not crowd[j]:
                union_area += other[AREA] - shared
            matrix[j] = <double>shared / <double>union_area if shared else 0
            other += FIELDS
        matrix += columns
        one += FIELDS


def iou(
    object spans_a, object first_a, object table_a,
    object spans_b, object first_b, object table_b, object crowd, object matrix
):
    """Fill `matrix`, float64 (masks of a, masks of b), with intersection over union.

    Where `crowd[j]` (uint8) is not 0, the area of mask i of `a` stands for the union. No
    intersection is 0, whatever the union. The rest are arrays as `measure` filled them.
    """
    cdef Py_ssize_t rows, columns, i, opened = 0
    cdef Py_buffer[8] views
    try:
        for array in (spans_a, first_a, table_a, spans_b, first_b, table_b, crowd, matrix):
            open_buffer(array, &views[opened], PyBUF_WRITABLE if opened == 7 else PyBUF_SIMPLE, -1)
            opened += 1
        rows = views[1].len // 8 - 1
        columns = views[4].len // 8 - 1
        if (
            rows < 0 or columns < 0
            or views[2].len != 8 * FIELDS * rows or views[5].len != 8 * FIELDS * columns
            or views[0].len < 8 * (<int64_t*>views[1].buf)[rows]
            or views[3].len < 8 * (<int64_t*>views[4].buf)[columns]
            or views[6].len != columns or views[7].len != 8 * rows * columns
        ):
            raise ValueError("an array's length does not match its shape")
        with nogil:
            _fill(
                <uint32_t*>views[0].buf, <int64_t*>views[1].buf, <int64_t*>views[2].buf, rows,
                <uint32_t*>views[3].buf, <int64_t*>views[4].buf, <int64_t*>views[5].buf, columns,
                <uint8_t*>views[6].buf, <double*>views[7].buf
            )
    finally:
        for i in range(opened):
            PyBuffer_Release(&views[i])
