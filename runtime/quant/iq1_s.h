/* iq1_s.h - 256 values, eight at a time from a grid of 2,048 points: value = d/8 * (2s + 1) * (8 * (-1, 0 or 1) + 1, or - 1). */
#ifndef RT_QUANT_IQ1_S_H
#define RT_QUANT_IQ1_S_H

#include "iq.h"

typedef struct rt_iq1_s_block {
  uint8_t d[2];      /* f16 */
  uint8_t point[32]; /* low eight bits of an index; eight elements each */
  uint8_t high[16];  /* two bytes for 32 elements, little endian: four times three high bits, three bits of s, 1: all are - 1 */
} rt_iq1_s_block;
_Static_assert(sizeof(rt_iq1_s_block) == 50, "IQ1_S block");

static const rt_panel_format rt_iq1_s_format = {.group = 256, .sub = 32, .zero = 9, .max_code = 18};

static inline void rt_iq1_s_panel(const uint8_t *blocks, size_t n_blocks, const rt_panel_row *out) {
  for (size_t i = 0; i < n_blocks; i++) {
    const rt_iq1_s_block *b = (const rt_iq1_s_block *)blocks + i;
    uint8_t *restrict codes = out->codes + 256 * i;
    out->d[i] = RT_F16_AT(b->d) * 0.125f;
    for (int r = 0; r < 8; r++) {
      const uint8_t *p = b->point + 4 * r;
      const uint32_t h = rt_load_u16(b->high + 2 * r);
      const rt_bytes32 values =
          rt_points_of_8(rt_iq1_grid, p[0] | (h << 8 & 0x700), p[1] | (h << 5 & 0x700), p[2] | (h << 2 & 0x700), p[3] | (h >> 1 & 0x700));
      out->scales[8 * i + r] = (int32_t)(h >> 12 & 7) * 2 + 1;
      RT_STORE(rt_bytes32, codes + 32 * r, values + (uint8_t)(h >> 15 ? 0 : 2));
    }
  }
}

#endif
