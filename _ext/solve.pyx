# cython: language_level=3, binding=False
"""Solves small symmetric systems of equations, one for each object."""

from libc.stdlib cimport free, malloc


# In C, since Cython can't say that a function is to be compiled twice, for AVX2 too, and the faster
# one taken where it runs. Both round alike: there is no fused multiply-add in either.
cdef extern from * nogil:
    """
    #include <stddef.h>
    #if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && defined(__GLIBC__)
    #define MASKCODEC_WIDE __attribute__((target_clones("avx2", "default")))
    #else
    #define MASKCODEC_WIDE
    #endif

    /* Make the rows (size + 1 apart) of a symmetric matrix, of which only what is right of the
       diagonal counts, and the right-hand side behind it, triangular; 0 if it is not positive. Two
       rows are taken off those below them at once. */
    MASKCODEC_WIDE static int eliminate(double *rows, ptrdiff_t size)
    {
        ptrdiff_t width = size + 1, k, i, j;
        for (k = 0; k < size; k += 2) {
            const double *restrict first = rows + k * width;
            double *restrict second = rows + (k + 1) * width;
            double share;
            if (!(first[k] > 0))
                return 0;
            if (k + 1 == size)
                break;
            share = first[k + 1] / first[k];
            for (j = k + 1; j < width; j++)
                second[j] -= share * first[j];
            if (!(second[k + 1] > 0))
                return 0;
            for (i = k + 2; i < size; i++) {
                double *restrict row = rows + i * width;
                double a = first[i] / first[k], b = second[i] / second[k + 1];
                for (j = i; j < width; j++)
                    row[j] = row[j] - a * first[j] - b * second[j];
            }
        }
        return 1;
    }

    /* The solution, in the place of the right-hand side. */
    MASKCODEC_WIDE static void substitute(double *rows, ptrdiff_t size, double *solution)
    {
        ptrdiff_t i, j, k;
        for (i = size - 1; i >= 0; i--) {
            const double *row = rows + i * (size + 1);
            double sums[4] = {0, 0, 0, 0}, found = row[size];
            for (j = i + 1; j + 4 <= size; j += 4)
                for (k = 0; k < 4; k++)
                    sums[k] += row[j + k] * solution[j + k];
            for (; j < size; j++)
                found -= row[j] * solution[j];
            solution[i] = (found - (sums[0] + sums[1]) - (sums[2] + sums[3])) / row[i];
        }
    }
    """
    bint eliminate(double* rows, Py_ssize_t size)
    void substitute(double* rows, Py_ssize_t size, double* solution)


def symmetric(
    const float[:, :, ::1] matrices, const float[::1] ridges, const float[:, ::1] right,
    float[:, ::1] out
):
    """Fill `out` (objects, size) with what solves (matrix + ridge * identity) x = right.

    `matrices` (objects, size, size) are symmetric, `right` is (objects, size); the arithmetic is
    that of doubles. Returns whether all matrices are positive definite; from the first that isn't
    on, nothing is written.
    """
    cdef Py_ssize_t objects = matrices.shape[0], size = matrices.shape[1], item, i, j
    cdef double* rows
    cdef double* solution
    cdef bint positive = True
    if not (matrices.shape[2] == right.shape[1] == out.shape[1] == size
            and ridges.shape[0] == right.shape[0] == out.shape[0] == objects and size < 2**15):
        raise ValueError("shapes")
    if objects == 0 or size == 0:
        return True
    rows = <double*>malloc((size + 1) * (size + 1) * sizeof(double))
    if rows == NULL:
        raise MemoryError
    solution = rows + size * (size + 1)
    with nogil:
        for item in range(objects):
            for i in range(size):
                for j in range(i, size):
                    rows[i * (size + 1) + j] = matrices[item, i, j]
                rows[i * (size + 1) + i] += ridges[item]
                rows[i * (size + 1) + size] = right[item, i]
            positive = eliminate(rows, size)
            if not positive:
                break
            substitute(rows, size, solution)
            for i in range(size):
                out[item, i] = <float>solution[i]
    free(rows)
    return positive
