"""Sixty-four pixels in a machine word: the primitives that the run-length kernels share.

Plain C, because Cython has no way to say "the SSE2 instruction if this compiler has it". Bit i of
every word belongs to pixel i, on machines of either byte order.
"""

from libc.stdint cimport uint8_t, uint64_t

cdef extern from * nogil:
    """
    #ifndef MASKCODEC_BITS
    #define MASKCODEC_BITS
    #include <stdint.h>
    #include <string.h>
    #if defined(__SSE2__) || defined(_M_X64)
    #include <emmintrin.h>
    #define MASKCODEC_SSE2 1
    #endif
    #if defined(_MSC_VER) && defined(_WIN64)
    #include <intrin.h>
    #endif

    /* Index of the lowest set bit; x must not be 0. */
    static inline int lowest_bit(uint64_t x) {
    #if defined(__GNUC__)
        return __builtin_ctzll(x);
    #elif defined(_MSC_VER) && defined(_WIN64)
        unsigned long index;
        _BitScanForward64(&index, x);
        return (int)index;
    #else
        int index = 0;
        for (; !(x & 1); x >>= 1) index++;
        return index;
    #endif
    }

    static inline int count_bits(uint64_t x) {
        x -= (x >> 1) & 0x5555555555555555u;
        x = (x & 0x3333333333333333u) + ((x >> 2) & 0x3333333333333333u);
        x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fu;
        return (int)((x * 0x0101010101010101u) >> 56);
    }

    /* Eight bytes, the first in the low byte; compilers make one load of it. */
    static inline uint64_t load_eight(const uint8_t *p) {
        return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24
             | (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48
             | (uint64_t)p[7] << 56;
    }

    /* Bit i = (byte i of x is not 0): high bits of the bytes, gathered by one multiplication. */
    static inline uint64_t nonzero_eight(uint64_t x) {
        x |= (x & 0x7f7f7f7f7f7f7f7fu) + 0x7f7f7f7f7f7f7f7fu;
        return ((x >> 7 & 0x0101010101010101u) * 0x0102040810204080u) >> 56;
    }

    /* Bit i = (p[i] != 0), for 64 bytes. */
    static inline uint64_t nonzero_bytes(const uint8_t *p) {
        uint64_t word = 0;
        int i;
    #ifdef MASKCODEC_SSE2
        const __m128i zero = _mm_setzero_si128();
        for (i = 0; i < 64; i += 16) {
            __m128i equal = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(p + i)), zero);
            word |= (uint64_t)(uint32_t)_mm_movemask_epi8(equal) << i;
        }
        return ~word;
    #else
        for (i = 0; i < 64; i += 8) word |= nonzero_eight(load_eight(p + i)) << i;
        return word;
    #endif
    }

    /* Bit i = (p[i] != q[i]), for 64 bytes. */
    static inline uint64_t different_bytes(const uint8_t *p, const uint8_t *q) {
        uint64_t word = 0;
        int i;
    #ifdef MASKCODEC_SSE2
        for (i = 0; i < 64; i += 16) {
            __m128i equal = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(p + i)),
                                           _mm_loadu_si128((const __m128i *)(q + i)));
            word |= (uint64_t)(uint32_t)_mm_movemask_epi8(equal) << i;
        }
        return ~word;
    #else
        for (i = 0; i < 64; i += 8)
            word |= nonzero_eight(load_eight(p + i) ^ load_eight(q + i)) << i;
        return word;
    #endif
    }

    /* Swap the two off-diagonal quarters of every square, halving the squares: after six rounds
       bit c of word r has become bit r of word c. */
    static inline void transpose_words(uint64_t words[64]) {
        uint64_t low = 0x00000000ffffffffu;
        int half, row;
        for (half = 32; half; half >>= 1, low ^= low << half)
            for (row = 0; row < 64; row = ((row | half) + 1) & ~half) {
                uint64_t swap = ((words[row] >> half) ^ words[row | half]) & low;
                words[row] ^= swap << half;
                words[row | half] ^= swap;
            }
    }
    #endif
    """
    int lowest_bit(uint64_t x)
    int count_bits(uint64_t x)
    uint64_t nonzero_bytes(const uint8_t* pixels)
    uint64_t different_bytes(const uint8_t* pixels, const uint8_t* others)
    void transpose_words(uint64_t* words)
