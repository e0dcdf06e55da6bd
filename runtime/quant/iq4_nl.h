/* iq4_nl.h - 32 values from a table of 16 under one half scale: value = d * table[index]; the panel code is the table's value + 128. */
#ifndef RT_QUANT_IQ4_NL_H
#define RT_QUANT_IQ4_NL_H

#include "iq4.h"

typedef struct rt_iq4_nl_block {
  uint8_t d[2];      /* f16 */
  uint8_t index[16]; /* two a byte, nibbles as in Q4_0 */
} rt_iq4_nl_block;
_Static_assert(sizeof(rt_iq4_nl_block) == 18, "IQ4_NL block");

static const rt_panel_format rt_iq4_nl_format = {.group = 32, .zero = 128, .max_code = 241};

static inline void rt_iq4_nl_panel(const uint8_t *blocks, size_t n_blocks, const rt_panel_row *out) {
  for (size_t i = 0; i < n_blocks; i++) {
    const rt_iq4_nl_block *b = (const rt_iq4_nl_block *)blocks + i;
    uint8_t *restrict codes = out->codes + 32 * i;
    out->d[i] = RT_F16_AT(b->d);
    rt_codes_of_nibbles(rt_iq4_codes_of, b->index, codes);
  }
}

#endif
