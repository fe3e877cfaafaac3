# cython: language_level=3, binding=False
"""Weighted sums of the rows of a table: a matrix product whose rows know nothing of each other.

A BLAS rounds a row of a product in ways that depend on how many rows there are and where it stands
among them. Here each sum is taken from the first row of the table to the last, so that a batch
gives what its members give one by one.
"""


cdef enum:
    WIDTH = 16  # columns of a part of the table
    DEPTH = 256  # rows of a part that stay in the first cache while all objects take them


# In C, since Cython knows neither vectors nor functions for some processors only. Both ways round
# alike: they add in one order, and there is no fused multiply-add in either.
cdef extern from * nogil:
    """
    #include <stddef.h>

    /* Add weighted rows of a part to the sums of objects. */
    static void add_anywhere(
        const float *weights, ptrdiff_t objects, ptrdiff_t all_rows, const float *part,
        ptrdiff_t rows, float *sums, ptrdiff_t columns)
    {
        ptrdiff_t item, k = 0, x;
        for (; k + 4 <= rows; k += 4) {
            const float *row = part + k * 16;
            for (item = 0; item < objects; item++) {
                const float *weight = weights + item * all_rows + k;
                float *restrict sum = sums + item * columns;
                float a = weight[0], b = weight[1], c = weight[2], d = weight[3];
                for (x = 0; x < 16; x++)
                    sum[x] = sum[x] + a * row[x] + b * row[x + 16] + c * row[x + 32]
                        + d * row[x + 48];
            }
        }
        for (; k < rows; k++)
            for (item = 0; item < objects; item++)
                for (x = 0; x < 16; x++)
                    sums[item * columns + x] += weights[item * all_rows + k] * part[k * 16 + x];
    }

    #if defined(__x86_64__) && defined(__GNUC__)

    typedef float eight __attribute__((vector_size(32), aligned(4), may_alias));

    /* The same for several parts, `apart` floats from one to the next. How many objects and parts
       is known where this is compiled, and their product at most 4, so that all sums stay in
       registers. What comes next is fetched ahead: it is often no longer in the second cache. */
    __attribute__((target("avx2"), always_inline)) static inline void add_some(
        const int objects, const int parts, const float *weights, ptrdiff_t all_rows,
        const float *table, ptrdiff_t apart, ptrdiff_t rows, float *out, ptrdiff_t columns)
    {
        eight sums[4][2];
        ptrdiff_t k;
        int i, j;
        for (i = 0; i < objects; i++)
            for (j = 0; j < parts; j++) {
                sums[i * parts + j][0] = *(const eight *)(out + i * columns + j * 16);
                sums[i * parts + j][1] = *(const eight *)(out + i * columns + j * 16 + 8);
            }
        for (k = 0; k < rows; k++)
            for (j = 0; j < parts; j++) {
                const float *row = table + j * apart + k * 16;
                __builtin_prefetch(row + parts * apart, 0, 2);
                eight left = *(const eight *)row, right = *(const eight *)(row + 8);
                for (i = 0; i < objects; i++) {
                    float weight = weights[i * all_rows + k];
                    sums[i * parts + j][0] += weight * left;
                    sums[i * parts + j][1] += weight * right;
                }
            }
        for (i = 0; i < objects; i++)
            for (j = 0; j < parts; j++) {
                *(eight *)(out + i * columns + j * 16) = sums[i * parts + j][0];
                *(eight *)(out + i * columns + j * 16 + 8) = sums[i * parts + j][1];
            }
    }

    /* Returns how many parts were taken: with few objects left it is several. */
    __attribute__((target("avx2"))) static ptrdiff_t add_wide(
        const float *weights, ptrdiff_t objects, ptrdiff_t all_rows, const float *table,
        ptrdiff_t parts, ptrdiff_t apart, ptrdiff_t rows, float *out, ptrdiff_t columns)
    {
        ptrdiff_t item = 0;
        int taken = objects == 1 && parts >= 4 ? 4 : objects <= 2 && parts >= 2 ? 2 : 1;
        if (taken == 4)
            add_some(1, 4, weights, all_rows, table, apart, rows, out, columns);
        else if (taken == 2 && objects == 2)
            add_some(2, 2, weights, all_rows, table, apart, rows, out, columns);
        else if (taken == 2)
            add_some(1, 2, weights, all_rows, table, apart, rows, out, columns);
        if (taken > 1)
            return taken;
        for (; item + 4 <= objects; item += 4)
            add_some(4, 1, weights + item * all_rows, all_rows, table, apart, rows,
                     out + item * columns, columns);
        for (; item + 2 <= objects; item += 2)
            add_some(2, 1, weights + item * all_rows, all_rows, table, apart, rows,
                     out + item * columns, columns);
        for (; item < objects; item++)
            add_some(1, 1, weights + item * all_rows, all_rows, table, apart, rows,
                     out + item * columns, columns);
        return 1;
    }
    #endif

    /* Add weighted rows of one or more parts to the sums of objects; returns of how many parts. */
    static ptrdiff_t add_rows(
        const float *weights, ptrdiff_t objects, ptrdiff_t all_rows, const float *table,
        ptrdiff_t parts, ptrdiff_t apart, ptrdiff_t rows, float *out, ptrdiff_t columns)
    {
    #if defined(__x86_64__) && defined(__GNUC__)
        if (__builtin_cpu_supports("avx2"))
            return add_wide(
                weights, objects, all_rows, table, parts, apart, rows, out, columns);
    #endif
        add_anywhere(weights, objects, all_rows, table, rows, out, columns);
        return 1;
    }
    """
    Py_ssize_t add_rows(
        const float* weights, Py_ssize_t objects, Py_ssize_t all_rows, const float* table,
        Py_ssize_t parts, Py_ssize_t apart, Py_ssize_t rows, float* out, Py_ssize_t columns
    )


def sums(const float[:, ::1] weights, const float[:, :, ::1] table, float[:, ::1] out):
    """Fill `out` (objects, columns) with `weights` (objects, rows) @ the table (rows, columns).

    `table` is (parts, rows, 16): the columns in contiguous parts of 16.
    """
    cdef Py_ssize_t objects = weights.shape[0], rows = weights.shape[1], parts = table.shape[0]
    cdef Py_ssize_t start = 0, part
    if not (table.shape[1] == rows and table.shape[2] == WIDTH and out.shape[0] == objects
            and out.shape[1] == parts * WIDTH):
        raise ValueError("shapes")
    if objects == 0 or parts == 0:
        return
    out[:, :] = 0
    with nogil:
        while start < rows:
            part = 0
            while part < parts:
                part += add_rows(
                    &weights[0, start], objects, rows, &table[part, start, 0], parts - part,
                    rows * WIDTH, min(rows - start, DEPTH), &out[0, part * WIDTH], parts * WIDTH
                )
            start += DEPTH
