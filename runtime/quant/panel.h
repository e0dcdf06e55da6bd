/* panel.h - how the integer kernels see a block format: rows of 8-bit codes in natural order, beside their scales.
 *
 * A panel row holds `cols` codes (one byte each, 0..max_code) cut into groups of 32 or 256 elements:
 *   group 32:   value = d * (code - zero)                      without `min`
 *               value = d * code + m                           with `min`
 *   group 256:  value = d * scale[s] * (code - zero)           without `min`; s = the element's sub-block of `sub` elements
 *               value = d * scale[s] * code - m * min[s]       with `min`
 * where d and m are floats, one of each a group, and scale and min are small integers, one of each a sub-block. `zero` is 0 where `min` is
 * set. That is all a kernel ever knows of a type, and the exact decode to float (table.c) is this formula too.
 *
 * A block, the unit of the file, is one group or several: a multiple of 32 elements, at most 256. Only decoders know of blocks.
 *
 * Bounds that every format keeps, so that all integer sums of a group fit in int32 with activations in -127..127:
 *   |code - zero| <= 128, |scale| <= 128, sum over a group of |scale| * |code - zero| * 127 <= 256 * 128 * 128 * 127 < 2^29.1;
 *   min <= 63, sum over a group of min * |sum of activations| <= 256 * 63 * 127 < 2^21;
 *   codes as one of the kinds below bounds them. Instruction sets that add products in 16 bits rely on it.
 *
 * Each type's header is included by table.c and by every kernel variant, so that its decode is compiled for each instruction set.
 */
#ifndef RT_QUANT_PANEL_H
#define RT_QUANT_PANEL_H

#include "../base/base.h"
#include "../base/f16.h"

typedef struct rt_panel_format {
  uint16_t group;   /* elements under one float scale, and under one scale of quantised activations: 32 or 256; divides the block */
  uint8_t sub;      /* elements under one integer scale: 16 or 32; 0 in formats of group 32, which have none */
  uint8_t zero;     /* the code that stands for 0 */
  uint8_t max_code; /* no code is greater */
  bool min;         /* has m (and min) */
} rt_panel_format;

/* The kinds of panels: every variant has one kernel a kind. Named by what shares a scale (a group of 32, or in groups of 256 a sub-block of
 * 16 or 32), by minima, and by how wide codes are:
 *   without minima   4BIT: code <= 15; 5BIT: <= 31; 6BIT: <= 63, all three with |code - zero| <= 32;
 *                    7BIT: <= 127 with |code - zero| <= 64; 8BIT: any, and zero is 128
 *   with minima      4BIT: code <= 15; MIN and 5BIT: <= 31 */
typedef enum rt_panel_kind {
  RT_PANEL_NONE, /* of a type without a panel, or of a format that keeps no kind's bounds */
  RT_PANEL_32_4BIT,
  RT_PANEL_32_5BIT,
  RT_PANEL_32_8BIT,
  RT_PANEL_32_MIN_4BIT,
  RT_PANEL_32_MIN_5BIT,
  RT_PANEL_SUB16_5BIT,
  RT_PANEL_SUB16_6BIT,
  RT_PANEL_SUB16_7BIT,
  RT_PANEL_SUB16_MIN,
  RT_PANEL_SUB32_6BIT,
  RT_PANEL_SUB32_7BIT,
  RT_PANEL_SUB32_8BIT,
  RT_PANEL_SUB32_MIN_4BIT,
  RT_PANEL_SUB32_MIN_5BIT,
  RT_PANEL_KINDS
} rt_panel_kind;

/* The least general kind whose bounds the format (NULL: none) keeps. Asked once for a matrix, which remembers it. */
rt_panel_kind rt_panel_kind_of(const rt_panel_format *format);

/* Where a decoded row goes. Arrays that the format does not have are not written. */
typedef struct rt_panel_row {
  uint8_t *codes;  /* (cols) */
  float *d, *m;    /* (cols / group) */
  int32_t *scales; /* (cols / sub) */
  int16_t *mins;   /* (cols / sub) */
} rt_panel_row;

/* Decodes n_blocks consecutive blocks of one row. */
typedef void (*rt_panel_decode)(const uint8_t *blocks, size_t n_blocks, const rt_panel_row *out);

/* The decoders work on vectors of bytes (GCC and clang vector types), because compilers do not find these loops themselves. */
#pragma GCC diagnostic ignored "-Wpsabi"
typedef uint8_t rt_bytes8 __attribute__((vector_size(8)));
typedef uint8_t rt_bytes16 __attribute__((vector_size(16)));
typedef uint8_t rt_bytes32 __attribute__((vector_size(32)));
typedef int8_t rt_signed16 __attribute__((vector_size(16)));
typedef int16_t rt_shorts8 __attribute__((vector_size(16)));
typedef int16_t rt_shorts16 __attribute__((vector_size(32)));
typedef uint64_t rt_longs4 __attribute__((vector_size(32)));
typedef uint32_t rt_words8 __attribute__((vector_size(32)));
typedef int32_t rt_ints8 __attribute__((vector_size(32)));
typedef int32_t rt_ints16 __attribute__((vector_size(64)));
#define RT_LOAD(type, name, from) \
  type name;                      \
  memcpy(&name, from, sizeof name)
#define RT_STORE(type, to, value)         \
  do {                                    \
    const type stored_ = (value);         \
    memcpy(to, &stored_, sizeof stored_); \
  } while (0)

/* Two codes a byte: the low nibbles, then the high ones. */
static inline void rt_nibbles_16(const uint8_t *packed, uint8_t *codes) {
  RT_LOAD(rt_bytes16, v, packed);
  RT_STORE(rt_bytes16, codes, v & 15);
  RT_STORE(rt_bytes16, codes + 16, v >> 4);
}
static inline void rt_nibbles_32(const uint8_t *packed, uint8_t *codes) {
  RT_LOAD(rt_bytes32, v, packed);
  RT_STORE(rt_bytes32, codes, v & 15);
  RT_STORE(rt_bytes32, codes + 32, v >> 4);
}
/* 32 bytes: 255 where the bit is set, else 0. */
static inline rt_bytes32 rt_mask_of_bits(uint32_t word) {
  const rt_bytes32 all = (rt_bytes32)(rt_words8){word, word, word, word, word, word, word, word};
  const rt_bytes32 bytes = __builtin_shufflevector(all, all, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 18, 18, 18, 18, 18, 18, 18, 18,
                                                   19, 19, 19, 19, 19, 19, 19, 19);
  const rt_bytes32 bits = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128,
                           1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
  return (rt_bytes32)((bytes & bits) == bits);
}
/* As rt_nibbles_16, with bit i of `high` as code i's bit 4. */
static inline void rt_nibbles_fifth_16(const uint8_t *packed, const uint8_t *high, uint8_t *codes) {
  const rt_bytes32 fifth = rt_mask_of_bits(rt_load_u32(high)) & 16;
  RT_LOAD(rt_bytes16, v, packed);
  const rt_bytes16 low = v & 15, upper = v >> 4;
  RT_STORE(rt_bytes16, codes, low | __builtin_shufflevector(fifth, fifth, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
  RT_STORE(rt_bytes16, codes + 16,
           upper | __builtin_shufflevector(fifth, fifth, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31));
}

#define RT_F16_AT(bytes) rt_f16_to_f32(rt_load_u16(bytes))

/* The six-bit scales and minima of Q4_K and Q5_K: twelve bytes, eight of each. */
static inline void rt_scales_6bit(const uint8_t *packed, uint64_t *scales, uint64_t *mins) { /* a byte each */
  uint32_t a = rt_load_u32(packed), b = rt_load_u32(packed + 4), c = rt_load_u32(packed + 8);
  *scales = (a & 0x3f3f3f3fu) | (uint64_t)((c & 0x0f0f0f0fu) | (a >> 2 & 0x30303030u)) << 32;
  *mins = (b & 0x3f3f3f3fu) | (uint64_t)((c >> 4 & 0x0f0f0f0fu) | (b >> 2 & 0x30303030u)) << 32;
}
static inline void rt_panel_scales_6bit(const uint8_t *packed, int32_t *scales, int16_t *mins) {
  uint64_t s, m;
  rt_scales_6bit(packed, &s, &m);
  RT_LOAD(rt_bytes8, s8, &s);
  RT_LOAD(rt_bytes8, m8, &m);
  RT_STORE(rt_ints8, scales, __builtin_convertvector(s8, rt_ints8));
  RT_STORE(rt_shorts8, mins, __builtin_convertvector(m8, rt_shorts8));
}

#endif
