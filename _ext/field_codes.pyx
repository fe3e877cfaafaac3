# cython: language_level=3, binding=False
"""From codes to fields: what comes before and after the product with the basis.

Sums of codes are whole numbers. Their products with the basis are multiples of a power of two,
exact in float64; a field is these products and the mean, rounded.
"""

from libc.stdint cimport int16_t, int32_t, int64_t


cdef extern from * nogil:
    """
    #include <math.h>
    #include <stddef.h>
    #include <stdint.h>
    #if defined(__SSE2__) || defined(_M_X64)
    #include <emmintrin.h>
    #define MASKCODEC_ROUNDS 1
    #endif

    static void add_numbers(double *sums, const int16_t *numbers, ptrdiff_t count)
    {
        ptrdiff_t k;
        for (k = 0; k < count; k++)
            sums[k] += numbers[k];
    }

    /* Halves to even, as the processor rounds unless told otherwise. */
    static void round_sums(
        const double *values, const double *more, ptrdiff_t count, int32_t *out)
    {
        ptrdiff_t k = 0;
    #ifdef MASKCODEC_ROUNDS
        for (; k + 4 <= count; k += 4) {
            __m128i low = _mm_cvtpd_epi32(
                _mm_add_pd(_mm_loadu_pd(values + k), _mm_loadu_pd(more + k)));
            __m128i high = _mm_cvtpd_epi32(
                _mm_add_pd(_mm_loadu_pd(values + k + 2), _mm_loadu_pd(more + k + 2)));
            _mm_storeu_si128((__m128i *)(out + k), _mm_unpacklo_epi64(low, high));
        }
    #endif
        for (; k < count; k++)
            out[k] = (int32_t)rint(values[k] + more[k]);
    }
    """
    void add_numbers(double* sums, const int16_t* numbers, Py_ssize_t count)
    void round_sums(const double* values, const double* more, Py_ssize_t count, int32_t* out)


def sums(
    const int16_t[:, :, ::1] table, const int32_t[::1] counts, const int32_t[::1] codes,
    double[:, ::1] out
):
    """Add up the codes of each object.

    `table` (stages, entries, dimensions) holds what a code stands for; an object has `counts` of
    the `codes`, one of each stage from the first on; `out` is (objects, dimensions). ValueError:
    shapes disagree, or a count or a code is out of range; nothing is written then.
    """
    cdef Py_ssize_t objects = counts.shape[0], dimensions = table.shape[2], i, stage, place = 0
    cdef int64_t total = 0
    for i in range(objects):
        if not 0 <= counts[i] <= table.shape[0]:
            raise ValueError("counts must be 0 to the number of stages")
        total += counts[i]
    if out.shape[0] != objects or out.shape[1] != dimensions or codes.shape[0] != total:
        raise ValueError("shapes")
    for i in range(total):
        if not 0 <= codes[i] < table.shape[1]:
            raise ValueError("a code is not in the table")
    out[:, :] = 0
    if dimensions == 0:
        return
    with nogil:
        for i in range(objects):
            for stage in range(counts[i]):
                add_numbers(&out[i, 0], &table[stage, codes[place], 0], dimensions)
                place += 1


def rounded(const double[:, ::1] products, const double[::1] mean, int32_t[:, ::1] out):
    """Round products (objects, cells) plus the mean (cells,), halves to even.

    The caller sees to it that the sums lie within int32: others, and NaN, give no number.
    """
    cdef Py_ssize_t objects = products.shape[0], cells = products.shape[1], i
    if mean.shape[0] != cells or out.shape[0] != objects or out.shape[1] != cells:
        raise ValueError("shapes")
    if cells == 0:
        return
    with nogil:
        for i in range(objects):
            round_sums(&products[i, 0], &mean[0], cells, &out[i, 0])
