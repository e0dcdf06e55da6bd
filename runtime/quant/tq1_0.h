/* tq1_0.h - 256 values of -1, 0, 1, five a byte as digits in base 3, under one half scale: value = d * (digit - 1). */
#ifndef RT_QUANT_TQ1_0_H
#define RT_QUANT_TQ1_0_H

#include "panel.h"

typedef struct rt_tq1_0_block {
  /* A byte is ceil(256 * n / 243), n the digits of five elements, the first the highest: times 3 modulo 256 brings the next one up. Digit k
   * of bytes 0..31 are elements 32k.., of bytes 32..47 elements 160 + 16k.., of the last four, which have four digits, 240 + 4k... */
  uint8_t digits[52];
  uint8_t d[2]; /* f16 */
} rt_tq1_0_block;
_Static_assert(sizeof(rt_tq1_0_block) == 54, "TQ1_0 block");

static const rt_panel_format rt_tq1_0_format = {.group = 256, .sub = 32, .zero = 1, .max_code = 2};

static inline void rt_tq1_0_panel(const uint8_t *blocks, size_t n_blocks, const rt_panel_row *out) {
  for (size_t i = 0; i < n_blocks; i++) {
    const rt_tq1_0_block *b = (const rt_tq1_0_block *)blocks + i;
    uint8_t *restrict codes = out->codes + 256 * i;
    out->d[i] = RT_F16_AT(b->d);
    for (int r = 0; r < 8; r++) out->scales[8 * i + r] = 1;
    RT_LOAD(rt_bytes32, first, b->digits);
    RT_LOAD(rt_bytes16, second, b->digits + 32);
    uint8_t last[4];
    memcpy(last, b->digits + 48, 4);
    for (int k = 0; k < 5; k++, first = first * 3, second = second * 3) { /* the digit, 3 * byte / 256, is 1 from 86 on and 2 from 171 on */
      RT_STORE(rt_bytes32, codes + 32 * k, ((rt_bytes32)(first > 85) & 1) + ((rt_bytes32)(first > 170) & 1));
      RT_STORE(rt_bytes16, codes + 160 + 16 * k, ((rt_bytes16)(second > 85) & 1) + ((rt_bytes16)(second > 170) & 1));
      if (k == 4) break;
      for (int j = 0; j < 4; j++) {
        codes[240 + 4 * k + j] = (uint8_t)((last[j] > 85) + (last[j] > 170));
        last[j] = (uint8_t)(last[j] * 3);
      }
    }
  }
}

#endif
