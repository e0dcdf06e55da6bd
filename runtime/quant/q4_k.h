/* q4_k.h - 256 unsigned 4-bit values, eight 6-bit scales and minima, a half scale for each kind: value = d * scale * code - dmin * min. */
#ifndef RT_QUANT_Q4_K_H
#define RT_QUANT_Q4_K_H

#include "panel.h"

typedef struct rt_q4_k_block {
  uint8_t d[2], dmin[2]; /* f16 */
  uint8_t scales[12];    /* rt_panel_scales_6bit; 32 elements each */
  uint8_t codes[128];    /* four runs of 32 bytes: low nibbles are sub-block 2r, high nibbles 2r + 1 */
} rt_q4_k_block;
_Static_assert(sizeof(rt_q4_k_block) == 144, "Q4_K block");

static const rt_panel_format rt_q4_k_format = {.group = 256, .sub = 32, .max_code = 15, .min = true};

static inline void rt_q4_k_panel(const uint8_t *blocks, size_t n_blocks, const rt_panel_row *out) {
  for (size_t i = 0; i < n_blocks; i++) {
    const rt_q4_k_block *b = (const rt_q4_k_block *)blocks + i;
    uint8_t *restrict codes = out->codes + 256 * i;
    out->d[i] = RT_F16_AT(b->d);
    out->m[i] = RT_F16_AT(b->dmin);
    rt_panel_scales_6bit(b->scales, out->scales + 8 * i, out->mins + 8 * i);
    for (int r = 0; r < 4; r++) rt_nibbles_32(b->codes + 32 * r, codes + 64 * r);
  }
}

#endif
