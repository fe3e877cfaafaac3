"""Many pixels or cells in a machine word: the primitives that the run-length kernels share.

Plain C, because Cython has no way to say "the SSE2 instruction if this compiler has it".

Folding packs 128 pixels into two words by eight shifted adds, with no reordering: byte j of the 16
holds the pixels j, 16 + j, ..., 112 + j in its bits 0 to 7. So bit t of the first word is pixel
16 * (t & 7) + (t >> 3), and bit t of the second is 8 pixels further (`folded_pixel`).
"""

from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t

cdef extern from * nogil:
    """
    #ifndef MASKCODEC_BITS
    #define MASKCODEC_BITS
    #include <stdint.h>
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
        for (i = 0; i < 64; i += 8) {
            uint64_t x = load_eight(p + i) ^ load_eight(q + i);
            x |= (x & 0x7f7f7f7f7f7f7f7fu) + 0x7f7f7f7f7f7f7f7fu; /* high bit of nonzero bytes */
            x = x >> 7 & 0x0101010101010101u;
            word |= (x * 0x0102040810204080u) >> 56 << i;
        }
        return word;
    #endif
    }

    /* Bit i = (p[i] != p[i + 1]), for i below 16; 17 numbers are read. */
    static inline uint32_t different_neighbours(const int32_t *p) {
    #ifdef MASKCODEC_SSE2
        __m128i equal[4];
        int i;
        for (i = 0; i < 4; i++)
            equal[i] = _mm_cmpeq_epi32(_mm_loadu_si128((const __m128i *)(p + 4 * i)),
                                       _mm_loadu_si128((const __m128i *)(p + 4 * i + 1)));
        return ~_mm_movemask_epi8(_mm_packs_epi16(_mm_packs_epi32(equal[0], equal[1]),
                                                  _mm_packs_epi32(equal[2], equal[3]))) & 0xffff;
    #else
        uint32_t word = 0;
        int i;
        for (i = 0; i < 16; i++) word |= (uint32_t)(p[i] != p[i + 1]) << i;
        return word;
    #endif
    }

    #ifdef MASKCODEC_SSE2
    static inline __m128i fold_two(const uint8_t *p, int shift) {
        __m128i even = _mm_loadu_si128((const __m128i *)p);
        __m128i odd = _mm_loadu_si128((const __m128i *)(p + 16));
        return _mm_slli_epi16(_mm_add_epi8(even, _mm_add_epi8(odd, odd)), shift);
    }

    static inline __m128i fold_pixels(const uint8_t *p) {
        return _mm_or_si128(_mm_or_si128(fold_two(p, 0), fold_two(p + 32, 2)),
                            _mm_or_si128(fold_two(p + 64, 4), fold_two(p + 96, 6)));
    }
    #endif

    /* Fold 128 pixels (bytes 0 or 1) into `folded`; where that changes it, set `change` to what
       changed and return 1. */
    static inline int fold_changes(const uint8_t *p, uint64_t folded[2], uint64_t change[2]) {
    #ifdef MASKCODEC_SSE2
        __m128i now = fold_pixels(p);
        __m128i before = _mm_loadu_si128((const __m128i *)folded);
        if (_mm_movemask_epi8(_mm_cmpeq_epi8(now, before)) == 0xffff) return 0;
        _mm_storeu_si128((__m128i *)folded, now);
        _mm_storeu_si128((__m128i *)change, _mm_xor_si128(now, before));
        return 1;
    #else
        uint64_t first = 0, second = 0;
        int i;
        for (i = 0; i < 8; i++) {
            first |= load_eight(p + 16 * i) << i;
            second |= load_eight(p + 16 * i + 8) << i;
        }
        change[0] = first ^ folded[0];
        change[1] = second ^ folded[1];
        if (!(change[0] | change[1])) return 0;
        folded[0] = first;
        folded[1] = second;
        return 1;
    #endif
    }

    /* Write the 128 pixels that two words are folded from. */
    static inline void unfold_pixels(const uint64_t folded[2], uint8_t *p) {
        int i;
    #ifdef MASKCODEC_SSE2
        const __m128i ones = _mm_set1_epi8(1);
        __m128i words = _mm_loadu_si128((const __m128i *)folded);
        for (i = 0; i < 8; i++, words = _mm_srli_epi16(words, 1))
            _mm_storeu_si128((__m128i *)(p + 16 * i), _mm_and_si128(words, ones));
    #else
        int word, byte;
        for (i = 0; i < 8; i++)
            for (word = 0; word < 2; word++) {
                uint64_t eight = folded[word] >> i & 0x0101010101010101u;
                for (byte = 0; byte < 8; byte++)
                    p[16 * i + 8 * word + byte] = (uint8_t)(eight >> 8 * byte);
            }
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
    uint64_t different_bytes(const uint8_t* pixels, const uint8_t* others)
    uint32_t different_neighbours(const int32_t* numbers)
    int fold_changes(const uint8_t* pixels, uint64_t* folded, uint64_t* change)
    void unfold_pixels(const uint64_t* folded, uint8_t* pixels)
    void transpose_words(uint64_t* words)


cdef inline Py_ssize_t folded_pixel(int bit, int word) noexcept nogil:
    """The pixel, 0 to 127, that a bit of one of the two folded words stands for."""
    return 16 * (bit & 7) + (bit >> 3) + 8 * word
