/* q1_0.h - 128 signs under one half scale: value = d where the bit is set, else -d. Its groups of 32 have the same d. */
#ifndef RT_QUANT_Q1_0_H
#define RT_QUANT_Q1_0_H

#include "panel.h"

typedef struct rt_q1_0_block {
  uint8_t d[2];     /* f16 */
  uint8_t bits[16]; /* lowest first */
} rt_q1_0_block;
_Static_assert(sizeof(rt_q1_0_block) == 18, "Q1_0 block");

static const rt_panel_format rt_q1_0_format = {.group = 32, .zero = 1, .max_code = 2};

static inline void rt_q1_0_panel(const uint8_t *blocks, size_t n_blocks, const rt_panel_row *out) {
  for (size_t i = 0; i < n_blocks; i++) {
    const rt_q1_0_block *b = (const rt_q1_0_block *)blocks + i;
    for (int g = 0; g < 4; g++) {
      out->d[4 * i + g] = RT_F16_AT(b->d);
      RT_STORE(rt_bytes32, out->codes + 128 * i + 32 * g, rt_mask_of_bits(rt_load_u32(b->bits + 4 * g)) & 2);
    }
  }
}

#endif
