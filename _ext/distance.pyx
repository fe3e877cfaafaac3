# cython: language_level=3, binding=False
"""Signed distances from the pixels of a small mask to its outline."""

from libc.math cimport INFINITY, sqrt
from libc.stdint cimport uint8_t
from libc.stdlib cimport calloc, free, malloc


cdef enum:
    CHUNK = 24  # pixels taken together; gcc unrolls loops of 16 and then leaves them scalar


cdef void _step(
    const uint8_t* mask, const uint8_t* before, const double* far, Py_ssize_t width, double step,
    double* out
) noexcept nogil:
    """Distances along columns to the nearest pixel of the other kind, from those a row before."""
    cdef Py_ssize_t x
    for x in range(width):
        out[x] = (far[x] if (mask[x] != 0) == (before[x] != 0) else 0) + step


cdef void _walk_columns(
    const uint8_t* mask, Py_ssize_t height, Py_ssize_t width, double step, const uint8_t* unset,
    double* far, double* scratch
) noexcept nogil:
    """Squared distances, along columns, to the nearest pixel of the other kind.

    Beyond the mask is `unset`, so that set pixels find an end, unset ones perhaps none.
    """
    cdef Py_ssize_t x, y
    cdef double* line
    for x in range(width):
        far[x] = INFINITY
    for y in range(height):
        line = scratch + y * width
        _step(
            mask + y * width, mask + (y - 1) * width if y else unset,
            line - width if y else far, width, step, line
        )
    for y in range(height - 1, -1, -1):
        line = scratch + y * width
        _step(
            mask + y * width, mask + (y + 1) * width if y + 1 < height else unset, far, width,
            step, far
        )
        for x in range(width):
            line[x] = far[x] * far[x] if far[x] < line[x] else line[x] * line[x]


cdef void _fill_line(
    const uint8_t* mask, const double* down, Py_ssize_t width, float* unset, float* marked
) noexcept nogil:
    """For each pixel of a line, the column's squared distance to the nearest unset, or set, one."""
    cdef Py_ssize_t x
    for x in range(width):
        unset[x] = <float>down[x] if mask[x] else 0
        marked[x] = 0 if mask[x] else <float>down[x]


cdef inline void _nearest(
    const float* line, Py_ssize_t pad, Py_ssize_t reach, float step, float limit, float* best
) noexcept nogil:
    """Squared distances of `CHUNK` pixels, at line + pad, by the distances of their columns.

    Chunks far from the outline are most of a mask, and one look at their surroundings is enough.
    """
    cdef Py_ssize_t k, i, start = 0
    cdef float across, left, right, near
    cdef int open = 0
    for i in range(CHUNK):
        best[i] = limit
    while start < 2 * pad + CHUNK:
        for i in range(CHUNK):
            near = line[start + i]
            best[i] = min(near, best[i])
        start += CHUNK
    for i in range(CHUNK):
        open |= best[i] < limit
    if not open:
        return
    for i in range(CHUNK):
        near = line[pad + i]
        best[i] = min(near, limit)
    for k in range(1, reach + 1):
        across = k * step
        across *= across
        open = 0
        for i in range(CHUNK):
            open |= across < best[i]
        if not open:
            return
        for i in range(CHUNK):
            left, right = line[pad - k + i], line[pad + k + i]
            near = min(left, right) + across
            best[i] = min(near, best[i])


cdef void _cross_line(
    const uint8_t* mask, const float* unset, const float* marked, Py_ssize_t width,
    Py_ssize_t pad, Py_ssize_t reach, float step, float limit, double half, float* out
) noexcept nogil:
    """The signed distances of a line, less `half`."""
    cdef float best[CHUNK]
    cdef Py_ssize_t start = 0, x, count, inside
    while start < width:
        count = min(width - start, CHUNK)
        inside = 0
        for x in range(start, start + count):
            inside += mask[x] != 0
        if inside:
            _nearest(unset + start, pad, reach, step, limit, best)
            for x in range(count):
                if mask[start + x]:
                    out[start + x] = <float>(sqrt(best[x]) - half)
        if inside < count:
            _nearest(marked + start, pad, reach, step, limit, best)
            for x in range(count):
                if not mask[start + x]:
                    out[start + x] = <float>(half - sqrt(best[x]))
        start += CHUNK


def signed(
    const uint8_t[:, ::1] mask, double row_step, double column_step, double clip,
    double[:, ::1] scratch, float[:, ::1] out
):
    """Fill `out` with distances to the outline, positive on set pixels, within -clip..clip.

    A distance is that between pixel centres, to the nearest pixel of the other kind, less half of
    the smaller step; `row_step` and `column_step` are the sides of a pixel. Pixels beyond the mask
    are unset. `scratch` and `out` have the shape of `mask`.
    """
    cdef Py_ssize_t height = mask.shape[0], width = mask.shape[1], y, x, reach, pad, room
    cdef double half = 0.5 * min(row_step, column_step), limit = (clip + half) * (clip + half)
    cdef float* lines
    cdef double* far
    cdef uint8_t* above
    if not (scratch.shape[0] == out.shape[0] == height and scratch.shape[1] == width
            and out.shape[1] == width):
        raise ValueError("shapes")
    if not (0 < row_step < INFINITY and 0 < column_step < INFINITY and 0 < clip < INFINITY):
        raise ValueError("steps")
    if height == 0 or width == 0:
        return
    reach = width  # beyond both ends there is nothing new
    if reach * column_step > clip + half:
        reach = <Py_ssize_t>((clip + half) / column_step) + 1
    pad = (reach + CHUNK - 1) // CHUNK * CHUNK
    room = 2 * pad + width + CHUNK
    lines = <float*>malloc(2 * room * sizeof(float))
    far = <double*>malloc(width * sizeof(double))
    above = <uint8_t*>calloc(width, 1)
    if lines == NULL or far == NULL or above == NULL:
        free(lines)
        free(far)
        free(above)
        raise MemoryError
    with nogil:
        _walk_columns(&mask[0, 0], height, width, row_step, above, far, &scratch[0, 0])
        for x in range(room):  # what lies before and after a line is unset
            lines[x] = 0
            lines[room + x] = INFINITY
        for y in range(height):
            _fill_line(&mask[y, 0], &scratch[y, 0], width, lines + pad, lines + room + pad)
            _cross_line(
                &mask[y, 0], lines, lines + room, width, pad, reach, column_step, limit, half,
                &out[y, 0]
            )
    free(lines)
    free(far)
    free(above)


def sample(
    const float[:, ::1] values, float scale, float[::1] line, float[:, ::1] out
):
    """Fill `out`, a lattice over the same rectangle, with `values` times `scale`.

    Values are those of pixels' centres, and interpolated bilinearly at the centres of the cells of
    the lattice; beyond the outer pixels' centres they stay. `line` has room for a row of `values`.
    """
    cdef Py_ssize_t height = values.shape[0], width = values.shape[1], y, x, i, above, below
    cdef float share, rest
    if not (height > 0 and width > 0 and line.shape[0] == width):
        raise ValueError("shapes")
    with nogil:
        for y in range(out.shape[0]):
            above = _before(y, height, out.shape[0], &share)
            below = min(above + 1, height - 1)
            rest = 1 - share
            for x in range(width):
                line[x] = rest * values[above, x] + share * values[below, x]
            for x in range(out.shape[1]):
                i = _before(x, width, out.shape[1], &share)
                out[y, x] = scale * ((1 - share) * line[i] + share * line[min(i + 1, width - 1)])


cdef Py_ssize_t _before(
    Py_ssize_t cell, Py_ssize_t pixels, Py_ssize_t cells, float* share
) noexcept nogil:
    """The pixel before a cell's centre; `share` is that of the pixel after."""
    cdef double place = (cell + 0.5) * pixels / cells - 0.5
    cdef Py_ssize_t before
    place = min(max(place, 0.0), pixels - 1.0)
    before = <Py_ssize_t>place
    share[0] = <float>(place - before)
    return before
