/* q5_0.h - 32 signed 5-bit values under one half scale: value = d * (code - 16). Nibbles as in Q4_0; bit i of `high` is element i's fifth
 * bit. */
#ifndef RT_QUANT_Q5_0_H
#define RT_QUANT_Q5_0_H

#include "panel.h"

typedef struct rt_q5_0_block {
  uint8_t d[2]; /* f16 */
  uint8_t high[4];
  uint8_t codes[16]; /* two a byte */
} rt_q5_0_block;
_Static_assert(sizeof(rt_q5_0_block) == 22, "Q5_0 block");

static const rt_panel_format rt_q5_0_format = {.group = 32, .zero = 16, .max_code = 31};

static inline void rt_q5_0_panel(const uint8_t *blocks, size_t n_blocks, const rt_panel_row *out) {
  for (size_t i = 0; i < n_blocks; i++) {
    const rt_q5_0_block *b = (const rt_q5_0_block *)blocks + i;
    uint8_t *restrict codes = out->codes + 32 * i;
    out->d[i] = RT_F16_AT(b->d);
    rt_nibbles_fifth_16(b->codes, b->high, codes);
  }
}

#endif
