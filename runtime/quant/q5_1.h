/* q5_1.h - 32 unsigned 5-bit values under one half scale and minimum: value = d * code + m. Bits as in Q5_0. */
#ifndef RT_QUANT_Q5_1_H
#define RT_QUANT_Q5_1_H

#include "panel.h"

typedef struct rt_q5_1_block {
  uint8_t d[2], m[2]; /* f16 */
  uint8_t high[4];
  uint8_t codes[16]; /* two a byte */
} rt_q5_1_block;
_Static_assert(sizeof(rt_q5_1_block) == 24, "Q5_1 block");

static const rt_panel_format rt_q5_1_format = {.group = 32, .max_code = 31, .min = true};

static inline void rt_q5_1_panel(const uint8_t *blocks, size_t n_blocks, const rt_panel_row *out) {
  for (size_t i = 0; i < n_blocks; i++) {
    const rt_q5_1_block *b = (const rt_q5_1_block *)blocks + i;
    uint8_t *restrict codes = out->codes + 32 * i;
    out->d[i] = RT_F16_AT(b->d);
    out->m[i] = RT_F16_AT(b->m);
    rt_nibbles_fifth_16(b->codes, b->high, codes);
  }
}

#endif
