/* relaxed.c - WebAssembly with the relaxed dot product of bytes; a module that holds it does not load in engines without relaxed SIMD.
 *
 * Matrix times matrix takes the codes as bytes, sixteen tokens in four vectors of lanes; wide codes (Q8_0, IQ4) take the 16-bit way. What
 * the dot product does outside of its defined range differs between processors, so nothing here goes there; and because one engine was seen
 * to give wrong sums inside of it, dispatch.c asks for a few known answers first.
 */
#if defined(__wasm_relaxed_simd__)
#include "wasm_simd.h"

enum { TILE_ROWS = 2 };

/* R rows of codes times a tile of 16 tokens: out (R, RT_TOKENS). */
INLINE void bytes_tile(const panel *p, uint32_t row, const rt_inputs *in, uint32_t tile, unsigned R, unsigned group, unsigned sub, bool min,
                       float *out) {
  const size_t cols = p->cols, groups = p->groups, subs = p->subs, part = sub ? sub : 32, per_group = group / part;
  const uint8_t *codes = p->codes + row * cols;
  const float *d = p->d + row * groups, *m = p->m + row * groups;
  const int8_t *q = in->q + tile * RT_TOKENS * cols;
  const float *da = in->d + tile * RT_TOKENS * groups;
  const int16_t *sums = in->sums + tile * RT_TOKENS * (cols / RT_SUM);
  /* Which of a pair of 16-element sums a sub-block takes, times minus the zero that the products still contain. */
  const int32_t zero_code = -(int32_t)p->format.zero;
  const v128_t first = wasm_i32x4_splat(zero_code & 0xffff), second = wasm_i32x4_splat((int32_t)((uint32_t)zero_code << 16)),
               both = wasm_v128_or(first, second);
  for (unsigned r = 0; r < R; r++)
    for (unsigned t = 0; t < 4; t++) wasm_v128_store(out + r * RT_TOKENS + 4 * t, zero());
  for (size_t g = 0; g < groups; g++) {
    v128_t isum[TILE_ROWS][4];
    for (size_t s = 0; s < per_group; s++) {
      v128_t dots[TILE_ROWS][4];
      for (unsigned t = 0; t < 4; t++) {
        v128_t start = zero();
        if (!min)
          start = wasm_i32x4_dot_i16x8(load(sums + ((g * group + s * part) / 32) * 2 * RT_TOKENS + t * 8), part == 32 ? both
                                                                                                           : s & 1    ? second
                                                                                                                      : first);
        for (unsigned r = 0; r < R; r++) dots[r][t] = start;
      }
#pragma clang loop unroll(disable)
      for (unsigned k = 0; k < part / 4; k++, codes += 4, q += 4 * RT_TOKENS) {
        v128_t a[4] = {load(q), load(q + 16), load(q + 32), load(q + 48)};
        for (unsigned r = 0; r < R; r++) {
          v128_t c = wasm_v128_load32_splat(codes + r * cols);
          for (unsigned t = 0; t < 4; t++) dots[r][t] = dot_bytes(dots[r][t], a[t], c);
        }
      }
      for (unsigned r = 0; r < R; r++) {
        v128_t scale = sub ? wasm_v128_load32_splat(p->scales + (row + r) * subs + g * per_group + s) : zero();
        for (unsigned t = 0; t < 4; t++) {
          v128_t sum = sub ? wasm_i32x4_mul(dots[r][t], scale) : dots[r][t];
          isum[r][t] = s == 0 ? sum : wasm_i32x4_add(isum[r][t], sum);
        }
      }
    }
    for (unsigned t = 0; t < 4; t++) {
      v128_t msum[TILE_ROWS] = {zero(), zero()};
      if (min)
        min_sums(sub ? p->mins + row * subs + g * per_group : p->mins, subs, sums + (g * group / 32) * 2 * RT_TOKENS + t * 8, R, group, sub,
                 msum);
      for (unsigned r = 0; r < R; r++) {
        float *acc = out + r * RT_TOKENS + 4 * t;
        wasm_v128_store(acc, add_group(load(acc), load(da + g * RT_TOKENS + 4 * t), d + r * groups + g, isum[r][t], m + r * groups + g,
                                       msum[r], group, min));
      }
    }
  }
}

#define BYTES(NAME, GROUP, SUB, MIN)                                                                            \
  static void NAME(const panel *p, uint32_t rows, const rt_inputs *in, uint32_t tile, float *out) {             \
    for (uint32_t r = 0; r < rows; r += TILE_ROWS) /* what lies behind the last row is computed, and dropped */ \
      bytes_tile(p, r, in, tile, TILE_ROWS, GROUP, SUB, MIN, out + r * RT_TOKENS);                              \
  }
BYTES(bytes_32, 32, 0, false)
BYTES(bytes_32_min, 32, 0, true)
BYTES(bytes_sub16, 256, 16, false)
BYTES(bytes_sub32, 256, 32, false)
BYTES(bytes_sub16_min, 256, 16, true)
BYTES(bytes_sub32_min, 256, 32, true)

/* None where codes have 8 bits: the dot product takes 7. */
static tile_kernel *const bytes_kernels[RT_PANEL_KINDS] = {
    [RT_PANEL_32_4BIT] = bytes_32,
    [RT_PANEL_32_5BIT] = bytes_32,
    [RT_PANEL_32_MIN_4BIT] = bytes_32_min,
    [RT_PANEL_32_MIN_5BIT] = bytes_32_min,
    [RT_PANEL_SUB16_5BIT] = bytes_sub16,
    [RT_PANEL_SUB16_6BIT] = bytes_sub16,
    [RT_PANEL_SUB16_7BIT] = bytes_sub16,
    [RT_PANEL_SUB16_MIN] = bytes_sub16_min,
    [RT_PANEL_SUB32_6BIT] = bytes_sub32,
    [RT_PANEL_SUB32_7BIT] = bytes_sub32,
    [RT_PANEL_SUB32_MIN_4BIT] = bytes_sub32_min,
    [RT_PANEL_SUB32_MIN_5BIT] = bytes_sub32_min,
};

static void gemm(const rt_strip *strip) {
  tile_kernel *kernel = bytes_kernels[strip->w->kind];
  if (!kernel) {
    gemm_words(strip);
    return;
  }
  panel p = panel_layout(strip);
  panel_fill(&p, strip->w, strip->first, strip->rows);
  float *out = (float *)(void *)p.rest;
  for (uint32_t tile = 0; tile * RT_TOKENS < strip->inputs->n; tile++) {
    kernel(&p, strip->rows, strip->inputs, tile, out);
    store_tile(strip, 0, strip->rows, tile, out);
  }
}

/* Sums of extreme and of mixed bytes, against the same in plain integers. */
bool rt_relaxed_dot_is_right(void) {
  for (uint32_t test = 0; test < 64; test++) {
    int8_t a[16];
    uint8_t b[16];
    int32_t got[4], start = (int32_t)(test * 1000003u);
    for (uint32_t i = 0; i < 16; i++) {
      uint32_t mixed = (test * 16 + i) * 2654435761u;
      a[i] = test == 0 ? -128 : test == 1 ? 127 : (int8_t)(mixed >> 24);
      b[i] = test < 4 ? 127 : (uint8_t)(mixed >> 16 & 127);
    }
    wasm_v128_store(got, dot_bytes(wasm_i32x4_splat(start), load(a), load(b)));
    for (uint32_t lane = 0; lane < 4; lane++) {
      int32_t sum = start;
      for (uint32_t i = 4 * lane; i < 4 * lane + 4; i++) sum += a[i] * b[i];
      if (sum != got[lane]) return false;
    }
  }
  return true;
}

const rt_kernels rt_kernels_relaxed = {
    .name = "relaxed", .gemm_from = 4, .side = RT_TOKENS, .unit = 4, .gemv = gemv, .gemm = gemm, RT_FLOAT_OPS};
#endif
