"""What memory holds before it is painted, and zeros for it.

A batch that is larger than the caches finds nothing of its memory there. An ordinary store reads
such memory first; one that goes past the caches does not: 7 us instead of 10 for the 300 KB of a
mask, and 4 instead of 11 on each of two threads. In a smaller batch it is the other way round.
"""

from libc.stdint cimport uint8_t

# Numbers of `maskcodec.blocks.Before`; an argument that says whether memory is clear fits them too.
cdef enum:
    DIRTY = 0  # anything
    CLEAR = 1  # zeros
    FAR = 2  # anything, and no cache holds it

cdef extern from * nogil:
    """
    #ifndef MASKCODEC_CLEARING
    #define MASKCODEC_CLEARING
    #include <stddef.h>
    #include <stdint.h>
    #include <string.h>
    #if defined(__SSE2__) || defined(_M_X64)
    #include <emmintrin.h>
    #define MASKCODEC_STREAMS 1
    #endif

    /* Zeros that go past the caches, where there are such stores. */
    static inline void stream_zeros(uint8_t *p, size_t length) {
    #ifdef MASKCODEC_STREAMS
        const size_t head = (size_t)(-(uintptr_t)p & 63);
        if (length >= 1024) {
            const __m128i zeros = _mm_setzero_si128();
            memset(p, 0, head);
            p += head;
            length -= head;
            for (; length >= 64; length -= 64, p += 64) {
                _mm_stream_si128((__m128i *)p, zeros);
                _mm_stream_si128((__m128i *)(p + 16), zeros);
                _mm_stream_si128((__m128i *)(p + 32), zeros);
                _mm_stream_si128((__m128i *)(p + 48), zeros);
            }
            _mm_sfence(); /* before another thread reads them */
        }
    #endif
        memset(p, 0, length);
    }
    #endif
    """
    void stream_zeros(uint8_t* pixels, size_t length)
