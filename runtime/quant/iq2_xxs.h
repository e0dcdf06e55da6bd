/* iq2_xxs.h - 256 values, eight at a time from a grid of 256 points: value = d/8 * (2s + 1) * (8, 25 or 43, with a sign). */
#ifndef RT_QUANT_IQ2_XXS_H
#define RT_QUANT_IQ2_XXS_H

#include "iq.h"

typedef struct rt_iq2_xxs_block {
  uint8_t d[2]; /* f16 */
  struct {
    uint8_t point[4];
    uint8_t signs[4]; /* little endian: four times seven signs, then the four bits of s */
  } run[8];           /* of 32 elements */
} rt_iq2_xxs_block;
_Static_assert(sizeof(rt_iq2_xxs_block) == 66, "IQ2_XXS block");

static const rt_panel_format rt_iq2_xxs_format = {.group = 256, .sub = 32, .zero = 43, .max_code = 86};

static inline void rt_iq2_xxs_panel(const uint8_t *blocks, size_t n_blocks, const rt_panel_row *out) {
  for (size_t i = 0; i < n_blocks; i++) {
    const rt_iq2_xxs_block *b = (const rt_iq2_xxs_block *)blocks + i;
    uint8_t *restrict codes = out->codes + 256 * i;
    out->d[i] = RT_F16_AT(b->d) * 0.125f;
    for (int r = 0; r < 8; r++) {
      const uint8_t *p = b->run[r].point;
      const uint32_t signs = rt_load_u32(b->run[r].signs);
      const rt_bytes32 values = rt_points_of_8(rt_iq2_xxs_grid, p[0], p[1], p[2], p[3]);
      out->scales[8 * i + r] = (int32_t)(signs >> 28) * 2 + 1;
      RT_STORE(rt_bytes32, codes + 32 * r, rt_signed_codes(values, rt_even_signs_32(signs), 43));
    }
  }
}

#endif
