/* q2_0.h - 64 values of two bits under one half scale: value = d * (code - 1). Its groups of 32 have the same d. */
#ifndef RT_QUANT_Q2_0_H
#define RT_QUANT_Q2_0_H

#include "panel.h"

typedef struct rt_q2_0_block {
  uint8_t d[2];      /* f16 */
  uint8_t codes[16]; /* four a byte, lowest bits first */
} rt_q2_0_block;
_Static_assert(sizeof(rt_q2_0_block) == 18, "Q2_0 block");

static const rt_panel_format rt_q2_0_format = {.group = 32, .zero = 1, .max_code = 3};

static inline void rt_q2_0_panel(const uint8_t *blocks, size_t n_blocks, const rt_panel_row *out) {
  for (size_t i = 0; i < n_blocks; i++) {
    const rt_q2_0_block *b = (const rt_q2_0_block *)blocks + i;
    for (int g = 0; g < 2; g++) {
      out->d[2 * i + g] = RT_F16_AT(b->d);
      RT_LOAD(rt_bytes8, packed, b->codes + 8 * g);
      rt_words8 x = __builtin_convertvector(packed, rt_words8); /* four codes each, in the lowest byte */
      x = (x | x << 12) & 0x000f000f;
      RT_STORE(rt_words8, out->codes + 64 * i + 32 * g, (x | x << 6) & 0x03030303);
    }
  }
}

#endif
