/* neon.h - the integer kernels of 64-bit and 32-bit ARM, compiled once for each tier: neon.c (every core with NEON), neon_dotprod.c (SDOT:
 * Cortex-A55, A76 and later), neon_i8mm.c (SMMLA too: Cortex-A510, A710, Neoverse V1 and later). Here are products of matrices; neon_gemv.h
 * has those with one token or a few, and what would be the same code twice is inherited from the tier below (neon_inherited.h).
 *
 * All ARM products take signed bytes, so codes have their zero subtracted. Plain NEON adds products in 16 bits: 8 of them fit where no code
 * is beyond -32..32, 4 where none is beyond -64..64, else 2 ("wide"). Matrix products: 4 weight rows by 8 tokens, tokens in the lanes. Few
 * tokens: 4 rows along their codes, the hot types straight from the file's blocks, and the rows sit in the lanes of the float sums.
 * Invariant: integer sums in any order, float operations in the order of portable.c, and on generic vectors: 32-bit NEON flushes
 * subnormals, so GCC compiles those to VFP there.
 */
#ifndef RT_KERNELS_NEON_H
#define RT_KERNELS_NEON_H

#include <arm_neon.h>

#include "../../base/lanes.h"
#include "../panel_strip.h"

INLINE v4f to_float(int32x4_t v) { return (v4f)vcvtq_f32_s32(v); }
INLINE v4f splat4(float x) { return (v4f){x, x, x, x}; }
INLINE v4f load4(const float *p) {
  v4f v;
  memcpy(&v, p, sizeof v);
  return v;
}

INLINE int16x8_t product_low(int8x16_t a, int8x16_t b) { return vmull_s8(vget_low_s8(a), vget_low_s8(b)); }
INLINE int16x8_t add_product_low(int16x8_t sum, int8x16_t a, int8x16_t b) { return vmlal_s8(sum, vget_low_s8(a), vget_low_s8(b)); }
#if defined(__aarch64__)
INLINE int16x8_t product_high(int8x16_t a, int8x16_t b) { return vmull_high_s8(a, b); }
INLINE int16x8_t add_product_high(int16x8_t sum, int8x16_t a, int8x16_t b) { return vmlal_high_s8(sum, a, b); }
INLINE int16x8_t pair_sums_16(int16x8_t a, int16x8_t b) { return vpaddq_s16(a, b); }
INLINE int32x4_t pair_sums(int32x4_t a, int32x4_t b) { return vpaddq_s32(a, b); }
#define SCALED(sum, dot, scales, lane) vmlaq_laneq_s32(sum, dot, scales, lane)
#define SPREAD(v, lane) vdupq_laneq_s32(v, lane)
#else
INLINE int16x8_t product_high(int8x16_t a, int8x16_t b) { return vmull_s8(vget_high_s8(a), vget_high_s8(b)); }
INLINE int16x8_t add_product_high(int16x8_t sum, int8x16_t a, int8x16_t b) { return vmlal_s8(sum, vget_high_s8(a), vget_high_s8(b)); }
INLINE int16x8_t pair_sums_16(int16x8_t a, int16x8_t b) {
  return vcombine_s16(vpadd_s16(vget_low_s16(a), vget_high_s16(a)), vpadd_s16(vget_low_s16(b), vget_high_s16(b)));
}
INLINE int32x4_t pair_sums(int32x4_t a, int32x4_t b) {
  return vcombine_s32(vpadd_s32(vget_low_s32(a), vget_high_s32(a)), vpadd_s32(vget_low_s32(b), vget_high_s32(b)));
}
#define HALF(v, lane) ((lane) < 2 ? vget_low_s32(v) : vget_high_s32(v))
#define SCALED(sum, dot, scales, lane) vmlaq_lane_s32(sum, dot, HALF(scales, lane), (lane) & 1)
#define SPREAD(v, lane) vdupq_lane_s32(HALF(v, lane), (lane) & 1)
#endif
/* The sums of four vectors, side by side. */
INLINE int32x4_t sums_of_4(const int32x4_t v[4]) { return pair_sums(pair_sums(v[0], v[1]), pair_sums(v[2], v[3])); }

/* Products of 32 codes with four in each sum: they fit where no weight is beyond -64..64. */
INLINE int16x8_t products_32(const int8x16_t w[2], const int8x16_t a[2]) {
  int16x8_t sum = add_product_high(product_low(w[0], a[0]), w[0], a[0]);
  return add_product_high(add_product_low(sum, w[1], a[1]), w[1], a[1]);
}

/* The products of 16 or 32 signed codes, spread over the lanes in any way. */
INLINE int32x4_t dot16(int8x16_t w, int8x16_t a) {
#if defined(__ARM_FEATURE_DOTPROD)
  return vdotq_s32(vdupq_n_s32(0), w, a);
#else
  return vpaddlq_s16(add_product_high(product_low(w, a), w, a));
#endif
}
INLINE int32x4_t dot32(const int8x16_t w[2], const int8x16_t a[2], bool wide) {
#if defined(__ARM_FEATURE_DOTPROD)
  (void)wide;
  return vdotq_s32(dot16(w[0], a[0]), w[1], a[1]);
#else
  if (!wide) return vpaddlq_s16(products_32(w, a));
  return vpadalq_s16(dot16(w[0], a[0]), add_product_high(product_low(w[1], a[1]), w[1], a[1]));
#endif
}

/* ---- matrix times matrix ---- */

/* Four rows of a panel side by side: codes without their zero (cols / UNIT, 4, UNIT), d and m (groups, 4), scales and mins (subs, 4). A
 * kernel takes TILE_ROWS of them at once, which is what its sums have registers for, the first being row `h`. */
#if defined(__aarch64__)
enum { QUAD = 4, TILE_ROWS = 4 };
#else
enum { QUAD = 4, TILE_ROWS = 2 };
#endif
enum { SIDE = 8 };                           /* tokens side by side in the lane layout: what a kernel takes at once */
#define EACH_ROW(DO) DO(0) DO(1) DO(2) DO(3) /* lanes of instructions are literals */
#define HAS_ROW(r) ((r) >= h && (r) < h + TILE_ROWS)

/* The dot products of `count` (16 or 32) codes of the quad: TILE_ROWS rows by V vectors of 4 tokens. q is in the lane layout, from the
 * first of these tokens on. */
#if defined(__ARM_FEATURE_MATMUL_INT8)
enum { UNIT = 8 };
INLINE void gemm_dots(const int8_t *codes, unsigned h, const int8_t *q, unsigned count, unsigned V, bool wide,
                      int32x4_t dot[TILE_ROWS][2]) {
  (void)wide, (void)h;
  int32x4_t sum[2][4]; /* of 2 rows and 2 tokens each */
  for (unsigned r = 0; r < 2; r++)
    for (unsigned c = 0; c < 2 * V; c++) sum[r][c] = vdupq_n_s32(0);
#pragma GCC unroll 2
  for (unsigned k = 0; k < count; k += 2 * UNIT) {
    int8x16x4_t w = vld1q_s8_x4(codes + k * QUAD);
    for (unsigned u = 0; u < 2; u++) {
      int8x16x4_t a = vld1q_s8_x4(q + (k + u * UNIT) * SIDE);
      for (unsigned c = 0; c < 2 * V; c++)
        for (unsigned r = 0; r < 2; r++) sum[r][c] = vmmlaq_s32(sum[r][c], w.val[2 * u + r], a.val[c]);
    }
  }
  for (unsigned r = 0; r < TILE_ROWS; r++)
    for (unsigned v = 0; v < V; v++) {
      int64x2_t a = vreinterpretq_s64_s32(sum[r / 2][2 * v]), b = vreinterpretq_s64_s32(sum[r / 2][2 * v + 1]);
      dot[r][v] = vreinterpretq_s32_s64(r & 1 ? vzip2q_s64(a, b) : vzip1q_s64(a, b));
    }
}
#elif defined(__ARM_FEATURE_DOTPROD)
enum { UNIT = 4 };
INLINE void gemm_dots(const int8_t *codes, unsigned h, const int8_t *q, unsigned count, unsigned V, bool wide,
                      int32x4_t dot[TILE_ROWS][2]) {
  (void)wide, (void)h;
  for (unsigned r = 0; r < TILE_ROWS; r++)
    for (unsigned v = 0; v < V; v++) dot[r][v] = vdupq_n_s32(0);
#pragma GCC unroll 2
  for (unsigned k = 0; k < count; k += 4 * UNIT) {
    int8x16x4_t w = vld1q_s8_x4(codes + k * QUAD);
    for (unsigned u = 0; u < 4; u += 2) {
      int8x16x4_t a = vld1q_s8_x4(q + (k + u * UNIT) * SIDE);
      for (unsigned i = 0; i < 2; i++)
        for (unsigned v = 0; v < V; v++) {
#define ROW(r) dot[r][v] = vdotq_laneq_s32(dot[r][v], a.val[2 * i + v], w.val[u + i], r);
          EACH_ROW(ROW)
#undef ROW
        }
    }
  }
}
#else
enum { UNIT = 4 };
INLINE void gemm_dots(const int8_t *codes, unsigned h, const int8_t *q, unsigned count, unsigned V, bool wide,
                      int32x4_t dot[TILE_ROWS][2]) {
  const unsigned most = wide ? 2 : count / UNIT; /* products of a lane that are added in 16 bits */
  int32x4_t pairs[TILE_ROWS][4];                 /* of 2 tokens each, two sums side by side for either */
#pragma GCC unroll 4
  for (unsigned k = 0; k < count; k += most * UNIT) {
    int16x8_t sum[TILE_ROWS][4];
#define ROW(r)                                                                                  \
  if (HAS_ROW(r)) {                                                                             \
    int16x8_t *s = sum[r - h];                                                                  \
    int8x16_t four = vreinterpretq_s8_s32(SPREAD(w, r));                                        \
    for (unsigned v = 0; v < V; v++) {                                                          \
      s[2 * v] = i ? add_product_low(s[2 * v], a[v], four) : product_low(a[v], four);           \
      s[2 * v + 1] = i ? add_product_high(s[2 * v + 1], a[v], four) : product_high(a[v], four); \
    }                                                                                           \
  }
#pragma GCC unroll 8
    for (unsigned i = 0; i < most; i++) {
      int32x4_t w = vld1q_s32((const int32_t *)(const void *)(codes + (k + i * UNIT) * QUAD));
      int8x16_t a[2];
      for (unsigned v = 0; v < V; v++) a[v] = vld1q_s8(q + (k + i * UNIT) * SIDE + 16 * v);
      EACH_ROW(ROW)
    }
#undef ROW
    for (unsigned r = 0; r < TILE_ROWS; r++)
      for (unsigned c = 0; c < 2 * V; c++) pairs[r][c] = k ? vpadalq_s16(pairs[r][c], sum[r][c]) : vpaddlq_s16(sum[r][c]);
  }
  for (unsigned r = 0; r < TILE_ROWS; r++)
    for (unsigned v = 0; v < V; v++) dot[r][v] = pair_sums(pairs[r][2 * v], pairs[r][2 * v + 1]);
}
#endif

/* One quad, and the tokens of one tile from a multiple of SIDE on. */
typedef struct gemm_place {
  const int8_t *codes, *q;
  const float *d, *m, *da;
  const int32_t *scales;
  const int16_t *mins, *sums;
} gemm_place;

/* TILE_ROWS rows of the quad by V vectors of 4 tokens; out: (4, 16). All but the place is constant where this is inlined. */
INLINE void gemm_tile(gemm_place at, size_t groups, unsigned h, unsigned V, unsigned sub, bool min, bool wide, float *out) {
  const size_t per_group = sub ? 256 / sub : 1;
  v4f acc[TILE_ROWS][2];
  for (unsigned r = 0; r < TILE_ROWS; r++)
    for (unsigned v = 0; v < V; v++) acc[r][v] = splat4(0.0f);
  for (size_t g = 0; g < groups; g++) {
    int32x4_t isum[TILE_ROWS][2], msum[TILE_ROWS][2];
    if (!sub) {
      gemm_dots(at.codes + g * 32 * QUAD, h, at.q + g * 32 * SIDE, 32, V, wide, isum);
      for (unsigned v = 0; v < V && min; v++) msum[0][v] = vpaddlq_s16(vld1q_s16(at.sums + g * 2 * RT_TOKENS + 8 * v));
    } else {
      for (unsigned r = 0; r < TILE_ROWS; r++)
        for (unsigned v = 0; v < V; v++) isum[r][v] = msum[r][v] = vdupq_n_s32(0);
#pragma GCC unroll 1
      for (size_t s = 0; s < per_group; s++) {
        int32x4_t dot[TILE_ROWS][2], scale = vld1q_s32(at.scales + (g * per_group + s) * QUAD);
        gemm_dots(at.codes + (g * 256 + s * sub) * QUAD, h, at.q + (g * 256 + s * sub) * SIDE, sub, V, wide, dot);
#define ROW(r)    \
  if (HAS_ROW(r)) \
    for (unsigned v = 0; v < V; v++) isum[r - h][v] = SCALED(isum[r - h][v], dot[r - h][v], scale, r);
        EACH_ROW(ROW)
#undef ROW
      }
#pragma GCC unroll 1
      for (unsigned k = 0; k < 8 && min; k++) /* 32 elements: one sub-block of 32, or two of 16 */
        for (unsigned v = 0; v < V; v++) {
          int16x4x2_t both = vld2_s16(at.sums + (g * 8 + k) * 2 * RT_TOKENS + 8 * v);
          int16x4_t all = vadd_s16(both.val[0], both.val[1]);
          const int16_t *of_rows = at.mins + (g * per_group + k * (32 / sub)) * QUAD;
          int16x4_t first = vld1_s16(of_rows), second = sub == 16 ? vld1_s16(of_rows + QUAD) : first;
#define ROW(r)                                                                                 \
  if (HAS_ROW(r) && sub == 32) msum[r - h][v] = vmlal_lane_s16(msum[r - h][v], all, first, r); \
  if (HAS_ROW(r) && sub == 16)                                                                 \
    msum[r - h][v] = vmlal_lane_s16(vmlal_lane_s16(msum[r - h][v], both.val[0], first, r), both.val[1], second, r);
          EACH_ROW(ROW)
#undef ROW
        }
    }
    v4f of_d = load4(at.d + g * QUAD), of_m = min ? load4(at.m + g * QUAD) : of_d;
    for (unsigned v = 0; v < V; v++) {
      v4f scale = load4(at.da + g * RT_TOKENS + 4 * v);
#define ROW(r)                                                                                    \
  if (HAS_ROW(r)) {                                                                               \
    v4f t = __builtin_shufflevector(of_d, of_d, r, r, r, r) * to_float(isum[r - h][v]);           \
    v4f of_row = __builtin_shufflevector(of_m, of_m, r, r, r, r);                                 \
    if (min) t = sub ? t - of_row * to_float(msum[r - h][v]) : t + of_row * to_float(msum[0][v]); \
    acc[r - h][v] = acc[r - h][v] + scale * t;                                                    \
  }
      EACH_ROW(ROW)
#undef ROW
    }
  }
  for (unsigned r = 0; r < TILE_ROWS; r++)
    for (unsigned v = 0; v < V; v++) memcpy(out + (h + r) * RT_TOKENS + 4 * v, &acc[r][v], sizeof acc[r][v]);
}

/* All quads of the panel against 4 or 8 tokens. */
INLINE void gemm_quads(const panel *p, uint32_t quads, const rt_inputs *in, uint32_t tile, unsigned from, bool eight, unsigned sub,
                       bool min, bool wide, float *out) {
  const size_t cols = p->cols, groups = p->groups, subs = p->subs;
  gemm_place at = {.codes = (const int8_t *)p->codes, .d = p->d, .m = p->m, .scales = p->scales, .mins = p->mins};
  at.q = in->q + (tile * RT_TOKENS + from) * cols;
  at.da = in->d + tile * RT_TOKENS * groups + from;
  at.sums = in->sums + tile * RT_TOKENS * (cols / RT_SUM) + from * 2;
  for (out += from; quads > 0; quads--, out += QUAD * RT_TOKENS) {
#pragma GCC unroll 2
    for (unsigned h = 0; h < QUAD; h += TILE_ROWS) {
      if (eight) gemm_tile(at, groups, h, 2, sub, min, wide, out);
      else gemm_tile(at, groups, h, 1, sub, min, wide, out);
    }
    at.codes += QUAD * cols;
    at.d += QUAD * groups;
    at.m += QUAD * groups;
    at.scales += QUAD * subs;
    at.mins += QUAD * subs;
  }
}

/* GCC would load far ahead and then spill: half as many instructions again. */
#if defined(__clang__)
#define IN_ORDER
#else
#define IN_ORDER __attribute__((optimize("no-schedule-insns")))
#endif
typedef void gemm_kernel(const panel *, uint32_t, const rt_inputs *, uint32_t, unsigned, bool, float *);
#define GEMM(NAME, SUB, MIN, WIDE)                                                                                                       \
  IN_ORDER static void NAME(const panel *p, uint32_t quads, const rt_inputs *in, uint32_t tile, unsigned from, bool eight, float *out) { \
    gemm_quads(p, quads, in, tile, from, eight, SUB, MIN, WIDE, out);                                                                    \
  }
GEMM(gemm_32, 0, false, false)
GEMM(gemm_32_8bit, 0, false, true)
GEMM(gemm_32_min, 0, true, false)
GEMM(gemm_sub16, 16, false, false)
GEMM(gemm_sub16_min, 16, true, false)
GEMM(gemm_sub32, 32, false, false)
GEMM(gemm_sub32_8bit, 32, false, true)
GEMM(gemm_sub32_min, 32, true, false)

/* A sub-block of 16 codes is 4 products a lane, one of 32 is 8. */
static gemm_kernel *const gemm_kernels[RT_PANEL_KINDS] = {
    [RT_PANEL_32_4BIT] = gemm_32,
    [RT_PANEL_32_5BIT] = gemm_32,
    [RT_PANEL_32_8BIT] = gemm_32_8bit,
    [RT_PANEL_32_MIN_4BIT] = gemm_32_min,
    [RT_PANEL_32_MIN_5BIT] = gemm_32_min,
    [RT_PANEL_SUB16_5BIT] = gemm_sub16,
    [RT_PANEL_SUB16_6BIT] = gemm_sub16,
    [RT_PANEL_SUB16_7BIT] = gemm_sub16,
    [RT_PANEL_SUB16_MIN] = gemm_sub16_min,
    [RT_PANEL_SUB32_6BIT] = gemm_sub32,
    [RT_PANEL_SUB32_7BIT] = gemm_sub32_8bit,
    [RT_PANEL_SUB32_8BIT] = gemm_sub32_8bit,
    [RT_PANEL_SUB32_MIN_4BIT] = gemm_sub32_min,
    [RT_PANEL_SUB32_MIN_5BIT] = gemm_sub32_min,
};

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

/* Four rows of n words, floats or integers, to (n, 4). */
INLINE void interleave_words(const void *rows, size_t n, void *out) {
  const uint8_t *from = rows;
  uint32_t *to = out;
  size_t k = 0;
  for (; k + 4 <= n; k += 4, from += 16, to += 4 * QUAD) {
    uint32x4x4_t four;
#define ROW(r) four.val[r] = vreinterpretq_u32_u8(vld1q_u8(from + r * n * 4));
    EACH_ROW(ROW)
#undef ROW
    vst4q_u32(to, four);
  }
  for (; k < n; k++, from += 4, to += QUAD)
    for (size_t r = 0; r < QUAD; r++) memcpy(to + r, from + r * n * 4, 4);
}

/* Four rows of a panel of their own into a quad of p. */
static void interleave(const panel *rows, const panel *p, uint32_t quad) {
  const size_t cols = p->cols, groups = p->groups, subs = p->subs;
  const uint8x16_t zero = vdupq_n_u8(p->format.zero);
  uint8_t *to = p->codes + quad * QUAD * cols;
  for (size_t k = 0; k < cols; k += 16, to += 16 * QUAD) {
    int32x4_t v[QUAD];
    for (unsigned r = 0; r < QUAD; r++) v[r] = vreinterpretq_s32_u8(vsubq_u8(vld1q_u8(rows->codes + r * cols + k), zero));
#if defined(__ARM_FEATURE_MATMUL_INT8)
    for (unsigned r = 0; r < QUAD; r += 2) {
      int64x2_t a = vreinterpretq_s64_s32(v[r]), b = vreinterpretq_s64_s32(v[r + 1]);
      vst1q_u8(to + 8 * r, vreinterpretq_u8_s64(vzip1q_s64(a, b)));
      vst1q_u8(to + 8 * r + 32, vreinterpretq_u8_s64(vzip2q_s64(a, b)));
    }
#else
    vst4q_s32((int32_t *)(void *)to, (int32x4x4_t){{v[0], v[1], v[2], v[3]}});
#endif
  }
  interleave_words(rows->d, groups, p->d + quad * QUAD * groups);
  if (p->format.min) interleave_words(rows->m, groups, p->m + quad * QUAD * groups);
  interleave_words(rows->scales, subs, p->scales + quad * QUAD * subs);
  for (size_t s = 0; p->format.min && s < subs; s += 8) {
    const int16_t *at = rows->mins + s;
    int16x8x4_t four = {{vld1q_s16(at), vld1q_s16(at + subs), vld1q_s16(at + 2 * subs), vld1q_s16(at + 3 * subs)}};
    vst4q_s16(p->mins + (quad * subs + s) * QUAD, four);
  }
}

static void gemm(const rt_strip *strip) {
  const rt_inputs *in = strip->inputs;
  const rt_matrix *w = strip->w;
  const panel p = panel_layout(strip), decoded = panel_of(w, p.rest, QUAD);
  const uint32_t quads = (strip->rows + QUAD - 1) / QUAD;
  for (uint32_t i = 0; i < quads; i++) {
    uint32_t left = strip->rows - i * QUAD;
    panel_fill(&decoded, w, /* past the last row is what was there before; the results go nowhere */
               strip->first + i * QUAD, left < QUAD ? left : QUAD);
    interleave(&decoded, &p, i);
  }
  gemm_kernel *kernel = gemm_kernels[w->kind];
  float *out = (float *)(void *)decoded.rest;
  for (uint32_t i = 0; i < in->n; i += RT_TOKENS) {
    uint32_t tokens = in->n - i < RT_TOKENS ? in->n - i : RT_TOKENS;
    for (uint32_t from = 0; from < tokens; from += SIDE) kernel(&p, quads, in, i / RT_TOKENS, from, tokens - from > 4, out);
    store_results(out, strip->rows, tokens, strip->y + i * strip->y_stride, strip->y_stride);
  }
}

#define NEON_KERNELS(NAME) {.name = NAME, .gemm_from = 5, .unit = UNIT, .side = SIDE, .gemv = gemv, .gemm = gemm, RT_FLOAT_OPS}

#endif
