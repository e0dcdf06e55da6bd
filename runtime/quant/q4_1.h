/* q4_1.h - 32 unsigned 4-bit values under one half scale and minimum: value = d * code + m. Nibbles as in Q4_0. */
#ifndef RT_QUANT_Q4_1_H
#define RT_QUANT_Q4_1_H

#include "panel.h"

typedef struct rt_q4_1_block {
  uint8_t d[2], m[2]; /* f16 */
  uint8_t codes[16];  /* two a byte */
} rt_q4_1_block;
_Static_assert(sizeof(rt_q4_1_block) == 20, "Q4_1 block");

static const rt_panel_format rt_q4_1_format = {.group = 32, .max_code = 15, .min = true};

static inline void rt_q4_1_panel(const uint8_t *blocks, size_t n_blocks, const rt_panel_row *out) {
  for (size_t i = 0; i < n_blocks; i++) {
    const rt_q4_1_block *b = (const rt_q4_1_block *)blocks + i;
    uint8_t *restrict codes = out->codes + 32 * i;
    out->d[i] = RT_F16_AT(b->d);
    out->m[i] = RT_F16_AT(b->m);
    rt_nibbles_16(b->codes, codes);
  }
}

#endif
