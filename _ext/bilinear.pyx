# cython: language_level=3, binding=False, cdivision=True
"""From grid cells to pixels by bilinear interpolation, set where it is at least one half.

Along an axis of P pixels and G cells, pixel p lies at (2p + 1) G - P and the centre of cell i at
2 P i, in units of 1/(2P) of a cell; outside the outer centres the edge is repeated. All sums are
exact integers. Between the centres of four cells the interpolation is linear along each row of
pixels, so a row is a few runs, and only the places where it crosses one half are computed:

      cells      1 . . . . . 0 . . . . . 0 . . . . . 1      at the centres
      sum        1  .83 .67  .5  .33 ...
      row        # # # # # # # . . . . . . . . # # # #

The grid covers the box (x0, y0, x1, y1) of the picture, half-open; pixels outside become zero.
`blank` promises that `out` holds zeros already. Arrays are C-ordered and checked here.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBUF_WRITABLE, PyBuffer_Release
from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset

from buffers cimport open_buffer
from frame cimport Frame, clear_rows, make_frame, settle_rows

cdef enum:  # what a row of pixels does between the centres of two columns of cells
    RISING_LATE  # from 0 to the larger of two parts
    RISING_MIDDLE  # from 0 to the whole, or from the smaller part to the larger
    RISING_EARLY  # from the smaller part to the whole
    FALLING_EARLY  # the mirror of RISING_LATE, and so on
    FALLING_MIDDLE
    FALLING_LATE
    UNSET
    SET
    KINDS

cdef enum:
    WINDOW = 64  # the widest cell, in pixels, that `_draw_windows` draws

cdef struct Column:
    # the first pixel at or after a cell's centre, and how far after it, in [0, 2 * cols)
    int32_t first
    int32_t offset


cdef struct Zone:
    # pixel rows between two grid rows and nearer to the same one: each column of cells keeps to
    # its side of one half
    uint8_t* codes  # where each column's sum stands, and 8 to spare; see `_find_codes`
    bint first  # whether the pixels before the first centre are set
    bint dense  # whether `kinds` covers all columns, or the `count` columns of `changes`
    uint8_t* kinds
    int32_t* changes
    Py_ssize_t count
    bint used[KINDS]


cdef struct Crossing:
    # how many pixels after the first at or after a centre the sum crosses one half: one more
    # than `pixels` where that pixel's offset from the centre is less than `rest`
    int32_t pixels
    int32_t rest


cdef void _find_columns(Column* columns, Py_ssize_t cols, Py_ssize_t width) noexcept nogil:
    cdef Py_ssize_t j, position, first
    for j in range(cols):
        # pixel x sits at (2x + 1) cols - width, and centre j at 2 width j, with its first pixel at
        # ceil((2 width j + width - cols) / 2 cols); the dividend exceeds -2 cols
        position = 2 * width * j + width - cols
        first = (position + 2 * cols - 1) // (2 * cols)
        columns[j] = Column(<int32_t>first, <int32_t>(first * 2 * cols - position))


# by 4 * code + (the next column's code)
cdef uint8_t[16] KIND
KIND[:] = [
    UNSET, UNSET, RISING_LATE, RISING_MIDDLE,
    UNSET, UNSET, RISING_MIDDLE, RISING_EARLY,
    FALLING_EARLY, FALLING_MIDDLE, SET, SET,
    FALLING_MIDDLE, FALLING_LATE, SET, SET,
]

# zeros, ones, zeros: for each kind, where the step is that a window is laid across, or that the
# window starts at if nothing happens
cdef uint8_t[3 * WINDOW] EDGES
cdef const uint8_t* STEPS[KINDS]
memset(EDGES, 0, 3 * WINDOW)
memset(&EDGES[WINDOW], 1, WINDOW)
STEPS[RISING_LATE] = STEPS[RISING_MIDDLE] = STEPS[RISING_EARLY] = &EDGES[WINDOW]
STEPS[FALLING_EARLY] = STEPS[FALLING_MIDDLE] = STEPS[FALLING_LATE] = &EDGES[2 * WINDOW]
STEPS[UNSET] = &EDGES[2 * WINDOW]
STEPS[SET] = &EDGES[WINDOW]


cdef void _find_codes(
    const uint8_t* above, const uint8_t* below, Py_ssize_t cols, int side, uint8_t* codes
) noexcept nogil:
    """Say where each column's sum stands: 0 none, 1 the smaller part, 2 the larger part, 3 whole.

    Codes 2 and 3 are one half or more. The nearer cell is the larger part; half-way between both
    (side 0) either is one half.
    """
    cdef Py_ssize_t j
    cdef uint8_t both, any_
    cdef const uint8_t* nearer = above if side < 0 else below
    for j in range(cols):
        both = above[j] & below[j]
        any_ = above[j] | below[j]
        if side == 0:
            codes[j] = 2 * any_ + both
        else:
            codes[j] = 2 * nearer[j] + (both | (any_ & (1 - nearer[j])))


cdef void _find_zone(Py_ssize_t cols, bint may_be_dense, Zone* zone) noexcept nogil:
    """List the pairs of neighbouring columns between which the sum passes one half, and how."""
    cdef uint64_t high = 0x0202020202020202
    cdef uint64_t here, there
    cdef uint8_t* codes = zone.codes
    cdef Py_ssize_t j
    cdef int changes = 0
    memset(codes + cols, codes[cols - 1], 8)
    for j in range(cols - 1):
        changes += (codes[j] ^ codes[j + 1]) >> 1
    zone.first = codes[0] >> 1
    zone.dense = may_be_dense and changes * 4 > cols
    zone.count = 0
    memset(zone.used, zone.dense, sizeof(zone.used))
    if zone.dense:
        for j in range(cols):
            zone.kinds[j] = KIND[4 * codes[j] + codes[j + 1]]
        return
    j = 0
    while zone.count < changes:
        memcpy(&here, codes + j, 8)
        memcpy(&there, codes + j + 1, 8)
        if (here ^ there) & high == 0:
            j += 8
            continue
        while (codes[j] ^ codes[j + 1]) < 2:
            j += 1
        zone.changes[zone.count] = <int32_t>j
        zone.kinds[zone.count] = KIND[4 * codes[j] + codes[j + 1]]
        zone.used[zone.kinds[zone.count]] = True
        zone.count += 1
        j += 1


cdef inline void _solve(
    const Zone* zone, uint32_t larger, uint32_t height, uint32_t width, uint32_t cols,
    Crossing* crossings
) noexcept nogil:
    """Find where a row of pixels crosses one half, for each kind of change that it has.

    In units where the whole sum is 2 * height and the centres of two columns lie 2 * width apart,
    a sum that rises from 0 to `larger` reaches height at late = 2 * width * height / larger. From
    2 * height - larger to 2 * height it does so at 2 * width - late, and the other two ways are
    symmetric: at width. One division serves all. Falling, the first place below one half is
    2 * width + 1 less the place of the mirrored rise. 2 * width * height is below 2**32.
    """
    cdef uint32_t late = 2 * width * height // larger
    cdef uint32_t distance[6]
    cdef int k
    distance[RISING_EARLY] = 2 * width - late
    distance[RISING_MIDDLE] = width
    distance[RISING_LATE] = late + (2 * width * height != late * larger)
    for k in range(3):
        distance[FALLING_EARLY + k] = 2 * width + 1 - distance[RISING_LATE + k]
    for k in range(6):
        if zone.used[k]:
            crossings[k].pixels = <int32_t>(distance[k] // (2 * cols))
            crossings[k].rest = <int32_t>(distance[k] % (2 * cols))


cdef inline void _fill(uint8_t* at, uint8_t* stop, uint8_t value, uint8_t* end) noexcept nogil:
    """Fill [at, stop); short runs by 32 bytes at once where `end` allows to write that far."""
    cdef uint64_t four[4]
    if stop - at <= 32 and end - at >= 32:
        four[0] = four[1] = four[2] = four[3] = value * <uint64_t>0x0101010101010101
        memcpy(at, four, 32)
    else:
        memset(at, value, stop - at)


cdef inline void _draw_runs(
    const Zone* zone, const Column* columns, const Crossing* crossings, uint8_t* row,
    Py_ssize_t width
) noexcept nogil:
    cdef bint now = zone.first
    cdef uint8_t* at = row
    cdef uint8_t* stop
    cdef Py_ssize_t k, j
    cdef Crossing crossing
    for k in range(zone.count):
        j = zone.changes[k]
        crossing = crossings[zone.kinds[k]]
        stop = (
            row + columns[j].first + crossing.pixels + (crossing.rest > columns[j].offset)
        )
        _fill(at, stop, now, row + width)
        at = stop
        now = not now
    memset(at, now, row + width - at)


cdef inline void _draw_windows(
    const Zone* zone, const Column* columns, const Crossing* crossings, uint8_t* row,
    Py_ssize_t cols, Py_ssize_t width, Py_ssize_t reach
) noexcept nogil:
    """Draw a row that changes often: a window of EDGES a column, `reach` bytes, no branches."""
    cdef Py_ssize_t j, k, start
    cdef const uint8_t* window
    cdef const uint8_t* windows[KINDS]
    cdef int kind
    for kind in range(KINDS):
        windows[kind] = STEPS[kind] - crossings[kind].pixels
    memset(row, zone.first, columns[0].first)
    for j in range(cols):
        start = columns[j].first
        kind = zone.kinds[j]
        window = windows[kind] - (crossings[kind].rest > columns[j].offset)
        if start + reach <= width:
            for k in range(0, reach, 16):
                memcpy(row + start + k, window + k, 16)
        else:
            memcpy(row + start, window, width - start)


cdef void _bilinear(
    const uint8_t* cells, Py_ssize_t rows, Py_ssize_t cols,
    Py_ssize_t height, Py_ssize_t width, uint8_t* out, const Frame* frame,
    Column* columns, Zone* zone
) noexcept nogil:
    """Paint a box of height x width pixels, a row at a time, as runs between crossings.

    Along a row of pixels the sum is linear from the centre of a column of cells to that of the
    next. Which columns reach one half depends on the two grid rows around and on which of them is
    nearer, so the list of changes is made at most three times a grid row, and a row of pixels has
    only to find their places.
    """
    cdef Crossing crossings[KINDS]
    cdef Py_ssize_t settled = 0, y, place, i = 0, last_i = -1
    cdef int side, last_side = 0
    cdef uint8_t* row
    memset(crossings, 0, sizeof(crossings))
    _find_columns(columns, cols, width)
    for y in range(height):
        place = min(max((2 * y + 1) * rows - height, 0), 2 * height * (rows - 1))
        while place >= 2 * height * (i + 1):
            i += 1
        place -= 2 * height * i
        side = (place > height) - (place < height)
        if i != last_i or side != last_side:
            last_i = i
            last_side = side
            _find_codes(
                cells + i * cols, cells + min(i + 1, rows - 1) * cols, cols, side, zone.codes
            )
            _find_zone(cols, width <= WINDOW * cols, zone)
        if not (zone.first or zone.dense or zone.count):
            continue
        settled = settle_rows(out, frame, settled, frame.y0 + y)
        row = out + (frame.y0 + y) * frame.stride + frame.x0
        _solve(
            zone, <uint32_t>max(place, 2 * height - place), <uint32_t>height, <uint32_t>width,
            <uint32_t>cols, crossings
        )
        if not zone.dense:
            _draw_runs(zone, columns, crossings, row, width)
        elif width <= 16 * cols:
            _draw_windows(zone, columns, crossings, row, cols, width, 16)
        elif width <= 32 * cols:
            _draw_windows(zone, columns, crossings, row, cols, width, 32)
        else:
            _draw_windows(zone, columns, crossings, row, cols, width, WINDOW)
        if not frame.blank:
            memset(row - frame.x0, 0, frame.x0)
            memset(row + width, 0, frame.stride - frame.x0 - width)
    clear_rows(out, frame, settled, frame.height)


cdef struct Job:
    Py_buffer cells
    Py_buffer out
    Py_ssize_t rows
    Py_ssize_t cols
    Py_ssize_t height  # of the box, and its width
    Py_ssize_t width
    Frame frame


cdef int _open(Job* job, tuple arguments) except -1:
    """Take over one tuple of `bilinear`, checked."""
    cdef Py_ssize_t height, width, y0, x0, y1, x1
    cdef int before
    cells, job.rows, job.cols, height, width, y0, x0, y1, x1, out, before = arguments
    open_buffer(cells, &job.cells, PyBUF_SIMPLE, job.rows * job.cols)
    open_buffer(out, &job.out, PyBUF_WRITABLE, height * width)
    if (
        job.rows < 1 or job.cols < 1 or job.cols >= 1 << 28
        or height * width >= <Py_ssize_t>1 << 31
    ):
        raise ValueError("the grid is empty, or it or the picture is too large")
    if not (0 <= y0 <= y1 <= height and 0 <= x0 <= x1 <= width):
        raise ValueError("the box leaves the picture")
    job.height = y1 - y0 if x1 > x0 else 0
    job.width = x1 - x0
    job.frame = make_frame(height, width, y0, x0, before)
    return 0


cdef inline Py_ssize_t _scratch(const Job* job) noexcept nogil:
    return (
        job.cols * <Py_ssize_t>(sizeof(Column) + sizeof(int32_t)) + 2 * job.cols + 8
        + job.rows * job.cols
    )


cdef void _paint(Job* job, uint8_t* block) noexcept nogil:
    """Paint one picture; scratch arrays are carved out of `block`, widest items first."""
    cdef Zone zone
    cdef Column* columns = <Column*>block
    cdef uint8_t* bits
    cdef Py_ssize_t k
    zone.changes = <int32_t*>(columns + job.cols)
    zone.kinds = <uint8_t*>(zone.changes + job.cols)
    zone.codes = zone.kinds + job.cols
    bits = zone.codes + job.cols + 8
    for k in range(job.rows * job.cols):
        bits[k] = (<const uint8_t*>job.cells.buf)[k] != 0
    _bilinear(
        bits, job.rows, job.cols, job.height, job.width, <uint8_t*>job.out.buf, &job.frame,
        columns, &zone
    )


def bilinear(list pictures):
    """Paint pictures one after the other, all in one call without the GIL.

    Each is a tuple of cells (one byte each), rows, columns, height, width, y0, x0, y1, x1, out
    (height x width bytes) and what that holds, see `clearing`.
    """
    cdef Py_ssize_t count = len(pictures), opened = 0, scratch = 0, i
    cdef Job* jobs = <Job*>calloc(count + 1, sizeof(Job))
    cdef uint8_t* block = NULL
    if jobs == NULL:
        raise MemoryError
    try:
        for i in range(count):
            opened += 1  # releasing a buffer that is still zeros is harmless
            _open(&jobs[i], pictures[i])
            scratch = max(scratch, _scratch(&jobs[i]))
        block = <uint8_t*>malloc(scratch + 1)
        if block == NULL:
            raise MemoryError
        with nogil:
            for i in range(count):
                _paint(&jobs[i], block)
    finally:
        for i in range(opened):
            PyBuffer_Release(&jobs[i].cells)
            PyBuffer_Release(&jobs[i].out)
        free(block)
        free(jobs)
