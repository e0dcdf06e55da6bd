/* iq2_s.h - as IQ2_XS with a grid of 1,024 points and eight signs of their own for eight elements. */
#ifndef RT_QUANT_IQ2_S_H
#define RT_QUANT_IQ2_S_H

#include "iq.h"

typedef struct rt_iq2_s_block {
  uint8_t d[2];      /* f16 */
  uint8_t point[32]; /* low eight bits of an index; eight elements each */
  uint8_t signs[32]; /* bit j: element j of the eight is negative */
  uint8_t high[8];   /* four times two high bits of an index */
  uint8_t scales[8]; /* rt_odd_scales_16 */
} rt_iq2_s_block;
_Static_assert(sizeof(rt_iq2_s_block) == 82, "IQ2_S block");

static const rt_panel_format rt_iq2_s_format = {.group = 256, .sub = 16, .zero = 43, .max_code = 86};

static inline void rt_iq2_s_panel(const uint8_t *blocks, size_t n_blocks, const rt_panel_row *out) {
  for (size_t i = 0; i < n_blocks; i++) {
    const rt_iq2_s_block *b = (const rt_iq2_s_block *)blocks + i;
    uint8_t *restrict codes = out->codes + 256 * i;
    out->d[i] = RT_F16_AT(b->d) * 0.125f;
    rt_odd_scales_16(b->scales, out->scales + 16 * i);
    for (int r = 0; r < 8; r++) {
      const uint8_t *p = b->point + 4 * r;
      const uint32_t h = b->high[r];
      const rt_bytes32 values =
          rt_points_of_8(rt_iq2_s_grid, p[0] | (h << 8 & 0x300), p[1] | (h << 6 & 0x300), p[2] | (h << 4 & 0x300), p[3] | (h << 2 & 0x300));
      RT_STORE(rt_bytes32, codes + 32 * r, rt_signed_codes(values, rt_mask_of_bits(rt_load_u32(b->signs + 4 * r)), 43));
    }
  }
}

#endif
