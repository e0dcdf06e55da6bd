/* q6_k.h - 256 signed 6-bit values, sixteen int8 scales, a half scale: value = d * scale * (code - 32). */
#ifndef RT_QUANT_Q6_K_H
#define RT_QUANT_Q6_K_H

#include "panel.h"

typedef struct rt_q6_k_block {
  uint8_t low[128];   /* two halves of 64 bytes; nibble n of byte l is the low part of element 128h + 64n + l */
  uint8_t high[64];   /* two halves of 32 bytes; bits 2s, 2s + 1 of byte l are the high part of element 128h + 32s + l */
  uint8_t scales[16]; /* int8; 16 elements each */
  uint8_t d[2];       /* f16 */
} rt_q6_k_block;
_Static_assert(sizeof(rt_q6_k_block) == 210, "Q6_K block");

static const rt_panel_format rt_q6_k_format = {.group = 256, .sub = 16, .zero = 32, .max_code = 63};

static inline void rt_q6_k_panel(const uint8_t *blocks, size_t n_blocks, const rt_panel_row *out) {
  for (size_t i = 0; i < n_blocks; i++) {
    const rt_q6_k_block *b = (const rt_q6_k_block *)blocks + i;
    uint8_t *restrict codes = out->codes + 256 * i;
    out->d[i] = RT_F16_AT(b->d);
    RT_LOAD(rt_signed16, scales, b->scales);
    RT_STORE(rt_ints16, out->scales + 16 * i, __builtin_convertvector(scales, rt_ints16));
    for (int h = 0; h < 2; h++) {
      RT_LOAD(rt_bytes32, a, b->low + 64 * h);
      RT_LOAD(rt_bytes32, c, b->low + 64 * h + 32);
      RT_LOAD(rt_bytes32, high, b->high + 32 * h);
      RT_STORE(rt_bytes32, codes + 128 * h, (a & 15) | (high << 4 & 48));
      RT_STORE(rt_bytes32, codes + 128 * h + 32, (c & 15) | (high << 2 & 48));
      RT_STORE(rt_bytes32, codes + 128 * h + 64, a >> 4 | (high & 48));
      RT_STORE(rt_bytes32, codes + 128 * h + 96, c >> 4 | (high >> 2 & 48));
    }
  }
}

#endif
