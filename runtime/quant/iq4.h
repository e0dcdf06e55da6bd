/* iq4.h - what IQ4_NL and IQ4_XS share: indices to codes. */
#ifndef RT_QUANT_IQ4_H
#define RT_QUANT_IQ4_H

#include "grids.h"
#include "panel.h"

#if defined(__SSSE3__)
#include <immintrin.h>
#endif

/* 16 bytes of indices to 32 codes. */
static inline void rt_iq4_codes(const uint8_t *index, uint8_t *codes) {
#if defined(__SSSE3__)
  __m128i table = _mm_loadu_si128((const __m128i *)(const void *)rt_iq4_codes_of),
          packed = _mm_loadu_si128((const __m128i *)(const void *)index);
  __m128i mask = _mm_set1_epi8(15);
  _mm_storeu_si128((__m128i *)(void *)codes, _mm_shuffle_epi8(table, _mm_and_si128(packed, mask)));
  _mm_storeu_si128((__m128i *)(void *)(codes + 16), _mm_shuffle_epi8(table, _mm_and_si128(_mm_srli_epi16(packed, 4), mask)));
#else
  for (int j = 0; j < 16; j++) {
    codes[j] = rt_iq4_codes_of[index[j] & 15];
    codes[j + 16] = rt_iq4_codes_of[index[j] >> 4];
  }
#endif
}

#endif
