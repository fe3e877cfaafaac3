# cython: language_level=3, binding=False
"""Signed distances from the pixels of a small mask to its outline."""

from libc.math cimport INFINITY
from libc.stdint cimport uint8_t
from libc.stdlib cimport calloc, free, malloc


# In C, since Cython can't say that a function is to be compiled twice, for AVX2 too, and the faster
# one taken where it runs. Both round alike: there is no fused multiply-add in either.
cdef extern from * nogil:
    """
    #include <math.h>
    #include <stddef.h>
    #include <stdint.h>
    #if defined(__SSE2__)
    #include <emmintrin.h>
    #endif
    #if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && defined(__GLIBC__)
    #define MASKCODEC_WIDE __attribute__((target_clones("avx2", "default")))
    #define MASKCODEC_INLINE static inline __attribute__((always_inline))
    #else
    #define MASKCODEC_WIDE
    #define MASKCODEC_INLINE static inline
    #endif
    #define CHUNK 24 /* pixels together; gcc unrolls loops of 16 and then leaves them scalar */

    /* Distances along columns to the nearest pixel of the other kind, from those a row before. */
    MASKCODEC_WIDE static void step_rows(
        const uint8_t *mask, const uint8_t *before, const double *far, ptrdiff_t width,
        double step, double *out)
    {
        ptrdiff_t x;
        for (x = 0; x < width; x++)
            out[x] = ((mask[x] != 0) == (before[x] != 0) ? far[x] : 0) + step;
    }

    /* Squares of the smaller of two distances, in the place of the first. */
    MASKCODEC_WIDE static void square_nearer(double *line, const double *other, ptrdiff_t width)
    {
        ptrdiff_t x;
        for (x = 0; x < width; x++) {
            double nearer = other[x] < line[x] ? other[x] : line[x];
            line[x] = nearer * nearer;
        }
    }

    /* For each pixel of a line, the column's squared distance to the nearest unset, or set, one. */
    MASKCODEC_WIDE static void fill_line(
        const uint8_t *mask, const double *down, ptrdiff_t width, float *restrict unset,
        float *restrict marked)
    {
        ptrdiff_t x;
        for (x = 0; x < width; x++) {
            float distance = (float)down[x];
            unset[x] = mask[x] ? distance : 0;
            marked[x] = mask[x] ? 0 : distance;
        }
    }

    /* Whether any column about a chunk of pixels, at line + pad, has a distance below a limit.
       Chunks far from the outline are most of a mask, and one look at their surroundings is
       enough. */
    MASKCODEC_INLINE int is_near(const float *line, ptrdiff_t pad, float limit)
    {
        float least[CHUNK];
        ptrdiff_t i, start;
        int32_t open = 0;
        for (i = 0; i < CHUNK; i++)
            least[i] = limit;
        for (start = 0; start < 2 * pad + CHUNK; start += CHUNK)
            for (i = 0; i < CHUNK; i++)
                least[i] = line[start + i] < least[i] ? line[start + i] : least[i];
        for (i = 0; i < CHUNK; i++)
            open |= least[i] < limit;
        return open != 0;
    }

    /* Squared distances of a chunk of pixels, at line + pad, by the distances of their columns. */
    MASKCODEC_INLINE void find_nearest(
        const float *line, ptrdiff_t pad, ptrdiff_t reach, float step, float limit, float *best)
    {
        ptrdiff_t k, i;
        int32_t open;
        for (i = 0; i < CHUNK; i++)
            best[i] = line[pad + i] < limit ? line[pad + i] : limit;
        for (k = 1; k <= reach; k++) {
            const float *left = line + pad - k, *right = line + pad + k;
            float across = k * step;
            across *= across;
            if (k % 2) { /* to look takes as long as a step */
                open = 0;
                for (i = 0; i < CHUNK; i++)
                    open |= across < best[i];
                if (!open)
                    return;
            }
            for (i = 0; i < CHUNK; i++) {
                float near = (left[i] < right[i] ? left[i] : right[i]) + across;
                best[i] = near < best[i] ? near : best[i];
            }
        }
    }

    /* The roots of a chunk, less `half`. */
    MASKCODEC_INLINE void take_roots(float *values, double half)
    {
        ptrdiff_t i;
    #if defined(__SSE2__)
        const __m128d less = _mm_set1_pd(half);
        for (i = 0; i < CHUNK; i += 4) {
            __m128 four = _mm_loadu_ps(values + i);
            __m128d left = _mm_sub_pd(_mm_sqrt_pd(_mm_cvtps_pd(four)), less);
            __m128d right = _mm_sub_pd(_mm_sqrt_pd(_mm_cvtps_pd(_mm_movehl_ps(four, four))), less);
            _mm_storeu_ps(values + i, _mm_movelh_ps(_mm_cvtpd_ps(left), _mm_cvtpd_ps(right)));
        }
    #else
        for (i = 0; i < CHUNK; i++)
            values[i] = (float)(sqrt(values[i]) - half);
    #endif
    }

    /* The signed distances of a line, less `half`. A chunk that is near nothing has none below the
       limit; where it has pixels of both kinds, each is near the other. */
    MASKCODEC_WIDE static void cross_line(
        const uint8_t *mask, const float *unset, const float *marked, ptrdiff_t width,
        ptrdiff_t pad, ptrdiff_t reach, float step, float limit, double half, float *out)
    {
        float inner[CHUNK], outer[CHUNK];
        ptrdiff_t start, x;
        for (start = 0; start < width; start += CHUNK) {
            ptrdiff_t count = width - start < CHUNK ? width - start : CHUNK, inside = 0;
            for (x = start; x < start + count; x++)
                inside += mask[x] != 0;
            if (inside == 0 || inside == count) {
                const float *line = inside ? unset : marked;
                float sign = inside ? 1 : -1;
                if (!is_near(line + start, pad, limit)) {
                    float far = sign * (float)(sqrt(limit) - half);
                    for (x = 0; x < count; x++)
                        out[start + x] = far;
                    continue;
                }
                find_nearest(line + start, pad, reach, step, limit, inner);
                take_roots(inner, half);
                for (x = 0; x < count; x++)
                    out[start + x] = sign * inner[x];
                continue;
            }
            find_nearest(unset + start, pad, reach, step, limit, inner);
            find_nearest(marked + start, pad, reach, step, limit, outer);
            for (x = 0; x < count; x++)
                inner[x] = mask[start + x] ? inner[x] : outer[x];
            take_roots(inner, half);
            for (x = 0; x < count; x++)
                out[start + x] = mask[start + x] ? inner[x] : -inner[x];
        }
    }
    """
    Py_ssize_t CHUNK
    void step_rows(
        const uint8_t* mask, const uint8_t* before, const double* far, Py_ssize_t width,
        double step, double* out
    )
    void square_nearer(double* line, const double* other, Py_ssize_t width)
    void fill_line(
        const uint8_t* mask, const double* down, Py_ssize_t width, float* unset, float* marked
    )
    void cross_line(
        const uint8_t* mask, const float* unset, const float* marked, Py_ssize_t width,
        Py_ssize_t pad, Py_ssize_t reach, float step, float limit, double half, float* out
    )


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
        step_rows(
            mask + y * width, mask + (y - 1) * width if y else unset,
            line - width if y else far, width, step, line
        )
    for y in range(height - 1, -1, -1):
        line = scratch + y * width
        step_rows(
            mask + y * width, mask + (y + 1) * width if y + 1 < height else unset, far, width,
            step, far
        )
        square_nearer(line, far, width)


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
            fill_line(&mask[y, 0], &scratch[y, 0], width, lines + pad, lines + room + pad)
            cross_line(
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
    cdef Py_ssize_t height = values.shape[0], width = values.shape[1], cells = out.shape[1]
    cdef Py_ssize_t y, x, i, above
    cdef float share, rest
    cdef const float* upper
    cdef const float* lower
    cdef float* mixed
    cdef float* row
    cdef Py_ssize_t* lefts
    cdef float* shares
    if not (height > 0 and width > 0 and line.shape[0] == width):
        raise ValueError("shapes")
    if out.shape[0] == 0 or cells == 0:
        return
    lefts = <Py_ssize_t*>malloc(cells * sizeof(Py_ssize_t))
    shares = <float*>malloc(cells * sizeof(float))
    if lefts == NULL or shares == NULL:
        free(lefts)
        free(shares)
        raise MemoryError
    mixed = &line[0]
    with nogil:
        for x in range(cells):
            lefts[x] = _before(x, width, cells, &shares[x])
        for y in range(out.shape[0]):
            above = _before(y, height, out.shape[0], &share)
            upper, lower = &values[above, 0], &values[min(above + 1, height - 1), 0]
            row, rest = &out[y, 0], 1 - share
            for x in range(width):
                mixed[x] = rest * upper[x] + share * lower[x]
            for x in range(cells):
                i, share = lefts[x], shares[x]
                row[x] = scale * ((1 - share) * mixed[i] + share * mixed[min(i + 1, width - 1)])
    free(lefts)
    free(shares)


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
