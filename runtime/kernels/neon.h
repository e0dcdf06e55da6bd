/* neon.h - the integer kernels of 64-bit and 32-bit ARM, compiled once for each tier: neon.c (every core with NEON), neon_dotprod.c (SDOT: Cortex-A55,
 * A76 and later), neon_i8mm.c (SMMLA too: Cortex-A510, A710, Neoverse V1 and later). Here are products of matrices; neon_few.h has those with few tokens,
 * and what would be the same code twice is lent by the tier below (neon_lent.h).
 *
 * All ARM products take signed bytes, so codes have their zero subtracted. Plain NEON adds products in 16 bits: 8 of them fit where no code is
 * beyond -64..63, else 2 ("wide"). Matrix products: 4 weight rows by 8 tokens, tokens in the lanes. Few tokens: 4 rows along their codes,
 * the hot types straight from the file's blocks, and the rows sit in the lanes of the float sums. Invariant: integer sums in any order, float
 * operations in the order of portable.c, and on generic vectors: 32-bit NEON flushes subnormals, so GCC compiles those to VFP there.
 */
#ifndef RT_KERNELS_NEON_H
#define RT_KERNELS_NEON_H

#include <arm_neon.h>

#include "lanes.h"
#include "panel_strip.h"

INLINE v4f to_float(int32x4_t v) { return (v4f)vcvtq_f32_s32(v); }
INLINE v4f splat4(float x) { return (v4f){x, x, x, x}; }
INLINE v4f load4(const float *p) {
  v4f v;
  memcpy(&v, p, sizeof v);
  return v;
}

#if defined(__aarch64__)
INLINE int32x4_t pair_sums(int32x4_t a, int32x4_t b) { return vpaddq_s32(a, b); }
#define SCALED(sum, dot, scales, lane) vmlaq_laneq_s32(sum, dot, scales, lane)
#else
INLINE int32x4_t pair_sums(int32x4_t a, int32x4_t b) {
  return vcombine_s32(vpadd_s32(vget_low_s32(a), vget_high_s32(a)), vpadd_s32(vget_low_s32(b), vget_high_s32(b)));
}
#define SCALED(sum, dot, scales, lane) vmlaq_n_s32(sum, dot, vgetq_lane_s32(scales, lane))
#endif
/* The sums of four vectors, side by side. */
INLINE int32x4_t sums_of_4(const int32x4_t v[4]) { return pair_sums(pair_sums(v[0], v[1]), pair_sums(v[2], v[3])); }

/* sum + products of 16 or 32 signed codes, spread over the lanes in any way. */
INLINE int32x4_t dot16(int32x4_t sum, int8x16_t w, int8x16_t a) {
#if defined(__ARM_FEATURE_DOTPROD)
  return vdotq_s32(sum, w, a);
#else
  return vpadalq_s16(sum, vmlal_s8(vmull_s8(vget_low_s8(w), vget_low_s8(a)), vget_high_s8(w), vget_high_s8(a)));
#endif
}
INLINE int32x4_t dot32(int32x4_t sum, const int8x16_t w[2], const int8x16_t a[2], bool wide) {
#if !defined(__ARM_FEATURE_DOTPROD)
  if (!wide) {
    int16x8_t products = vmull_s8(vget_low_s8(w[0]), vget_low_s8(a[0]));
    products = vmlal_s8(products, vget_high_s8(w[0]), vget_high_s8(a[0]));
    products = vmlal_s8(products, vget_low_s8(w[1]), vget_low_s8(a[1]));
    return vpadalq_s16(sum, vmlal_s8(products, vget_high_s8(w[1]), vget_high_s8(a[1])));
  }
#endif
  (void)wide;
  return dot16(dot16(sum, w[0], a[0]), w[1], a[1]);
}

/* ---- matrix times matrix ---- */

#if defined(__aarch64__)
enum { TILE_ROWS = 4 };
#else
enum { TILE_ROWS = 2 };
#endif

/* The dot products of `count` (16 or 32) codes: R rows by V vectors of 4 tokens. q is in the lane layout, from the first of these tokens on. */
#if defined(__ARM_FEATURE_MATMUL_INT8)
#define EIGHTS true
INLINE void gemm_dots(const uint8_t *codes, size_t stride, const int8_t *q, unsigned count, unsigned R, unsigned V, bool wide,
                      int32x4_t dot[TILE_ROWS][2]) {
  (void)wide;
  int32x4_t sum[2][4]; /* of 2 rows and 2 tokens each */
  for (unsigned r = 0; r < (R + 1) / 2; r++)
    for (unsigned c = 0; c < 2 * V; c++) sum[r][c] = vdupq_n_s32(0);
  for (unsigned k = 0; k < count; k += 16) {
    int64x2_t low[2], high[2];
    for (unsigned r = 0; r < R; r += 2) {
      int64x2_t w0 = vreinterpretq_s64_u8(vld1q_u8(codes + r * stride + k));
      int64x2_t w1 = r + 1 < R ? vreinterpretq_s64_u8(vld1q_u8(codes + (r + 1) * stride + k)) : w0;
      low[r / 2] = vzip1q_s64(w0, w1);
      high[r / 2] = vzip2q_s64(w0, w1);
    }
    for (unsigned c = 0; c < 2 * V; c++) {
      int8x16_t a = vld1q_s8(q + k * RT_TOKENS + 16 * c), b = vld1q_s8(q + (k + 8) * RT_TOKENS + 16 * c);
      for (unsigned r = 0; r < (R + 1) / 2; r++) {
        sum[r][c] = vmmlaq_s32(sum[r][c], vreinterpretq_s8_s64(low[r]), a);
        sum[r][c] = vmmlaq_s32(sum[r][c], vreinterpretq_s8_s64(high[r]), b);
      }
    }
  }
  for (unsigned r = 0; r < R; r++)
    for (unsigned v = 0; v < V; v++) {
      int64x2_t a = vreinterpretq_s64_s32(sum[r / 2][2 * v]), b = vreinterpretq_s64_s32(sum[r / 2][2 * v + 1]);
      dot[r][v] = vreinterpretq_s32_s64(r & 1 ? vzip2q_s64(a, b) : vzip1q_s64(a, b));
    }
}
#elif defined(__ARM_FEATURE_DOTPROD)
#define EIGHTS false
INLINE void gemm_dots(const uint8_t *codes, size_t stride, const int8_t *q, unsigned count, unsigned R, unsigned V, bool wide,
                      int32x4_t dot[TILE_ROWS][2]) {
  (void)wide;
  for (unsigned r = 0; r < R; r++)
    for (unsigned v = 0; v < V; v++) dot[r][v] = vdupq_n_s32(0);
  for (unsigned k = 0; k < count; k += 16) {
    int8x16_t w[TILE_ROWS];
    for (unsigned r = 0; r < R; r++) w[r] = vreinterpretq_s8_u8(vld1q_u8(codes + r * stride + k));
    for (unsigned v = 0; v < V; v++) {
#define STEP(lane)                                                          \
  {                                                                         \
    int8x16_t a = vld1q_s8(q + (k + 4 * lane) * RT_TOKENS + 16 * v);        \
    for (unsigned r = 0; r < R; r++) dot[r][v] = vdotq_laneq_s32(dot[r][v], a, w[r], lane); \
  }
      STEP(0) STEP(1) STEP(2) STEP(3)
#undef STEP
    }
  }
}
#else
#define EIGHTS false
/* Products of 4 codes of R rows with V vectors of 4 tokens; of 2 tokens in each sum. */
INLINE void gemm_products(const uint8_t *codes, size_t stride, const int8_t *q, unsigned R, unsigned V, bool first, int16x8_t sum[TILE_ROWS][4]) {
  int8x16_t a[2];
  for (unsigned v = 0; v < V; v++) a[v] = vld1q_s8(q + 16 * v);
  for (unsigned r = 0; r < R; r++) {
    int8x8_t w = vreinterpret_s8_s32(vld1_dup_s32((const int32_t *)(const void *)(codes + r * stride)));
    for (unsigned v = 0; v < V; v++) {
      int8x8_t low = vget_low_s8(a[v]), high = vget_high_s8(a[v]);
      sum[r][2 * v] = first ? vmull_s8(low, w) : vmlal_s8(sum[r][2 * v], low, w);
      sum[r][2 * v + 1] = first ? vmull_s8(high, w) : vmlal_s8(sum[r][2 * v + 1], high, w);
    }
  }
}
INLINE void gemm_dots(const uint8_t *codes, size_t stride, const int8_t *q, unsigned count, unsigned R, unsigned V, bool wide,
                      int32x4_t dot[TILE_ROWS][2]) {
  const unsigned most = count / 4 < 8 ? count / 4 : 8, step = wide ? 2 : most; /* products of a lane that fit in 16 bits */
  int32x4_t pairs[TILE_ROWS][4]; /* of 2 tokens, in two sums each */
  for (unsigned r = 0; r < R; r++)
    for (unsigned c = 0; c < 2 * V; c++) pairs[r][c] = vdupq_n_s32(0);
#pragma GCC unroll 4
  for (unsigned from = 0; from < count / 4; from += step) {
    int16x8_t sum[TILE_ROWS][4];
    gemm_products(codes + 4 * from, stride, q + from * 4 * RT_TOKENS, R, V, true, sum);
#pragma GCC unroll 8
    for (unsigned k = from + 1; k < from + step; k++) gemm_products(codes + 4 * k, stride, q + k * 4 * RT_TOKENS, R, V, false, sum);
    for (unsigned r = 0; r < R; r++)
      for (unsigned c = 0; c < 2 * V; c++) pairs[r][c] = vpadalq_s16(pairs[r][c], sum[r][c]);
  }
  for (unsigned r = 0; r < R; r++)
    for (unsigned v = 0; v < V; v++) dot[r][v] = pair_sums(pairs[r][2 * v], pairs[r][2 * v + 1]);
}
#endif

/* R rows by V vectors of 4 tokens, from token `from` of the tile on; out: (R, 16). All but the places are constants where this is inlined. */
INLINE void gemm_tile(const panel *p, uint32_t row, const rt_inputs *in, uint32_t tile, unsigned from, unsigned R, unsigned V, unsigned sub,
                      bool min, bool wide, float *out) {
  const size_t cols = p->cols, groups = p->groups, subs = p->subs, group = sub ? 256 : 32, part = sub ? sub : 32, per_group = group / part;
  const uint8_t *codes = p->codes + row * cols;
  const float *d = p->d + row * groups, *m = p->m + row * groups;
  const int8_t *q = in->q + tile * RT_TOKENS * cols + from * (EIGHTS ? 8 : 4);
  const float *da = in->d + tile * RT_TOKENS * groups + from;
  const int16_t *sums = in->sums + tile * RT_TOKENS * (cols / RT_SUM) + from * 2;
  v4f acc[TILE_ROWS][2];
  for (unsigned r = 0; r < R; r++)
    for (unsigned v = 0; v < V; v++) acc[r][v] = splat4(0.0f);
  for (size_t g = 0; g < groups; g++) {
    int32x4_t isum[TILE_ROWS][2], msum[TILE_ROWS][2];
    if (!sub) {
      gemm_dots(codes + g * 32, cols, q + g * 32 * RT_TOKENS, 32, R, V, wide, isum);
      if (min)
        for (unsigned v = 0; v < V; v++) msum[0][v] = vpaddlq_s16(vld1q_s16(sums + g * 2 * RT_TOKENS + 8 * v));
    } else {
      for (unsigned r = 0; r < R; r++)
        for (unsigned v = 0; v < V; v++) isum[r][v] = msum[r][v] = vdupq_n_s32(0);
#pragma GCC unroll 1
      for (size_t s = 0; s < per_group; s++) {
        int32x4_t dot[TILE_ROWS][2];
        gemm_dots(codes + g * 256 + s * sub, cols, q + (g * 256 + s * sub) * RT_TOKENS, sub, R, V, wide, dot);
        for (unsigned r = 0; r < R; r++) {
          int32_t scale = p->scales[(row + r) * subs + g * per_group + s];
          for (unsigned v = 0; v < V; v++) isum[r][v] = vmlaq_n_s32(isum[r][v], dot[r][v], scale);
        }
      }
      for (unsigned k = 0; k < 8 && min; k++) /* 32 elements: one sub-block of 32, or a pair of 16 */
        for (unsigned v = 0; v < V; v++) {
          int16x8_t pair = vld1q_s16(sums + (g * 8 + k) * 2 * RT_TOKENS + 8 * v);
          int32x4_t both = vpaddlq_s16(pair);
          for (unsigned r = 0; r < R; r++) {
            const int16_t *mins = p->mins + (row + r) * subs + g * per_group;
            if (sub == 32) {
              msum[r][v] = vmlaq_n_s32(msum[r][v], both, mins[k]);
            } else {
              int16x4_t w = vreinterpret_s16_s32(vld1_dup_s32((const int32_t *)(const void *)(mins + 2 * k)));
              msum[r][v] = vaddq_s32(msum[r][v], pair_sums(vmull_s16(vget_low_s16(pair), w), vmull_s16(vget_high_s16(pair), w)));
            }
          }
        }
    }
    for (unsigned v = 0; v < V; v++) {
      v4f scale = load4(da + g * RT_TOKENS + 4 * v);
      for (unsigned r = 0; r < R; r++) {
        v4f t = splat4(d[r * groups + g]) * to_float(isum[r][v]);
        if (min && sub) t = t - splat4(m[r * groups + g]) * to_float(msum[r][v]);
        if (min && !sub) t = t + splat4(m[r * groups + g]) * to_float(msum[0][v]);
        acc[r][v] = acc[r][v] + scale * t;
      }
    }
  }
  for (unsigned r = 0; r < R; r++)
    for (unsigned v = 0; v < V; v++) memcpy(out + r * RT_TOKENS + from + 4 * v, &acc[r][v], sizeof acc[r][v]);
}

/* All rows of the panel against 4 or 8 tokens. */
INLINE void gemm_rows(const panel *p, uint32_t rows, const rt_inputs *in, uint32_t tile, unsigned from, bool eight, unsigned sub, bool min,
                      bool wide, float *out) {
  uint32_t r = 0;
  for (; r + TILE_ROWS <= rows; r += TILE_ROWS) {
    if (eight) gemm_tile(p, r, in, tile, from, TILE_ROWS, 2, sub, min, wide, out + r * RT_TOKENS);
    else gemm_tile(p, r, in, tile, from, TILE_ROWS, 1, sub, min, wide, out + r * RT_TOKENS);
  }
  for (; r < rows; r++) {
    if (eight) gemm_tile(p, r, in, tile, from, 1, 2, sub, min, wide, out + r * RT_TOKENS);
    else gemm_tile(p, r, in, tile, from, 1, 1, sub, min, wide, out + r * RT_TOKENS);
  }
}

typedef void gemm_kernel(const panel *, uint32_t, const rt_inputs *, uint32_t, unsigned, bool, float *);
#define GEMM(NAME, SUB, MIN, WIDE)                                                                                                            \
  static void NAME(const panel *p, uint32_t rows, const rt_inputs *in, uint32_t tile, unsigned from, bool eight, float *out) { \
    gemm_rows(p, rows, in, tile, from, eight, SUB, MIN, WIDE, out);                                                                           \
  }
GEMM(gemm_32, 0, false, false)
GEMM(gemm_32_wide, 0, false, true)
GEMM(gemm_32_min, 0, true, false)
GEMM(gemm_256_16, 16, false, false)
GEMM(gemm_256_16_min, 16, true, false)
GEMM(gemm_256_32, 32, false, false)
GEMM(gemm_256_32_wide, 32, false, true)
GEMM(gemm_256_32_min, 32, true, false)

/* Signed, no code is wide but those with zero 128: every other is in -32..63. */
INLINE bool is_wide(const rt_panel_format *f) { return f->max_code > 63; }

static gemm_kernel *gemm_kernel_for(const rt_panel_format *f) {
  if (f->sub == 0) return f->min ? gemm_32_min : is_wide(f) ? gemm_32_wide : gemm_32;
  if (f->sub == 16) return f->min ? gemm_256_16_min : gemm_256_16;
  return f->min ? gemm_256_32_min : is_wide(f) ? gemm_256_32_wide : gemm_256_32;
}

/* out (rows, 16) to y, for `tokens` tokens. */
static void store_results(const float *out, uint32_t rows, uint32_t tokens, float *y, size_t y_stride) {
  uint32_t r = 0;
  for (; r + 4 <= rows; r += 4)
    for (uint32_t i = 0; i < tokens; i += 4) {
      const float *at = out + r * RT_TOKENS + i;
      v4f a = load4(at), b = load4(at + RT_TOKENS), c = load4(at + 2 * RT_TOKENS), d = load4(at + 3 * RT_TOKENS);
      v4f ab0 = __builtin_shufflevector(a, b, 0, 4, 1, 5), ab1 = __builtin_shufflevector(a, b, 2, 6, 3, 7);
      v4f cd0 = __builtin_shufflevector(c, d, 0, 4, 1, 5), cd1 = __builtin_shufflevector(c, d, 2, 6, 3, 7);
      v4f column[4] = {__builtin_shufflevector(ab0, cd0, 0, 1, 4, 5), __builtin_shufflevector(ab0, cd0, 2, 3, 6, 7),
                       __builtin_shufflevector(ab1, cd1, 0, 1, 4, 5), __builtin_shufflevector(ab1, cd1, 2, 3, 6, 7)};
      for (uint32_t k = 0; k < 4 && i + k < tokens; k++) memcpy(y + (i + k) * y_stride + r, &column[k], sizeof column[k]);
    }
  for (; r < rows; r++)
    for (uint32_t i = 0; i < tokens; i++) y[i * y_stride + r] = out[r * RT_TOKENS + i];
}

static void gemm(const rt_strip *strip) {
  const rt_inputs *in = strip->inputs;
  panel p = panel_layout(strip);
  panel_fill(&p, strip->w, strip->first, strip->rows);
  if (p.format.zero) {
    const uint8x16_t zero = vdupq_n_u8(p.format.zero);
    for (size_t i = 0; i < (size_t)strip->rows * p.cols; i += 16) vst1q_u8(p.codes + i, vsubq_u8(vld1q_u8(p.codes + i), zero));
  }
  gemm_kernel *kernel = gemm_kernel_for(&p.format);
  float *out = (float *)(void *)p.rest;
  for (uint32_t i = 0; i < in->n; i += RT_TOKENS) {
    uint32_t tokens = in->n - i < RT_TOKENS ? in->n - i : RT_TOKENS;
    for (uint32_t from = 0; from < tokens; from += 8) kernel(&p, strip->rows, in, i / RT_TOKENS, from, tokens - from > 4, out);
    store_results(out, strip->rows, tokens, strip->y + i * strip->y_stride, strip->y_stride);
  }
}

#define NEON_KERNELS(NAME) {.name = NAME, .gemm_from = 5, .eights = EIGHTS, .dot = dot, .gemm = gemm, RT_FLOAT_OPS}

#endif
