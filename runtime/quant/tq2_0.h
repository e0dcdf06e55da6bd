/* tq2_0.h - 256 values of two bits under one half scale: value = d * (code - 1). */
#ifndef RT_QUANT_TQ2_0_H
#define RT_QUANT_TQ2_0_H

#include "panel.h"

typedef struct rt_tq2_0_block {
  uint8_t codes[64]; /* order as in Q2_K */
  uint8_t d[2];      /* f16 */
} rt_tq2_0_block;
_Static_assert(sizeof(rt_tq2_0_block) == 66, "TQ2_0 block");

static const rt_panel_format rt_tq2_0_format = {.group = 256, .sub = 32, .zero = 1, .max_code = 3};

static inline void rt_tq2_0_panel(const uint8_t *blocks, size_t n_blocks, const rt_panel_row *out) {
  for (size_t i = 0; i < n_blocks; i++) {
    const rt_tq2_0_block *b = (const rt_tq2_0_block *)blocks + i;
    uint8_t *restrict codes = out->codes + 256 * i;
    out->d[i] = RT_F16_AT(b->d);
    for (int r = 0; r < 8; r++) out->scales[8 * i + r] = 1;
    for (int h = 0; h < 2; h++) {
      RT_LOAD(rt_bytes32, v, b->codes + 32 * h);
      for (int s = 0; s < 4; s++, v = v >> 2) RT_STORE(rt_bytes32, codes + 128 * h + 32 * s, v & 3);
    }
  }
}

#endif
