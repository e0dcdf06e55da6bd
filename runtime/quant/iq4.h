/* iq4.h - the table of 16 values that IQ4_NL and IQ4_XS share. */
#ifndef RT_QUANT_IQ4_H
#define RT_QUANT_IQ4_H

#include "panel.h"

#if defined(__SSSE3__)
#include <immintrin.h>
#endif

/* -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113; each + 128. */
static const uint8_t rt_iq4_table[16] = {1, 24, 45, 63, 79, 93, 106, 118, 129, 141, 153, 166, 181, 197, 217, 241};

/* 16 bytes of indices to 32 codes. */
static inline void rt_iq4_codes(const uint8_t *index, uint8_t *codes) {
#if defined(__SSSE3__)
  __m128i table = _mm_loadu_si128((const __m128i *)(const void *)rt_iq4_table),
          packed = _mm_loadu_si128((const __m128i *)(const void *)index);
  __m128i mask = _mm_set1_epi8(15);
  _mm_storeu_si128((__m128i *)(void *)codes, _mm_shuffle_epi8(table, _mm_and_si128(packed, mask)));
  _mm_storeu_si128((__m128i *)(void *)(codes + 16), _mm_shuffle_epi8(table, _mm_and_si128(_mm_srli_epi16(packed, 4), mask)));
#else
  for (int j = 0; j < 16; j++) {
    codes[j] = rt_iq4_table[index[j] & 15];
    codes[j + 16] = rt_iq4_table[index[j] >> 4];
  }
#endif
}

#endif
