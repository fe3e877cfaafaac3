# cython: language_level=3, binding=False
"""Weighted sums of the rows of a table: a matrix product whose rows know nothing of each other.

A BLAS rounds a row of a product in ways that depend on how many rows there are and where it stands
among them. Here each sum is taken from the first row of the table to the last, so that a batch
gives what its members give one by one.
"""


cdef enum:
    TILE = 512  # columns; those of 256 rows of the table stay in the second cache


cdef void _add_rows(
    const float* weights, const float* table, Py_ssize_t rows, Py_ssize_t stride,
    Py_ssize_t width, float* out
) noexcept nogil:
    cdef Py_ssize_t k = 0, x
    cdef float a, b, c, d
    cdef const float* row
    while k + 4 <= rows:
        row = table + k * stride
        a, b, c, d = weights[k], weights[k + 1], weights[k + 2], weights[k + 3]
        for x in range(width):
            out[x] = (
                out[x] + a * row[x] + b * row[x + stride] + c * row[x + 2 * stride]
                + d * row[x + 3 * stride]
            )
        k += 4
    while k < rows:
        row = table + k * stride
        a = weights[k]
        for x in range(width):
            out[x] += a * row[x]
        k += 1


cdef void _add_rows_to_two(
    const float* weights, const float* table, Py_ssize_t rows, Py_ssize_t stride,
    Py_ssize_t width, float* out, Py_ssize_t next_out
) noexcept nogil:
    """The same for two objects, in whose sums each row counts while it is in a register."""
    cdef Py_ssize_t k = 0, x
    cdef float a, b, c, d, e, f, g, h, first, second, value
    cdef const float* row
    cdef const float* other = weights + rows
    while k + 4 <= rows:
        row = table + k * stride
        a, b, c, d = weights[k], weights[k + 1], weights[k + 2], weights[k + 3]
        e, f, g, h = other[k], other[k + 1], other[k + 2], other[k + 3]
        for x in range(width):
            value = row[x]
            first = out[x] + a * value
            second = out[x + next_out] + e * value
            value = row[x + stride]
            first += b * value
            second += f * value
            value = row[x + 2 * stride]
            first += c * value
            second += g * value
            value = row[x + 3 * stride]
            out[x] = first + d * value
            out[x + next_out] = second + h * value
        k += 4
    _add_rows(weights + k, table + k * stride, rows - k, stride, width, out)
    _add_rows(other + k, table + k * stride, rows - k, stride, width, out + next_out)


def sums(const float[:, ::1] weights, const float[:, ::1] table, float[:, ::1] out):
    """Fill `out` (objects, columns) with `weights` (objects, rows) @ `table` (rows, columns)."""
    cdef Py_ssize_t objects = weights.shape[0], rows = weights.shape[1], columns = table.shape[1]
    cdef Py_ssize_t start = 0, width, item
    if not (table.shape[0] == rows and out.shape[0] == objects and out.shape[1] == columns):
        raise ValueError("shapes")
    if objects == 0 or columns == 0:
        return
    out[:, :] = 0
    if rows == 0:
        return
    with nogil:
        while start < columns:
            width = min(columns - start, TILE)
            for item in range(0, objects - 1, 2):
                _add_rows_to_two(
                    &weights[item, 0], &table[0, start], rows, columns, width, &out[item, start],
                    columns
                )
            if objects % 2:
                item = objects - 1
                _add_rows(
                    &weights[item, 0], &table[0, start], rows, columns, width, &out[item, start]
                )
            start += TILE
