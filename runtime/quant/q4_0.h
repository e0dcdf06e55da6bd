/* q4_0.h - 32 signed 4-bit values under one half scale: value = d * (code - 8). Low nibbles are elements 0..15, high ones 16..31. */
#ifndef RT_QUANT_Q4_0_H
#define RT_QUANT_Q4_0_H

#include "panel.h"

typedef struct rt_q4_0_block {
  uint8_t d[2];      /* f16 */
  uint8_t codes[16]; /* two a byte */
} rt_q4_0_block;
_Static_assert(sizeof(rt_q4_0_block) == 18, "Q4_0 block");

static const rt_panel_format rt_q4_0_format = {.group = 32, .zero = 8, .max_code = 15};

static inline void rt_q4_0_panel(const uint8_t *blocks, size_t n_blocks, const rt_panel_row *out) {
  for (size_t i = 0; i < n_blocks; i++) {
    const rt_q4_0_block *b = (const rt_q4_0_block *)blocks + i;
    uint8_t *restrict codes = out->codes + 32 * i;
    out->d[i] = RT_F16_AT(b->d);
    rt_nibbles_16(b->codes, codes);
  }
}

#endif
