"""How many pixels of a line are set, 8 or 16 at a time."""

from libc.stdint cimport int64_t, uint8_t

cdef extern from * nogil:
    """
    #ifndef MASKCODEC_SET_PIXELS
    #define MASKCODEC_SET_PIXELS
    #include <stddef.h>
    #include <stdint.h>
    #include <string.h>
    #if defined(__x86_64__) || defined(_M_X64)
    #include <emmintrin.h>
    #define MASKCODEC_SUMS 1
    #endif

    /* The pixels, each 0 or 1, that are 1. */
    static inline int64_t count_set(const uint8_t *pixels, ptrdiff_t count)
    {
        const uint64_t even = 0x00FF00FF00FF00FF;
        int64_t found = 0;
        ptrdiff_t k, words;
    #ifdef MASKCODEC_SUMS
        __m128i sums = _mm_setzero_si128();
        for (; count >= 16; count -= 16, pixels += 16)
            sums = _mm_add_epi64(sums, _mm_sad_epu8(_mm_loadu_si128((const __m128i *)pixels),
                                                    _mm_setzero_si128()));
        found = _mm_cvtsi128_si64(_mm_add_epi64(sums, _mm_unpackhi_epi64(sums, sums)));
    #endif
        while (count >= 8) {
            uint64_t lanes = 0, word;
            words = count / 8 < 255 ? count / 8 : 255; /* as far as a byte counts */
            for (k = 0; k < words; k++) {
                memcpy(&word, pixels + 8 * k, 8);
                lanes += word;
            }
            lanes = (lanes & even) + ((lanes >> 8) & even);
            found += (int64_t)((lanes * 0x0001000100010001) >> 48);
            pixels += 8 * words;
            count -= 8 * words;
        }
        for (k = 0; k < count; k++)
            found += pixels[k];
        return found;
    }
    #endif
    """
    int64_t count_set(const uint8_t* pixels, Py_ssize_t count)
