/* mxfp4.h - 32 four-bit floats (E2M1) under a power of two: value = 2^(e - 127) * (0, 0.5, 1, 1.5, 2, 3, 4, 6, with a sign). */
#ifndef RT_QUANT_MXFP4_H
#define RT_QUANT_MXFP4_H

#include "iq4.h"

typedef struct rt_mxfp4_block {
  uint8_t e;
  uint8_t index[16]; /* two a byte, nibbles as in Q4_0 */
} rt_mxfp4_block;
_Static_assert(sizeof(rt_mxfp4_block) == 17, "MXFP4 block");

static const rt_panel_format rt_mxfp4_format = {.group = 32, .zero = 12, .max_code = 24};

/* 2^(e - 128), half the scale, because the table's values are doubled; the two least are subnormal. 255, NaN in the OCP standard, is a
 * power of two like the others, as in ggml. */
static inline float rt_mxfp4_half_scale(uint32_t e) { return rt_bits_float(e < 2 ? 0x00200000u << e : (e - 1) << 23); }

static inline void rt_mxfp4_panel(const uint8_t *blocks, size_t n_blocks, const rt_panel_row *out) {
  for (size_t i = 0; i < n_blocks; i++) {
    const rt_mxfp4_block *b = (const rt_mxfp4_block *)blocks + i;
    out->d[i] = rt_mxfp4_half_scale(b->e);
    rt_codes_of_nibbles(rt_mxfp4_codes_of, b->index, out->codes + 32 * i);
  }
}

#endif
