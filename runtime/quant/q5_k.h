/* q5_k.h - 256 unsigned 5-bit values, eight 6-bit scales and minima, a half scale for each kind: value = d * scale * code - dmin * min. */
#ifndef RT_QUANT_Q5_K_H
#define RT_QUANT_Q5_K_H

#include "panel.h"

typedef struct rt_q5_k_block {
  uint8_t d[2], dmin[2]; /* f16 */
  uint8_t scales[12];    /* rt_panel_scales_6bit; 32 elements each */
  uint8_t high[32];      /* bit s of byte l is the fifth bit of element 32s + l */
  uint8_t codes[128];    /* as in Q4_K */
} rt_q5_k_block;
_Static_assert(sizeof(rt_q5_k_block) == 176, "Q5_K block");

static const rt_panel_format rt_q5_k_format = {.group = 256, .sub = 32, .max_code = 31, .min = true};

static inline void rt_q5_k_panel(const uint8_t *blocks, size_t n_blocks, const rt_panel_row *out) {
  for (size_t i = 0; i < n_blocks; i++) {
    const rt_q5_k_block *b = (const rt_q5_k_block *)blocks + i;
    uint8_t *restrict codes = out->codes + 256 * i;
    out->d[i] = RT_F16_AT(b->d);
    out->m[i] = RT_F16_AT(b->dmin);
    rt_panel_scales_6bit(b->scales, out->scales + 8 * i, out->mins + 8 * i);
    RT_LOAD(rt_bytes32, high, b->high);
    for (int r = 0; r < 4; r++) {
      RT_LOAD(rt_bytes32, v, b->codes + 32 * r);
      RT_STORE(rt_bytes32, codes + 64 * r, (v & 15) | (high << 4 & 16));
      RT_STORE(rt_bytes32, codes + 64 * r + 32, v >> 4 | (high << 3 & 16));
      high = high >> 2;
    }
  }
}

#endif
