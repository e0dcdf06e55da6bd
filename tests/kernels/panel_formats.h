/* panel_formats.h - block formats that no file has, one for each property that panels allow and no type uses yet: blocks of several groups,
 * codes of 7 bits, of 6 bits in sub-blocks of 32. test_kernels runs them through every kernel (RT_TEST_FORMATS in quant/types.h).
 */
#ifndef PANEL_FORMATS_H
#define PANEL_FORMATS_H

#include "quant/panel.h"

enum { RT_BLOCK64 = 200, RT_BLOCK64_MIN, RT_BLOCK128, RT_SUB16_7BIT, RT_SUB32_7BIT, RT_SUB32_6BIT };
#define RT_TEST_BLOCK_TYPES(X)    \
  X(BLOCK64, block64, 64)         \
  X(BLOCK64_MIN, block64_min, 64) \
  X(BLOCK128, block128, 128)      \
  X(SUB16_7BIT, sub16_7bit, 256)  \
  X(SUB32_7BIT, sub32_7bit, 256)  \
  X(SUB32_6BIT, sub32_6bit, 256)
/* Where the halves lie in their blocks: X(name, first, second or -1). */
#define RT_TEST_HALVES(X) \
  X(BLOCK64, 0, -1)       \
  X(BLOCK64_MIN, 0, 2)    \
  X(BLOCK128, 0, -1)      \
  X(SUB16_7BIT, 0, -1)    \
  X(SUB32_7BIT, 0, -1)    \
  X(SUB32_6BIT, 0, -1)

/* 64 values of two bits under one half scale, as in ggml's Q2_0: value = d * (code - 1). */
typedef struct rt_block64_block {
  uint8_t d[2], codes[16];
} rt_block64_block;
static const rt_panel_format rt_block64_format = {.group = 32, .zero = 1, .max_code = 3};
static inline void rt_block64_panel(const uint8_t *blocks, size_t n_blocks, const rt_panel_row *out) {
  for (size_t i = 0; i < n_blocks; i++) {
    const rt_block64_block *b = (const rt_block64_block *)blocks + i;
    out->d[2 * i] = out->d[2 * i + 1] = RT_F16_AT(b->d);
    for (int k = 0; k < 64; k++) out->codes[64 * i + (size_t)k] = b->codes[k / 4] >> 2 * (k % 4) & 3;
  }
}

/* 64 values of five bits in a byte each; the second group has twice the first one's scale and minimum. */
typedef struct rt_block64_min_block {
  uint8_t d[2], m[2], codes[64];
} rt_block64_min_block;
static const rt_panel_format rt_block64_min_format = {.group = 32, .max_code = 31, .min = true};
static inline void rt_block64_min_panel(const uint8_t *blocks, size_t n_blocks, const rt_panel_row *out) {
  for (size_t i = 0; i < n_blocks; i++) {
    const rt_block64_min_block *b = (const rt_block64_min_block *)blocks + i;
    out->d[2 * i] = RT_F16_AT(b->d), out->d[2 * i + 1] = 2 * RT_F16_AT(b->d);
    out->m[2 * i] = RT_F16_AT(b->m), out->m[2 * i + 1] = 2 * RT_F16_AT(b->m);
    for (int k = 0; k < 64; k++) out->codes[64 * i + (size_t)k] = b->codes[k] & 31;
  }
}

/* 128 signs under one half scale, as in ggml's Q1_0: value = d * (code - 1), code 0 or 2. */
typedef struct rt_block128_block {
  uint8_t d[2], signs[16];
} rt_block128_block;
static const rt_panel_format rt_block128_format = {.group = 32, .zero = 1, .max_code = 2};
static inline void rt_block128_panel(const uint8_t *blocks, size_t n_blocks, const rt_panel_row *out) {
  for (size_t i = 0; i < n_blocks; i++) {
    const rt_block128_block *b = (const rt_block128_block *)blocks + i;
    for (int g = 0; g < 4; g++) out->d[4 * i + (size_t)g] = RT_F16_AT(b->d);
    for (int k = 0; k < 128; k++) out->codes[128 * i + (size_t)k] = (b->signs[k / 8] >> k % 8 & 1) << 1;
  }
}

/* 256 values in a byte each under sub-blocks' int8 scales and a half one: the widest values that codes of 7 and of 6 bits may have. */
typedef struct rt_sub_block {
  uint8_t d[2], scales[16], codes[256];
} rt_sub_block;
typedef rt_sub_block rt_sub16_7bit_block, rt_sub32_7bit_block, rt_sub32_6bit_block;
static inline void rt_sub_panel(const uint8_t *blocks, size_t n_blocks, size_t n_subs, uint8_t mask, const rt_panel_row *out) {
  for (size_t i = 0; i < n_blocks; i++) {
    const rt_sub_block *b = (const rt_sub_block *)blocks + i;
    out->d[i] = RT_F16_AT(b->d);
    for (size_t s = 0; s < n_subs; s++) out->scales[n_subs * i + s] = (int8_t)b->scales[s];
    for (int k = 0; k < 256; k++) out->codes[256 * i + (size_t)k] = b->codes[k] & mask;
  }
}
static const rt_panel_format rt_sub16_7bit_format = {.group = 256, .sub = 16, .zero = 64, .max_code = 127};
static inline void rt_sub16_7bit_panel(const uint8_t *blocks, size_t n_blocks, const rt_panel_row *out) {
  rt_sub_panel(blocks, n_blocks, 16, 127, out);
}
static const rt_panel_format rt_sub32_7bit_format = {.group = 256, .sub = 32, .zero = 64, .max_code = 127};
static inline void rt_sub32_7bit_panel(const uint8_t *blocks, size_t n_blocks, const rt_panel_row *out) {
  rt_sub_panel(blocks, n_blocks, 8, 127, out);
}
static const rt_panel_format rt_sub32_6bit_format = {.group = 256, .sub = 32, .zero = 32, .max_code = 63};
static inline void rt_sub32_6bit_panel(const uint8_t *blocks, size_t n_blocks, const rt_panel_row *out) {
  rt_sub_panel(blocks, n_blocks, 8, 63, out);
}

#endif
