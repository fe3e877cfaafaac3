# cython: language_level=3, binding=False
"""From pixels to grid cells: coverage counts, sampling, and the best choice of cells.

A grid of rows x cols lies over a rectangle of the image whose top-left pixel is (y0, x0). Which
pixels belong to which cell is the caller's business: grid row i holds the pixel rows
y0 + y_edges[i] to y0 + y_edges[i + 1], half-open, and x_edges splits the columns alike.

Arrays are C-ordered. Their lengths are checked against the counts that come with them, edges and
indices against the image, so no argument can lead a loop out of its array.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBUF_WRITABLE, PyBuffer_Release
from libc.stdint cimport INT32_MAX, int32_t, int64_t, uint8_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset

from buffers cimport check_edges, open_buffer
from prefetch cimport fetch, row_ahead


cdef enum:
    BLOCK = 32  # cells that are looked at together
    SMALL = 64  # pixels from which on a cell is not counted among those like it


cdef inline void _add_row(
    uint8_t* sums, const uint8_t* row, Py_ssize_t width, Py_ssize_t ahead
) noexcept nogil:
    # One row at a time keeps memory reads sequential: 1.1 read passes, against 2 to 3 when
    # several rows are added at once.
    cdef Py_ssize_t x, k
    for x in range(0, width - 63, 64):  # unrolled, or else a third more where code lies badly
        fetch(row + x + ahead, 64)
        for k in range(x, x + 64):
            sums[k] = <uint8_t>(sums[k] + (row[k] != 0))
    fetch(row + (width & ~<Py_ssize_t>63) + ahead, width & 63)
    for x in range(width & ~<Py_ssize_t>63, width):
        sums[x] = <uint8_t>(sums[x] + (row[x] != 0))


cdef inline int32_t _sum_words(
    const uint8_t* value, Py_ssize_t words, uint64_t keep
) noexcept nogil:
    """Sum 8 * words bytes and those of the next 8 that `keep` keeps, in four 16-bit lanes."""
    cdef uint64_t even = 0x00FF00FF00FF00FF
    cdef uint64_t word, lanes
    cdef Py_ssize_t k
    memcpy(&word, value + 8 * words, 8)
    word &= keep
    lanes = (word & even) + ((word >> 8) & even)
    for k in range(words):
        memcpy(&word, value + 8 * k, 8)
        lanes += (word & even) + ((word >> 8) & even)
    return <int32_t>((lanes * <uint64_t>0x0001000100010001) >> 48)


cdef inline int32_t _sum_bytes(
    const uint8_t* value, Py_ssize_t words, uint64_t keep
) noexcept nogil:
    cdef int32_t found = 0
    while words > 31:  # 32 words of bytes up to 255 add up to 65,280: still 16 bits
        found += _sum_words(value, 31, 0)
        value += 248
        words -= 31
    return found + _sum_words(value, words, keep)


cdef inline int32_t _sum_few(const uint8_t* value, uint64_t keep) noexcept nogil:
    """Sum up to 7 bytes, those that `keep` keeps, of up to 36 each: the sum fits into a byte."""
    cdef uint64_t word
    memcpy(&word, value, 8)
    return <int32_t>(((word & keep) * <uint64_t>0x0101010101010101) >> 56)


cdef void _coverage(
    const uint8_t* corner, Py_ssize_t stride,
    const int32_t* y_edges, Py_ssize_t rows, const int32_t* x_edges, Py_ssize_t cols,
    int32_t* covered, int32_t* total, uint64_t* keep, uint8_t* sums
) noexcept nogil:
    cdef Py_ssize_t i, j, y, pause, stop
    cdef Py_ssize_t left = x_edges[0], right = x_edges[cols], ahead = row_ahead(stride)
    cdef bint narrow = True
    for j in range(cols):
        keep[j] = 0
        memset(&keep[j], 255, (x_edges[j + 1] - x_edges[j]) & 7)
        narrow &= x_edges[j + 1] - x_edges[j] < 8
    for i in range(rows):
        y = y_edges[i]
        stop = y_edges[i + 1]
        for j in range(cols):
            covered[i * cols + j] = 0
            total[i * cols + j] = <int32_t>(stop - y) * (x_edges[j + 1] - x_edges[j])
        while y < stop:
            pause = min(stop, y + 255)  # as far as a uint8 counts
            memset(sums + left, 0, right - left)
            while y < pause:
                _add_row(sums + left, corner + y * stride + left, right - left, ahead)
                y += 1
            if narrow and stop - y_edges[i] <= 36:
                for j in range(cols):
                    covered[i * cols + j] = _sum_few(sums + x_edges[j], keep[j])
                continue
            for j in range(cols):
                covered[i * cols + j] += _sum_bytes(
                    sums + x_edges[j], (x_edges[j + 1] - x_edges[j]) >> 3, keep[j]
                )


cdef struct Job:
    Py_buffer[5] views  # mask, y_edges, x_edges, covered, total
    Py_ssize_t rows
    Py_ssize_t cols
    Py_ssize_t corner  # the byte of the mask that the grid's corner lies at
    Py_ssize_t stride


cdef int _open(Job* job, tuple arguments) except -1:
    """Take over one tuple of `coverage`, checked."""
    cdef Py_ssize_t height, width, y0, x0
    mask, height, width, y0, x0, y_edges, x_edges, covered, total = arguments
    open_buffer(mask, &job.views[0], PyBUF_SIMPLE, height * width)
    open_buffer(y_edges, &job.views[1], PyBUF_SIMPLE, -1)
    open_buffer(x_edges, &job.views[2], PyBUF_SIMPLE, -1)
    job.rows = job.views[1].len // 4 - 1
    job.cols = job.views[2].len // 4 - 1
    check_edges(<const int32_t*>job.views[1].buf, job.rows, y0, height)
    check_edges(<const int32_t*>job.views[2].buf, job.cols, x0, width)
    open_buffer(covered, &job.views[3], PyBUF_WRITABLE, 4 * job.rows * job.cols)
    open_buffer(total, &job.views[4], PyBUF_WRITABLE, 4 * job.rows * job.cols)
    job.corner = y0 * width + x0
    job.stride = width
    return 0


cdef void _count_all(Job* jobs, Py_ssize_t count, uint64_t* scratch) noexcept nogil:
    cdef Py_ssize_t i
    cdef Job job
    for i in range(count):
        job = jobs[i]
        _coverage(
            <const uint8_t*>job.views[0].buf + job.corner, job.stride,
            <const int32_t*>job.views[1].buf, job.rows, <const int32_t*>job.views[2].buf, job.cols,
            <int32_t*>job.views[3].buf, <int32_t*>job.views[4].buf,
            scratch, <uint8_t*>(scratch + job.cols)
        )


def coverage(list masks):
    """Count the pixels of each cell of each mask, all in one call without the GIL.

    Each is a tuple of mask (one byte a pixel), height, width, y0, x0, y_edges, x_edges, and what
    becomes the counts, covered and total.
    """
    cdef Py_ssize_t count = len(masks), opened = 0, room = 0, i
    cdef Job* jobs = <Job*>calloc(count + 1, sizeof(Job))
    cdef uint64_t* scratch = NULL
    cdef int k
    if jobs == NULL:
        raise MemoryError
    try:
        for i in range(count):
            opened += 1  # releasing a buffer that is still zeros is harmless
            _open(&jobs[i], masks[i])
            room = max(room, 8 * jobs[i].cols + jobs[i].stride + 8)
        scratch = <uint64_t*>malloc(room + 1)
        if scratch == NULL:
            raise MemoryError
        with nogil:
            _count_all(jobs, count, scratch)
    finally:
        for i in range(opened):
            for k in range(5):
                PyBuffer_Release(&jobs[i].views[k])
        free(scratch)
        free(jobs)


cdef int _check_indices(const int32_t* index, Py_ssize_t count, Py_ssize_t pixels) except -1:
    cdef Py_ssize_t i
    for i in range(count):
        if index[i] < 0 or index[i] >= pixels:
            raise ValueError("a sampled pixel lies outside the image")
    return 0


cdef void _sample(
    const uint8_t* values, Py_ssize_t itemsize, Py_ssize_t width,
    const int32_t* ys, Py_ssize_t rows, const int32_t* xs, Py_ssize_t cols, uint8_t* out
) noexcept nogil:
    cdef Py_ssize_t i, j
    cdef const uint8_t* row
    for i in range(rows):
        row = values + ys[i] * width * itemsize
        if itemsize == 1:
            for j in range(cols):
                out[j] = row[xs[j]]
        elif itemsize == 2:
            for j in range(cols):
                memcpy(out + 2 * j, row + 2 * xs[j], 2)
        else:
            for j in range(cols):
                memcpy(out + 4 * j, row + 4 * xs[j], 4)
        out += cols * itemsize


def sample(values, Py_ssize_t itemsize, Py_ssize_t height, Py_ssize_t width, ys, xs, out):
    cdef Py_buffer views[4]
    cdef Py_ssize_t rows, cols
    cdef int k
    memset(views, 0, sizeof(views))
    try:
        if itemsize not in (1, 2, 4):
            raise ValueError("an item is 1, 2 or 4 bytes")
        open_buffer(values, &views[0], PyBUF_SIMPLE, height * width * itemsize)
        open_buffer(ys, &views[1], PyBUF_SIMPLE, -1)
        open_buffer(xs, &views[2], PyBUF_SIMPLE, -1)
        rows = views[1].len // 4
        cols = views[2].len // 4
        _check_indices(<const int32_t*>views[1].buf, rows, height)
        _check_indices(<const int32_t*>views[2].buf, cols, width)
        open_buffer(out, &views[3], PyBUF_WRITABLE, rows * cols * itemsize)
        with nogil:
            _sample(
                <const uint8_t*>views[0].buf, itemsize, width,
                <const int32_t*>views[1].buf, rows, <const int32_t*>views[2].buf, cols,
                <uint8_t*>views[3].buf
            )
    finally:
        for k in range(4):
            PyBuffer_Release(&views[k])


cdef int64_t _inside(
    const int32_t* covered, const int32_t* total, Py_ssize_t count
) noexcept nogil:
    """Count the covered pixels of the cells that own pixels; -1 if these are no counts."""
    cdef int64_t inside = 0, pixels = 0
    cdef bint wrong = False
    cdef Py_ssize_t k
    for k in range(count):
        inside += covered[k] if total[k] > 0 else 0
        pixels += total[k]
        wrong |= (covered[k] < 0) | (total[k] < 0) | ((total[k] > 0) & (covered[k] > total[k]))
    return -1 if wrong or pixels > INT32_MAX else inside


cdef struct Kind:  # of cells that are partly covered
    int32_t covered
    int32_t total
    int64_t times  # how many there are


cdef Py_ssize_t _list_partly(
    const int32_t* covered, const int32_t* total, Py_ssize_t count, int32_t* partly
) noexcept nogil:
    """The places of the cells that are partly covered; most blocks of a mask have none."""
    cdef Py_ssize_t k, start = 0, stop, found = 0
    cdef int32_t any_partly
    while start < count:
        stop = min(start + BLOCK, count)
        any_partly = 0
        for k in range(start, stop):
            any_partly |= (covered[k] > 0) & (covered[k] < total[k])
        if any_partly:
            for k in range(start, stop):
                partly[found] = <int32_t>k
                found += (covered[k] > 0) & (covered[k] < total[k])
        start = stop
    return found


cdef Py_ssize_t _list_kinds(
    const int32_t* covered, const int32_t* total, const int32_t* partly, Py_ssize_t count,
    Kind* kinds
) noexcept nogil:
    """Small cells of equal counts are one kind, of which there are few; large ones one each."""
    cdef int32_t[SMALL * SMALL] table
    cdef Py_ssize_t k, found = 0
    cdef int32_t c, t
    memset(table, 0, sizeof(table))
    for k in range(count):
        c, t = covered[partly[k]], total[partly[k]]
        if t < SMALL:
            table[t * SMALL + c] += 1
        else:
            kinds[found] = Kind(c, t, 1)
            found += 1
    for t in range(SMALL):
        for c in range(1, t):
            if table[t * SMALL + c]:
                kinds[found] = Kind(c, t, table[t * SMALL + c])
                found += 1
    return found


cdef void _best_cells(
    const int32_t* covered, const int32_t* total, Py_ssize_t count, const int32_t* partly,
    Py_ssize_t some, Kind* kinds, int64_t inside, int64_t area, uint8_t* keep
) noexcept nogil:
    # Dinkelbach (1967): with n/d the IoU so far, a cell gains iff covered/(total - covered) > n/d,
    # that is, coverage > IoU/(1 + IoU). The IoU of the cells that gain is the next n/d. It rises
    # to the optimum in some five rounds of exact integers; a sort takes longer and rounds. Cells
    # that are wholly covered always gain, those that aren't at all never.
    cdef int64_t n = 0, d = 1, full = inside, both, united
    cdef Py_ssize_t different = _list_kinds(covered, total, partly, some, kinds), k
    cdef int32_t c, t
    for k in range(different):
        full -= kinds[k].covered * kinds[k].times
    while True:
        both = full
        united = area
        for k in range(different):
            c, t = kinds[k].covered, kinds[k].total
            if c * d > n * (t - c):
                both += c * kinds[k].times
                united += (t - c) * kinds[k].times
        if both * d <= n * united:
            break
        n = both
        d = united
    for k in range(count):
        keep[k] = covered[k] > 0
    for k in range(some):
        c, t = covered[partly[k]], total[partly[k]]
        keep[partly[k]] = c * d > n * (t - c)


def best_cells(covered, total, Py_ssize_t count, int64_t area, keep):
    """Fill `keep` and return True, or return False if these are no counts within 2**31 - 1.

    A negative `area` stands for the pixels that the cells cover.
    """
    cdef Py_buffer views[3]
    cdef int64_t inside
    cdef Py_ssize_t some = 0
    cdef int32_t* partly = NULL
    cdef Kind* kinds = NULL
    cdef bint valid
    cdef int k
    memset(views, 0, sizeof(views))
    try:
        open_buffer(covered, &views[0], PyBUF_SIMPLE, 4 * count)
        open_buffer(total, &views[1], PyBUF_SIMPLE, 4 * count)
        open_buffer(keep, &views[2], PyBUF_WRITABLE, count)
        partly = <int32_t*>malloc((count + 1) * sizeof(int32_t))
        if partly == NULL:
            raise MemoryError
        with nogil:
            inside = _inside(<const int32_t*>views[0].buf, <const int32_t*>views[1].buf, count)
            if area < 0:
                area = inside
            # so that no product of two sums exceeds int64
            valid = 0 <= inside <= area <= INT32_MAX
            if valid:
                some = _list_partly(
                    <const int32_t*>views[0].buf, <const int32_t*>views[1].buf, count, partly
                )
        kinds = <Kind*>malloc((some + SMALL * SMALL) * sizeof(Kind))
        if kinds == NULL:
            raise MemoryError
        with nogil:
            if valid:
                _best_cells(
                    <const int32_t*>views[0].buf, <const int32_t*>views[1].buf, count, partly,
                    some, kinds, inside, area, <uint8_t*>views[2].buf
                )
        return valid
    finally:
        free(partly)
        free(kinds)
        for k in range(3):
            PyBuffer_Release(&views[k])
