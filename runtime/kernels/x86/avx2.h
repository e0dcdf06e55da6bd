/* avx2.h - the kernels on 256-bit registers, compiled for AVX2 (avx2.c) and for AVX2 with VNNI (avx_vnni.c, which defines VNNI as 1).
 *
 * Without VNNI products go through vpmaddubsw, unsigned codes times signed activations, two products to 16 bits. Codes up to 127 stay below
 * its saturation, and 8, 4, 2 results or 1, by the kind of the panel, are added in 16 bits before they are widened. Codes of 8 bits
 * ("wide") are made signed and enter as |w| with w's sign moved to the activation: at most 2 * 128 * 127, which still fits. With VNNI one
 * vpdpbusd does all that, and wide codes stay unsigned. The shapes are those of avx512.c, with 8 lanes for 16.
 */
#ifndef RT_KERNELS_AVX2_H
#define RT_KERNELS_AVX2_H

#include <immintrin.h>

#include "../float_ops.h"
#include "../panel_strip.h"

INLINE __m256i load_256(const void *p) { return _mm256_loadu_si256((const __m256i *)p); }
INLINE __m256i splat_u32(const uint8_t *p) { return _mm256_set1_epi32((int32_t)rt_load_u32(p)); }

/* Pairs of products; wide: codes with zero 128. The result needs no correction for the zero then. */
INLINE __m256i products(__m256i w, __m256i a, bool wide) {
  if (!wide) return _mm256_maddubs_epi16(w, a);
  w = _mm256_xor_si256(w, _mm256_set1_epi8((char)0x80));
  return _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(a, w));
}

/* acc plus the products, four by four; wide: as above. With VNNI the result still contains the zero of wide codes. */
INLINE __m256i add_products(__m256i acc, __m256i w, __m256i a, bool wide) {
#if VNNI
  (void)wide;
  return dpbusd(acc, w, a);
#else
  return _mm256_add_epi32(acc, _mm256_madd_epi16(products(w, a, wide), _mm256_set1_epi16(1)));
#endif
}
/* acc plus pairs of 16-bit products, added. */
INLINE __m256i add_pairs(__m256i acc, __m256i a, __m256i b) {
#if VNNI
  return dpwssd(acc, a, b);
#else
  return _mm256_add_epi32(acc, _mm256_madd_epi16(a, b));
#endif
}

/* ---- matrix times matrix ---- */

/* Without VNNI wide codes lie in the panel twice, signed and WIDE_ROWS rows later without their sign. */
enum { TILE_ROWS = 4, WIDE_ROWS = RT_STRIP_ROWS / 2 };

#if VNNI
/* The dot products of `count` quads of codes for R rows and 16 tokens. */
INLINE void gemm_dots(const uint8_t *w_at, size_t w_stride, const int8_t *q_at, unsigned R, unsigned count, unsigned step,
                      __m256i dot[TILE_ROWS][2]) {
  (void)step;
  for (unsigned r = 0; r < R; r++) dot[r][0] = dot[r][1] = _mm256_setzero_si256();
  for (unsigned k = 0; k < count; k++) {
    __m256i a[2] = {load_256(q_at + k * 64), load_256(q_at + k * 64 + 32)};
    for (unsigned r = 0; r < R; r++) {
      __m256i w = splat_u32(w_at + r * w_stride + 4 * k);
      for (unsigned h = 0; h < 2; h++) dot[r][h] = dpbusd(dot[r][h], w, a[h]);
    }
  }
}
#else
/* Keeps the compiler from making all products first and adding them up afterwards, for which there are not enough registers. */
#define IN_ORDER(v) __asm__("" : "+x"(v))

/* Pairs of products of `step` quads of codes for R rows and 16 tokens, added in 16 bits. */
INLINE void gemm_pairs(const uint8_t *w_at, size_t w_stride, const int8_t *q_at, unsigned R, unsigned step, __m256i sum[TILE_ROWS][2]) {
#pragma GCC unroll 8
  for (unsigned j = 0; j < step; j++) {
    __m256i a[2] = {load_256(q_at + j * 64), load_256(q_at + j * 64 + 32)};
    IN_ORDER(a[0]);
    IN_ORDER(a[1]);
#pragma GCC unroll 4
    for (unsigned r = 0; r < R; r++) {
      __m256i w = splat_u32(w_at + r * w_stride + 4 * j);
      for (unsigned h = 0; h < 2; h++) {
        __m256i pairs = _mm256_maddubs_epi16(w, a[h]);
        sum[r][h] = j ? _mm256_add_epi16(sum[r][h], pairs) : pairs;
        IN_ORDER(sum[r][h]);
      }
    }
  }
}

/* `sum` grows by the products of 8 quads of wide codes, each times its row's pair of 16-bit factors. */
INLINE void gemm_wide(const uint8_t *w_at, size_t w_stride, const int8_t *q_at, unsigned R, const __m256i factor[TILE_ROWS],
                      __m256i sum[TILE_ROWS][2]) {
#pragma GCC unroll 8
  for (unsigned j = 0; j < 8; j++) {
    __m256i a[2] = {load_256(q_at + j * 64), load_256(q_at + j * 64 + 32)};
    IN_ORDER(a[0]);
    IN_ORDER(a[1]);
#pragma GCC unroll 4
    for (unsigned r = 0; r < R; r++) {
      __m256i w = splat_u32(w_at + r * w_stride + 4 * j), size = splat_u32(w_at + (r + WIDE_ROWS) * w_stride + 4 * j);
      for (unsigned h = 0; h < 2; h++) {
        sum[r][h] = add_pairs(sum[r][h], _mm256_maddubs_epi16(size, _mm256_sign_epi8(a[h], w)), factor[r]);
        IN_ORDER(sum[r][h]);
      }
    }
  }
}

/* The dot products of `count` quads of codes for R rows and 16 tokens; `step` results at most may be added in 16 bits, 0: wide codes. */
INLINE void gemm_dots(const uint8_t *w_at, size_t w_stride, const int8_t *q_at, unsigned R, unsigned count, unsigned step,
                      __m256i dot[TILE_ROWS][2]) {
  const __m256i ones[TILE_ROWS] = {_mm256_set1_epi16(1), _mm256_set1_epi16(1), _mm256_set1_epi16(1), _mm256_set1_epi16(1)};
  (void)count; /* always 8: groups of 256 have gemm_tile_256 */
  if (step == 0) {
    for (unsigned r = 0; r < R; r++) dot[r][0] = dot[r][1] = _mm256_setzero_si256();
    gemm_wide(w_at, w_stride, q_at, R, ones, dot);
    return;
  }
#pragma GCC unroll 8
  for (unsigned k = 0; k < 8; k += step) {
    __m256i sum[TILE_ROWS][2];
    gemm_pairs(w_at + 4 * k, w_stride, q_at + k * 64, R, step, sum);
    for (unsigned r = 0; r < R; r++)
      for (unsigned h = 0; h < 2; h++) {
        __m256i wide = _mm256_madd_epi16(sum[r][h], ones[r]);
        dot[r][h] = k == 0 ? wide : _mm256_add_epi32(dot[r][h], wide);
      }
  }
}
#endif

INLINE void gemm_tile(const panel *p, uint32_t row, const rt_inputs *in, uint32_t tile, unsigned R, unsigned sub, bool min, unsigned step,
                      float *out) {
  const size_t cols = p->cols, groups = p->groups, subs = p->subs, group = sub ? 256 : 32, part = sub ? sub : 32, per_group = group / part;
  const uint8_t *codes = p->codes + row * cols;
  const float *d = p->d + row * groups, *m = p->m + row * groups;
  const int8_t *q = in->q + tile * RT_TOKENS * cols;
  const float *da = in->d + tile * RT_TOKENS * groups;
  const int16_t *sums = in->sums + tile * RT_TOKENS * (cols / RT_SUM);
  /* Which of a pair of 16-element sums a sub-block takes, times minus the zero that the products still contain. */
  const bool whole = min || (step == 0 && !VNNI); /* the products contain no zero */
  const int32_t zero = whole ? 0 : -(int32_t)p->format.zero;
  const __m256i first = _mm256_set1_epi32(zero & 0xffff), second = _mm256_set1_epi32((int32_t)((uint32_t)zero << 16));
  const __m256i both = _mm256_or_si256(first, second);
  __m256 acc[TILE_ROWS][2];
  for (unsigned r = 0; r < R; r++) acc[r][0] = acc[r][1] = _mm256_setzero_ps();
  for (size_t g = 0; g < groups; g++) {
    __m256i isum[TILE_ROWS][2];
    for (unsigned r = 0; r < R; r++) isum[r][0] = isum[r][1] = _mm256_setzero_si256();
    for (size_t s = 0; s < per_group; s++) {
      __m256i dot[TILE_ROWS][2];
      gemm_dots(codes + g * group + s * part, cols, q + (g * group + s * part) * RT_TOKENS, R, (unsigned)part / 4, step, dot);
      for (unsigned h = 0; h < 2; h++) {
        __m256i correction = _mm256_setzero_si256();
        if (!whole)
          correction = _mm256_madd_epi16(load_256(sums + ((g * group + s * part) / 32) * 2 * RT_TOKENS + h * 16), part == 32 ? both
                                                                                                                  : s & 1    ? second
                                                                                                                             : first);
        for (unsigned r = 0; r < R; r++) {
          __m256i sum = whole ? dot[r][h] : _mm256_add_epi32(dot[r][h], correction);
          if (sub) sum = _mm256_mullo_epi32(sum, _mm256_set1_epi32(p->scales[(row + r) * subs + g * per_group + s]));
          isum[r][h] = _mm256_add_epi32(isum[r][h], sum);
        }
      }
    }
    for (unsigned h = 0; h < 2; h++) {
      __m256 scale = _mm256_loadu_ps(da + g * RT_TOKENS + 8 * h);
      for (unsigned r = 0; r < R; r++) {
        __m256 t = _mm256_mul_ps(_mm256_set1_ps(d[r * groups + g]), _mm256_cvtepi32_ps(isum[r][h]));
        if (min) {
          __m256i msum = _mm256_setzero_si256();
          const int16_t *at = sums + (g * group / 32) * 2 * RT_TOKENS + h * 16;
          if (!sub) {
            msum = _mm256_madd_epi16(load_256(at), _mm256_set1_epi16(1));
          } else {
            const int16_t *mins = p->mins + (row + r) * subs + g * per_group;
            for (unsigned k = 0; k < 8; k++) {
              __m256i w = sub == 32 ? _mm256_set1_epi16(mins[k]) : splat_u32((const uint8_t *)(mins + 2 * k));
              msum = _mm256_add_epi32(msum, _mm256_madd_epi16(load_256(at + k * 2 * RT_TOKENS), w));
            }
          }
          __m256 u = _mm256_mul_ps(_mm256_set1_ps(m[r * groups + g]), _mm256_cvtepi32_ps(msum));
          t = sub ? _mm256_sub_ps(t, u) : _mm256_add_ps(t, u);
        }
        acc[r][h] = _mm256_add_ps(acc[r][h], _mm256_mul_ps(scale, t));
      }
    }
  }
  for (unsigned r = 0; r < R; r++)
    for (unsigned h = 0; h < 2; h++) _mm256_storeu_ps(out + r * RT_TOKENS + 8 * h, acc[r][h]);
}

#if !VNNI
/* Groups of 256: pairs of products are added in 16 bits as long as that is safe, then multiplied by the sub-block's scale and widened at
 * once. What the codes' zero adds goes through the sums of inputs, as minima do. */
INLINE void gemm_tile_256(const panel *p, uint32_t row, const rt_inputs *in, uint32_t tile, unsigned R, unsigned sub, bool min,
                          unsigned step, float *out) {
  const size_t cols = p->cols, groups = p->groups, subs = p->subs, per_group = 256 / sub;
  const float *d = p->d + row * groups, *m = p->m + row * groups;
  const float *da = in->d + tile * RT_TOKENS * groups;
  __m256 acc[TILE_ROWS][2];
  for (unsigned r = 0; r < R; r++) acc[r][0] = acc[r][1] = _mm256_setzero_ps();
  for (size_t g = 0; g < groups; g++) {
    const uint8_t *codes = p->codes + row * cols + g * 256;
    const int8_t *q = in->q + (tile * cols + g * 256) * RT_TOKENS;
    const int16_t *sums = in->sums + (tile * (cols / RT_SUM) + g * 16) * RT_TOKENS;
    const int32_t *scales = p->scales + row * subs + g * per_group;
    const int16_t *mins = p->mins + row * subs + g * per_group;
    __m256i isum[TILE_ROWS][2], less[TILE_ROWS][2];
    for (unsigned r = 0; r < R; r++)
      for (unsigned h = 0; h < 2; h++) isum[r][h] = less[r][h] = _mm256_setzero_si256();
    for (unsigned quad = 0; step == 0 && quad < 64; quad += 8) {
      __m256i scale[TILE_ROWS];
      for (unsigned r = 0; r < R; r++) scale[r] = _mm256_set1_epi32(scales[r * subs + 4 * quad / sub]);
      gemm_wide(codes + 4 * quad, cols, q + quad * 64, R, scale, isum);
    }
    for (unsigned quad = 0; step > 0 && quad < 64; quad += step) {
      __m256i sum[TILE_ROWS][2];
      gemm_pairs(codes + 4 * quad, cols, q + quad * 64, R, step, sum);
      for (unsigned r = 0; r < R; r++) {
        __m256i scale = _mm256_set1_epi32(scales[r * subs + 4 * quad / sub]);
        for (unsigned h = 0; h < 2; h++) isum[r][h] = add_pairs(isum[r][h], sum[r][h], scale);
      }
    }
    if (step > 0)
      for (unsigned k = 0; k < 8; k++) { /* 32 elements: one sub-block of 32, or a pair of 16 */
        __m256i pair[2] = {load_256(sums + k * 2 * RT_TOKENS), load_256(sums + k * 2 * RT_TOKENS + 16)};
        for (unsigned r = 0; r < R; r++) {
          const int16_t *at = mins + r * subs + (sub == 32 ? k : 2 * k);
          const __m256i w = sub == 32 ? _mm256_set1_epi16(*at) : splat_u32((const uint8_t *)at);
          for (unsigned h = 0; h < 2; h++) less[r][h] = add_pairs(less[r][h], pair[h], w);
        }
      }
    for (unsigned h = 0; h < 2; h++) {
      __m256 scale = _mm256_loadu_ps(da + g * RT_TOKENS + 8 * h);
      for (unsigned r = 0; r < R; r++) {
        __m256i sum = min ? isum[r][h] : _mm256_sub_epi32(isum[r][h], less[r][h]);
        __m256 t = _mm256_mul_ps(_mm256_set1_ps(d[r * groups + g]), _mm256_cvtepi32_ps(sum));
        if (min) t = _mm256_sub_ps(t, _mm256_mul_ps(_mm256_set1_ps(m[r * groups + g]), _mm256_cvtepi32_ps(less[r][h])));
        acc[r][h] = _mm256_add_ps(acc[r][h], _mm256_mul_ps(scale, t));
      }
    }
  }
  for (unsigned r = 0; r < R; r++)
    for (unsigned h = 0; h < 2; h++) _mm256_storeu_ps(out + r * RT_TOKENS + 8 * h, acc[r][h]);
}

/* Makes a panel of groups of 256 fit for gemm_tile_256: scales become pairs of 16 bits, and what the codes' zero adds becomes a minimum. */
static void fold_scales(const panel *p, uint32_t rows, bool wide) {
  const bool zero_as_min = !p->format.min && !wide;
  for (size_t i = 0; i < (size_t)rows * p->subs; i++) {
    int32_t scale = p->scales[i];
    if (zero_as_min) p->mins[i] = (int16_t)(p->format.zero * scale);
    p->scales[i] = (int32_t)((uint32_t)scale << 16 | (scale & 0xffff));
  }
}
#endif

INLINE void gemm_rows(const panel *p, uint32_t rows, const rt_inputs *in, uint32_t tile, unsigned sub, bool min, unsigned step,
                      float *out) {
  uint32_t r = 0;
#if !VNNI
  if (sub) {
    for (; r + TILE_ROWS <= rows; r += TILE_ROWS) gemm_tile_256(p, r, in, tile, TILE_ROWS, sub, min, step, out + r * RT_TOKENS);
    for (; r < rows; r++) gemm_tile_256(p, r, in, tile, 1, sub, min, step, out + r * RT_TOKENS);
    return;
  }
#endif
  for (; r + TILE_ROWS <= rows; r += TILE_ROWS) gemm_tile(p, r, in, tile, TILE_ROWS, sub, min, step, out + r * RT_TOKENS);
  for (; r < rows; r++) gemm_tile(p, r, in, tile, 1, sub, min, step, out + r * RT_TOKENS);
}

#define GEMM(NAME, SUB, MIN, STEP)                                                                  \
  static void NAME(const panel *p, uint32_t rows, const rt_inputs *in, uint32_t tile, float *out) { \
    gemm_rows(p, rows, in, tile, SUB, MIN, STEP, out);                                              \
  }
GEMM(gemm_32_4bit, 0, false, 8)
GEMM(gemm_32_5bit, 0, false, 4)
GEMM(gemm_32_8bit, 0, false, 0)
GEMM(gemm_32_min_4bit, 0, true, 8)
GEMM(gemm_32_min_5bit, 0, true, 4)
GEMM(gemm_sub16_5bit, 16, false, 4)
GEMM(gemm_sub16_6bit, 16, false, 2)
GEMM(gemm_sub16_7bit, 16, false, 1)
GEMM(gemm_sub16_min, 16, true, 4)
GEMM(gemm_sub32_6bit, 32, false, 2)
GEMM(gemm_sub32_7bit, 32, false, 1)
GEMM(gemm_sub32_8bit, 32, false, 0)
GEMM(gemm_sub32_min_4bit, 32, true, 8)
GEMM(gemm_sub32_min_5bit, 32, true, 4)

typedef void gemm_kernel(const panel *, uint32_t, const rt_inputs *, uint32_t, float *);
/* 2 * (greatest code) * 127 * step is below 2^15. */
static gemm_kernel *const gemm_kernels[RT_PANEL_KINDS] = {
    [RT_PANEL_32_4BIT] = gemm_32_4bit,
    [RT_PANEL_32_5BIT] = gemm_32_5bit,
    [RT_PANEL_32_8BIT] = gemm_32_8bit,
    [RT_PANEL_32_MIN_4BIT] = gemm_32_min_4bit,
    [RT_PANEL_32_MIN_5BIT] = gemm_32_min_5bit,
    [RT_PANEL_SUB16_5BIT] = gemm_sub16_5bit,
    [RT_PANEL_SUB16_6BIT] = gemm_sub16_6bit,
    [RT_PANEL_SUB16_7BIT] = gemm_sub16_7bit,
    [RT_PANEL_SUB16_MIN] = gemm_sub16_min,
    [RT_PANEL_SUB32_6BIT] = gemm_sub32_6bit,
    [RT_PANEL_SUB32_7BIT] = gemm_sub32_7bit,
    [RT_PANEL_SUB32_8BIT] = gemm_sub32_8bit,
    [RT_PANEL_SUB32_MIN_4BIT] = gemm_sub32_min_4bit,
    [RT_PANEL_SUB32_MIN_5BIT] = gemm_sub32_min_5bit,
};

/* Results (rows, 16 tokens) of the tokens that there are to y (tokens, y_stride), eight rows at a time. */
INLINE void store_transposed(const float *results, uint32_t rows, uint32_t tokens, float *y, size_t y_stride) {
  uint32_t r = 0;
  for (; r + 8 <= rows; r += 8)
    for (uint32_t k = 0; k < tokens; k += 8) {
      part_float square[NATIVE];
      for (unsigned i = 0; i < NATIVE; i++) square[i] = load_register(results + (r + i) * RT_TOKENS + k);
      transpose(square);
      for (unsigned i = 0; i < NATIVE && k + i < tokens; i++) store_register(y + (k + i) * y_stride + r, square[i]);
    }
  for (; r < rows; r++)
    for (uint32_t k = 0; k < tokens; k++) y[k * y_stride + r] = results[r * RT_TOKENS + k];
}

#if !VNNI
static void split_signs(const panel *p, uint32_t rows) {
  uint8_t *size = p->codes + (size_t)WIDE_ROWS * p->cols;
  for (size_t i = 0; i < (size_t)rows * p->cols; i += 32) {
    __m256i w = _mm256_xor_si256(load_256(p->codes + i), _mm256_set1_epi8((char)0x80));
    _mm256_storeu_si256((__m256i *)(void *)(p->codes + i), w);
    _mm256_storeu_si256((__m256i *)(void *)(size + i), _mm256_abs_epi8(w));
  }
}
#endif

static void gemm(const rt_strip *strip) {
  const rt_inputs *in = strip->inputs;
  panel p = panel_layout(strip);
  const rt_panel_kind kind = strip->w->kind;
  gemm_kernel *kernel = gemm_kernels[kind];
  float *out = (float *)(void *)p.rest;
  const bool wide = !VNNI && (kind == RT_PANEL_32_8BIT || kind == RT_PANEL_SUB32_8BIT);
  const uint32_t most = wide ? WIDE_ROWS : RT_STRIP_ROWS;
  for (uint32_t first = 0; first < strip->rows; first += most) {
    const uint32_t rows = strip->rows - first < most ? strip->rows - first : most;
    panel_fill(&p, strip->w, strip->first + first, rows);
#if !VNNI
    if (wide) split_signs(&p, rows);
    if (p.subs) fold_scales(&p, rows, wide);
#endif
    for (uint32_t i = 0; i < in->n; i += RT_TOKENS) {
      kernel(&p, rows, in, i / RT_TOKENS, out);
      store_transposed(out, rows, in->n - i < RT_TOKENS ? in->n - i : RT_TOKENS, strip->y + i * strip->y_stride + first, strip->y_stride);
    }
  }
}

/* ---- matrix times one or a few vectors: 8 weight rows at a time ---- */

INLINE __m256i pair_sums(__m256i a, __m256i b) { return _mm256_add_epi32(_mm256_unpacklo_epi32(a, b), _mm256_unpackhi_epi32(a, b)); }
INLINE __m256i quad_sums(const __m256i v[4]) {
  __m256i ab = pair_sums(v[0], v[1]), cd = pair_sums(v[2], v[3]);
  return _mm256_add_epi32(_mm256_unpacklo_epi64(ab, cd), _mm256_unpackhi_epi64(ab, cd));
}
/* The sums of eight vectors, side by side. */
INLINE __m256i sums_of_8(const __m256i v[8]) {
  __m256i low = quad_sums(v), high = quad_sums(v + 4);
  return _mm256_add_epi32(_mm256_permute2x128_si256(low, high, 0x20), _mm256_permute2x128_si256(low, high, 0x31));
}
INLINE __m256 column(const float *at, size_t stride) {
  return _mm256_setr_ps(at[0], at[stride], at[2 * stride], at[3 * stride], at[4 * stride], at[5 * stride], at[6 * stride], at[7 * stride]);
}

INLINE __m256 dot8_32(const panel *p, const int8_t *q, const float *da, const int16_t *sums, bool wide) {
  const size_t cols = p->cols, groups = p->groups;
  __m256 acc = _mm256_setzero_ps();
  for (size_t g = 0; g < groups; g++) {
    __m256i a = load_256(q + 32 * g), v[8];
    for (size_t r = 0; r < 8; r++) v[r] = add_products(_mm256_setzero_si256(), load_256(p->codes + r * cols + 32 * g), a, wide);
    int32_t suma = sums[2 * g] + sums[2 * g + 1];
    __m256i isum = sums_of_8(v);
    if (!wide || VNNI) isum = _mm256_sub_epi32(isum, _mm256_set1_epi32(p->format.zero * suma));
    __m256 t = _mm256_mul_ps(column(p->d + g, groups), _mm256_cvtepi32_ps(isum));
    if (p->format.min) t = _mm256_add_ps(t, _mm256_mul_ps(column(p->m + g, groups), _mm256_set1_ps((float)suma)));
    acc = _mm256_add_ps(acc, _mm256_mul_ps(_mm256_set1_ps(da[g]), t));
  }
  return acc;
}

/* One small integer for each 16 elements of a group of 256. */
INLINE __m256i per_16(const int16_t *mins, unsigned sub) {
  if (sub == 16) return load_256(mins);
  __m128i v = _mm_loadu_si128((const __m128i *)(const void *)mins);
  return _mm256_set_m128i(_mm_unpackhi_epi16(v, v), _mm_unpacklo_epi16(v, v));
}

INLINE __m256 dot8_256(const panel *p, const int8_t *q, const float *da, const int16_t *sums, unsigned sub, bool wide) {
  const size_t groups = p->groups, per_group = 256 / sub;
  __m256 acc = _mm256_setzero_ps();
  for (size_t g = 0; g < groups; g++) {
    __m256i sums16 = load_256(sums + 16 * g), v[8], u[8];
    for (size_t r = 0; r < 8; r++) {
      const uint8_t *codes = p->codes + r * p->cols + g * 256;
      const int32_t *scales = p->scales + r * p->subs + g * per_group;
      __m256i sum = _mm256_setzero_si256(), narrow;
      for (size_t k = 0; k < 8; k++) {
        __m256i s = sub == 32 ? _mm256_set1_epi16((int16_t)scales[k])
                              : _mm256_set_m128i(_mm_set1_epi16((int16_t)scales[2 * k + 1]), _mm_set1_epi16((int16_t)scales[2 * k]));
        sum = add_pairs(sum, products(load_256(codes + 32 * k), load_256(q + g * 256 + 32 * k), wide), s);
      }
      if (!wide && !p->format.min) {
        int16_t small[16];
        for (size_t k = 0; k < 16; k++) small[k] = (int16_t)scales[k * 16 / sub];
        narrow = _mm256_madd_epi16(load_256(small), sums16);
        sum = _mm256_sub_epi32(sum, _mm256_mullo_epi32(narrow, _mm256_set1_epi32(p->format.zero)));
      }
      v[r] = sum;
      if (p->format.min) u[r] = _mm256_madd_epi16(per_16(p->mins + r * p->subs + g * per_group, sub), sums16);
    }
    __m256 t = _mm256_mul_ps(column(p->d + g, groups), _mm256_cvtepi32_ps(sums_of_8(v)));
    if (p->format.min) t = _mm256_sub_ps(t, _mm256_mul_ps(column(p->m + g, groups), _mm256_cvtepi32_ps(sums_of_8(u))));
    acc = _mm256_add_ps(acc, _mm256_mul_ps(_mm256_set1_ps(da[g]), t));
  }
  return acc;
}

/* ---- matrix times one or a few vectors, straight from the file's blocks for the most used types ---- */

/* Eight rows in place, and up to MOST_TOKENS inputs. */
enum { MOST_TOKENS = 4, DIRECT_ROWS = 8 };
#include "../direct.h"

/* Fetches `bytes` from `at` on of what comes next. Without a branch: a line twice costs less than a wrong guess. */
INLINE void prefetch_next(const direct *x, size_t at, size_t bytes) {
#pragma GCC unroll 8
  for (size_t k = 0; k < bytes; k += 64) _mm_prefetch((const char *)x->next + at + k, _MM_HINT_T1);
}
/* The halves that stand at `at` in the eight rows, and in *second those after them, where `two` says that there are such. Not by way of
 * memory: reading eight stores at once would wait for all of them. */
INLINE __m256 halves8(const direct *x, size_t at, bool two, __m256 *second) {
  __m128i v[8];
  for (size_t r = 0; r < 8; r++) v[r] = _mm_cvtsi32_si128((int32_t)(two ? rt_load_u32(x->row[r] + at) : rt_load_u16(x->row[r] + at)));
  for (size_t r = 0; r < 8; r += 2) v[r] = _mm_unpacklo_epi16(v[r], v[r + 1]);
  __m128i low = _mm_unpacklo_epi32(v[0], v[2]), high = _mm_unpacklo_epi32(v[4], v[6]);
  if (second) *second = _mm256_cvtph_ps(_mm_unpackhi_epi64(low, high));
  return _mm256_cvtph_ps(_mm_unpacklo_epi64(low, high));
}
INLINE __m256i two_128(const uint8_t *low, const uint8_t *high) {
  return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)low)),
                                 _mm_loadu_si128((const __m128i *)(const void *)high), 1);
}

/* Float step of one group for 8 rows. */
INLINE __m256 step_32(__m256 acc, __m256i isum, __m256 d, __m256 m, float da, int32_t suma, bool min) {
  __m256 t = _mm256_mul_ps(d, _mm256_cvtepi32_ps(isum));
  if (min) t = _mm256_add_ps(t, _mm256_mul_ps(m, _mm256_set1_ps((float)suma)));
  return _mm256_add_ps(acc, _mm256_mul_ps(_mm256_set1_ps(da), t));
}

/* Of four rows' vectors of int32 the sums of each four neighbours, row beside row; all in between must fit in 16 bits. */
INLINE __m256i quad_sums_16(const __m256i v[4]) {
  const __m256i ones = _mm256_set1_epi16(1);
  __m256i ab = _mm256_madd_epi16(_mm256_packs_epi32(v[0], v[1]), ones), cd = _mm256_madd_epi16(_mm256_packs_epi32(v[2], v[3]), ones);
  return _mm256_madd_epi16(_mm256_packs_epi32(ab, cd), ones);
}

/* Q4_0, Q4_1: eight rows times one or two blocks that end in 16 bytes of nibbles. The low nibbles of both are one vector, the high nibbles
 * another. A lane of 8 products is at most 8 * 15 * 127, so adding up four of them takes 16 bits. */
INLINE void nibbles_step(const direct *x, unsigned T, size_t g, bool two, size_t bytes, bool min, __m256 acc[MOST_TOKENS]) {
  const __m256i low_nibble = _mm256_set1_epi8(15);
  __m256i low[MOST_TOKENS], high[MOST_TOKENS], v[MOST_TOKENS][8];
  for (unsigned t = 0; t < T; t++) {
    __m256i a = load_256(x->q + t * x->cols + g * 32), b = two ? load_256(x->q + t * x->cols + g * 32 + 32) : _mm256_setzero_si256();
    low[t] = _mm256_permute2x128_si256(a, b, 0x20);
    high[t] = _mm256_permute2x128_si256(a, b, 0x31);
  }
#pragma GCC unroll 8
  for (size_t r = 0; r < 8; r++) {
    const uint8_t *p = x->row[r] + g * bytes;
    __m256i codes = two_128(p + bytes - 16, two ? p + 2 * bytes - 16 : p + bytes - 16);
    __m256i lo = _mm256_and_si256(codes, low_nibble), hi = _mm256_and_si256(_mm256_srli_epi16(codes, 4), low_nibble);
    for (unsigned t = 0; t < T; t++)
#if VNNI
      v[t][r] = dpbusd(dpbusd(_mm256_setzero_si256(), lo, low[t]), hi, high[t]);
#else
      v[t][r] =
          _mm256_madd_epi16(_mm256_add_epi16(_mm256_maddubs_epi16(lo, low[t]), _mm256_maddubs_epi16(hi, high[t])), _mm256_set1_epi16(1));
#endif
  }
  prefetch_next(x, g * 8 * bytes, 16 * bytes);
  __m256 d[2], m[2];
  for (size_t k = 0; k < (two ? 2 : 1); k++) d[k] = halves8(x, (g + k) * bytes, true, &m[k]);
  for (unsigned t = 0; t < T; t++) {
    __m256i a = quad_sums_16(v[t]), b = quad_sums_16(v[t] + 4);
    const int16_t *sums = x->sums + t * (x->cols / RT_SUM) + 2 * g;
    for (size_t k = 0; k < (two ? 2 : 1); k++) {
      int32_t suma = sums[2 * k] + sums[2 * k + 1];
      __m256i isum = k ? _mm256_permute2x128_si256(a, b, 0x31) : _mm256_permute2x128_si256(a, b, 0x20);
      if (!min) isum = _mm256_sub_epi32(isum, _mm256_set1_epi32(8 * suma));
      acc[t] = step_32(acc[t], isum, d[k], m[k], x->da[t * x->groups + g + k], suma, min);
    }
  }
}
INLINE void direct_nibbles(const direct *x, unsigned T, size_t bytes, bool min, __m256 acc[MOST_TOKENS]) {
  size_t g = 0;
  for (; g + 2 <= x->groups; g += 2) nibbles_step(x, T, g, true, bytes, min, acc);
  if (g < x->groups) nibbles_step(x, T, g, false, bytes, min, acc);
}

INLINE void direct_bytes(const direct *x, unsigned T, __m256 acc[MOST_TOKENS]) {
  const size_t bytes = sizeof(rt_q8_0_block);
  for (size_t g = 0; g < x->groups; g++) {
    __m256i a[MOST_TOKENS], v[MOST_TOKENS][8];
    const __m256 d = halves8(x, g * bytes, true, NULL);
    prefetch_next(x, g * 8 * bytes, 8 * bytes);
    for (unsigned t = 0; t < T; t++) a[t] = load_256(x->q + t * x->cols + g * 32);
#pragma GCC unroll 8
    for (size_t r = 0; r < 8; r++) {
      const uint8_t *p = x->row[r] + g * bytes;
      __m256i codes = _mm256_xor_si256(load_256(p + 2), _mm256_set1_epi8((char)0x80));
      for (unsigned t = 0; t < T; t++) v[t][r] = add_products(_mm256_setzero_si256(), codes, a[t], true);
    }
    for (unsigned t = 0; t < T; t++) {
      __m256i isum = sums_of_8(v[t]);
      if (VNNI) {
        const int16_t *sums = x->sums + t * (x->cols / RT_SUM) + 2 * g;
        isum = _mm256_sub_epi32(isum, _mm256_set1_epi32(128 * (sums[0] + sums[1])));
      }
      acc[t] = step_32(acc[t], isum, d, d, x->da[t * x->groups + g], 0, false);
    }
  }
}

/* Q4_K, Q5_K: each sub-block is one vector. Returns the sum in 8 parts, *msum in 4; sums32: (T) the inputs' sums of 32. */
INLINE void row_q45_k(const uint8_t *block, unsigned T, const int8_t *const q[MOST_TOKENS], const __m128i *sums32, bool five, __m256i *sum,
                      __m128i *msum) {
  const rt_q4_k_block *b4 = (const void *)block;
  const rt_q5_k_block *b5 = (const void *)block;
  const uint8_t *codes = five ? b5->codes : b4->codes;
  const __m256i low_nibble = _mm256_set1_epi8(15), sixteen = _mm256_set1_epi8(16);
  uint64_t s, m;
  rt_scales_6bit(five ? b5->scales : b4->scales, &s, &m);
  const __m256i scale = _mm256_broadcastsi128_si256(_mm_cvtepu8_epi16(_mm_cvtsi64_si128((long long)s)));
  const __m128i minimum = _mm_cvtepu8_epi16(_mm_cvtsi64_si128((long long)m));
  const __m256i high = five ? load_256(b5->high) : _mm256_setzero_si256();
  for (unsigned t = 0; t < T; t++) {
    sum[t] = _mm256_setzero_si256();
    msum[t] = _mm_madd_epi16(minimum, sums32[t]);
  }
#pragma GCC unroll 8
  for (int k = 0; k < 8; k++) {
    __m256i w = load_256(codes + 32 * (k / 2));
    w = _mm256_and_si256(k % 2 ? _mm256_srli_epi16(w, 4) : w, low_nibble);
    if (five) w = _mm256_or_si256(w, _mm256_and_si256(k < 4 ? _mm256_slli_epi16(high, 4 - k) : _mm256_srli_epi16(high, k - 4), sixteen));
    const __m256i s16 = _mm256_shuffle_epi8(scale, _mm256_set1_epi16((int16_t)(0x0100 + 0x0202 * k)));
    for (unsigned t = 0; t < T; t++) sum[t] = add_pairs(sum[t], _mm256_maddubs_epi16(w, load_256(q[t] + 32 * k)), s16);
  }
}

INLINE void row_q6_k(const uint8_t *block, unsigned T, const int8_t *const q[MOST_TOKENS], const __m256i *sums16, __m256i *sum) {
  const rt_q6_k_block *b = (const void *)block;
  const __m256i low_nibble = _mm256_set1_epi8(15), high_bits = _mm256_set1_epi8(48);
  const __m256i scale = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(const void *)b->scales));
  const __m256i scales[2] = {_mm256_permute2x128_si256(scale, scale, 0x00), _mm256_permute2x128_si256(scale, scale, 0x11)};
  for (unsigned t = 0; t < T; t++) /* 32 is the code of 0 */
    sum[t] = _mm256_sub_epi32(_mm256_setzero_si256(), _mm256_slli_epi32(_mm256_madd_epi16(scale, sums16[t]), 5));
#pragma GCC unroll 8
  for (int k = 0; k < 8; k++) {
    const __m256i high = load_256(b->high + 32 * (k / 4));
    __m256i w = load_256(b->low + 64 * (k / 4) + 32 * (k % 2));
    w = _mm256_and_si256(k % 4 >= 2 ? _mm256_srli_epi16(w, 4) : w, low_nibble);
    const __m256i upper = k % 4 == 0   ? _mm256_slli_epi16(high, 4)
                          : k % 4 == 1 ? _mm256_slli_epi16(high, 2)
                          : k % 4 == 2 ? high
                                       : _mm256_srli_epi16(high, 2);
    w = _mm256_or_si256(w, _mm256_and_si256(upper, high_bits));
    const int16_t even = (int16_t)(0x0100 + 0x0404 * (k % 4)), odd = (int16_t)(even + 0x0202);
    const __m256i s16 = _mm256_shuffle_epi8(scales[k / 4], _mm256_set_m128i(_mm_set1_epi16(odd), _mm_set1_epi16(even)));
    for (unsigned t = 0; t < T; t++) sum[t] = add_pairs(sum[t], _mm256_maddubs_epi16(w, load_256(q[t] + 32 * k)), s16);
  }
}

INLINE void direct_256(const direct *x, unsigned T, uint32_t type, size_t bytes, size_t d_at, __m256 acc[MOST_TOKENS]) {
  const bool min = type != RT_Q6_K;
  for (size_t g = 0; g < x->groups; g++) {
    __m256 m, d = halves8(x, g * bytes + d_at, min, min ? &m : NULL);
    const int8_t *q[MOST_TOKENS];
    __m256i sums16[MOST_TOKENS], v[MOST_TOKENS][8];
    __m128i sums32[MOST_TOKENS], u[MOST_TOKENS][8];
    for (unsigned t = 0; t < T; t++) {
      q[t] = x->q + t * x->cols + g * 256;
      sums16[t] = load_256(x->sums + t * (x->cols / RT_SUM) + g * 16);
      __m256i pairs = _mm256_madd_epi16(sums16[t], _mm256_set1_epi16(1));
      sums32[t] = _mm_packs_epi32(_mm256_castsi256_si128(pairs), _mm256_extracti128_si256(pairs, 1)); /* at most 32 * 127 */
    }
    for (size_t r = 0; r < 8; r++) {
      const uint8_t *block = x->row[r] + g * bytes;
      __m256i sum[MOST_TOKENS];
      __m128i msum[MOST_TOKENS];
      prefetch_next(x, (g * 8 + r) * bytes, bytes);
      if (min) row_q45_k(block, T, q, sums32, type == RT_Q5_K, sum, msum);
      else row_q6_k(block, T, q, sums16, sum);
      for (unsigned t = 0; t < T; t++) {
        v[t][r] = sum[t];
        if (min) u[t][r] = msum[t];
      }
    }
    for (unsigned t = 0; t < T; t++) {
      __m256 value = _mm256_mul_ps(d, _mm256_cvtepi32_ps(sums_of_8(v[t])));
      if (min) {
        __m256i y[4]; /* rows k and k + 4, so that the sums come out in the rows' order */
        for (size_t k = 0; k < 4; k++) y[k] = _mm256_set_m128i(u[t][k + 4], u[t][k]);
        value = _mm256_sub_ps(value, _mm256_mul_ps(m, _mm256_cvtepi32_ps(quad_sums(y))));
      }
      acc[t] = _mm256_add_ps(acc[t], _mm256_mul_ps(_mm256_set1_ps(x->da[t * x->groups + g]), value));
    }
  }
}

#define DIRECT(NAME, CALL, ...)                                            \
  static void NAME(const direct *x, unsigned T, __m256 acc[MOST_TOKENS]) { \
    switch (T) {                                                           \
      case 1: CALL(x, 1, __VA_ARGS__); break;                              \
      case 2: CALL(x, 2, __VA_ARGS__); break;                              \
      case 3: CALL(x, 3, __VA_ARGS__); break;                              \
      default: CALL(x, 4, __VA_ARGS__);                                    \
    }                                                                      \
  }
DIRECT(direct_q4_0, direct_nibbles, sizeof(rt_q4_0_block), false, acc)
DIRECT(direct_q4_1, direct_nibbles, sizeof(rt_q4_1_block), true, acc)
DIRECT(direct_q8_0, direct_bytes, acc)
DIRECT(direct_q4_k, direct_256, RT_Q4_K, sizeof(rt_q4_k_block), 0, acc)
DIRECT(direct_q5_k, direct_256, RT_Q5_K, sizeof(rt_q5_k_block), 0, acc)
DIRECT(direct_q6_k, direct_256, RT_Q6_K, sizeof(rt_q6_k_block), 208, acc)

typedef void direct_kernel(const direct *, unsigned, __m256[MOST_TOKENS]);
DIRECT_FOR

static void gemv_direct(const rt_strip *strip, direct_kernel *kernel) {
  const rt_inputs *in = strip->inputs;
  direct x = direct_open(strip);
  for (uint32_t start = 0; start < strip->rows; start += DIRECT_ROWS) {
    uint32_t rows = direct_rows(&x, strip, start);
    if (!x.next) x.next = x.row[0];
    for (uint32_t i = 0; i < in->n;) {
      unsigned left = in->n - i, T = left <= MOST_TOKENS ? left : left < 2 * MOST_TOKENS ? (left + 1) / 2 : MOST_TOKENS; /* no 4 + 1 */
      direct_input(&x, in, i);
      __m256 acc[MOST_TOKENS];
      for (unsigned t = 0; t < MOST_TOKENS; t++) acc[t] = _mm256_setzero_ps();
      kernel(&x, T, acc);
      for (unsigned t = 0; t < T; t++, i++) {
        float y[8];
        _mm256_storeu_ps(y, acc[t]);
        memcpy(strip->y + i * strip->y_stride + start, y, rows * sizeof *y);
      }
      x.next = x.row[0];
    }
  }
}

/* ---- and by way of the panel for the others ---- */

#define DOT(NAME, CALL) \
  static __m256 NAME(const panel *p, const int8_t *q, const float *da, const int16_t *sums) { return CALL; }
DOT(dot8_32_5bit, dot8_32(p, q, da, sums, false))
DOT(dot8_32_8bit, dot8_32(p, q, da, sums, true))
DOT(dot8_sub16, dot8_256(p, q, da, sums, 16, false))
DOT(dot8_sub32_7bit, dot8_256(p, q, da, sums, 32, false))
DOT(dot8_sub32_8bit, dot8_256(p, q, da, sums, 32, true))

typedef __m256 panel_kernel(const panel *, const int8_t *, const float *, const int16_t *);
static panel_kernel *const panel_kernels[RT_PANEL_KINDS] = {
    [RT_PANEL_32_4BIT] = dot8_32_5bit,           [RT_PANEL_32_5BIT] = dot8_32_5bit,           [RT_PANEL_32_8BIT] = dot8_32_8bit,
    [RT_PANEL_32_MIN_4BIT] = dot8_32_5bit,       [RT_PANEL_32_MIN_5BIT] = dot8_32_5bit,       [RT_PANEL_SUB16_5BIT] = dot8_sub16,
    [RT_PANEL_SUB16_6BIT] = dot8_sub16,          [RT_PANEL_SUB16_7BIT] = dot8_sub16,          [RT_PANEL_SUB16_MIN] = dot8_sub16,
    [RT_PANEL_SUB32_6BIT] = dot8_sub32_7bit,     [RT_PANEL_SUB32_7BIT] = dot8_sub32_7bit,     [RT_PANEL_SUB32_8BIT] = dot8_sub32_8bit,
    [RT_PANEL_SUB32_MIN_4BIT] = dot8_sub32_7bit, [RT_PANEL_SUB32_MIN_5BIT] = dot8_sub32_7bit,
};

static void gemv(const rt_strip *strip) {
  direct_kernel *direct_dot = direct_for(strip->w->type->id);
  if (direct_dot) {
    gemv_direct(strip, direct_dot);
    return;
  }
  const rt_inputs *in = strip->inputs;
  panel p = panel_layout(strip);
  panel_kernel *kernel = panel_kernels[strip->w->kind];
  for (uint32_t start = 0; start < strip->rows; start += 8) {
    uint32_t rows = strip->rows - start < 8 ? strip->rows - start : 8;
    panel_fill(&p, strip->w, strip->first + start, rows);
    for (uint32_t i = 0; i < in->n; i++) {
      float y[8];
      _mm256_storeu_ps(y,
                       kernel(&p, in->q + (size_t)i * in->cols, in->d + (size_t)i * p.groups, in->sums + (size_t)i * (in->cols / RT_SUM)));
      memcpy(strip->y + i * strip->y_stride + start, y, rows * sizeof *y);
    }
  }
}

#endif
