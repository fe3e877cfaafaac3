# cython: language_level=3, binding=False
"""Weighted sums of the rows of a table: a matrix product whose rows know nothing of each other.

A BLAS rounds a row of a product in ways that depend on how many rows there are and where it stands
among them. Here each sum is taken from the first row of the table to the last, so that a batch
gives what its members give one by one.
"""


cdef enum:
    TILE = 512  # columns; those of 256 rows of the table stay in the second cache


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

    /* Add rows of a table, weighted, to the sums of one object. */
    MASKCODEC_WIDE static void add_rows(
        const float *weights, const float *table, ptrdiff_t rows, ptrdiff_t stride,
        ptrdiff_t width, float *restrict out)
    {
        ptrdiff_t k = 0, x;
        for (; k + 4 <= rows; k += 4) {
            const float *row = table + k * stride;
            float a = weights[k], b = weights[k + 1], c = weights[k + 2], d = weights[k + 3];
            for (x = 0; x < width; x++)
                out[x] = out[x] + a * row[x] + b * row[x + stride] + c * row[x + 2 * stride]
                    + d * row[x + 3 * stride];
        }
        for (; k < rows; k++) {
            const float *row = table + k * stride;
            float a = weights[k];
            for (x = 0; x < width; x++)
                out[x] += a * row[x];
        }
    }

    /* The same for two objects, in whose sums each row counts while it is in a register. */
    MASKCODEC_WIDE static void add_rows_to_two(
        const float *weights, const float *table, ptrdiff_t rows, ptrdiff_t stride,
        ptrdiff_t width, float *restrict one, float *restrict two)
    {
        const float *other = weights + rows;
        ptrdiff_t k = 0, x;
        for (; k + 4 <= rows; k += 4) {
            const float *row = table + k * stride;
            float a = weights[k], b = weights[k + 1], c = weights[k + 2], d = weights[k + 3];
            float e = other[k], f = other[k + 1], g = other[k + 2], h = other[k + 3];
            for (x = 0; x < width; x++) {
                float p = row[x], q = row[x + stride];
                float r = row[x + 2 * stride], s = row[x + 3 * stride];
                one[x] = one[x] + a * p + b * q + c * r + d * s;
                two[x] = two[x] + e * p + f * q + g * r + h * s;
            }
        }
        for (; k < rows; k++) {
            const float *row = table + k * stride;
            float a = weights[k], e = other[k];
            for (x = 0; x < width; x++) {
                one[x] += a * row[x];
                two[x] += e * row[x];
            }
        }
    }
    """
    void add_rows(
        const float* weights, const float* table, Py_ssize_t rows, Py_ssize_t stride,
        Py_ssize_t width, float* out
    )
    void add_rows_to_two(
        const float* weights, const float* table, Py_ssize_t rows, Py_ssize_t stride,
        Py_ssize_t width, float* one, float* two
    )


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
                add_rows_to_two(
                    &weights[item, 0], &table[0, start], rows, columns, width, &out[item, start],
                    &out[item + 1, start]
                )
            if objects % 2:
                item = objects - 1
                add_rows(
                    &weights[item, 0], &table[0, start], rows, columns, width, &out[item, start]
                )
            start += TILE
