/* iq4.h - what IQ4_NL, IQ4_XS and MXFP4 share: indices into a table of sixteen to codes. */
#ifndef RT_QUANT_IQ4_H
#define RT_QUANT_IQ4_H

#include "grids.h"
#include "panel.h"

#if defined(__SSSE3__)
#include <immintrin.h>
#endif

/* 16 bytes of indices to 32 codes. */
static inline void rt_codes_of_nibbles(const uint8_t table[16], const uint8_t *index, uint8_t *codes) {
#if defined(__SSSE3__)
  const __m128i all = _mm_loadu_si128((const __m128i *)(const void *)table), packed = _mm_loadu_si128((const __m128i *)(const void *)index);
  const __m128i mask = _mm_set1_epi8(15);
  _mm_storeu_si128((__m128i *)(void *)codes, _mm_shuffle_epi8(all, _mm_and_si128(packed, mask)));
  _mm_storeu_si128((__m128i *)(void *)(codes + 16), _mm_shuffle_epi8(all, _mm_and_si128(_mm_srli_epi16(packed, 4), mask)));
#else
  for (int j = 0; j < 16; j++) {
    codes[j] = table[index[j] & 15];
    codes[j + 16] = table[index[j] >> 4];
  }
#endif
}

#endif
