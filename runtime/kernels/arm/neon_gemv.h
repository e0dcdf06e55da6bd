/* neon_gemv.h - matrix times one or a few vectors on 64-bit and 32-bit ARM; neon.h says how. SMMLA does not help there, so that tier has
 * the dot products of the one below. */
#ifndef RT_KERNELS_NEON_GEMV_H
#define RT_KERNELS_NEON_GEMV_H

#include "neon.h"

enum { GEMV_ROWS = 4, GEMV_TOKENS = 2 };

/* Of an input's group of 32: the sum that stands for the zero of the codes, or in formats with minima that of the activations. */
typedef union group_sum {
  int32_t zero;
  float total;
} group_sum;

/* Four rows, in place or decoded, and up to GEMV_TOKENS inputs. */
typedef struct gemv_place {
  const uint8_t *row[GEMV_ROWS]; /* blocks, or codes of the panel; past the last row: the last again */
  const panel *p;                /* where a row is decoded, if it is */
  uint32_t last;                 /* row */
  const int8_t *q;
  const float *da;
  const int16_t *sums;
  const group_sum *sums_32; /* (tokens, groups) */
  size_t cols, groups;
} gemv_place;

/* What a kernel reads: a type's blocks, or a panel with sub-blocks of 0 (none), 16 or 32 codes. */
enum source { FROM_PANEL = 1000 };

INLINE v4f halves4(const uint8_t *const block[GEMV_ROWS], size_t at) {
#if defined(__aarch64__)
  uint16x4_t h = vdup_n_u16(0);
  h = vld1_lane_u16((const uint16_t *)(const void *)(block[0] + at), h, 0);
  h = vld1_lane_u16((const uint16_t *)(const void *)(block[1] + at), h, 1);
  h = vld1_lane_u16((const uint16_t *)(const void *)(block[2] + at), h, 2);
  h = vld1_lane_u16((const uint16_t *)(const void *)(block[3] + at), h, 3);
  return (v4f)vcvt_f32_f16(vreinterpret_f16_u16(h));
#else
  return (v4f){RT_F16_AT(block[0] + at), RT_F16_AT(block[1] + at), RT_F16_AT(block[2] + at), RT_F16_AT(block[3] + at)};
#endif
}
/* Two halves that lie side by side in each block. */
INLINE void halves4x2(const uint8_t *const block[GEMV_ROWS], size_t at, v4f *first, v4f *second) {
#if defined(__aarch64__)
  uint32x4_t v = vdupq_n_u32(0);
  v = vld1q_lane_u32((const uint32_t *)(const void *)(block[0] + at), v, 0);
  v = vld1q_lane_u32((const uint32_t *)(const void *)(block[1] + at), v, 1);
  v = vld1q_lane_u32((const uint32_t *)(const void *)(block[2] + at), v, 2);
  v = vld1q_lane_u32((const uint32_t *)(const void *)(block[3] + at), v, 3);
  *first = (v4f)vcvt_f32_f16(vreinterpret_f16_u16(vmovn_u32(v)));
  *second = (v4f)vcvt_f32_f16(vreinterpret_f16_u16(vshrn_n_u32(v, 16)));
#else
  *first = halves4(block, at);
  *second = halves4(block, at + 2);
#endif
}
INLINE size_t panel_row(const gemv_place *x, size_t r) { return r < x->last ? r : x->last; }
INLINE v4f panel4(const gemv_place *x, const float *of_rows, size_t g) {
  return (v4f){of_rows[panel_row(x, 0) * x->groups + g], of_rows[panel_row(x, 1) * x->groups + g], of_rows[panel_row(x, 2) * x->groups + g],
               of_rows[panel_row(x, 3) * x->groups + g]};
}
/* d, and m where the format has one, of group g, whose halves lie `at` bytes into the blocks. */
INLINE void scales_of(const gemv_place *x, unsigned from, size_t g, const uint8_t *const block[GEMV_ROWS], size_t at, bool min, v4f *d,
                      v4f *m) {
  if (from != FROM_PANEL && min) {
    halves4x2(block, at, d, m);
    return;
  }
  *d = from == FROM_PANEL ? panel4(x, x->p->d, g) : halves4(block, at);
  *m = min ? panel4(x, x->p->m, g) : *d;
}
INLINE int8x16_t load_codes(const uint8_t *p) { return vreinterpretq_s8_u8(vld1q_u8(p)); }
INLINE int8x16_t low_nibbles(uint8x16_t v) { return vreinterpretq_s8_u8(vandq_u8(v, vdupq_n_u8(15))); }
INLINE int8x16_t high_nibbles(uint8x16_t v) { return vreinterpretq_s8_u8(vshrq_n_u8(v, 4)); }

INLINE void codes_32(const uint8_t *block, unsigned from, bool wide, int8x16_t w[2]) {
  const uint8_t *at = block + (from == RT_Q8_0 ? 2 : 0);
  const int8x16_t flip = vreinterpretq_s8_u8(vdupq_n_u8(wide && from == FROM_PANEL ? 0x80 : 0));
  w[0] = veorq_s8(load_codes(at), flip);
  w[1] = veorq_s8(load_codes(at + 16), flip);
}

/* The products of a group of 4-bit codes, which lie `at` bytes into the blocks; the sums of four rows side by side. */
INLINE void nibble_sums(const uint8_t *const block[GEMV_ROWS], size_t at, const int8x16_t a[GEMV_TOKENS][2], unsigned T,
                        int32x4_t sum[GEMV_TOKENS]) {
#if defined(__ARM_FEATURE_DOTPROD)
  /* Transposed, so that a vector has 4 bytes of each row: that costs less than adding across the lanes. */
  uint32x4_t b[GEMV_ROWS];
  for (unsigned r = 0; r < GEMV_ROWS; r++) b[r] = vreinterpretq_u32_u8(vld1q_u8(block[r] + at));
  uint64x2_t even[2], odd[2];
  for (unsigned i = 0; i < 2; i++) {
    even[i] = vreinterpretq_u64_u32(vtrn1q_u32(b[2 * i], b[2 * i + 1]));
    odd[i] = vreinterpretq_u64_u32(vtrn2q_u32(b[2 * i], b[2 * i + 1]));
  }
  for (unsigned t = 0; t < T; t++) sum[t] = vdupq_n_s32(0);
#define BYTES(i, transposed)                                                                                               \
  {                                                                                                                        \
    uint8x16_t v = vreinterpretq_u8_u64(transposed);                                                                       \
    int8x16_t low = low_nibbles(v), high = high_nibbles(v);                                                                \
    for (unsigned t = 0; t < T; t++) sum[t] = vdotq_laneq_s32(vdotq_laneq_s32(sum[t], low, a[t][0], i), high, a[t][1], i); \
  }
  BYTES(0, vtrn1q_u64(even[0], even[1]))
  BYTES(1, vtrn1q_u64(odd[0], odd[1]))
  BYTES(2, vtrn2q_u64(even[0], even[1]))
  BYTES(3, vtrn2q_u64(odd[0], odd[1]))
#undef BYTES
#else
  /* All products of a row's group fit in two lanes of 16 bits. */
  int16x8_t h[GEMV_TOKENS][GEMV_ROWS];
  for (unsigned r = 0; r < GEMV_ROWS; r++) {
    uint8x16_t v = vld1q_u8(block[r] + at);
    const int8x16_t w[2] = {low_nibbles(v), high_nibbles(v)};
    for (unsigned t = 0; t < T; t++) h[t][r] = products_32(w, a[t]);
  }
  for (unsigned t = 0; t < T; t++) sum[t] = vpaddlq_s16(pair_sums_16(pair_sums_16(h[t][0], h[t][1]), pair_sums_16(h[t][2], h[t][3])));
#endif
}

/* Groups of 32, T tokens. */
INLINE void gemv_32(const gemv_place *x, unsigned from, unsigned T, bool min, bool wide, v4f result[GEMV_TOKENS]) {
  const size_t bytes = from == RT_Q4_0   ? sizeof(rt_q4_0_block)
                       : from == RT_Q4_1 ? sizeof(rt_q4_1_block)
                       : from == RT_Q8_0 ? sizeof(rt_q8_0_block)
                                         : 32;
  const bool nibbles = from == RT_Q4_0 || from == RT_Q4_1;
  const uint8_t *block[GEMV_ROWS];
  const int8_t *q[GEMV_TOKENS];
  const float *da[GEMV_TOKENS];
  const group_sum *sums[GEMV_TOKENS];
  v4f acc[GEMV_TOKENS];
  for (unsigned r = 0; r < GEMV_ROWS; r++) block[r] = x->row[r];
  for (unsigned t = 0; t < T; t++) {
    q[t] = x->q + t * x->cols;
    da[t] = x->da + t * x->groups;
    sums[t] = x->sums_32 + t * x->groups;
    acc[t] = splat4(0.0f);
  }
  for (size_t g = 0; g < x->groups; g++) {
    int8x16_t a[GEMV_TOKENS][2];
    int32x4_t sum[GEMV_TOKENS];
    for (unsigned t = 0; t < T; t++) {
      a[t][0] = vld1q_s8(q[t]);
      a[t][1] = vld1q_s8(q[t] + 16);
      q[t] += 32;
    }
    if (nibbles) {
      nibble_sums(block, bytes - 16, a, T, sum);
    } else {
      int32x4_t v[GEMV_TOKENS][GEMV_ROWS];
      for (unsigned r = 0; r < GEMV_ROWS; r++) {
        int8x16_t w[2];
        codes_32(block[r], from, wide, w);
        for (unsigned t = 0; t < T; t++) v[t][r] = dot32(w, a[t], wide);
      }
      for (unsigned t = 0; t < T; t++) sum[t] = sums_of_4(v[t]);
    }
    v4f d, m;
    scales_of(x, from, g, block, 0, min, &d, &m);
    for (unsigned r = 0; r < GEMV_ROWS; r++) block[r] += bytes;
    for (unsigned t = 0; t < T; t++) {
      if (!min && !wide) sum[t] = vaddq_s32(sum[t], vdupq_n_s32(sums[t][g].zero));
      v4f term = d * to_float(sum[t]);
      if (min) term = term + m * splat4(sums[t][g].total);
      acc[t] = acc[t] + splat4(da[t][g]) * term;
    }
  }
  for (unsigned t = 0; t < T; t++) result[t] = acc[t];
}

/* Codes 64 k .. 64 k + 63 of a group of 256; `at` is the group's block, or its codes in the panel. */
INLINE void codes_64(const uint8_t *at, unsigned from, unsigned k, bool wide, uint8_t zero, int8x16_t w[4]) {
  if (from == RT_Q4_K || from == RT_Q5_K) {
    const uint8_t *codes = from == RT_Q4_K ? at + offsetof(rt_q4_k_block, codes) : at + offsetof(rt_q5_k_block, codes);
    for (unsigned i = 0; i < 2; i++) {
      uint8x16_t v = vld1q_u8(codes + 32 * k + 16 * i);
      w[i] = low_nibbles(v);
      w[2 + i] = high_nibbles(v);
      if (from == RT_Q5_K) {
        rt_bytes16 high = (rt_bytes16)vld1q_u8(at + offsetof(rt_q5_k_block, high) + 16 * i);
        w[i] = vorrq_s8(w[i], (int8x16_t)((k < 2 ? high << (4 - 2 * k) : high >> (2 * k - 4)) & 16));
        w[2 + i] = vorrq_s8(w[2 + i], (int8x16_t)((k < 2 ? high << (3 - 2 * k) : high >> (2 * k - 3)) & 16));
      }
    }
  } else if (from == RT_Q6_K) {
    for (unsigned i = 0; i < 4; i++) {
      uint8x16_t v = vld1q_u8(at + offsetof(rt_q6_k_block, low) + k / 2 * 64 + 16 * i);
      rt_bytes16 high = (rt_bytes16)vld1q_u8(at + offsetof(rt_q6_k_block, high) + k / 2 * 32 + 16 * (i & 1));
      if (k % 2 == 0) w[i] = vorrq_s8(low_nibbles(v), (int8x16_t)((i < 2 ? high << 4 : high << 2) & 48));
      else w[i] = vorrq_s8(high_nibbles(v), (int8x16_t)((i < 2 ? high : high >> 2) & 48));
    }
  } else {
    for (unsigned i = 0; i < 4; i++) {
      w[i] = load_codes(at + 64 * k + 16 * i);
      if (wide) w[i] = veorq_s8(w[i], vreinterpretq_s8_u8(vdupq_n_u8(0x80)));
      else if (zero) w[i] = vsubq_s8(w[i], vdupq_n_s8((int8_t)zero));
    }
  }
}

/* The sums of group g's activations: of 16 elements each, or of 32 in the first vector alone. */
INLINE void load_sums(const gemv_place *x, size_t g, unsigned T, unsigned sub, int16x8_t sums[GEMV_TOKENS][2]) {
  for (unsigned t = 0; t < T; t++) {
    const int16_t *s = x->sums + t * (x->cols / RT_SUM) + 16 * g;
    sums[t][0] = vld1q_s16(s);
    sums[t][1] = vld1q_s16(s + 8);
    if (sub == 32) sums[t][0] = pair_sums_16(sums[t][0], sums[t][1]);
  }
}

/* Row r's integer scales in group g, whose block is `at`; and its minima, or Q6_K's scales, which its zero is multiplied with. */
INLINE void load_scales(const gemv_place *x, unsigned from, size_t g, size_t r, const uint8_t *at, unsigned sub, bool min,
                        int32x4_t scales[4], int16x8_t mins[2]) {
  if (from == RT_Q4_K || from == RT_Q5_K) {
    uint64_t s, m;
    rt_scales_6bit(at + offsetof(rt_q4_k_block, scales), &s, &m); /* at the same place in both */
    int16x8_t s16 = vreinterpretq_s16_u16(vmovl_u8(vcreate_u8(s)));
    mins[0] = vreinterpretq_s16_u16(vmovl_u8(vcreate_u8(m)));
    scales[0] = vmovl_s16(vget_low_s16(s16));
    scales[1] = vmovl_s16(vget_high_s16(s16));
  } else if (from == RT_Q6_K) {
    int8x16_t s8 = vreinterpretq_s8_u8(vld1q_u8(at + offsetof(rt_q6_k_block, scales)));
    mins[0] = vmovl_s8(vget_low_s8(s8));
    mins[1] = vmovl_s8(vget_high_s8(s8));
    for (unsigned i = 0; i < 4; i++) scales[i] = vmovl_s16(i & 1 ? vget_high_s16(mins[i / 2]) : vget_low_s16(mins[i / 2]));
  } else {
    size_t first = panel_row(x, r) * x->p->subs + g * (256 / sub);
    for (unsigned i = 0; i < 64 / sub; i++) scales[i] = vld1q_s32(x->p->scales + first + 4 * i);
    for (unsigned i = 0; min && i < 32 / sub; i++) mins[i] = vld1q_s16(x->p->mins + first + 8 * i);
  }
}

/* Minima times the sums of activations, in four parts. */
INLINE int32x4_t weighed_sums(const int16x8_t mins[2], const int16x8_t sums[2], unsigned sub) {
  int32x4_t weighed = vmlal_s16(vmull_s16(vget_low_s16(mins[0]), vget_low_s16(sums[0])), vget_high_s16(mins[0]), vget_high_s16(sums[0]));
  if (sub == 32) return weighed;
  return vmlal_s16(vmlal_s16(weighed, vget_low_s16(mins[1]), vget_low_s16(sums[1])), vget_high_s16(mins[1]), vget_high_s16(sums[1]));
}

/* sum plus the products of 64 codes, the k-th of a group, each sub-block's times its scale. */
#define ADD_64(sum, k, w, a)                                                          \
  if (sub == 32) {                                                                    \
    sum = SCALED(sum, dot32(w, a, wide), scales[(k) / 2], 2 * ((k) % 2));             \
    sum = SCALED(sum, dot32(w + 2, a + 2, wide), scales[(k) / 2], 2 * ((k) % 2) + 1); \
  } else {                                                                            \
    sum = SCALED(sum, dot16(w[0], a[0]), scales[k], 0);                               \
    sum = SCALED(sum, dot16(w[1], a[1]), scales[k], 1);                               \
    sum = SCALED(sum, dot16(w[2], a[2]), scales[k], 2);                               \
    sum = SCALED(sum, dot16(w[3], a[3]), scales[k], 3);                               \
  }

/* Groups of 256 in sub-blocks of `sub`. Q6_K's zero of 32 is taken out of the sums, others' out of the codes. */
INLINE void gemv_256(const gemv_place *x, unsigned from, unsigned T, unsigned sub, bool min, bool wide, v4f acc[GEMV_TOKENS]) {
  const size_t block = from == RT_Q4_K   ? sizeof(rt_q4_k_block)
                       : from == RT_Q5_K ? sizeof(rt_q5_k_block)
                       : from == RT_Q6_K ? sizeof(rt_q6_k_block)
                                         : 256;
  const uint8_t zero = from == FROM_PANEL ? x->p->format.zero : 0;
  for (unsigned t = 0; t < T; t++) acc[t] = splat4(0.0f);
  for (size_t g = 0; g < x->groups; g++) {
    int32x4_t v[GEMV_TOKENS][GEMV_ROWS], u[GEMV_TOKENS][GEMV_ROWS];
    int16x8_t sums[GEMV_TOKENS][2];
    load_sums(x, g, T, sub, sums);
    for (unsigned r = 0; r < GEMV_ROWS; r++) {
      const uint8_t *at = x->row[r] + g * block;
      int32x4_t scales[4];
      int16x8_t mins[2];
      load_scales(x, from, g, r, at, sub, min, scales, mins);
      for (unsigned t = 0; t < T; t++) {
        v[t][r] = vdupq_n_s32(0);
        if (min) u[t][r] = weighed_sums(mins, sums[t], sub);
        else if (from == RT_Q6_K) v[t][r] = vshlq_n_s32(vnegq_s32(weighed_sums(mins, sums[t], sub)), 5);
      }
      const int8_t *q = x->q + g * 256;
#define CHUNK(k)                                                                           \
  {                                                                                        \
    int8x16_t w[4];                                                                        \
    codes_64(at, from, k, wide, zero, w);                                                  \
    for (unsigned t = 0; t < T; t++) {                                                     \
      int8x16_t a[4];                                                                      \
      for (unsigned i = 0; i < 4; i++) a[i] = vld1q_s8(q + t * x->cols + 64 * k + 16 * i); \
      ADD_64(v[t][r], k, w, a)                                                             \
    }                                                                                      \
  }
      CHUNK(0) CHUNK(1) CHUNK(2) CHUNK(3)
#undef CHUNK
    }
    v4f d, m;
    scales_of(x, from, g, x->row, g * block + (from == RT_Q6_K ? offsetof(rt_q6_k_block, d) : 0), min, &d, &m);
    for (unsigned t = 0; t < T; t++) {
      v4f term = d * to_float(sums_of_4(v[t]));
      if (min) term = term - m * to_float(sums_of_4(u[t]));
      acc[t] = acc[t] + splat4(x->da[t * x->groups + g]) * term;
    }
  }
}

typedef void gemv_kernel(const gemv_place *x, unsigned T, v4f acc[GEMV_TOKENS]);
#define GEMV(NAME, CALL_1, CALL_2)                                          \
  static void NAME(const gemv_place *x, unsigned T, v4f acc[GEMV_TOKENS]) { \
    if (T == 1) CALL_1;                                                     \
    else CALL_2;                                                            \
  }
#define GEMV_32(NAME, FROM, MIN, WIDE) GEMV(NAME, gemv_32(x, FROM, 1, MIN, WIDE, acc), gemv_32(x, FROM, 2, MIN, WIDE, acc))
#define GEMV_256(NAME, FROM, SUB, MIN, WIDE) \
  GEMV(NAME, gemv_256(x, FROM, 1, SUB, MIN, WIDE, acc), gemv_256(x, FROM, 2, SUB, MIN, WIDE, acc))
GEMV_32(gemv_q4_0, RT_Q4_0, false, false)
GEMV_32(gemv_q4_1, RT_Q4_1, true, false)
GEMV_32(gemv_q8_0, RT_Q8_0, false, true)
GEMV_256(gemv_q4_k, RT_Q4_K, 32, true, false)
GEMV_256(gemv_q5_k, RT_Q5_K, 32, true, false)
GEMV_256(gemv_q6_k, RT_Q6_K, 16, false, false)
GEMV_32(panel_32, FROM_PANEL, false, false)
GEMV_32(panel_32_min, FROM_PANEL, true, false)
GEMV_32(panel_32_8bit, FROM_PANEL, false, true)
GEMV_256(panel_sub16, FROM_PANEL, 16, false, false)
GEMV_256(panel_sub16_min, FROM_PANEL, 16, true, false)
GEMV_256(panel_sub32_7bit, FROM_PANEL, 32, false, false)
GEMV_256(panel_sub32_min, FROM_PANEL, 32, true, false)
GEMV_256(panel_sub32_8bit, FROM_PANEL, 32, false, true)

static gemv_kernel *const panel_kernels[RT_PANEL_KINDS] = {
    [RT_PANEL_32_4BIT] = panel_32,
    [RT_PANEL_32_5BIT] = panel_32,
    [RT_PANEL_32_8BIT] = panel_32_8bit,
    [RT_PANEL_32_MIN_4BIT] = panel_32_min,
    [RT_PANEL_32_MIN_5BIT] = panel_32_min,
    [RT_PANEL_SUB16_5BIT] = panel_sub16,
    [RT_PANEL_SUB16_6BIT] = panel_sub16,
    [RT_PANEL_SUB16_7BIT] = panel_sub16,
    [RT_PANEL_SUB16_MIN] = panel_sub16_min,
    [RT_PANEL_SUB32_6BIT] = panel_sub32_7bit,
    [RT_PANEL_SUB32_7BIT] = panel_sub32_7bit,
    [RT_PANEL_SUB32_8BIT] = panel_sub32_8bit,
    [RT_PANEL_SUB32_MIN_4BIT] = panel_sub32_min,
    [RT_PANEL_SUB32_MIN_5BIT] = panel_sub32_min,
};

static gemv_kernel *gemv_kernel_for(const rt_matrix *w, bool *in_place) {
  *in_place = true;
  switch (w->type->id) {
    case RT_Q4_0: return gemv_q4_0;
    case RT_Q4_1: return gemv_q4_1;
    case RT_Q8_0: return gemv_q8_0;
    case RT_Q4_K: return gemv_q4_k;
    case RT_Q5_K: return gemv_q5_k;
    case RT_Q6_K: return gemv_q6_k;
    default: break;
  }
  *in_place = false;
  return panel_kernels[w->kind];
}

/* gemv_place's sums_32 of all inputs, where the format needs them. They lie behind the panel: scales are not there. */
static const group_sum *sums_of_groups(const rt_inputs *in, const panel *p, rt_panel_kind kind) {
  group_sum *sums = (group_sum *)(void *)p->rest;
  if (p->format.group != 32 || kind == RT_PANEL_32_8BIT) return sums;
  for (size_t i = 0; i < (size_t)in->n * p->groups; i++) {
    int32_t sum = in->sums[2 * i] + in->sums[2 * i + 1];
    if (p->format.min) sums[i].total = (float)sum;
    else sums[i].zero = -p->format.zero * sum;
  }
  return sums;
}

static void gemv(const rt_strip *strip) {
  const rt_inputs *in = strip->inputs;
  const rt_matrix *w = strip->w;
  panel p = panel_layout(strip);
  bool in_place;
  gemv_kernel *kernel = gemv_kernel_for(w, &in_place);
  const group_sum *sums_32 = sums_of_groups(in, &p, w->kind);
  gemv_place x = {.p = &p, .cols = p.cols, .groups = p.groups};
  const size_t stride = in_place ? w->row_bytes : p.cols;
  for (uint32_t start = 0; start < strip->rows; start += GEMV_ROWS) {
    uint32_t rows = strip->rows - start < GEMV_ROWS ? strip->rows - start : GEMV_ROWS;
    if (!in_place) panel_fill(&p, w, strip->first + start, rows);
    x.last = rows - 1;
    x.row[0] = in_place ? w->data + (strip->first + start) * stride : p.codes;
    for (uint32_t r = 1; r < GEMV_ROWS; r++) x.row[r] = r < rows ? x.row[r - 1] + stride : x.row[r - 1];
    for (uint32_t i = 0; i < in->n; i += GEMV_TOKENS) {
      uint32_t tokens = in->n - i < GEMV_TOKENS ? in->n - i : GEMV_TOKENS;
      v4f acc[GEMV_TOKENS];
      x.q = in->q + (size_t)i * in->cols;
      x.da = in->d + (size_t)i * p.groups;
      x.sums = in->sums + (size_t)i * (in->cols / RT_SUM);
      x.sums_32 = sums_32 + (size_t)i * p.groups;
      kernel(&x, tokens, acc);
      for (uint32_t t = 0; t < tokens; t++) {
        float *y = strip->y + (i + t) * strip->y_stride + start;
        if (rows == GEMV_ROWS) memcpy(y, &acc[t], sizeof acc[t]);
        else memcpy(y, &acc[t], rows * sizeof *y);
      }
    }
  }
}

#endif
