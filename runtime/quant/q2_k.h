/* q2_k.h - 256 unsigned 2-bit values, sixteen 4-bit scales and minima, a half scale for each kind: value = d * scale * code - dmin * min.
 */
#ifndef RT_QUANT_Q2_K_H
#define RT_QUANT_Q2_K_H

#include "panel.h"

typedef struct rt_q2_k_block {
  uint8_t scales[16];    /* scale in the low nibble, min in the high one; 16 elements each */
  uint8_t codes[64];     /* two halves of 32 bytes; bits 2s, 2s + 1 of byte l of half h are element 128h + 32s + l */
  uint8_t d[2], dmin[2]; /* f16 */
} rt_q2_k_block;
_Static_assert(sizeof(rt_q2_k_block) == 84, "Q2_K block");

static const rt_panel_format rt_q2_k_format = {.group = 256, .sub = 16, .max_code = 3, .min = true};

static inline void rt_q2_k_panel(const uint8_t *blocks, size_t n_blocks, const rt_panel_row *out) {
  for (size_t i = 0; i < n_blocks; i++) {
    const rt_q2_k_block *b = (const rt_q2_k_block *)blocks + i;
    uint8_t *restrict codes = out->codes + 256 * i;
    out->d[i] = RT_F16_AT(b->d);
    out->m[i] = RT_F16_AT(b->dmin);
    RT_LOAD(rt_bytes16, scales, b->scales);
    RT_STORE(rt_ints16, out->scales + 16 * i, __builtin_convertvector(scales & 15, rt_ints16));
    RT_STORE(rt_shorts16, out->mins + 16 * i, __builtin_convertvector(scales >> 4, rt_shorts16));
    for (int h = 0; h < 2; h++) {
      RT_LOAD(rt_bytes32, v, b->codes + 32 * h);
      for (int s = 0; s < 4; s++, v = v >> 2) RT_STORE(rt_bytes32, codes + 128 * h + 32 * s, v & 3);
    }
  }
}

#endif
