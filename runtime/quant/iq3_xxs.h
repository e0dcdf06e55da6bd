/* iq3_xxs.h - 256 values, four at a time from a grid of 256 points: value = d/4 * (2s + 1) * (4 to 62, with a sign). */
#ifndef RT_QUANT_IQ3_XXS_H
#define RT_QUANT_IQ3_XXS_H

#include "iq.h"

typedef struct rt_iq3_xxs_block {
  uint8_t d[2]; /* f16 */
  uint8_t point[64];
  uint8_t signs[32]; /* four bytes for 32 elements, as in IQ2_XXS */
} rt_iq3_xxs_block;
_Static_assert(sizeof(rt_iq3_xxs_block) == 98, "IQ3_XXS block");

static const rt_panel_format rt_iq3_xxs_format = {.group = 256, .sub = 32, .zero = 62, .max_code = 124};

static inline void rt_iq3_xxs_panel(const uint8_t *blocks, size_t n_blocks, const rt_panel_row *out) {
  for (size_t i = 0; i < n_blocks; i++) {
    const rt_iq3_xxs_block *b = (const rt_iq3_xxs_block *)blocks + i;
    uint8_t *restrict codes = out->codes + 256 * i;
    out->d[i] = RT_F16_AT(b->d) * 0.25f;
    for (int r = 0; r < 8; r++) {
      const uint32_t signs = rt_load_u32(b->signs + 4 * r);
      const uint8_t *p = b->point + 8 * r;
      const rt_words8 values = {rt_iq3_xxs_grid[p[0]], rt_iq3_xxs_grid[p[1]], rt_iq3_xxs_grid[p[2]], rt_iq3_xxs_grid[p[3]],
                                rt_iq3_xxs_grid[p[4]], rt_iq3_xxs_grid[p[5]], rt_iq3_xxs_grid[p[6]], rt_iq3_xxs_grid[p[7]]};
      out->scales[8 * i + r] = (int32_t)(signs >> 28) * 2 + 1;
      RT_STORE(rt_bytes32, codes + 32 * r, rt_signed_codes((rt_bytes32)values, rt_even_signs_32(signs), 62));
    }
  }
}

#endif
