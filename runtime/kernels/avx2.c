/* avx2.c - AVX2 with F16C, what most x86 machines have.
 *
 * Products go through vpmaddubsw, unsigned codes times signed activations, two products to 16 bits. Codes up to 63 stay far from its
 * saturation, and 8, 4 or 2 results are added in 16 bits before they are widened. Wider codes (zero 128) are made signed and enter as |w|
 * with w's sign moved to the activation: at most 2 * 128 * 127, which still fits. The shapes are those of avx512.c, with 8 lanes for 16.
 */
#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>

#include "float_ops.h"
#include "panel_strip.h"

INLINE __m256i load_256(const void *p) { return _mm256_loadu_si256((const __m256i *)p); }
INLINE __m256i splat_u32(const uint8_t *p) { return _mm256_set1_epi32((int32_t)rt_load_u32(p)); }

/* Pairs of products; wide: codes with zero 128. The result needs no correction for the zero then. */
INLINE __m256i products(__m256i w, __m256i a, bool wide) {
  if (!wide) return _mm256_maddubs_epi16(w, a);
  w = _mm256_xor_si256(w, _mm256_set1_epi8((char)0x80));
  return _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(a, w));
}

/* ---- matrix times matrix ---- */

enum { TILE_ROWS = 4 };

/* The dot products of `count` quads of codes for R rows and 16 tokens; `step` results at most may be added in 16 bits. */
INLINE void gemm_dots(const uint8_t *w_at, size_t w_stride, const int8_t *q_at, unsigned R, unsigned count, unsigned step,
                      __m256i dot[TILE_ROWS][2]) {
  const __m256i ones = _mm256_set1_epi16(1);
  for (unsigned k = 0; k < count; k += step) {
    __m256i sum[TILE_ROWS][2];
    for (unsigned r = 0; r < R; r++) sum[r][0] = sum[r][1] = _mm256_setzero_si256();
    for (unsigned j = k; j < k + step; j++) {
      __m256i a[2] = {load_256(q_at + j * 64), load_256(q_at + j * 64 + 32)};
      for (unsigned r = 0; r < R; r++) {
        __m256i w = splat_u32(w_at + r * w_stride + 4 * j);
        for (unsigned h = 0; h < 2; h++) {
          __m256i p = products(w, a[h], step == 1);
          sum[r][h] = _mm256_add_epi16(sum[r][h], p);
        }
      }
    }
    for (unsigned r = 0; r < R; r++)
      for (unsigned h = 0; h < 2; h++) {
        __m256i wide = _mm256_madd_epi16(sum[r][h], ones);
        dot[r][h] = k == 0 ? wide : _mm256_add_epi32(dot[r][h], wide);
      }
  }
}

INLINE void gemm_tile(const panel *p, uint32_t row, const rt_inputs *in, uint32_t tile, unsigned R, unsigned sub, bool min, unsigned step,
                      float *out) {
  const size_t cols = p->cols, groups = p->groups, subs = p->subs, group = sub ? 256 : 32, part = sub ? sub : 32, per_group = group / part;
  const uint8_t *codes = p->codes + row * cols;
  const float *d = p->d + row * groups, *m = p->m + row * groups;
  const int8_t *q = in->q + tile * RT_TOKENS * cols;
  const float *da = in->d + tile * RT_TOKENS * groups;
  const int16_t *sums = in->sums + tile * RT_TOKENS * (cols / RT_SUM);
  /* Which of a pair of 16-element sums a sub-block takes, times minus the zero that the products still contain. */
  const int32_t zero = step == 1 ? 0 : -(int32_t)p->format.zero;
  const __m256i first = _mm256_set1_epi32(zero & 0xffff), second = _mm256_set1_epi32((int32_t)((uint32_t)zero << 16));
  const __m256i both = _mm256_or_si256(first, second);
  for (unsigned r = 0; r < R; r++) {
    _mm256_storeu_ps(out + r * RT_TOKENS, _mm256_setzero_ps());
    _mm256_storeu_ps(out + r * RT_TOKENS + 8, _mm256_setzero_ps());
  }
  for (size_t g = 0; g < groups; g++) {
    __m256i isum[TILE_ROWS][2];
    for (unsigned r = 0; r < R; r++) isum[r][0] = isum[r][1] = _mm256_setzero_si256();
    for (size_t s = 0; s < per_group; s++) {
      __m256i dot[TILE_ROWS][2];
      gemm_dots(codes + g * group + s * part, cols, q + (g * group + s * part) * RT_TOKENS, R, (unsigned)part / 4, step, dot);
      for (unsigned h = 0; h < 2; h++) {
        __m256i correction = _mm256_setzero_si256();
        if (!min && step != 1)
          correction = _mm256_madd_epi16(load_256(sums + ((g * group + s * part) / 32) * 2 * RT_TOKENS + h * 16), part == 32 ? both
                                                                                                                  : s & 1    ? second
                                                                                                                             : first);
        for (unsigned r = 0; r < R; r++) {
          __m256i sum = !min && step != 1 ? _mm256_add_epi32(dot[r][h], correction) : dot[r][h];
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
        float *acc = out + r * RT_TOKENS + 8 * h;
        _mm256_storeu_ps(acc, _mm256_add_ps(_mm256_loadu_ps(acc), _mm256_mul_ps(scale, t)));
      }
    }
  }
}

INLINE void gemm_rows(const panel *p, uint32_t rows, const rt_inputs *in, uint32_t tile, unsigned sub, bool min, unsigned step,
                      float *out) {
  uint32_t r = 0;
  for (; r + TILE_ROWS <= rows; r += TILE_ROWS) gemm_tile(p, r, in, tile, TILE_ROWS, sub, min, step, out + r * RT_TOKENS);
  for (; r < rows; r++) gemm_tile(p, r, in, tile, 1, sub, min, step, out + r * RT_TOKENS);
}

#define GEMM(NAME, SUB, MIN, STEP)                                                                  \
  static void NAME(const panel *p, uint32_t rows, const rt_inputs *in, uint32_t tile, float *out) { \
    gemm_rows(p, rows, in, tile, SUB, MIN, STEP, out);                                              \
  }
GEMM(gemm_32_4bit, 0, false, 8)
GEMM(gemm_32_5bit, 0, false, 4)
GEMM(gemm_32_wide, 0, false, 1)
GEMM(gemm_32_min_4bit, 0, true, 8)
GEMM(gemm_32_min_5bit, 0, true, 4)
GEMM(gemm_256_16_5bit, 16, false, 4)
GEMM(gemm_256_16_6bit, 16, false, 2)
GEMM(gemm_256_16_min, 16, true, 4)
GEMM(gemm_256_32_wide, 32, false, 1)
GEMM(gemm_256_32_6bit, 32, false, 2)
GEMM(gemm_256_32_min, 32, true, 4)

typedef void gemm_kernel(const panel *, uint32_t, const rt_inputs *, uint32_t, float *);
/* The least general kernel that serves the format; 2 * (greatest code) * 127 * step must stay below 2^15. */
static gemm_kernel *kernel_for(const rt_panel_format *f) {
  if (f->sub == 0 && f->min) return f->max_code <= 15 ? gemm_32_min_4bit : gemm_32_min_5bit;
  if (f->sub == 0) return f->max_code <= 15 ? gemm_32_4bit : f->max_code <= 31 ? gemm_32_5bit : gemm_32_wide;
  if (f->sub == 16) return f->min ? gemm_256_16_min : f->max_code <= 31 ? gemm_256_16_5bit : gemm_256_16_6bit;
  return f->min ? gemm_256_32_min : f->max_code <= 63 ? gemm_256_32_6bit : gemm_256_32_wide;
}

static void gemm(const rt_strip *strip) {
  const rt_inputs *in = strip->inputs;
  panel p = panel_layout(strip);
  panel_fill(&p, strip->w, strip->first, strip->rows);
  gemm_kernel *kernel = kernel_for(&p.format);
  float *out = (float *)(void *)p.rest;
  for (uint32_t i = 0; i < in->n; i += RT_TOKENS) {
    kernel(&p, strip->rows, in, i / RT_TOKENS, out);
    for (uint32_t k = 0; k < RT_TOKENS && i + k < in->n; k++)
      for (uint32_t r = 0; r < strip->rows; r++) strip->y[(i + k) * strip->y_stride + r] = out[r * RT_TOKENS + k];
  }
}

/* ---- matrix times few vectors: 8 weight rows at a time ---- */

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
  const __m256i ones = _mm256_set1_epi16(1);
  __m256 acc = _mm256_setzero_ps();
  for (size_t g = 0; g < groups; g++) {
    __m256i a = load_256(q + 32 * g), v[8];
    for (size_t r = 0; r < 8; r++) v[r] = _mm256_madd_epi16(products(load_256(p->codes + r * cols + 32 * g), a, wide), ones);
    int32_t suma = sums[2 * g] + sums[2 * g + 1];
    __m256i isum = sums_of_8(v);
    if (!wide) isum = _mm256_sub_epi32(isum, _mm256_set1_epi32(p->format.zero * suma));
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
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(products(load_256(codes + 32 * k), load_256(q + g * 256 + 32 * k), wide), s));
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

#define DOT(NAME, CALL) \
  static __m256 NAME(const panel *p, const int8_t *q, const float *da, const int16_t *sums) { return CALL; }
DOT(dot8_32_small, dot8_32(p, q, da, sums, false))
DOT(dot8_32_wide, dot8_32(p, q, da, sums, true))
DOT(dot8_256_16, dot8_256(p, q, da, sums, 16, false))
DOT(dot8_256_32, dot8_256(p, q, da, sums, 32, false))
DOT(dot8_256_32_wide, dot8_256(p, q, da, sums, 32, true))

static void dot(const rt_strip *strip) {
  const rt_inputs *in = strip->inputs;
  panel p = panel_layout(strip);
  const rt_panel_format *f = &p.format;
  bool wide = f->max_code > 63;
  __m256 (*kernel)(const panel *, const int8_t *, const float *, const int16_t *) = f->sub == 0    ? (wide ? dot8_32_wide : dot8_32_small)
                                                                                    : f->sub == 16 ? dot8_256_16
                                                                                    : wide         ? dot8_256_32_wide
                                                                                                   : dot8_256_32;
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

const rt_kernels rt_kernels_avx2 = {.name = "avx2", .gemm_from = 8, .dot = dot, .gemm = gemm, RT_FLOAT_OPS};
#endif
