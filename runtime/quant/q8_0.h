/* q8_0.h - 32 signed 8-bit values under one half scale: value = d * q; the panel code is q + 128. */
#ifndef RT_QUANT_Q8_0_H
#define RT_QUANT_Q8_0_H

#include "panel.h"

typedef struct rt_q8_0_block {
  uint8_t d[2];  /* f16 */
  uint8_t q[32]; /* int8 */
} rt_q8_0_block;
_Static_assert(sizeof(rt_q8_0_block) == 34, "Q8_0 block");

static const rt_panel_format rt_q8_0_format = {.group = 32, .zero = 128, .max_code = 255};

static inline void rt_q8_0_panel(const uint8_t *blocks, size_t n_blocks, const rt_panel_row *out) {
  for (size_t i = 0; i < n_blocks; i++) {
    const rt_q8_0_block *b = (const rt_q8_0_block *)blocks + i;
    uint8_t *restrict codes = out->codes + 32 * i;
    out->d[i] = RT_F16_AT(b->d);
    RT_LOAD(rt_bytes32, q, b->q);
    RT_STORE(rt_bytes32, codes, q ^ 0x80);
  }
}

#endif
