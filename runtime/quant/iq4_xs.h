/* iq4_xs.h - 256 values from IQ4_NL's table, a half scale and eight 6-bit scales: value = d * (scale - 32) * table[index]. */
#ifndef RT_QUANT_IQ4_XS_H
#define RT_QUANT_IQ4_XS_H

#include "iq4.h"

typedef struct rt_iq4_xs_block {
  uint8_t d[2];           /* f16 */
  uint8_t scales_high[2]; /* two bits each, little endian */
  uint8_t scales_low[4];  /* four bits each */
  uint8_t index[128];     /* each 16 bytes as one IQ4_NL block */
} rt_iq4_xs_block;
_Static_assert(sizeof(rt_iq4_xs_block) == 136, "IQ4_XS block");

static const rt_panel_format rt_iq4_xs_format = {.group = 256, .sub = 32, .zero = 128, .max_code = 241};

static inline void rt_iq4_xs_panel(const uint8_t *blocks, size_t n_blocks, const rt_panel_row *out) {
  for (size_t i = 0; i < n_blocks; i++) {
    const rt_iq4_xs_block *b = (const rt_iq4_xs_block *)blocks + i;
    uint8_t *restrict codes = out->codes + 256 * i;
    uint32_t high = rt_load_u16(b->scales_high);
    out->d[i] = RT_F16_AT(b->d);
    for (int s = 0; s < 8; s++) {
      out->scales[8 * i + s] = (int32_t)((b->scales_low[s / 2] >> 4 * (s & 1) & 15) | (high >> 2 * s & 3) << 4) - 32;
      rt_codes_of_nibbles(rt_iq4_codes_of, b->index + 16 * s, codes + 32 * s);
    }
  }
}

#endif
