/* iq3_s.h - 256 values, four at a time from a grid of 512 points: value = d * (2s + 1) * (1, 3, ... 15, with a sign). */
#ifndef RT_QUANT_IQ3_S_H
#define RT_QUANT_IQ3_S_H

#include "iq.h"

typedef struct rt_iq3_s_block {
  uint8_t d[2];      /* f16 */
  uint8_t point[64]; /* low eight bits of an index */
  uint8_t high[8];   /* bit k: the ninth bit of index k of a run of 32 elements */
  uint8_t signs[32]; /* as in IQ2_S */
  uint8_t scales[4]; /* two s a byte; 32 elements each */
} rt_iq3_s_block;
_Static_assert(sizeof(rt_iq3_s_block) == 110, "IQ3_S block");

static const rt_panel_format rt_iq3_s_format = {.group = 256, .sub = 32, .zero = 15, .max_code = 30};

static inline void rt_iq3_s_panel(const uint8_t *blocks, size_t n_blocks, const rt_panel_row *out) {
  for (size_t i = 0; i < n_blocks; i++) {
    const rt_iq3_s_block *b = (const rt_iq3_s_block *)blocks + i;
    uint8_t *restrict codes = out->codes + 256 * i;
    out->d[i] = RT_F16_AT(b->d);
    for (int r = 0; r < 8; r++) {
      const uint8_t *p = b->point + 8 * r;
      const uint32_t h = b->high[r];
      const rt_words8 values = {rt_iq3_s_grid[p[0] | (h << 8 & 256)], rt_iq3_s_grid[p[1] | (h << 7 & 256)],
                                rt_iq3_s_grid[p[2] | (h << 6 & 256)], rt_iq3_s_grid[p[3] | (h << 5 & 256)],
                                rt_iq3_s_grid[p[4] | (h << 4 & 256)], rt_iq3_s_grid[p[5] | (h << 3 & 256)],
                                rt_iq3_s_grid[p[6] | (h << 2 & 256)], rt_iq3_s_grid[p[7] | (h << 1 & 256)]};
      out->scales[8 * i + r] = 2 * (b->scales[r / 2] >> 4 * (r & 1) & 15) + 1;
      RT_STORE(rt_bytes32, codes + 32 * r, rt_signed_codes((rt_bytes32)values, rt_mask_of_bits(rt_load_u32(b->signs + 4 * r)), 15));
    }
  }
}

#endif
