# cython: language_level=3, binding=False
"""From grid cells to pixels, each pixel the value of its cell, at the speed of writing them.

The grid covers a rectangle of the picture whose top-left pixel is (y0, x0). Which pixels belong
to which cell is the caller's business: grid row i paints the pixel rows y0 + y_edges[i] to
y0 + y_edges[i + 1], half-open, and x_edges splits the columns alike. Pixels outside become zero.
`blank` promises that `out` holds zeros already, so that fresh memory that stays zero is never
touched.

Arrays are C-ordered; their lengths and the edges are checked here.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBUF_WRITABLE, PyBuffer_Release
from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcmp, memcpy, memset

from buffers cimport check_edges, open_buffer
from frame cimport Frame, clear_rows, make_frame, settle_rows


cdef inline uint64_t _pattern(const uint8_t* cell, Py_ssize_t itemsize) noexcept nogil:
    """Fill eight bytes with copies of one cell."""
    cdef uint16_t two
    cdef uint32_t four
    if itemsize == 1:
        return cell[0] * <uint64_t>0x0101010101010101
    if itemsize == 2:
        memcpy(&two, cell, 2)
        return two * <uint64_t>0x0001000100010001
    memcpy(&four, cell, 4)
    return four * <uint64_t>0x0000000100000001


cdef void _expand_row(
    const uint8_t* cells, Py_ssize_t itemsize, const int32_t* edges, Py_ssize_t count,
    uint8_t* row
) noexcept nogil:
    """Repeat each cell over its pixels, 16 bytes at a time.

    The last store of a cell runs up to 15 bytes past it; the next cell writes over that, and
    `row` has 16 bytes to spare.
    """
    cdef uint64_t pair[2]
    cdef uint8_t* at
    cdef uint8_t* stop
    cdef Py_ssize_t j
    for j in range(count):
        pair[0] = pair[1] = _pattern(cells + j * itemsize, itemsize)
        at = row + edges[j] * itemsize
        stop = row + edges[j + 1] * itemsize
        while at < stop:
            memcpy(at, pair, 16)
            at += 16


cdef inline bint _is_zero(const uint8_t* cells, Py_ssize_t nbytes) noexcept nogil:
    return nbytes == 0 or (cells[0] == 0 and memcmp(cells, cells + 1, nbytes - 1) == 0)


cdef void _nearest(
    const uint8_t* cells, Py_ssize_t itemsize,
    const int32_t* y_edges, Py_ssize_t rows, const int32_t* x_edges, Py_ssize_t cols,
    uint8_t* out, const Frame* frame, uint8_t* row
) noexcept nogil:
    """Draw one row of pixels a grid row and copy it down; `row` holds stride + 16 bytes."""
    cdef Py_ssize_t i, y, right, settled = 0
    cdef Py_ssize_t stride = frame.stride, width = cols * itemsize
    cdef const uint8_t* line
    cdef const uint8_t* drawn = NULL
    memset(row, 0, stride)
    for i in range(rows):
        line = cells + i * width
        if y_edges[i] == y_edges[i + 1] or _is_zero(line, width):
            continue
        if drawn == NULL or memcmp(drawn, line, width) != 0:
            _expand_row(line, itemsize, x_edges, cols, row + frame.x0)
            right = frame.x0 + x_edges[cols] * itemsize
            memset(row + right, 0, min(<Py_ssize_t>16, stride - right))
            drawn = line
        for y in range(frame.y0 + y_edges[i], frame.y0 + y_edges[i + 1]):
            settled = settle_rows(out, frame, settled, y)
            memcpy(out + y * stride, row, stride)
    clear_rows(out, frame, settled, frame.height)


def nearest(
    cells, Py_ssize_t itemsize, Py_ssize_t height, Py_ssize_t width, Py_ssize_t y0, Py_ssize_t x0,
    y_edges, x_edges, out, int before
):
    cdef Py_buffer views[4]
    cdef Py_ssize_t rows, cols
    cdef Frame frame
    cdef uint8_t* row = NULL
    cdef int k
    memset(views, 0, sizeof(views))
    try:
        if itemsize not in (1, 2, 4):
            raise ValueError("an item is 1, 2 or 4 bytes")
        open_buffer(y_edges, &views[0], PyBUF_SIMPLE, -1)
        open_buffer(x_edges, &views[1], PyBUF_SIMPLE, -1)
        rows = views[0].len // 4 - 1
        cols = views[1].len // 4 - 1
        check_edges(<const int32_t*>views[0].buf, rows, y0, height)
        check_edges(<const int32_t*>views[1].buf, cols, x0, width)
        open_buffer(cells, &views[2], PyBUF_SIMPLE, rows * cols * itemsize)
        open_buffer(out, &views[3], PyBUF_WRITABLE, height * width * itemsize)
        frame = make_frame(height, width * itemsize, y0, x0 * itemsize, before)
        row = <uint8_t*>malloc(frame.stride + 16)
        if row == NULL:
            raise MemoryError
        with nogil:
            _nearest(
                <const uint8_t*>views[2].buf, itemsize,
                <const int32_t*>views[0].buf, rows, <const int32_t*>views[1].buf, cols,
                <uint8_t*>views[3].buf, &frame, row
            )
    finally:
        free(row)
        for k in range(4):
            PyBuffer_Release(&views[k])


cdef void _planes(
    const int32_t* cells, const int32_t* labels, Py_ssize_t count,
    const int32_t* y_edges, Py_ssize_t rows, const int32_t* x_edges, Py_ssize_t cols,
    uint8_t* out, const Frame* frame, uint8_t* row, uint8_t* is_label
) noexcept nogil:
    cdef Py_ssize_t plane, k
    for plane in range(count):
        for k in range(rows * cols):
            is_label[k] = cells[k] == labels[plane]
        _nearest(is_label, 1, y_edges, rows, x_edges, cols, out, frame, row)
        out += frame.height * frame.stride


cdef struct Job:
    Py_buffer cells
    Py_buffer y_edges
    Py_buffer x_edges
    Py_buffer out
    Py_ssize_t rows
    Py_ssize_t cols
    Py_ssize_t count  # labels
    int32_t* labels
    Frame frame


cdef int _open(Job* job, tuple arguments) except -1:
    """Take over one tuple of `planes`, checked."""
    cdef Py_ssize_t height, width, y0, x0, k
    cdef int before
    cells, labels, height, width, y0, x0, y_edges, x_edges, out, before = arguments
    open_buffer(y_edges, &job.y_edges, PyBUF_SIMPLE, -1)
    open_buffer(x_edges, &job.x_edges, PyBUF_SIMPLE, -1)
    job.rows, job.cols = job.y_edges.len // 4 - 1, job.x_edges.len // 4 - 1
    check_edges(<const int32_t*>job.y_edges.buf, job.rows, y0, height)
    check_edges(<const int32_t*>job.x_edges.buf, job.cols, x0, width)
    job.count = len(labels)
    open_buffer(cells, &job.cells, PyBUF_SIMPLE, 4 * job.rows * job.cols)
    open_buffer(out, &job.out, PyBUF_WRITABLE, job.count * height * width)
    job.labels = <int32_t*>malloc(4 * job.count + 4)
    if job.labels == NULL:
        raise MemoryError
    for k in range(job.count):
        job.labels[k] = labels[k]
    job.frame = make_frame(height, width, y0, x0, before)
    return 0


cdef inline Py_ssize_t _scratch(const Job* job) noexcept nogil:
    return job.frame.stride + 16 + job.rows * job.cols


def planes(pictures):
    """Paint a plane for each label of each picture, all in one call without the GIL.

    A picture is a tuple of cells (int32), labels, height, width, y0, x0, y_edges, x_edges, out
    (labels x height x width bytes) and what that holds, see `clearing`. `labels` is any sequence of
    numbers, for an array of few costs more to make than to paint with.
    """
    cdef Py_ssize_t count = len(pictures), opened = 0, scratch = 0, i
    cdef Job* jobs = <Job*>calloc(count + 1, sizeof(Job))
    cdef Job* job
    cdef uint8_t* row = NULL
    if jobs == NULL:
        raise MemoryError
    try:
        for i in range(count):
            opened += 1  # releasing a buffer that is still zeros is harmless
            _open(&jobs[i], pictures[i])
            scratch = max(scratch, _scratch(&jobs[i]))
        row = <uint8_t*>malloc(scratch + 1)
        if row == NULL:
            raise MemoryError
        with nogil:
            for i in range(count):
                job = &jobs[i]
                _planes(
                    <const int32_t*>job.cells.buf, job.labels, job.count,
                    <const int32_t*>job.y_edges.buf, job.rows,
                    <const int32_t*>job.x_edges.buf, job.cols,
                    <uint8_t*>job.out.buf, &job.frame, row, row + job.frame.stride + 16
                )
    finally:
        for i in range(opened):
            PyBuffer_Release(&jobs[i].cells)
            PyBuffer_Release(&jobs[i].y_edges)
            PyBuffer_Release(&jobs[i].x_edges)
            PyBuffer_Release(&jobs[i].out)
            free(jobs[i].labels)
        free(row)
        free(jobs)
