/* avx512.c - AVX-512 with VNNI (F, BW, DQ, VL, VNNI).
 *
 * Matrix products: a tile of 6 weight rows by 32 tokens. Tokens sit in the lanes, four codes of a weight row are broadcast, and one
 * vpdpbusd does 64 products. Few tokens: 16 weight rows at a time along their codes, so that the rows sit in the lanes of the float sums.
 * Invariant: integer sums in any order, float operations in the order of portable.c.
 */
#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>

#include "../float_ops.h"
#include "../panel_strip.h"

enum { TILE_ROWS = 6 };

INLINE __m512i load_512(const void *p) { return _mm512_loadu_si512(p); }
INLINE __m512i splat_u32(const uint8_t *p) { return _mm512_set1_epi32((int32_t)rt_load_u32(p)); }

/* ---- matrix times matrix ---- */

/* R rows by V tiles of 16 tokens; out: (R, 32). All of R, V and the format's properties are constants where this is inlined. */
INLINE void gemm_tile_32(const panel *p, uint32_t row, const rt_inputs *in, uint32_t tile, unsigned R, unsigned V, bool min, float *out) {
  const size_t cols = p->cols, groups = p->groups;
  const uint8_t *codes = p->codes + row * cols;
  const float *d = p->d + row * groups, *m = p->m + row * groups;
  const int8_t *q = in->q + tile * RT_TOKENS * cols;
  const float *da = in->d + tile * RT_TOKENS * groups;
  const int16_t *sums = in->sums + tile * RT_TOKENS * (cols / RT_SUM);
  const __m512i minus_zero = _mm512_set1_epi16((int16_t)-p->format.zero), ones = _mm512_set1_epi16(1);
  __m512 acc[TILE_ROWS][2];
  for (unsigned r = 0; r < R; r++)
    for (unsigned v = 0; v < V; v++) acc[r][v] = _mm512_setzero_ps();
  for (size_t g = 0; g < groups; g++) {
    __m512i dot[TILE_ROWS][2], pairs[2];
    for (unsigned v = 0; v < V; v++) {
      pairs[v] = load_512(sums + (v * groups + g) * 2 * RT_TOKENS);
      __m512i start = min ? _mm512_setzero_si512() : _mm512_madd_epi16(pairs[v], minus_zero);
      for (unsigned r = 0; r < R; r++) dot[r][v] = start;
    }
#pragma GCC unroll 8
    for (unsigned k = 0; k < 8; k++) {
      __m512i a[2];
      for (unsigned v = 0; v < V; v++) a[v] = load_512(q + v * RT_TOKENS * cols + (g * 8 + k) * 64);
      for (unsigned r = 0; r < R; r++) {
        __m512i w = splat_u32(codes + r * cols + g * 32 + 4 * k);
        for (unsigned v = 0; v < V; v++) dot[r][v] = _mm512_dpbusd_epi32(dot[r][v], w, a[v]);
      }
    }
    for (unsigned v = 0; v < V; v++) {
      __m512 scale = _mm512_loadu_ps(da + (v * groups + g) * RT_TOKENS);
      __m512 suma = _mm512_cvtepi32_ps(_mm512_madd_epi16(pairs[v], ones));
      for (unsigned r = 0; r < R; r++) {
        __m512 t = _mm512_mul_ps(_mm512_set1_ps(d[r * groups + g]), _mm512_cvtepi32_ps(dot[r][v]));
        if (min) t = _mm512_add_ps(t, _mm512_mul_ps(_mm512_set1_ps(m[r * groups + g]), suma));
        acc[r][v] = _mm512_add_ps(acc[r][v], _mm512_mul_ps(scale, t));
      }
    }
  }
  for (unsigned r = 0; r < R; r++)
    for (unsigned v = 0; v < V; v++) _mm512_storeu_ps(out + (r * 2 + v) * RT_TOKENS, acc[r][v]);
}

/* The minima of a group of R rows, `subs` apart, times the activations' sums of V tiles, `stride` apart. */
INLINE void min_sums(const int16_t *mins, size_t subs, const int16_t *sums, size_t stride, unsigned R, unsigned V, unsigned sub,
                     __m512i msum[TILE_ROWS][2]) {
  for (unsigned r = 0; r < R; r++)
    for (unsigned v = 0; v < V; v++) msum[r][v] = _mm512_setzero_si512();
  for (unsigned k = 0; k < 8; k++) { /* 32 elements: one sub-block of 32, or a pair of 16 */
    __m512i pair[2];
    for (unsigned v = 0; v < V; v++) pair[v] = load_512(sums + v * stride + k * 2 * RT_TOKENS);
    for (unsigned r = 0; r < R; r++) {
      const int16_t *at = mins + r * subs;
      __m512i w = sub == 32 ? _mm512_set1_epi16(at[k]) : splat_u32((const uint8_t *)(at + 2 * k));
      for (unsigned v = 0; v < V; v++) msum[r][v] = _mm512_dpwssd_epi32(msum[r][v], w, pair[v]);
    }
  }
}

INLINE void gemm_tile_256(const panel *p, uint32_t row, const rt_inputs *in, uint32_t tile, unsigned R, unsigned V, unsigned sub, bool min,
                          float *out) {
  const size_t cols = p->cols, groups = p->groups, subs = p->subs, per_group = 256 / sub;
  const uint8_t *codes = p->codes + row * cols;
  const float *d = p->d + row * groups, *m = p->m + row * groups;
  const int32_t *scales = p->scales + row * subs;
  const int16_t *mins = p->mins + row * subs;
  const int8_t *q = in->q + tile * RT_TOKENS * cols;
  const float *da = in->d + tile * RT_TOKENS * groups;
  const int16_t *sums = in->sums + tile * RT_TOKENS * (cols / RT_SUM);
  const int32_t zero = p->format.zero;
  /* Which of a pair of 16-element sums a sub-block takes. */
  const __m512i first = _mm512_set1_epi32(-zero & 0xffff), second = _mm512_set1_epi32((int32_t)((uint32_t)-zero << 16));
  const __m512i both = _mm512_or_si512(first, second);
  for (unsigned r = 0; r < R; r++)
    for (unsigned v = 0; v < V; v++) _mm512_storeu_ps(out + (r * 2 + v) * RT_TOKENS, _mm512_setzero_ps());
  for (size_t g = 0; g < groups; g++) {
    __m512i isum[TILE_ROWS][2];
    for (unsigned r = 0; r < R; r++)
      for (unsigned v = 0; v < V; v++) isum[r][v] = _mm512_setzero_si512();
#pragma GCC unroll 1
    for (size_t s = 0; s < per_group; s++) {
      __m512i dot[TILE_ROWS][2];
      for (unsigned v = 0; v < V; v++) {
        __m512i start = _mm512_setzero_si512();
        if (!min) {
          __m512i pair = load_512(sums + (v * (cols / 32) + g * 8 + s * sub / 32) * 2 * RT_TOKENS);
          start = _mm512_madd_epi16(pair, sub == 32 ? both : s & 1 ? second : first);
        }
        for (unsigned r = 0; r < R; r++) dot[r][v] = start;
      }
      const uint8_t *w_at = codes + g * 256 + s * sub;
      const int8_t *q_at = q + (g * 256 + s * sub) * RT_TOKENS;
#pragma GCC unroll 8
      for (unsigned k = 0; k < sub / 4; k++) {
        __m512i a[2];
        for (unsigned v = 0; v < V; v++) a[v] = load_512(q_at + v * RT_TOKENS * cols + k * 64);
        for (unsigned r = 0; r < R; r++) {
          __m512i w = splat_u32(w_at + r * cols + 4 * k);
          for (unsigned v = 0; v < V; v++) dot[r][v] = _mm512_dpbusd_epi32(dot[r][v], w, a[v]);
        }
      }
      for (unsigned r = 0; r < R; r++) {
        __m512i scale = _mm512_set1_epi32(scales[r * subs + g * per_group + s]);
        for (unsigned v = 0; v < V; v++) isum[r][v] = _mm512_add_epi32(isum[r][v], _mm512_mullo_epi32(dot[r][v], scale));
      }
    }
    __m512i msum[TILE_ROWS][2];
    if (min) min_sums(mins + g * per_group, subs, sums + g * 8 * 2 * RT_TOKENS, cols / 32 * 2 * RT_TOKENS, R, V, sub, msum);
    for (unsigned v = 0; v < V; v++) {
      __m512 scale = _mm512_loadu_ps(da + (v * groups + g) * RT_TOKENS);
      for (unsigned r = 0; r < R; r++) {
        __m512 t = _mm512_mul_ps(_mm512_set1_ps(d[r * groups + g]), _mm512_cvtepi32_ps(isum[r][v]));
        if (min) t = _mm512_sub_ps(t, _mm512_mul_ps(_mm512_set1_ps(m[r * groups + g]), _mm512_cvtepi32_ps(msum[r][v])));
        float *acc = out + (r * 2 + v) * RT_TOKENS;
        _mm512_storeu_ps(acc, _mm512_add_ps(_mm512_loadu_ps(acc), _mm512_mul_ps(scale, t)));
      }
    }
  }
}

INLINE void gemm_tile(const panel *p, uint32_t row, const rt_inputs *in, uint32_t tile, unsigned R, unsigned V, unsigned sub, bool min,
                      float *out) {
  if (sub == 0) gemm_tile_32(p, row, in, tile, R, V, min, out);
  else gemm_tile_256(p, row, in, tile, R, V, sub, min, out);
}

/* All rows of the panel against one or two tiles of tokens. */
INLINE void gemm_rows(const panel *p, uint32_t rows, const rt_inputs *in, uint32_t tile, unsigned V, unsigned sub, bool min, float *out) {
  uint32_t r = 0;
  for (; r + TILE_ROWS <= rows; r += TILE_ROWS) gemm_tile(p, r, in, tile, TILE_ROWS, V, sub, min, out + r * 2 * RT_TOKENS);
  for (; r + 2 <= rows; r += 2) gemm_tile(p, r, in, tile, 2, V, sub, min, out + r * 2 * RT_TOKENS);
  for (; r < rows; r++) gemm_tile(p, r, in, tile, 1, V, sub, min, out + r * 2 * RT_TOKENS);
}

#define GEMM(NAME, V, SUB, MIN)                                                                     \
  static void NAME(const panel *p, uint32_t rows, const rt_inputs *in, uint32_t tile, float *out) { \
    gemm_rows(p, rows, in, tile, V, SUB, MIN, out);                                                 \
  }
GEMM(gemm_32, 2, 0, false)
GEMM(gemm_32_min, 2, 0, true)
GEMM(gemm_sub16, 2, 16, false)
GEMM(gemm_sub16_min, 2, 16, true)
GEMM(gemm_sub32, 2, 32, false)
GEMM(gemm_sub32_min, 2, 32, true)
GEMM(gemm_32_single, 1, 0, false)
GEMM(gemm_32_min_single, 1, 0, true)
GEMM(gemm_sub16_single, 1, 16, false)
GEMM(gemm_sub16_min_single, 1, 16, true)
GEMM(gemm_sub32_single, 1, 32, false)
GEMM(gemm_sub32_min_single, 1, 32, true)

/* Sixteen vectors as the rows of a matrix, to its columns. */
INLINE void transpose16(__m512 v[16]) {
  __m512 a[16];
  for (int i = 0; i < 16; i += 2) {
    a[i] = _mm512_unpacklo_ps(v[i], v[i + 1]);
    a[i + 1] = _mm512_unpackhi_ps(v[i], v[i + 1]);
  }
  for (int i = 0; i < 16; i += 4)
    for (int h = 0; h < 2; h++) {
      v[i + 2 * h] = (__m512)_mm512_unpacklo_pd((__m512d)a[i + h], (__m512d)a[i + 2 + h]);
      v[i + 2 * h + 1] = (__m512)_mm512_unpackhi_pd((__m512d)a[i + h], (__m512d)a[i + 2 + h]);
    }
  /* v[4 b + c]: column 4 lane + c of rows 4 b .. 4 b + 3. */
  for (int c = 0; c < 4; c++) {
    __m512 even01 = _mm512_shuffle_f32x4(v[c], v[4 + c], 0x88), odd01 = _mm512_shuffle_f32x4(v[c], v[4 + c], 0xdd);
    __m512 even23 = _mm512_shuffle_f32x4(v[8 + c], v[12 + c], 0x88), odd23 = _mm512_shuffle_f32x4(v[8 + c], v[12 + c], 0xdd);
    a[c] = _mm512_shuffle_f32x4(even01, even23, 0x88);
    a[8 + c] = _mm512_shuffle_f32x4(even01, even23, 0xdd);
    a[4 + c] = _mm512_shuffle_f32x4(odd01, odd23, 0x88);
    a[12 + c] = _mm512_shuffle_f32x4(odd01, odd23, 0xdd);
  }
  for (int i = 0; i < 16; i++) v[i] = a[i];
}

/* out (rows, 32) to y, for `tokens` tokens. */
static void store_results(const float *out, uint32_t rows, uint32_t tokens, float *y, size_t y_stride) {
  for (uint32_t i = 0; i < tokens; i += RT_TOKENS)
    for (uint32_t r = 0; r < rows; r += 16) {
      __m512 v[16];
      for (int k = 0; k < 16; k++) v[k] = _mm512_loadu_ps(out + (r + (unsigned)k) * 2 * RT_TOKENS + i);
      transpose16(v);
      __mmask16 mask = rows - r >= 16 ? 0xffff : (__mmask16)((1u << (rows - r)) - 1);
      for (uint32_t k = 0; k < 16 && i + k < tokens; k++) _mm512_mask_storeu_ps(y + (i + k) * y_stride + r, mask, v[k]);
    }
}

/* For one tile of tokens, and for two. vpdpbusd takes codes of any width. */
typedef void gemm_kernel(const panel *, uint32_t, const rt_inputs *, uint32_t, float *);
static gemm_kernel *const gemm_kernels[RT_PANEL_KINDS][2] = {
    [RT_PANEL_32_4BIT] = {gemm_32_single, gemm_32},
    [RT_PANEL_32_5BIT] = {gemm_32_single, gemm_32},
    [RT_PANEL_32_8BIT] = {gemm_32_single, gemm_32},
    [RT_PANEL_32_MIN_4BIT] = {gemm_32_min_single, gemm_32_min},
    [RT_PANEL_32_MIN_5BIT] = {gemm_32_min_single, gemm_32_min},
    [RT_PANEL_SUB16_5BIT] = {gemm_sub16_single, gemm_sub16},
    [RT_PANEL_SUB16_6BIT] = {gemm_sub16_single, gemm_sub16},
    [RT_PANEL_SUB16_7BIT] = {gemm_sub16_single, gemm_sub16},
    [RT_PANEL_SUB16_MIN] = {gemm_sub16_min_single, gemm_sub16_min},
    [RT_PANEL_SUB32_6BIT] = {gemm_sub32_single, gemm_sub32},
    [RT_PANEL_SUB32_7BIT] = {gemm_sub32_single, gemm_sub32},
    [RT_PANEL_SUB32_8BIT] = {gemm_sub32_single, gemm_sub32},
    [RT_PANEL_SUB32_MIN_4BIT] = {gemm_sub32_min_single, gemm_sub32_min},
    [RT_PANEL_SUB32_MIN_5BIT] = {gemm_sub32_min_single, gemm_sub32_min},
};

static void gemm(const rt_strip *strip) {
  const rt_inputs *in = strip->inputs;
  panel p = panel_layout(strip);
  panel_fill(&p, strip->w, strip->first, strip->rows);
  float *out = (float *)(void *)p.rest;
  for (uint32_t i = 0; i < in->n; i += 2 * RT_TOKENS) {
    uint32_t tokens = in->n - i < 2 * RT_TOKENS ? in->n - i : 2 * RT_TOKENS;
    gemm_kernels[strip->w->kind][tokens > RT_TOKENS](&p, strip->rows, in, i / RT_TOKENS, out);
    store_results(out, strip->rows, tokens, strip->y + i * strip->y_stride, strip->y_stride);
  }
}

/* ---- matrix times one or a few vectors ---- */

/* (a, b) to a0+a2, b0+b2, a1+a3, b1+b3 in each 128-bit part; then of two such, the sums of four inputs side by side. */
INLINE __m512i pair_sums(__m512i a, __m512i b) { return _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b)); }
INLINE __m512i quad_sums(__m512i a, __m512i b, __m512i c, __m512i d) {
  __m512i ab = pair_sums(a, b), cd = pair_sums(c, d);
  return _mm512_add_epi32(_mm512_unpacklo_epi64(ab, cd), _mm512_unpackhi_epi64(ab, cd));
}
/* Neighbouring 128-bit parts added: a01 a23 b01 b23. */
INLINE __m512i part_sums(__m512i a, __m512i b) {
  return _mm512_add_epi32(_mm512_shuffle_i32x4(a, b, 0x88), _mm512_shuffle_i32x4(a, b, 0xdd));
}

/* Column g of a (16, stride) matrix. */
INLINE __m512 column(const float *at, size_t stride) {
  const __m512i rows =
      _mm512_mullo_epi32(_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), _mm512_set1_epi32((int32_t)stride));
  return _mm512_i32gather_ps(rows, at, 4);
}

/* Float step of one group for 16 rows. */
INLINE __m512 step_32(__m512 acc, __m512i isum, __m512 d, __m512 m, float da, int32_t suma, bool min) {
  __m512 t = _mm512_mul_ps(d, _mm512_cvtepi32_ps(isum));
  if (min) t = _mm512_add_ps(t, _mm512_mul_ps(m, _mm512_set1_ps((float)suma)));
  return _mm512_add_ps(acc, _mm512_mul_ps(_mm512_set1_ps(da), t));
}

static __m512 dot16_32(const panel *p, const int8_t *q, const float *da, const int16_t *sums) {
  const size_t cols = p->cols, groups = p->groups;
  const bool min = p->format.min;
  const int32_t zero = p->format.zero;
  const float *d = p->d + 16 * groups, *m = p->m + 16 * groups; /* (groups, 16) */
  __m512 acc = _mm512_setzero_ps();
  for (size_t g = 0; g < groups; g += 2) {
    bool two = g + 1 < groups;
    __mmask64 mask = two ? ~(__mmask64)0 : 0xffffffffu;
    __m512i a = _mm512_maskz_loadu_epi8(mask, q + 32 * g), x[4];
    for (size_t b = 0; b < 4; b++) {
      __m512i v[4];
      for (size_t r = 0; r < 4; r++) /* past the end of a row lies another array of the panel; the mask in `a` makes it count as 0 */
        v[r] = _mm512_dpbusd_epi32(_mm512_setzero_si512(), _mm512_maskz_loadu_epi8(mask, p->codes + (4 * b + r) * cols + 32 * g), a);
      x[b] = quad_sums(v[0], v[1], v[2], v[3]);
    }
    __m512i y01 = part_sums(x[0], x[1]), y23 = part_sums(x[2], x[3]);
    int32_t suma = sums[2 * g] + sums[2 * g + 1];
    __m512i isum = _mm512_sub_epi32(_mm512_shuffle_i32x4(y01, y23, 0x88), _mm512_set1_epi32(zero * suma));
    acc = step_32(acc, isum, _mm512_loadu_ps(d + 16 * g), _mm512_loadu_ps(m + 16 * g), da[g], suma, min);
    if (!two) break;
    suma = sums[2 * g + 2] + sums[2 * g + 3];
    isum = _mm512_sub_epi32(_mm512_shuffle_i32x4(y01, y23, 0xdd), _mm512_set1_epi32(zero * suma));
    acc = step_32(acc, isum, _mm512_loadu_ps(d + 16 * g + 16), _mm512_loadu_ps(m + 16 * g + 16), da[g + 1], suma, min);
  }
  return acc;
}

/* The sum over a group of 256 of one row, in 16 parts. small: codes are at most 127, so pairs of products fit in 16 bits. */
INLINE __m512i row_256(const panel *p, size_t row, size_t g, const int8_t *q, __m256i sums, unsigned sub, bool small) {
  const uint8_t *codes = p->codes + row * p->cols + g * 256;
  const int32_t *scales = p->scales + row * p->subs + g * (256 / sub);
  __m512i scale = sub == 16 ? load_512(scales)
                            : _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7),
                                                       _mm512_castsi256_si512(_mm256_loadu_si256((const void *)scales)));
  __m256i narrow = _mm512_cvtepi32_epi16(scale); /* one for each 16 codes */
  __m512i sum = _mm512_setzero_si512();
  for (int c = 0; c < 4; c++) {
    __m512i w = load_512(codes + 64 * c), a = load_512(q + g * 256 + 64 * (size_t)c);
    if (small) {
      const __m512i spread = _mm512_set_epi64(0x0003000300030003, 0x0003000300030003, 0x0002000200020002, 0x0002000200020002,
                                              0x0001000100010001, 0x0001000100010001, 0, 0);
      __m512i s = _mm512_permutexvar_epi16(_mm512_add_epi16(spread, _mm512_set1_epi16((int16_t)(4 * c))), _mm512_castsi256_si512(narrow));
      sum = _mm512_dpwssd_epi32(sum, _mm512_maddubs_epi16(w, a), s);
    } else {
      const __m512i spread = _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
      __m512i s = _mm512_permutexvar_epi32(_mm512_add_epi32(spread, _mm512_set1_epi32(4 * c)), scale);
      sum = _mm512_add_epi32(sum, _mm512_mullo_epi32(s, _mm512_dpbusd_epi32(_mm512_setzero_si512(), w, a)));
    }
  }
  __m256i correction = _mm256_madd_epi16(narrow, sums);
  return _mm512_sub_epi32(sum, _mm512_zextsi256_si512(_mm256_mullo_epi32(correction, _mm256_set1_epi32(p->format.zero))));
}

INLINE __m512 dot16_256(const panel *p, const int8_t *q, const float *da, const int16_t *sums, unsigned sub, bool small) {
  const size_t groups = p->groups;
  const bool min = p->format.min;
  const float *d = p->d + 16 * groups, *m = p->m + 16 * groups; /* (groups, 16) */
  __m512 acc = _mm512_setzero_ps();
  for (size_t g = 0; g < groups; g++) {
    __m256i sums16 = _mm256_loadu_si256((const void *)(sums + 16 * g));
    __m512i x[4], y[4];
    for (size_t b = 0; b < 4; b++) {
      __m512i v[4];
      for (size_t r = 0; r < 4; r++) v[r] = row_256(p, 4 * b + r, g, q, sums16, sub, small);
      x[b] = quad_sums(v[0], v[1], v[2], v[3]);
    }
    __m512 t = _mm512_mul_ps(_mm512_loadu_ps(d + 16 * g), _mm512_cvtepi32_ps(part_sums(part_sums(x[0], x[1]), part_sums(x[2], x[3]))));
    if (min) {
      for (size_t b = 0; b < 4; b++) {
        __m512i v[4];
        for (size_t r = 0; r < 4; r++) {
          const int16_t *mins = p->mins + (4 * b + r) * p->subs + g * (256 / sub);
          __m256i w;
          if (sub == 16) w = _mm256_loadu_si256((const void *)mins);
          else
            w = _mm256_permutexvar_epi16(_mm256_setr_epi16(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7),
                                         _mm256_castsi128_si256(_mm_loadu_si128((const void *)mins)));
          v[r] = _mm512_zextsi256_si512(_mm256_madd_epi16(w, sums16));
        }
        y[b] = quad_sums(v[0], v[1], v[2], v[3]);
      }
      t = _mm512_sub_ps(
          t, _mm512_mul_ps(_mm512_loadu_ps(m + 16 * g), _mm512_cvtepi32_ps(part_sums(part_sums(y[0], y[1]), part_sums(y[2], y[3])))));
    }
    acc = _mm512_add_ps(acc, _mm512_mul_ps(_mm512_set1_ps(da[g]), t));
  }
  return acc;
}

/* ---- matrix times one or a few vectors, straight from the file's blocks for the most used types ---- */

/* Sixteen rows in place, and up to MOST_TOKENS inputs. */
enum { MOST_TOKENS = 4, DIRECT_ROWS = 16 };
#include "../direct.h"

INLINE void prefetch(const uint8_t *p, size_t bytes) {
  for (size_t k = 0; k < bytes; k += 64) _mm_prefetch((const char *)p + k, _MM_HINT_T1);
}
INLINE __m512 halves16(const uint16_t *p) { return _mm512_cvtph_ps(_mm256_loadu_si256((const void *)p)); }

/* Four vectors of 4 rows by 4 blocks to four vectors of 16 rows. */
INLINE void blocks_of_16_rows(__m512i x[4]) {
  __m512i a = _mm512_shuffle_i32x4(x[0], x[1], 0x88), b = _mm512_shuffle_i32x4(x[2], x[3], 0x88);
  __m512i c = _mm512_shuffle_i32x4(x[0], x[1], 0xdd), d = _mm512_shuffle_i32x4(x[2], x[3], 0xdd);
  x[0] = _mm512_shuffle_i32x4(a, b, 0x88);
  x[2] = _mm512_shuffle_i32x4(a, b, 0xdd);
  x[1] = _mm512_shuffle_i32x4(c, d, 0x88);
  x[3] = _mm512_shuffle_i32x4(c, d, 0xdd);
}

/* Of four rows' vectors of int32 the sums of each four neighbours, row beside row; all in between must fit in 16 bits. */
INLINE __m512i quad_sums_16(__m512i a, __m512i b, __m512i c, __m512i d) {
  const __m512i ones = _mm512_set1_epi16(1);
  __m512i ab = _mm512_madd_epi16(_mm512_packs_epi32(a, b), ones), cd = _mm512_madd_epi16(_mm512_packs_epi32(c, d), ones);
  return _mm512_madd_epi16(_mm512_packs_epi32(ab, cd), ones);
}

/* Where things lie, in words, in four blocks of Q4_0 or Q4_1 in a row: what a vpermw wants. Indices count modulo 32. */
#define EIGHT(at) at, at + 1, at + 2, at + 3, at + 4, at + 5, at + 6, at + 7
#define EVERY_FOURTH(at) \
  at, at + 4, at + 8, at + 12, at + 16, at + 20, at + 24, at + 28, at + 32, at + 36, at + 40, at + 44, at + 48, at + 52, at + 56, at + 60
#define EIGHT_TIMES(...) __VA_ARGS__, __VA_ARGS__, __VA_ARGS__, __VA_ARGS__, __VA_ARGS__, __VA_ARGS__, __VA_ARGS__, __VA_ARGS__
typedef struct nibble_words {
  uint16_t codes[32], d[32], m[32];
} nibble_words;
static const nibble_words q4_0_words = {{EIGHT(1), EIGHT(10), EIGHT(19), EIGHT(28)}, {EIGHT_TIMES(0, 9, 18, 27)}, {0}};
static const nibble_words q4_1_words = {
    {EIGHT(2), EIGHT(12), EIGHT(22), EIGHT(32)}, {EIGHT_TIMES(0, 10, 20, 30)}, {EIGHT_TIMES(1, 11, 21, 31)}};
static const uint16_t blocks_0_1[32] = {EVERY_FOURTH(0), EVERY_FOURTH(1)}, blocks_2_3[32] = {EVERY_FOURTH(2), EVERY_FOURTH(3)};

/* Of two vectors with four blocks' halves of 8 rows each: four vectors of 16 rows. */
INLINE void scales_of_16_rows(__m512i low, __m512i high, __m512 out[4]) {
  __m512i a = _mm512_permutex2var_epi16(low, load_512(blocks_0_1), high), b = _mm512_permutex2var_epi16(low, load_512(blocks_2_3), high);
  out[0] = _mm512_cvtph_ps(_mm512_castsi512_si256(a));
  out[1] = _mm512_cvtph_ps(_mm512_extracti64x4_epi64(a, 1));
  out[2] = _mm512_cvtph_ps(_mm512_castsi512_si256(b));
  out[3] = _mm512_cvtph_ps(_mm512_extracti64x4_epi64(b, 1));
}

/* Sixteen rows times `left` blocks from block g on. The first 64 bytes of a row's four blocks hold everything but the last block's codes:
 * one vpermw takes the codes out, one the scales. Minus zero times the inputs' sum is what the integer sums start from; so a lane of 8
 * products stays below 8 * 15 * 127 and adding up four of them takes 16 bits. */
INLINE void nibbles_step(const direct *x, unsigned T, size_t g, size_t left, const nibble_words *words, size_t bytes, bool min,
                         __m512 acc[MOST_TOKENS]) {
  const __m512i low_nibble = _mm512_set1_epi8(15);
  const __m512i code_words = load_512(words->codes), d_words = load_512(words->d), m_words = load_512(words->m);
  const __mmask64 mask = left == 4 ? ~(__mmask64)0 : ((__mmask64)1 << (left * bytes)) - 1;
  const __mmask64 q_low = left >= 2 ? ~(__mmask64)0 : 0xffffffffu, q_high = left == 4 ? ~(__mmask64)0 : left == 3 ? 0xffffffffu : 0;
  __m512i low[MOST_TOKENS], high[MOST_TOKENS], start[MOST_TOKENS], isum[MOST_TOKENS][4];
  __m512i d16[2] = {_mm512_setzero_si512(), _mm512_setzero_si512()}, m16[2] = {_mm512_setzero_si512(), _mm512_setzero_si512()};
  for (unsigned t = 0; t < T; t++) {
    const int8_t *q = x->q + t * x->cols + g * 32;
    __m512i a = _mm512_maskz_loadu_epi8(q_low, q), b = _mm512_maskz_loadu_epi8(q_high, q + 64);
    low[t] = _mm512_shuffle_i32x4(a, b, 0x88);
    high[t] = _mm512_shuffle_i32x4(a, b, 0xdd);
    start[t] = _mm512_setzero_si512();
    if (min) continue;
    const __m512i eight = _mm512_set1_epi8(8);
    start[t] = _mm512_sub_epi32(start[t], _mm512_dpbusd_epi32(_mm512_dpbusd_epi32(start[t], eight, low[t]), eight, high[t]));
  }
#pragma GCC unroll 4
  for (unsigned four = 0; four < 4; four++) {
    __m512i v[MOST_TOKENS][4];
#pragma GCC unroll 4
    for (unsigned k = 0; k < 4; k++) {
      const unsigned r = 4 * four + k, lines = (unsigned)bytes; /* of 64 bytes, in 16 rows of 4 blocks */
      if (x->next)
        for (unsigned line = r * lines / 16; line < (r + 1) * lines / 16; line++)
          _mm_prefetch((const char *)x->next + g * 16 * bytes + line * 64, _MM_HINT_T1);
      const uint8_t *p = x->row[r] + g * bytes;
      __m512i raw = _mm512_maskz_loadu_epi8(mask, p), codes = _mm512_permutexvar_epi16(code_words, raw);
      if (left == 4) codes = _mm512_mask_broadcast_i32x4(codes, 0xf000, _mm_loadu_si128((const void *)(p + 4 * bytes - 16)));
      const __mmask32 place = (__mmask32)0xf << 4 * (r % 8);
      d16[r / 8] = _mm512_mask_permutexvar_epi16(d16[r / 8], place, d_words, raw);
      if (min) m16[r / 8] = _mm512_mask_permutexvar_epi16(m16[r / 8], place, m_words, raw);
      __m512i lo = _mm512_and_si512(codes, low_nibble), hi = _mm512_and_si512(_mm512_srli_epi16(codes, 4), low_nibble);
      for (unsigned t = 0; t < T; t++) v[t][k] = _mm512_dpbusd_epi32(_mm512_dpbusd_epi32(start[t], lo, low[t]), hi, high[t]);
    }
    for (unsigned t = 0; t < T; t++) isum[t][four] = quad_sums_16(v[t][0], v[t][1], v[t][2], v[t][3]);
  }
  __m512 d[4], m[4];
  scales_of_16_rows(d16[0], d16[1], d);
  if (min) scales_of_16_rows(m16[0], m16[1], m);
  for (unsigned t = 0; t < T; t++) {
    blocks_of_16_rows(isum[t]);
    const int16_t *sums = x->sums + t * (x->cols / RT_SUM) + 2 * g;
    for (size_t b = 0; b < left; b++)
      acc[t] = step_32(acc[t], isum[t][b], d[b], min ? m[b] : d[b], x->da[t * x->groups + g + b], sums[2 * b] + sums[2 * b + 1], min);
  }
}

/* Q4_0, Q4_1: blocks of `bytes` that end in 16 bytes of nibbles. */
INLINE void direct_nibbles(const direct *x, unsigned T, const nibble_words *words, size_t bytes, bool min, __m512 acc[MOST_TOKENS]) {
  size_t g = 0;
  for (unsigned t = 0; t < T; t++) acc[t] = _mm512_setzero_ps();
  for (; g + 4 <= x->groups; g += 4) nibbles_step(x, T, g, 4, words, bytes, min, acc);
  if (g == x->groups) return;
  size_t left = x->groups - g;
  if (left == 1) nibbles_step(x, T, g, 1, words, bytes, min, acc);
  else if (left == 2) nibbles_step(x, T, g, 2, words, bytes, min, acc);
  else nibbles_step(x, T, g, 3, words, bytes, min, acc);
}

static void direct_q4_0(const direct *x, unsigned T, __m512 acc[MOST_TOKENS]) {
  if (T == 1) direct_nibbles(x, 1, &q4_0_words, sizeof(rt_q4_0_block), false, acc);
  else if (T == 2) direct_nibbles(x, 2, &q4_0_words, sizeof(rt_q4_0_block), false, acc);
  else direct_nibbles(x, 4, &q4_0_words, sizeof(rt_q4_0_block), false, acc);
}
static void direct_q4_1(const direct *x, unsigned T, __m512 acc[MOST_TOKENS]) {
  if (T == 1) direct_nibbles(x, 1, &q4_1_words, sizeof(rt_q4_1_block), true, acc);
  else if (T == 2) direct_nibbles(x, 2, &q4_1_words, sizeof(rt_q4_1_block), true, acc);
  else direct_nibbles(x, 4, &q4_1_words, sizeof(rt_q4_1_block), true, acc);
}

INLINE void direct_bytes(const direct *x, unsigned T, __m512 acc[MOST_TOKENS]) {
  const __m512i flip = _mm512_set1_epi8((char)0x80);
  const size_t bytes = sizeof(rt_q8_0_block);
  for (unsigned t = 0; t < T; t++) acc[t] = _mm512_setzero_ps();
  for (size_t g = 0; g < x->groups; g += 2) {
    bool two = x->groups - g >= 2;
    uint16_t d[2][16]; /* filled where the blocks are read: a pass of its own over the scales would miss the first cache line by line */
    __m512i a[MOST_TOKENS], v[MOST_TOKENS][4][4];
    for (unsigned t = 0; t < T; t++) a[t] = _mm512_maskz_loadu_epi8(two ? ~(__mmask64)0 : 0xffffffffu, x->q + t * x->cols + g * 32);
#pragma GCC unroll 16
    for (unsigned r = 0; r < 16; r++) {
      if (x->next) /* 16 rows of 2 blocks are 17 lines of 64 bytes */
        for (unsigned line = r * 17 / 16; line < (r + 1) * 17 / 16; line++)
          _mm_prefetch((const char *)x->next + g * 16 * bytes + line * 64, _MM_HINT_T1);
      const uint8_t *p = x->row[r] + g * bytes + 2;
      __m512i codes = _mm512_castsi256_si512(_mm256_loadu_si256((const void *)p));
      codes = two ? _mm512_inserti64x4(codes, _mm256_loadu_si256((const void *)(p + bytes)), 1)
                  : _mm512_zextsi256_si512(_mm512_castsi512_si256(codes));
      d[0][r] = rt_load_u16(p - 2);
      if (two) d[1][r] = rt_load_u16(p + bytes - 2);
      codes = _mm512_xor_si512(codes, flip);
      for (unsigned t = 0; t < T; t++) v[t][r / 4][r % 4] = _mm512_dpbusd_epi32(_mm512_setzero_si512(), codes, a[t]);
    }
    for (unsigned t = 0; t < T; t++) {
      __m512i y[4];
      for (unsigned b = 0; b < 4; b++) y[b] = quad_sums(v[t][b][0], v[t][b][1], v[t][b][2], v[t][b][3]);
      y[0] = part_sums(y[0], y[1]);
      y[1] = part_sums(y[2], y[3]);
      const int16_t *sums = x->sums + t * (x->cols / RT_SUM) + 2 * g;
      const float *da = x->da + t * x->groups + g;
      __m512i zeros = _mm512_set1_epi32(128 * (sums[0] + sums[1]));
      acc[t] = step_32(acc[t], _mm512_sub_epi32(_mm512_shuffle_i32x4(y[0], y[1], 0x88), zeros), halves16(d[0]), acc[t], da[0], 0, false);
      if (!two) continue;
      zeros = _mm512_set1_epi32(128 * (sums[2] + sums[3]));
      acc[t] = step_32(acc[t], _mm512_sub_epi32(_mm512_shuffle_i32x4(y[0], y[1], 0xdd), zeros), halves16(d[1]), acc[t], da[1], 0, false);
    }
  }
}
static void direct_q8_0(const direct *x, unsigned T, __m512 acc[MOST_TOKENS]) {
  if (T == 1) direct_bytes(x, 1, acc);
  else if (T == 2) direct_bytes(x, 2, acc);
  else direct_bytes(x, 4, acc);
}

/* Inputs of one group of 256 as the K-quants want them. */
typedef struct inputs_256 {
  __m512i a[4];
  __m256i sums16;
  __m128i sums32;
} inputs_256;

/* Q4_K, Q5_K: the codes' vectors are sub-blocks 0 and 2, 1 and 3, 4 and 6, 5 and 7. Returns the sum in 16 parts, *msum in 4. */
INLINE void row_q45_k(const uint8_t *block, unsigned T, const inputs_256 *in, bool five, __m512i *sum, __m128i *msum) {
  const rt_q4_k_block *b4 = (const void *)block;
  const rt_q5_k_block *b5 = (const void *)block;
  const uint8_t *scales = five ? b5->scales : b4->scales, *codes = five ? b5->codes : b4->codes;
  const __m512i low_nibble = _mm512_set1_epi8(15);
  uint32_t a = rt_load_u32(scales), b = rt_load_u32(scales + 4), c = rt_load_u32(scales + 8);
  uint64_t s = (a & 0x3f3f3f3fu) | (uint64_t)((c & 0x0f0f0f0fu) | (a >> 2 & 0x30303030u)) << 32;
  uint64_t m = (b & 0x3f3f3f3fu) | (uint64_t)((c >> 4 & 0x0f0f0f0fu) | (b >> 2 & 0x30303030u)) << 32;
  __m512i scale = _mm512_broadcast_i32x4(_mm_cvtepu8_epi16(_mm_cvtsi64_si128((long long)s)));
  __m128i minimum = _mm_cvtepu8_epi16(_mm_cvtsi64_si128((long long)m));
  __m512i w[4];
  for (int h = 0; h < 2; h++) {
    __m512i v = load_512(codes + 64 * h);
    w[2 * h] = _mm512_and_si512(v, low_nibble);
    w[2 * h + 1] = _mm512_and_si512(_mm512_srli_epi16(v, 4), low_nibble);
  }
  if (five) {
    __m512i high = _mm512_broadcast_i64x4(_mm256_loadu_si256((const void *)b5->high)), sixteen = _mm512_set1_epi8(16);
    for (int k = 0; k < 4; k++) {
      int first = k / 2 * 4 + k % 2;
      __m512i bit = _mm512_inserti64x4(_mm512_set1_epi8((char)(1 << first)), _mm256_set1_epi8((char)(4 << first)), 1);
      w[k] = _mm512_mask_add_epi8(w[k], _mm512_test_epi8_mask(high, bit), w[k], sixteen);
    }
  }
  for (unsigned t = 0; t < T; t++) {
    sum[t] = _mm512_setzero_si512();
    msum[t] = _mm_madd_epi16(minimum, in[t].sums32);
  }
  for (int k = 0; k < 4; k++) {
    int first = k / 2 * 4 + k % 2;
    const __m512i spread = _mm512_inserti64x4(_mm512_set1_epi16((int16_t)(0x0100 + 0x0202 * first)),
                                              _mm256_set1_epi16((int16_t)(0x0100 + 0x0202 * (first + 2))), 1);
    __m512i s16 = _mm512_shuffle_epi8(scale, spread);
    for (unsigned t = 0; t < T; t++) sum[t] = _mm512_dpwssd_epi32(sum[t], _mm512_maddubs_epi16(w[k], in[t].a[k]), s16);
  }
}

INLINE void row_q6_k(const uint8_t *block, unsigned T, const inputs_256 *in, __m512i *sum) {
  const rt_q6_k_block *b = (const void *)block;
  const __m512i low_nibble = _mm512_set1_epi8(15), high_bits = _mm512_set1_epi8(0x30);
  const __m512i left = _mm512_inserti64x4(_mm512_set1_epi16(4), _mm256_set1_epi16(2), 1);
  const __m512i right = _mm512_inserti64x4(_mm512_setzero_si512(), _mm256_set1_epi16(2), 1);
  const __m512i spread = _mm512_set_epi64(0x0003000300030003, 0x0003000300030003, 0x0002000200020002, 0x0002000200020002,
                                          0x0001000100010001, 0x0001000100010001, 0, 0);
  __m256i scale = _mm256_cvtepi8_epi16(_mm_loadu_si128((const void *)b->scales));
  __m512i w[4];
  for (int h = 0; h < 2; h++) {
    __m512i v = load_512(b->low + 64 * h), high = _mm512_broadcast_i64x4(_mm256_loadu_si256((const void *)(b->high + 32 * h)));
    w[2 * h] = _mm512_ternarylogic_epi32(_mm512_and_si512(v, low_nibble), _mm512_sllv_epi16(high, left), high_bits, 0xf8); /* a | (b & c) */
    w[2 * h + 1] =
        _mm512_ternarylogic_epi32(_mm512_and_si512(_mm512_srli_epi16(v, 4), low_nibble), _mm512_srlv_epi16(high, right), high_bits, 0xf8);
  }
  for (unsigned t = 0; t < T; t++)
    sum[t] = _mm512_sub_epi32(_mm512_setzero_si512(), _mm512_zextsi256_si512(_mm256_slli_epi32(_mm256_madd_epi16(scale, in[t].sums16), 5)));
  for (int k = 0; k < 4; k++) {
    __m512i s16 = _mm512_permutexvar_epi16(_mm512_add_epi16(spread, _mm512_set1_epi16((int16_t)(4 * k))), _mm512_castsi256_si512(scale));
    for (unsigned t = 0; t < T; t++) sum[t] = _mm512_dpwssd_epi32(sum[t], _mm512_maddubs_epi16(w[k], in[t].a[k]), s16);
  }
}

INLINE __m512i sums_of_16(__m512i v[4][4]) {
  __m512i x[4];
  for (int b = 0; b < 4; b++) x[b] = quad_sums(v[b][0], v[b][1], v[b][2], v[b][3]);
  return part_sums(part_sums(x[0], x[1]), part_sums(x[2], x[3]));
}

INLINE void direct_256(const direct *x, unsigned T, uint32_t type, size_t bytes, size_t d_at, __m512 acc[MOST_TOKENS]) {
  const bool min = type != RT_Q6_K;
  for (unsigned t = 0; t < T; t++) acc[t] = _mm512_setzero_ps();
  for (size_t g = 0; g < x->groups; g++) {
    uint16_t d[16], m[16];
    for (size_t r = 0; r < 16; r++) {
      d[r] = rt_load_u16(x->row[r] + g * bytes + d_at);
      if (min) m[r] = rt_load_u16(x->row[r] + g * bytes + d_at + 2);
    }
    inputs_256 in[MOST_TOKENS];
    for (unsigned t = 0; t < T; t++) {
      const int8_t *q = x->q + t * x->cols + g * 256;
      for (int h = 0; h < 2; h++) {
        __m512i a = load_512(q + 128 * h), b = load_512(q + 128 * h + 64);
        in[t].a[2 * h] = min ? _mm512_shuffle_i64x2(a, b, 0x44) : a;
        in[t].a[2 * h + 1] = min ? _mm512_shuffle_i64x2(a, b, 0xee) : b;
      }
      in[t].sums16 = _mm256_loadu_si256((const void *)(x->sums + t * (x->cols / RT_SUM) + g * 16));
      __m256i sums32 = _mm256_madd_epi16(in[t].sums16, _mm256_set1_epi16(1));
      in[t].sums32 = _mm256_cvtepi32_epi16(sums32);
    }
    __m512i v[MOST_TOKENS][4][4];
    __m128i u[MOST_TOKENS][16];
#pragma GCC unroll 4
    for (unsigned r = 0; r < 16; r++) {
      __m512i sum[MOST_TOKENS];
      __m128i msum[MOST_TOKENS];
      if (x->next) prefetch(x->next + (g * 16 + r) * bytes, bytes);
      const uint8_t *block = x->row[r] + g * bytes;
      if (min) row_q45_k(block, T, in, type == RT_Q5_K, sum, msum);
      else row_q6_k(block, T, in, sum);
      for (unsigned t = 0; t < T; t++) {
        v[t][r / 4][r % 4] = sum[t];
        if (min) u[t][r] = msum[t];
      }
    }
    for (unsigned t = 0; t < T; t++) {
      __m512 value = _mm512_mul_ps(halves16(d), _mm512_cvtepi32_ps(sums_of_16(v[t])));
      if (min) {
        __m512i y[4]; /* rows k, k + 4, k + 8, k + 12, so that the sums come out in the rows' order */
        for (unsigned k = 0; k < 4; k++) {
          y[k] = _mm512_castsi128_si512(u[t][k]);
          y[k] = _mm512_inserti32x4(y[k], u[t][k + 4], 1);
          y[k] = _mm512_inserti32x4(y[k], u[t][k + 8], 2);
          y[k] = _mm512_inserti32x4(y[k], u[t][k + 12], 3);
        }
        value = _mm512_sub_ps(value, _mm512_mul_ps(halves16(m), _mm512_cvtepi32_ps(quad_sums(y[0], y[1], y[2], y[3]))));
      }
      acc[t] = _mm512_add_ps(acc[t], _mm512_mul_ps(_mm512_set1_ps(x->da[t * x->groups + g]), value));
    }
  }
}

#define DIRECT_256(NAME, name, D_AT)                                                    \
  static void direct_##name(const direct *x, unsigned T, __m512 acc[MOST_TOKENS]) {     \
    if (T == 1) direct_256(x, 1, RT_##NAME, sizeof(rt_##name##_block), D_AT, acc);      \
    else if (T == 2) direct_256(x, 2, RT_##NAME, sizeof(rt_##name##_block), D_AT, acc); \
    else direct_256(x, 4, RT_##NAME, sizeof(rt_##name##_block), D_AT, acc);             \
  }
DIRECT_256(Q4_K, q4_k, 0)
DIRECT_256(Q5_K, q5_k, 0)
DIRECT_256(Q6_K, q6_k, 208)

typedef void direct_kernel(const direct *, unsigned, __m512[MOST_TOKENS]);
DIRECT_FOR

static void gemv_direct(const rt_strip *strip, direct_kernel *kernel) {
  const rt_inputs *in = strip->inputs;
  direct x = direct_open(strip);
  for (uint32_t start = 0; start < strip->rows; start += DIRECT_ROWS) {
    uint32_t rows = direct_rows(&x, strip, start);
    for (uint32_t i = 0; i < in->n;) {
      unsigned T = in->n - i >= MOST_TOKENS ? MOST_TOKENS : in->n - i >= 2 ? 2 : 1;
      direct_input(&x, in, i);
      __m512 acc[MOST_TOKENS];
      kernel(&x, T, acc);
      for (unsigned t = 0; t < T; t++, i++)
        _mm512_mask_storeu_ps(strip->y + i * strip->y_stride + start, (__mmask16)((1u << rows) - 1), acc[t]);
      x.next = NULL;
    }
  }
}

/* ---- and by way of the panel for the others ---- */

#define DOT(NAME, SUB, SMALL)                                                                 \
  static __m512 NAME(const panel *p, const int8_t *q, const float *da, const int16_t *sums) { \
    return dot16_256(p, q, da, sums, SUB, SMALL);                                             \
  }
DOT(dot16_sub16, 16, true)
DOT(dot16_sub32_7bit, 32, true)
DOT(dot16_sub32_8bit, 32, false)

typedef __m512 panel_kernel(const panel *, const int8_t *, const float *, const int16_t *);
static panel_kernel *const panel_kernels[RT_PANEL_KINDS] = {
    [RT_PANEL_32_4BIT] = dot16_32,
    [RT_PANEL_32_5BIT] = dot16_32,
    [RT_PANEL_32_8BIT] = dot16_32,
    [RT_PANEL_32_MIN_4BIT] = dot16_32,
    [RT_PANEL_32_MIN_5BIT] = dot16_32,
    [RT_PANEL_SUB16_5BIT] = dot16_sub16,
    [RT_PANEL_SUB16_6BIT] = dot16_sub16,
    [RT_PANEL_SUB16_7BIT] = dot16_sub16,
    [RT_PANEL_SUB16_MIN] = dot16_sub16,
    [RT_PANEL_SUB32_6BIT] = dot16_sub32_7bit,
    [RT_PANEL_SUB32_7BIT] = dot16_sub32_7bit,
    [RT_PANEL_SUB32_8BIT] = dot16_sub32_8bit,
    [RT_PANEL_SUB32_MIN_4BIT] = dot16_sub32_7bit,
    [RT_PANEL_SUB32_MIN_5BIT] = dot16_sub32_7bit,
};

static void gemv(const rt_strip *strip) {
  direct_kernel *kernel = direct_for(strip->w->type->id);
  if (kernel) {
    gemv_direct(strip, kernel);
    return;
  }
  const rt_inputs *in = strip->inputs;
  panel p = panel_layout(strip);
  for (uint32_t start = 0; start < strip->rows; start += 16) {
    uint32_t rows = strip->rows - start < 16 ? strip->rows - start : 16;
    panel_fill(&p, strip->w, strip->first + start, rows);
    for (size_t g = 0; g < p.groups; g++) { /* behind the first 16 rows of the panel there is room for them transposed */
      _mm512_storeu_ps(p.d + (16 * p.groups + 16 * g), column(p.d + g, p.groups));
      if (p.format.min) _mm512_storeu_ps(p.m + (16 * p.groups + 16 * g), column(p.m + g, p.groups));
    }
    for (uint32_t i = 0; i < in->n; i++) {
      const int8_t *q = in->q + (size_t)i * in->cols;
      const float *da = in->d + (size_t)i * p.groups;
      const int16_t *sums = in->sums + (size_t)i * (in->cols / RT_SUM);
      __m512 y = panel_kernels[strip->w->kind](&p, q, da, sums);
      _mm512_mask_storeu_ps(strip->y + i * strip->y_stride + start, (__mmask16)((1u << rows) - 1), y);
    }
  }
}

const rt_kernels rt_kernels_avx512 = {
    .name = "avx512", .gemm_from = 8, .side = RT_TOKENS, .unit = 4, .gemv = gemv, .gemm = gemm, RT_FLOAT_OPS};
#endif
