/* wasm_simd.h - WebAssembly's 128-bit vectors; simd128.c and relaxed.c compile it for the two variants.
 *
 * The fixed instruction set has no dot product of bytes, but one of 16-bit integers (i32x4.dot_i16x8_s), and |scale * (code - zero)| always
 * fits in 16 bits: so matrix times matrix works on rows of such weights, and one kernel serves every format. Matrix times vector reads the
 * hot formats in place, four rows side by side in the lanes of the float operations; the others go through the same 16-bit rows.
 *
 * Relaxed SIMD adds a dot product of bytes whose result is defined only where the second operand lies in 0..127: there the codes stand
 * (those of 8 bits take the 16-bit way), and the activations in the first. Deliberately absent: relaxed_madd and every other instruction
 * whose result an engine may choose.
 */
#ifndef RT_KERNELS_WASM_SIMD_H
#define RT_KERNELS_WASM_SIMD_H

#include <wasm_simd128.h>

#include "../float_ops.h"
#include "../panel_strip.h"

#if defined(__wasm_relaxed_simd__)
enum { RELAXED = true };
/* sum + a . b over quads of bytes; b in 0..127 */
INLINE v128_t dot_bytes(v128_t sum, v128_t a, v128_t b) { return wasm_i32x4_relaxed_dot_i8x16_i7x16_add(a, b, sum); }
#else
enum { RELAXED = false };
INLINE v128_t dot_bytes(v128_t sum, v128_t a, v128_t b) { return (void)a, (void)b, sum; } /* never called: RELAXED is false */
#endif

INLINE v128_t load(const void *p) { return wasm_v128_load(p); }
INLINE v128_t zero(void) { return wasm_i32x4_const_splat(0); }
INLINE v128_t dot_words(v128_t sum, v128_t a, v128_t b) { return wasm_i32x4_add(sum, wasm_i32x4_dot_i16x8(a, b)); }

/* ---- rows of 16-bit weights ---- */

enum { WORD_ROWS = RT_STRIP_ROWS / 2 }; /* fit where RT_STRIP_ROWS rows of codes do */

INLINE int16_t *words_of(const panel *p, size_t row) { return (int16_t *)(void *)(p->codes + row * 2 * p->cols); }

/* Rows first .. first + rows - 1 of the matrix: words (rows, cols) = scale * (code - zero), or code - zero where there is no integer scale.
 */
static void fill_words(const panel *p, const rt_matrix *w, uint32_t first, uint32_t rows) {
  const uint32_t cols = p->cols, sub = p->format.sub;
  const v128_t offset = wasm_i16x8_splat(p->format.zero);
  for (uint32_t r = 0; r < rows; r++) {
    /* The codes are decoded into the second half of the row's place and spread from there. */
    int16_t *words = words_of(p, r);
    uint8_t *codes = (uint8_t *)words + cols;
    const rt_panel_row out = {codes, p->d + (size_t)r * p->groups, p->m + (size_t)r * p->groups, p->scales + (size_t)r * p->subs,
                              p->mins + (size_t)r * p->subs};
    panel_decode_row(w->type->id, w->data + (size_t)(first + r) * w->row_bytes, w->cols / w->type->block, &out);
    for (uint32_t c = 0; c < cols; c += 16) {
      v128_t v = load(codes + c);
      v128_t low = wasm_i16x8_sub(wasm_u16x8_extend_low_u8x16(v), offset), high = wasm_i16x8_sub(wasm_u16x8_extend_high_u8x16(v), offset);
      if (sub) {
        v128_t scale = wasm_i16x8_splat((int16_t)out.scales[c / sub]);
        low = wasm_i16x8_mul(low, scale);
        high = wasm_i16x8_mul(high, scale);
      }
      wasm_v128_store(words + c, low);
      wasm_v128_store(words + c + 8, high);
    }
  }
}

/* ---- matrix times matrix ---- */

/* acc + da * t for the group's integer sums, four tokens in the lanes. */
INLINE v128_t add_group(v128_t acc, v128_t da, const float *d, v128_t isum, const float *m, v128_t msum, unsigned group, bool min) {
  v128_t t = wasm_f32x4_mul(wasm_v128_load32_splat(d), wasm_f32x4_convert_i32x4(isum));
  if (min) {
    v128_t u = wasm_f32x4_mul(wasm_v128_load32_splat(m), wasm_f32x4_convert_i32x4(msum));
    t = group == 32 ? wasm_f32x4_add(t, u) : wasm_f32x4_sub(t, u);
  }
  return wasm_f32x4_add(acc, wasm_f32x4_mul(da, t));
}

/* The minima of R rows' groups times the activations' sums of four tokens: out (R). sums: (group / 32, RT_TOKENS, 2), mins: (R, stride).
 * Minima of 32 elements are taken two by two, times the sums of two such runs side by side. */
INLINE void min_sums(const int16_t *mins, size_t stride, const int16_t *sums, unsigned R, unsigned group, unsigned sub, v128_t *out) {
  if (group == 32) {
    for (unsigned r = 0; r < R; r++) out[r] = wasm_i32x4_extadd_pairwise_i16x8(load(sums));
    return;
  }
  for (unsigned r = 0; r < R; r++) out[r] = zero();
#pragma clang loop unroll(full)
  for (unsigned k = 0; k < (sub == 32 ? 4 : 8); k++) {
    v128_t sum;
    if (sub == 32) {
      v128_t a = load(sums + 2 * k * 2 * RT_TOKENS), b = load(sums + (2 * k + 1) * 2 * RT_TOKENS);
      sum = wasm_v128_bitselect(wasm_i16x8_add(a, wasm_u32x4_shr(a, 16)), wasm_i16x8_add(b, wasm_i32x4_shl(b, 16)),
                                wasm_i32x4_const_splat(0xffff));
    } else {
      sum = load(sums + k * 2 * RT_TOKENS);
    }
    for (unsigned r = 0; r < R; r++) out[r] = dot_words(out[r], sum, wasm_v128_load32_splat(mins + r * stride + 2 * k));
  }
}

/* The integer sums of R rows' words over `count` elements times four tokens: isum (R). */
INLINE void sum_words(const int16_t *w, size_t cols, const int8_t *q, unsigned count, unsigned R, v128_t *isum) {
  v128_t low[4], high[4]; /* of tokens 0, 1 and 2, 3; two sums each */
  for (unsigned r = 0; r < R; r++) low[r] = high[r] = zero();
#pragma clang loop unroll(disable)
  for (unsigned k = 0; k < count; k += 8, w += 8, q += 8 * RT_TOKENS) {
    v128_t a = wasm_i16x8_load8x8(q), b = wasm_i16x8_load8x8(q + 8);
    v128_t c = wasm_i16x8_load8x8(q + 4 * RT_TOKENS), d = wasm_i16x8_load8x8(q + 4 * RT_TOKENS + 8);
    for (unsigned r = 0; r < R; r++) {
      v128_t eight = load(w + r * cols), first = wasm_i64x2_shuffle(eight, eight, 0, 0), second = wasm_i64x2_shuffle(eight, eight, 1, 1);
      low[r] = dot_words(dot_words(low[r], first, a), second, c);
      high[r] = dot_words(dot_words(high[r], first, b), second, d);
    }
  }
  for (unsigned r = 0; r < R; r++)
    isum[r] = wasm_i32x4_add(wasm_i32x4_shuffle(low[r], high[r], 0, 2, 4, 6), wasm_i32x4_shuffle(low[r], high[r], 1, 3, 5, 7));
}
/* For 256 elements a function of its own: engines' compilers keep a loop's values in registers only where little else is alive. */
static __attribute__((noinline)) void sum_words_4(const int16_t *w, size_t cols, const int8_t *q, v128_t *isum) {
  sum_words(w, cols, q, 256, 4, isum);
}

/* R rows of words times four of a tile's tokens: out (R, RT_TOKENS). `q`, `da`, `sums`, `out` point at the first of the four. */
INLINE void words_tile(const panel *p, uint32_t row, const int8_t *q, const float *da, const int16_t *sums, unsigned R, unsigned group,
                       unsigned sub, bool min, float *out) {
  const size_t groups = p->groups;
  const float *d = p->d + row * groups, *m = p->m + row * groups;
  const int16_t *mins = p->mins + (size_t)row * p->subs;
  v128_t acc[4] = {zero(), zero(), zero(), zero()};
  for (size_t g = 0; g < groups; g++) {
    v128_t isum[4], msum[4] = {zero(), zero(), zero(), zero()}, scale = load(da + g * RT_TOKENS);
    const int16_t *w = words_of(p, row) + g * group;
    const int8_t *a = q + g * group * RT_TOKENS;
    if (group == 32) sum_words(w, p->cols, a, 32, R, isum);
    else sum_words_4(w, p->cols, a, isum);
    if (min) min_sums(sub ? mins + g * (256 / sub) : mins, p->subs, sums + g * (group / 32) * 2 * RT_TOKENS, R, group, sub, msum);
    for (unsigned r = 0; r < R; r++)
      acc[r] = add_group(acc[r], scale, d + r * groups + g, isum[r], m + r * groups + g, msum[r], group, min);
  }
  for (unsigned r = 0; r < R; r++) wasm_v128_store(out + r * RT_TOKENS, acc[r]);
}

INLINE void words_rows(const panel *p, uint32_t rows, const rt_inputs *in, uint32_t tile, unsigned group, unsigned sub, bool min,
                       float *out) {
  const int8_t *q = in->q + (size_t)tile * RT_TOKENS * in->cols;
  const float *da = in->d + (size_t)tile * RT_TOKENS * p->groups;
  const int16_t *sums = in->sums + (size_t)tile * RT_TOKENS * (in->cols / RT_SUM);
  for (uint32_t r = 0; r < rows; r += 4) /* what lies behind the last row is computed, and dropped */
    for (uint32_t t = 0; t < RT_TOKENS && tile * RT_TOKENS + t < in->n; t += 4)
      words_tile(p, r, q + 4 * t, da + t, sums + 2 * t, 4, group, sub, min, out + r * RT_TOKENS + t);
}

typedef void tile_kernel(const panel *p, uint32_t rows, const rt_inputs *in, uint32_t tile, float *out);
#define WORDS(NAME, GROUP, SUB, MIN)                                                                \
  static void NAME(const panel *p, uint32_t rows, const rt_inputs *in, uint32_t tile, float *out) { \
    words_rows(p, rows, in, tile, GROUP, SUB, MIN, out);                                            \
  }
WORDS(words_32, 32, 0, false)
WORDS(words_32_min, 32, 0, true)
WORDS(words_256, 256, 0, false)
WORDS(words_sub16_min, 256, 16, true)
WORDS(words_sub32_min, 256, 32, true)

/* A tile's results (rows, RT_TOKENS) to their places. */
static void store_tile(const rt_strip *strip, uint32_t first, uint32_t rows, uint32_t tile, const float *out) {
  uint32_t n = strip->inputs->n - tile * RT_TOKENS;
  for (uint32_t k = 0; k < RT_TOKENS && k < n; k++) {
    float *y = strip->y + (tile * RT_TOKENS + k) * strip->y_stride + first;
    for (uint32_t r = 0; r < rows; r++) y[r] = out[r * RT_TOKENS + k];
  }
}

/* Words have their scale and no zero: what is left to tell apart are groups and minima. */
static tile_kernel *const words_kernels[RT_PANEL_KINDS] = {
    [RT_PANEL_32_4BIT] = words_32,
    [RT_PANEL_32_5BIT] = words_32,
    [RT_PANEL_32_8BIT] = words_32,
    [RT_PANEL_32_MIN_4BIT] = words_32_min,
    [RT_PANEL_32_MIN_5BIT] = words_32_min,
    [RT_PANEL_SUB16_5BIT] = words_256,
    [RT_PANEL_SUB16_6BIT] = words_256,
    [RT_PANEL_SUB16_7BIT] = words_256,
    [RT_PANEL_SUB16_MIN] = words_sub16_min,
    [RT_PANEL_SUB32_6BIT] = words_256,
    [RT_PANEL_SUB32_7BIT] = words_256,
    [RT_PANEL_SUB32_8BIT] = words_256,
    [RT_PANEL_SUB32_MIN_4BIT] = words_sub32_min,
    [RT_PANEL_SUB32_MIN_5BIT] = words_sub32_min,
};

static void gemm_words(const rt_strip *strip) {
  panel p = panel_layout(strip);
  tile_kernel *kernel = words_kernels[strip->w->kind];
  float *out = (float *)(void *)p.rest;
  for (uint32_t start = 0; start < strip->rows; start += WORD_ROWS) {
    uint32_t rows = strip->rows - start < WORD_ROWS ? strip->rows - start : WORD_ROWS;
    fill_words(&p, strip->w, strip->first + start, rows);
    for (uint32_t tile = 0; tile * RT_TOKENS < strip->inputs->n; tile++) {
      kernel(&p, rows, strip->inputs, tile, out);
      store_tile(strip, start, rows, tile, out);
    }
  }
}

/* ---- matrix times one or a few vectors ---- */

/* There is no instruction to prefetch with, and four short rows read side by side are no pattern that a processor foresees. Single bytes
 * loaded in order, so far in front of what is computed, are one: its own prefetching then keeps in front of them. Up to three times as fast
 * from memory, where four rows have no more than AHEAD bytes; slower where they have more, for then each row is pattern enough. */
enum { AHEAD = 8192, LINE = 64 };
INLINE void touch(const uint8_t *ahead, size_t bytes) {
  for (size_t at = 0; at < bytes; at += LINE) (void)*(const volatile uint8_t *)(ahead + at);
}

/* The sums of four vectors, side by side. */
INLINE v128_t sums_of_4(const v128_t v[4]) {
  v128_t a = wasm_i32x4_add(wasm_i32x4_shuffle(v[0], v[1], 0, 4, 1, 5), wasm_i32x4_shuffle(v[0], v[1], 2, 6, 3, 7));
  v128_t b = wasm_i32x4_add(wasm_i32x4_shuffle(v[2], v[3], 0, 4, 1, 5), wasm_i32x4_shuffle(v[2], v[3], 2, 6, 3, 7));
  return wasm_i32x4_add(wasm_i64x2_shuffle(a, b, 0, 2), wasm_i64x2_shuffle(a, b, 1, 3));
}

/* Four halves widened exactly. Subnormal floats cost engines' machines dearly as operands, so those halves, infinities and NaN go another
 * way. */
INLINE v128_t halves_of_4(const uint8_t *const at[4], size_t offset) {
  v128_t h = wasm_v128_load16_lane(at[0] + offset, zero(), 1); /* in the upper half of a lane, so that one shift spreads the sign */
  h = wasm_v128_load16_lane(at[1] + offset, h, 3);
  h = wasm_v128_load16_lane(at[2] + offset, h, 5);
  h = wasm_v128_load16_lane(at[3] + offset, h, 7);
  v128_t exponent = wasm_v128_and(wasm_i32x4_add(h, wasm_i32x4_const_splat(0x04000000)), wasm_i32x4_const_splat(0x78000000));
  if (wasm_i32x4_all_true(exponent)) /* not 0 and not 31 */
    return wasm_i32x4_add(wasm_v128_and(wasm_i32x4_shr(h, 3), wasm_i32x4_const_splat((int32_t)0x8fffe000)),
                          wasm_i32x4_const_splat(0x38000000));
  return wasm_f32x4_make(RT_F16_AT(at[0] + offset), RT_F16_AT(at[1] + offset), RT_F16_AT(at[2] + offset), RT_F16_AT(at[3] + offset));
}

INLINE v128_t low_nibbles(v128_t v) { return wasm_v128_and(v, wasm_i8x16_const_splat(15)); }
INLINE v128_t high_nibbles(v128_t v) { return wasm_v128_and(wasm_u16x8_shr(v, 4), wasm_i8x16_const_splat(15)); }

/* The activations as words, in the order in which a format's codes become words at the least cost. Bytes become words as the even ones and
 * the odd ones. Nibbles stay where they are in their byte, the high ones worth 16 times as much, so the words for the low ones are 16 times
 * the activation. NIBBLES + 16, + 32: so many bytes hold the low nibbles' elements, then the high ones'. */
enum { AS_THEY_ARE, EVEN_ODD, NIBBLES };
INLINE void split_signed(v128_t v, v128_t words[2]) {
  words[0] = wasm_i16x8_shr(wasm_i16x8_shl(v, 8), 8);
  words[1] = wasm_i16x8_shr(v, 8);
}
INLINE void spread_inputs(const rt_inputs *in, int order, int16_t *words) {
  const size_t count = (size_t)in->n * in->cols;
  const int8_t *q = in->q;
  if (order < NIBBLES) {
    for (size_t c = 0; c < count; c += 16) {
      v128_t w[2] = {wasm_i16x8_load8x8(q + c), wasm_i16x8_load8x8(q + c + 8)};
      if (order == EVEN_ODD) split_signed(load(q + c), w);
      wasm_v128_store(words + c, w[0]);
      wasm_v128_store(words + c + 8, w[1]);
    }
    return;
  }
  const size_t half = (size_t)(order - NIBBLES);
  for (size_t start = 0; start < count; start += 2 * half)
    for (size_t c = start; c < start + half; c += 16, words += 32) {
      v128_t low[2], high[2];
      split_signed(load(q + c), low);
      split_signed(load(q + c + half), high);
      wasm_v128_store(words, wasm_i16x8_shl(low[0], 4));
      wasm_v128_store(words + 8, wasm_i16x8_shl(low[1], 4));
      wasm_v128_store(words + 16, high[0]);
      wasm_v128_store(words + 24, high[1]);
    }
}

/* 16 bytes of nibbles times their 32 words: 16 times the sums over the low nibbles and over the high ones. */
INLINE void dot_nibbles(v128_t v, const v128_t a[4], v128_t *low, v128_t *high) {
  const v128_t low_mask = wasm_i16x8_const_splat(0x0f), high_mask = wasm_i16x8_const_splat(0xf0);
  v128_t odd = wasm_u16x8_shr(v, 8);
  *low = dot_words(wasm_i32x4_dot_i16x8(wasm_v128_and(v, low_mask), a[0]), wasm_v128_and(odd, low_mask), a[1]);
  *high = dot_words(wasm_i32x4_dot_i16x8(wasm_v128_and(v, high_mask), a[2]), wasm_v128_and(odd, high_mask), a[3]);
}

/* Four rows of blocks of 32 times one input: y (4). ahead: as many bytes to touch. words: (cols); not for nibbles where bytes can be
 * multiplied. */
INLINE void dot4_32(uint32_t type, const uint8_t *const row[4], const uint8_t *ahead, const rt_inputs *in, uint32_t first,
                    const int16_t *words, float *y) {
  const size_t cols = in->cols, groups = cols / 32,
               bytes = type == RT_Q8_0   ? sizeof(rt_q8_0_block)
                       : type == RT_Q4_1 ? sizeof(rt_q4_1_block)
                                         : sizeof(rt_q4_0_block);
  const bool min = type == RT_Q4_1, narrow = RELAXED && type != RT_Q8_0;
  const int8_t *q = in->q + first * cols;
  const float *da = in->d + first * groups;
  const int16_t *sums = in->sums + first * (cols / RT_SUM);
  const uint8_t *at[4] = {row[0], row[1], row[2], row[3]};
  v128_t acc = zero();
  for (size_t g = 0; g < groups; g++) {
    v128_t a[4], v[4];
    touch(ahead + g * 4 * bytes, 4 * bytes);
    for (unsigned k = 0; k < 4; k++)
      if (!narrow) a[k] = load(words + 32 * g + 8 * k);
      else if (k < 2) a[k] = load(q + 32 * g + 16 * k);
    for (unsigned r = 0; r < 4; r++) {
      const uint8_t *codes = at[r] + (bytes - (type == RT_Q8_0 ? 32 : 16)); /* they end each block */
      if (type == RT_Q8_0) {
        v128_t c[4];
        for (unsigned k = 0; k < 4; k++) c[k] = wasm_i16x8_load8x8(codes + 8 * k);
        v[r] = wasm_i32x4_add(dot_words(wasm_i32x4_dot_i16x8(c[0], a[0]), c[1], a[1]),
                              dot_words(wasm_i32x4_dot_i16x8(c[2], a[2]), c[3], a[3]));
      } else if (narrow) {
        v128_t packed = load(codes);
        v[r] = dot_bytes(dot_bytes(zero(), a[0], low_nibbles(packed)), a[1], high_nibbles(packed));
      } else {
        v128_t low, high;
        dot_nibbles(load(codes), a, &low, &high);
        v[r] = wasm_i32x4_add(low, high);
      }
    }
    v128_t isum = sums_of_4(v), suma = wasm_v128_load32_splat(sums + 2 * g); /* of two halves */
    if (type != RT_Q8_0 && !narrow) isum = wasm_i32x4_shr(isum, 4);
    if (type == RT_Q4_0) isum = dot_words(isum, suma, wasm_i16x8_const_splat(-8));
    v128_t t = wasm_f32x4_mul(halves_of_4(at, 0), wasm_f32x4_convert_i32x4(isum));
    if (min) t = wasm_f32x4_add(t, wasm_f32x4_mul(halves_of_4(at, 2), wasm_f32x4_convert_i32x4(wasm_i32x4_extadd_pairwise_i16x8(suma))));
    acc = wasm_f32x4_add(acc, wasm_f32x4_mul(wasm_v128_load32_splat(da + g), t));
    for (unsigned r = 0; r < 4; r++) at[r] += bytes;
  }
  wasm_v128_store(y, acc);
}
/* Functions of their own: engines' compilers keep values in registers only where little else is alive. */
typedef void four_kernel(const uint8_t *const row[4], const uint8_t *ahead, const rt_inputs *in, uint32_t first, const int16_t *words,
                         float *y);
#define FOUR(NAME, TYPE)                                                                                                             \
  static __attribute__((noinline)) void NAME(const uint8_t *const row[4], const uint8_t *ahead, const rt_inputs *in, uint32_t first, \
                                             const int16_t *words, float *y) {                                                       \
    dot4_32(TYPE, row, ahead, in, first, words, y);                                                                                  \
  }
FOUR(four_q4_0, RT_Q4_0)
FOUR(four_q4_1, RT_Q4_1)
FOUR(four_q8_0, RT_Q8_0)

/* ---- blocks of 256 ---- */

/* One row after the other, so that few values are alive and memory is read in order. Loops stay loops: wasmtime's compiler computes late
 * what only a later instruction needs, and does all loads of a straight piece before, more than there are registers. What is left of a
 * block are four partial integer sums, and, where there are minima, four of them; finish_256 adds them up, four rows side by side. */
enum { PARTIAL = 8 }; /* numbers a block */

/* sum over 16 codes times their activations, as words (those of the even and of the odd ones) or as bytes. */
INLINE v128_t dot_16(v128_t sum, v128_t codes, const int16_t *words, const int8_t *q) {
  if (RELAXED) return dot_bytes(sum, load(q), codes);
  return dot_words(dot_words(sum, wasm_v128_and(codes, wasm_i16x8_const_splat(0xff)), load(words)), wasm_u16x8_shr(codes, 8),
                   load(words + 8));
}

/* A row's blocks of Q4_K or Q5_K: partial (groups, PARTIAL). sums: (groups, 8) of 32 activations each. */
INLINE void row_min_256(uint32_t type, const uint8_t *block, size_t groups, const int16_t *words, const int8_t *q, const int16_t *sums,
                        int32_t *partial) {
  const size_t codes_at = type == RT_Q4_K ? offsetof(rt_q4_k_block, codes) : offsetof(rt_q5_k_block, codes);
  const v128_t fifth = wasm_i8x16_const_splat(16);
  for (; groups; groups--, block += codes_at, sums += 8, partial += PARTIAL) {
    uint64_t s, m;
    rt_scales_6bit(block + offsetof(rt_q4_k_block, scales), &s, &m); /* at the same place in both */
    wasm_v128_store(partial + 4, wasm_i32x4_dot_i16x8(wasm_u16x8_extend_low_u8x16(wasm_u64x2_splat(m)), load(sums)));
    v128_t scales = wasm_u16x8_extend_low_u8x16(wasm_u64x2_splat(s)), isum = zero(), bits[2];
    for (unsigned i = 0; i < 2 && type == RT_Q5_K; i++) bits[i] = load(block + offsetof(rt_q5_k_block, high) + 16 * i);
#pragma clang loop unroll(disable)
    for (unsigned pair = 0; pair < 4; pair++, block += 32, words += 64, q += 64) {
      v128_t low = zero(), high = zero();
      for (unsigned i = 0; i < 2; i++) {
        v128_t v = load(block + codes_at + 16 * i);
        if (type == RT_Q4_K && !RELAXED) {
          const v128_t a[4] = {load(words + 32 * i), load(words + 32 * i + 8), load(words + 32 * i + 16), load(words + 32 * i + 24)};
          v128_t l, h;
          dot_nibbles(v, a, &l, &h);
          low = wasm_i32x4_add(low, l);
          high = wasm_i32x4_add(high, h);
          continue;
        }
        v128_t c = low_nibbles(v), d = high_nibbles(v);
        if (type == RT_Q5_K) {
          c = wasm_v128_or(c, wasm_v128_and(wasm_i16x8_shl(bits[i], 4), fifth));
          d = wasm_v128_or(d, wasm_v128_and(wasm_i16x8_shl(bits[i], 3), fifth));
          bits[i] = wasm_u16x8_shr(bits[i], 2);
        }
        low = dot_16(low, c, words + 16 * i, q + 16 * i);
        high = dot_16(high, d, words + 32 + 16 * i, q + 32 + 16 * i);
      }
      v128_t two = wasm_i32x4_shuffle(scales, scales, 0, 0, 0, 0);
      isum = wasm_i32x4_add(isum, wasm_i32x4_mul(low, wasm_v128_and(two, wasm_i32x4_const_splat(0xffff))));
      isum = wasm_i32x4_add(isum, wasm_i32x4_mul(high, wasm_u32x4_shr(two, 16)));
      scales = wasm_i32x4_shuffle(scales, scales, 1, 2, 3, 0);
    }
    wasm_v128_store(partial, type == RT_Q4_K && !RELAXED ? wasm_i32x4_shr(isum, 4) : isum);
  }
}

/* A row's blocks of Q6_K. sums: (groups, 16) of 16 activations each. */
INLINE void row_q6_k(const uint8_t *block, size_t groups, const int16_t *words, const int8_t *q, const int16_t *sums, int32_t *partial) {
  const v128_t two_bits = wasm_i8x16_const_splat(48);
  for (; groups; groups--, block += sizeof(rt_q6_k_block), words += 256, q += 256, sums += 16, partial += PARTIAL) {
    const rt_q6_k_block *b = (const rt_q6_k_block *)(const void *)block;
    v128_t bytes = load(b->scales), low8 = wasm_i16x8_extend_low_i8x16(bytes), high8 = wasm_i16x8_extend_high_i8x16(bytes);
    /* 32 is the code of 0 */
    v128_t isum = wasm_i32x4_shl(wasm_i32x4_neg(dot_words(wasm_i32x4_dot_i16x8(low8, load(sums)), high8, load(sums + 8))), 5);
    const v128_t scales[4] = {wasm_i32x4_shr(wasm_i32x4_shl(low8, 16), 16), wasm_i32x4_shr(low8, 16),
                              wasm_i32x4_shr(wasm_i32x4_shl(high8, 16), 16), wasm_i32x4_shr(high8, 16)};
    /* Elements 16 i .. 16 i + 15 of the four runs of 32 of each half. */
#pragma clang loop unroll(disable)
    for (unsigned k = 0; k < 4; k++) {
      const uint8_t *low = b->low + 16 * k + (k & 2) * 16;
      v128_t first = load(low), second = load(low + 32), high = load(b->high + 16 * k), scale = scales[k];
      const int16_t *w = words + 16 * k + (k & 2) * 48;
      const int8_t *a = q + 16 * k + (k & 2) * 48;
      v128_t c = wasm_v128_or(low_nibbles(first), wasm_v128_and(wasm_i16x8_shl(high, 4), two_bits));
      isum = wasm_i32x4_add(isum, wasm_i32x4_mul(dot_16(zero(), c, w, a), wasm_i32x4_shuffle(scale, scale, 0, 0, 0, 0)));
      c = wasm_v128_or(low_nibbles(second), wasm_v128_and(wasm_i16x8_shl(high, 2), two_bits));
      isum = wasm_i32x4_add(isum, wasm_i32x4_mul(dot_16(zero(), c, w + 32, a + 32), wasm_i32x4_shuffle(scale, scale, 1, 1, 1, 1)));
      c = wasm_v128_or(high_nibbles(first), wasm_v128_and(high, two_bits));
      isum = wasm_i32x4_add(isum, wasm_i32x4_mul(dot_16(zero(), c, w + 64, a + 64), wasm_i32x4_shuffle(scale, scale, 2, 2, 2, 2)));
      c = wasm_v128_or(high_nibbles(second), wasm_v128_and(wasm_u16x8_shr(high, 2), two_bits));
      isum = wasm_i32x4_add(isum, wasm_i32x4_mul(dot_16(zero(), c, w + 96, a + 96), wasm_i32x4_shuffle(scale, scale, 3, 3, 3, 3)));
    }
    wasm_v128_store(partial, isum);
  }
}

typedef void row_kernel(const uint8_t *block, size_t groups, const int16_t *words, const int8_t *q, const int16_t *sums, int32_t *partial);
#define ROW(NAME, CALL)                                                                                                  \
  static __attribute__((noinline)) void NAME(const uint8_t *block, size_t groups, const int16_t *words, const int8_t *q, \
                                             const int16_t *sums, int32_t *partial) {                                    \
    CALL;                                                                                                                \
  }
ROW(rows_q4_k, row_min_256(RT_Q4_K, block, groups, words, q, sums, partial))
ROW(rows_q5_k, row_min_256(RT_Q5_K, block, groups, words, q, sums, partial))
ROW(rows_q6_k, row_q6_k(block, groups, words, q, sums, partial))

/* partial: (4, groups, PARTIAL) of four rows whose blocks' halves lie at `d` and, with minima, two bytes behind; da: (groups); y (4). */
static void finish_256(const uint8_t *const row[4], size_t bytes, size_t d, bool min, size_t groups, const int32_t *partial,
                       const float *da, float *y) {
  const uint8_t *at[4] = {row[0] + d, row[1] + d, row[2] + d, row[3] + d};
  v128_t acc = zero();
  for (size_t g = 0; g < groups; g++, partial += PARTIAL) {
    v128_t v[4];
    for (unsigned r = 0; r < 4; r++) v[r] = load(partial + r * groups * PARTIAL);
    v128_t t = wasm_f32x4_mul(halves_of_4(at, 0), wasm_f32x4_convert_i32x4(sums_of_4(v)));
    if (min) {
      for (unsigned r = 0; r < 4; r++) v[r] = load(partial + r * groups * PARTIAL + 4);
      t = wasm_f32x4_sub(t, wasm_f32x4_mul(halves_of_4(at, 2), wasm_f32x4_convert_i32x4(sums_of_4(v))));
    }
    acc = wasm_f32x4_add(acc, wasm_f32x4_mul(wasm_v128_load32_splat(da + g), t));
    for (unsigned r = 0; r < 4; r++) at[r] += bytes;
  }
  wasm_v128_store(y, acc);
}

/* Any other format, through rows of words: y (4). */
static void dot4_words(const panel *p, const rt_inputs *in, uint32_t i, float *y) {
  const size_t cols = p->cols, groups = p->groups, group = p->format.group;
  const int8_t *q = in->q + i * cols;
  const float *da = in->d + i * groups;
  const int16_t *sums = in->sums + i * (cols / RT_SUM);
  v128_t acc = zero();
  for (size_t g = 0; g < groups; g++) {
    v128_t v[4], u[4] = {zero(), zero(), zero(), zero()};
    for (unsigned r = 0; r < 4; r++) {
      const int16_t *w = words_of(p, r) + g * group;
      v[r] = zero();
      for (size_t c = 0; c < group; c += 8) v[r] = dot_words(v[r], load(w + c), wasm_i16x8_load8x8(q + g * group + c));
      if (!p->format.min) continue;
      if (group == 32) {
        u[r] = wasm_i32x4_make(sums[2 * g] + sums[2 * g + 1], 0, 0, 0);
      } else {
        int32_t msum = 0;
        for (size_t s = 0; s < 16; s++) msum += p->mins[r * p->subs + (g * 256 + 16 * s) / p->format.sub] * sums[16 * g + s];
        u[r] = wasm_i32x4_make(msum, 0, 0, 0);
      }
    }
    const float *d = p->d + g, *m = p->m + g;
    v128_t t = wasm_f32x4_mul(wasm_f32x4_make(d[0], d[groups], d[2 * groups], d[3 * groups]), wasm_f32x4_convert_i32x4(sums_of_4(v)));
    if (p->format.min) {
      v128_t s = wasm_f32x4_mul(wasm_f32x4_make(m[0], m[groups], m[2 * groups], m[3 * groups]), wasm_f32x4_convert_i32x4(sums_of_4(u)));
      t = group == 32 ? wasm_f32x4_add(t, s) : wasm_f32x4_sub(t, s);
    }
    acc = wasm_f32x4_add(acc, wasm_f32x4_mul(wasm_v128_load32_splat(da + g), t));
  }
  wasm_v128_store(y, acc);
}

static void store_four(const rt_strip *strip, uint32_t i, uint32_t first, const float *four) {
  float *y = strip->y + i * strip->y_stride + first;
  for (uint32_t r = 0; r < 4 && first + r < strip->rows; r++) y[r] = four[r];
}

static void dot_panel(const rt_strip *strip) {
  panel p = panel_layout(strip);
  memset(p.d, 0, 4 * p.groups * sizeof *p.d); /* rows that are not there are computed, and dropped */
  for (uint32_t start = 0; start < strip->rows; start += 4) {
    fill_words(&p, strip->w, strip->first + start, strip->rows - start < 4 ? strip->rows - start : 4);
    for (uint32_t i = 0; i < strip->inputs->n; i++) {
      float y[4];
      dot4_words(&p, strip->inputs, i, y);
      store_four(strip, i, start, y);
    }
  }
}

/* Rows start .. start + 3 of the strip; where fewer are left, the last one more than once. */
static void four_rows(const rt_strip *strip, uint32_t start, const uint8_t *row[4]) {
  for (uint32_t r = 0; r < 4; r++)
    row[r] = strip->w->data + (size_t)(strip->first + (start + r < strip->rows ? start + r : strip->rows - 1)) * strip->w->row_bytes;
}

/* `order` is that of the activations' words; they lie in the strip's scratch, which holds those of 24 inputs. */
static void dot_32(const rt_strip *strip, four_kernel *kernel, int order) {
  const rt_inputs *in = strip->inputs;
  const rt_matrix *w = strip->w;
  int16_t *words = (int16_t *)(void *)strip->scratch;
  if (!RELAXED || order == AS_THEY_ARE) spread_inputs(in, order, words);
  for (uint32_t start = 0; start < strip->rows; start += 4) {
    const uint8_t *row[4];
    four_rows(strip, start, row);
    const size_t four = 4 * w->row_bytes, left = (size_t)(w->rows - strip->first - start) * w->row_bytes;
    const uint8_t *ahead = four <= AHEAD && left >= AHEAD + four + LINE ? row[0] + AHEAD : row[0];
    for (uint32_t i = 0; i < in->n; i++) {
      float y[4];
      kernel(row, ahead, in, i, words + (size_t)i * in->cols, y);
      store_four(strip, i, start, y);
    }
  }
}

/* The scratch holds the words of all inputs, their sums of 32, and four rows' partial sums. */
static void dot_256(const rt_strip *strip, row_kernel *kernel, int order, size_t d, bool min) {
  const rt_inputs *in = strip->inputs;
  const size_t cols = in->cols, groups = cols / 256, bytes = strip->w->row_bytes / groups, n_sums = cols / (min ? 32 : 16);
  int16_t *words = (int16_t *)(void *)strip->scratch, *sums = words + in->n * cols;
  int32_t *partial = (int32_t *)(void *)(sums + in->n * (cols / RT_SUM));
  if (!RELAXED) spread_inputs(in, order, words);
  for (size_t i = 0; i < in->n * n_sums; i++) sums[i] = min ? (int16_t)(in->sums[2 * i] + in->sums[2 * i + 1]) : in->sums[i];
  for (uint32_t start = 0; start < strip->rows; start += 4) {
    const uint8_t *row[4];
    four_rows(strip, start, row);
    for (uint32_t i = 0; i < in->n; i++) {
      float y[4];
      for (unsigned r = 0; r < 4; r++)
        kernel(row[r], groups, words + i * cols, in->q + i * cols, sums + i * n_sums, partial + r * groups * PARTIAL);
      finish_256(row, bytes, d, min, groups, partial, in->d + i * groups, y);
      store_four(strip, i, start, y);
    }
  }
}

static void gemv(const rt_strip *strip) {
  switch (strip->w->type->id) {
    case RT_Q4_0: dot_32(strip, four_q4_0, NIBBLES + 16); break;
    case RT_Q4_1: dot_32(strip, four_q4_1, NIBBLES + 16); break;
    case RT_Q8_0: dot_32(strip, four_q8_0, AS_THEY_ARE); break;
    case RT_Q4_K: dot_256(strip, rows_q4_k, NIBBLES + 32, offsetof(rt_q4_k_block, d), true); break;
    case RT_Q5_K: dot_256(strip, rows_q5_k, EVEN_ODD, offsetof(rt_q5_k_block, d), true); break;
    case RT_Q6_K: dot_256(strip, rows_q6_k, EVEN_ODD, offsetof(rt_q6_k_block, d), false); break;
    default: dot_panel(strip); break;
  }
}

#endif
