/* iq2_xs.h - as IQ2_XXS with a grid of 512 points and a scale for 16 elements. */
#ifndef RT_QUANT_IQ2_XS_H
#define RT_QUANT_IQ2_XS_H

#include "iq.h"

typedef struct rt_iq2_xs_block {
  uint8_t d[2];      /* f16 */
  uint8_t point[64]; /* two bytes for eight elements, little endian: nine bits of index, seven signs */
  uint8_t scales[8]; /* rt_odd_scales_16 */
} rt_iq2_xs_block;
_Static_assert(sizeof(rt_iq2_xs_block) == 74, "IQ2_XS block");

static const rt_panel_format rt_iq2_xs_format = {.group = 256, .sub = 16, .zero = 43, .max_code = 86};

static inline void rt_iq2_xs_panel(const uint8_t *blocks, size_t n_blocks, const rt_panel_row *out) {
  for (size_t i = 0; i < n_blocks; i++) {
    const rt_iq2_xs_block *b = (const rt_iq2_xs_block *)blocks + i;
    uint8_t *restrict codes = out->codes + 256 * i;
    out->d[i] = RT_F16_AT(b->d) * 0.125f;
    rt_odd_scales_16(b->scales, out->scales + 16 * i);
    for (int r = 0; r < 8; r++) {
      uint32_t p[4];
      for (int k = 0; k < 4; k++) p[k] = rt_load_u16(b->point + 8 * r + 2 * k);
      const rt_bytes32 minus = rt_points_of_8(rt_even_signs, p[0] >> 9, p[1] >> 9, p[2] >> 9, p[3] >> 9);
      const rt_bytes32 values = rt_points_of_8(rt_iq2_xs_grid, p[0] & 511, p[1] & 511, p[2] & 511, p[3] & 511);
      RT_STORE(rt_bytes32, codes + 32 * r, rt_signed_codes(values, minus, 43));
    }
  }
}

#endif
