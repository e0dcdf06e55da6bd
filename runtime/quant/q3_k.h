/* q3_k.h - 256 signed 3-bit values, sixteen 6-bit scales, a half scale: value = d * (scale - 32) * (code - 4). */
#ifndef RT_QUANT_Q3_K_H
#define RT_QUANT_Q3_K_H

#include "panel.h"

typedef struct rt_q3_k_block {
  uint8_t high[32];   /* bit s of byte l is the third bit of element 32s + l */
  uint8_t codes[64];  /* low two bits, order as in Q2_K */
  uint8_t scales[12]; /* eight bytes of low nibbles (0..7 low, 8..15 high), four of high bit pairs: pair p of byte k is scale 4p + k */
  uint8_t d[2];       /* f16 */
} rt_q3_k_block;
_Static_assert(sizeof(rt_q3_k_block) == 110, "Q3_K block");

static const rt_panel_format rt_q3_k_format = {.group = 256, .sub = 16, .zero = 4, .max_code = 7};

static inline void rt_q3_k_panel(const uint8_t *blocks, size_t n_blocks, const rt_panel_row *out) {
  for (size_t i = 0; i < n_blocks; i++) {
    const rt_q3_k_block *b = (const rt_q3_k_block *)blocks + i;
    uint8_t *restrict codes = out->codes + 256 * i;
    out->d[i] = RT_F16_AT(b->d);
    for (int s = 0; s < 16; s++)
      out->scales[16 * i + s] = ((b->scales[s & 7] >> 4 * (s >> 3) & 15) | (b->scales[8 + (s & 3)] >> 2 * (s >> 2) & 3) << 4) - 32;
    RT_LOAD(rt_bytes32, high, b->high);
    for (int h = 0; h < 2; h++) {
      RT_LOAD(rt_bytes32, v, b->codes + 32 * h);
      for (int s = 0; s < 4; s++, v = v >> 2, high = high >> 1) RT_STORE(rt_bytes32, codes + 128 * h + 32 * s, (v & 3) | (high << 2 & 4));
    }
  }
}

#endif
