# cython: language_level=3, binding=False
"""Signed distances from the pixels of a small mask to its outline."""

from libc.math cimport INFINITY, sqrt
from libc.stdint cimport uint8_t


cdef void _walk_column(
    const uint8_t[:, ::1] mask, double[:, ::1] scratch, Py_ssize_t x, double step
) noexcept nogil:
    """Squared distances, along the column, to the nearest pixel of the other kind.

    Beyond the mask everything is unset, so that set pixels find an end, unset ones perhaps none.
    """
    cdef Py_ssize_t height = mask.shape[0], i, y
    cdef double far
    cdef bint kind, back
    for back in range(2):
        far = INFINITY  # unset above, and set pixels are nowhere yet
        kind = False
        for i in range(height):
            y = height - 1 - i if back else i
            if (mask[y, x] != 0) != kind:
                far = step
                kind = not kind
            else:
                far += step
            if not back or far * far < scratch[y, x]:
                scratch[y, x] = far * far


cdef double _nearest(
    const uint8_t* mask, const double* down, Py_ssize_t x, Py_ssize_t width, double step,
    double clip
) noexcept nogil:
    """The squared distance from pixel x of a line to the nearest pixel of the other kind."""
    cdef double best = down[x], across, here
    cdef Py_ssize_t k = 1, other
    cdef int side
    cdef bint kind = mask[x] != 0
    if best > clip * clip:
        best = clip * clip
    while True:
        across = k * step
        across *= across
        if across >= best:
            return best
        for side in range(2):
            other = x + k if side else x - k
            if other < 0 or other >= width:
                here = across if kind else INFINITY
            elif (mask[other] != 0) != kind:
                here = across
            else:
                here = across + down[other]
            if here < best:
                best = here
        k += 1


def signed(
    const uint8_t[:, ::1] mask, double row_step, double column_step, double clip,
    double[:, ::1] scratch, float[:, ::1] out
):
    """Fill `out` with distances to the outline, positive on set pixels, within -clip..clip.

    A distance is that between pixel centres, to the nearest pixel of the other kind, less half of
    the smaller step; `row_step` and `column_step` are the sides of a pixel. Pixels beyond the mask
    are unset. `scratch` and `out` have the shape of `mask`.
    """
    cdef Py_ssize_t height = mask.shape[0], width = mask.shape[1], y, x
    cdef double half = 0.5 * min(row_step, column_step), found
    if not (scratch.shape[0] == out.shape[0] == height and scratch.shape[1] == width
            and out.shape[1] == width):
        raise ValueError("shapes")
    if not (0 < row_step < INFINITY and 0 < column_step < INFINITY and 0 < clip < INFINITY):
        raise ValueError("steps")
    with nogil:
        for x in range(width):
            _walk_column(mask, scratch, x, row_step)
        for y in range(height):
            for x in range(width):
                found = sqrt(_nearest(
                    &mask[y, 0], &scratch[y, 0], x, width, column_step, clip + half
                )) - half
                out[y, x] = <float>(found if mask[y, x] else -found)
