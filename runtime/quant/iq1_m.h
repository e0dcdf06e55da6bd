/* iq1_m.h - as IQ1_S with a scale for 16 elements and + 1 or - 1 for eight; the half scale lies in four parts among the scales. */
#ifndef RT_QUANT_IQ1_M_H
#define RT_QUANT_IQ1_M_H

#include "iq.h"

typedef struct rt_iq1_m_block {
  uint8_t point[32]; /* low eight bits of an index; eight elements each */
  uint8_t high[16];  /* two a byte: three high bits of an index, 1: the eight are - 1 */
  uint8_t scales[8]; /* four numbers of 16 bits, little endian: four times three bits of s, then four bits of d, lowest first */
} rt_iq1_m_block;
_Static_assert(sizeof(rt_iq1_m_block) == 56, "IQ1_M block");

static const rt_panel_format rt_iq1_m_format = {.group = 256, .sub = 16, .zero = 9, .max_code = 18};

static inline void rt_iq1_m_panel(const uint8_t *blocks, size_t n_blocks, const rt_panel_row *out) {
  for (size_t i = 0; i < n_blocks; i++) {
    const rt_iq1_m_block *b = (const rt_iq1_m_block *)blocks + i;
    uint8_t *restrict codes = out->codes + 256 * i;
    uint32_t d = 0;
    for (int k = 0; k < 4; k++) {
      const uint32_t word = rt_load_u16(b->scales + 2 * k);
      d |= word >> 12 << 4 * k;
      for (int s = 0; s < 4; s++) out->scales[16 * i + 4 * k + s] = (int32_t)(word >> 3 * s & 7) * 2 + 1;
    }
    out->d[i] = rt_f16_to_f32((uint16_t)d) * 0.125f;
    for (int r = 0; r < 8; r++) {
      const uint8_t *p = b->point + 4 * r;
      const uint32_t h = rt_load_u16(b->high + 2 * r);
      const uint32_t minus = (h >> 3 & 1) * 0xff | (h >> 7 & 1) * 0xff00 | (h >> 11 & 1) * 0xff0000 | (h >> 15) * 0xff000000u;
      const rt_bytes32 values =
          rt_points_of_8(rt_iq1_grid, p[0] | (h << 8 & 0x700), p[1] | (h << 4 & 0x700), p[2] | (h & 0x700), p[3] | (h >> 4 & 0x700));
      RT_STORE(rt_bytes32, codes + 32 * r, values + (~rt_mask_of_bits(minus) & 2));
    }
  }
}

#endif
