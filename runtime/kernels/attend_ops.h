/* attend_ops.h - attention of some query rows over one block of the KV cache, on registers of any width (lanes.h).
 *
 * Keys and values are first widened to floats in scratch memory, so that this file knows a cache's format in one place (widen). Many rows:
 * the block's keys are transposed, so that positions sit in the lanes and the contract's tree over the head's sixteen lanes becomes plain
 * additions of registers; keys and values lie in panels of two registers' width, which stay in the first cache while all rows pass by. Few
 * rows: keys stay as they are, the head's elements in the lanes, a small chunk at a time, and one tree adds up as many scores as a register
 * holds. Both ways do the same additions in the same order, score by score and element by element (docs/NUMERICS.md), so the bits are the
 * same.
 *
 * A score's sums start with their first product, not with +0: that can only turn a score of +0 into -0, which no exponential tells apart.
 */
#ifndef RT_KERNELS_ATTEND_OPS_H
#define RT_KERNELS_ATTEND_OPS_H

#include "../base/lanes.h"
#include "variant.h"
#include "../quant/q8_0.h"

enum {
  KV_PANEL = 2 * NATIVE, /* positions (keys) or elements (values) side by side */
  KV_CHUNK = 16,         /* positions widened at once for few rows */
  TRANSPOSE_ROWS = 16,   /* fewer rows than this are not worth transposing the keys for */
#if NATIVE == 16
  MOST_QUERIES = 8, /* rows computed side by side, as registers allow */
#else
  MOST_QUERIES = 4,
#endif
};

/* One position's row to floats, zeros up to `stride`. */
INLINE void widen(int kv_type, const uint8_t *row, uint32_t n, float *out, uint32_t stride) {
  uint32_t i = 0;
  if (kv_type == RT_KV_F32) {
    memcpy(out, row, n * sizeof *out);
    i = n;
  } else if (kv_type == RT_KV_Q8_0) {
    for (; i < stride; i += 32, row += sizeof(rt_q8_0_block)) {
      const rt_q8_0_block *b = (const rt_q8_0_block *)row;
      part_float d = splat_register(RT_F16_AT(b->d));
      for (uint32_t j = 0; j < 32; j += NATIVE) store_register(out + i + j, d * load_register_int8(b->q + j));
    }
  } else {
    for (; i + NATIVE <= n; i += NATIVE) store_register(out + i, load_register_f16(row + 2 * i));
    for (; i < n; i++) {
      uint16_t h;
      memcpy(&h, row + 2 * i, sizeof h);
      out[i] = rt_f16_to_f32(h);
    }
  }
  for (; i < stride; i++) out[i] = 0.0f;
}

/* `n` positions from `first` on; those past `count` are not in the cache and count as zeros. */
INLINE void widen_rows(int kv_type, const uint8_t *rows, size_t row_bytes, uint32_t dim, uint32_t first, uint32_t n, uint32_t count,
                       float *out) {
  uint32_t stride = rt_attend_stride(dim);
  for (uint32_t j = 0; j < n; j++, out += stride) {
    const uint8_t *row = rows + (first + j) * row_bytes;
    if (first + j >= count) memset(out, 0, stride * sizeof *out);
    else if (kv_type == RT_KV_F32) widen(RT_KV_F32, row, dim, out, stride);
    else if (kv_type == RT_KV_Q8_0) widen(RT_KV_Q8_0, row, dim, out, stride);
    else widen(RT_KV_F16, row, dim, out, stride);
  }
}
INLINE void widen_keys(const rt_attention_tile *t, uint32_t first, uint32_t n, uint32_t count, float *out) {
  widen_rows(t->kv_type, t->k, t->k_row_bytes, t->k_dim, first, n, count, out);
}
INLINE void widen_values(const rt_attention_tile *t, uint32_t first, uint32_t n, uint32_t count, float *out) {
  widen_rows(t->kv_type, t->v, t->v_row_bytes, t->v_dim, first, n, count, out);
}

/* ---- many rows ---------------------------------------------------------------------------------------------------------------- */

/* A NATIVE x NATIVE square, by rounds of zipping each row with the one half the square below it. */
INLINE void transpose(part_float square[NATIVE]) {
#pragma GCC unroll 4
  for (unsigned round = 1; round < NATIVE; round *= 2) {
    part_float zipped[NATIVE];
#pragma GCC unroll 16
    for (unsigned i = 0; i < NATIVE / 2; i++) {
      zipped[2 * i] = zip_low(square[i], square[i + NATIVE / 2]);
      zipped[2 * i + 1] = zip_high(square[i], square[i + NATIVE / 2]);
    }
#pragma GCC unroll 16
    for (unsigned i = 0; i < NATIVE; i++) square[i] = zipped[i];
  }
}

/* Keys of the block's first `count` positions as panels (panels, stride, KV_PANEL); rows: room for (KV_PANEL, stride). */
static __attribute__((noinline)) void transpose_keys(const rt_attention_tile *t, uint32_t count, float *rows, float *panels) {
  uint32_t stride = rt_attend_stride(t->k_dim);
  for (uint32_t j = 0; j < count; j += KV_PANEL, panels += (size_t)KV_PANEL * stride) {
    widen_keys(t, j, KV_PANEL, count, rows);
    for (uint32_t half = 0; half < KV_PANEL; half += NATIVE)
      for (uint32_t c = 0; c < stride; c += NATIVE) {
        part_float square[NATIVE];
#pragma GCC unroll 16
        for (unsigned i = 0; i < NATIVE; i++) square[i] = load_register(rows + (size_t)(half + i) * stride + c);
        transpose(square);
#pragma GCC unroll 16
        for (unsigned i = 0; i < NATIVE; i++) store_register(panels + (size_t)(c + i) * KV_PANEL + half, square[i]);
      }
  }
}

/* Values of the block's first `count` positions as panels (stride / KV_PANEL, count, KV_PANEL); row: room for (stride). */
static __attribute__((noinline)) void spread_values(const rt_attention_tile *t, uint32_t count, float *row, float *panels) {
  uint32_t stride = rt_attend_stride(t->v_dim);
  for (uint32_t j = 0; j < count; j++) {
    widen_values(t, j, 1, count, row);
    for (uint32_t c = 0; c < stride; c += KV_PANEL)
      memcpy(panels + (size_t)c * RT_ATTENTION_BLOCK + (size_t)j * KV_PANEL, row + c, KV_PANEL * sizeof *row);
  }
}

/* Scores of R rows for one panel of positions. The sixteen lanes come in the order in which the tree joins them (bits of i reversed): a sum
 * whose partner is pending is added to it at once, as a carry runs through a binary counter. */
INLINE void transposed_scores(const float *q, uint32_t stride, const float *panel, float scale, unsigned R, float *p) {
  static const uint8_t order[16] = {0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15};
  part_float pending[4][MOST_QUERIES][2], sum[MOST_QUERIES][2];
#pragma GCC unroll 1
  for (unsigned i = 0; i < 16; i++) {
    uint32_t c = order[i];
    part_float k0 = load_register(panel + (size_t)c * KV_PANEL), k1 = load_register(panel + (size_t)c * KV_PANEL + NATIVE);
#pragma GCC unroll 8
    for (unsigned r = 0; r < R; r++) {
      part_float x = splat_register(q[r * stride + c]);
      sum[r][0] = x * k0, sum[r][1] = x * k1;
    }
    for (c += 16; c < stride; c += 16) {
      k0 = load_register(panel + (size_t)c * KV_PANEL), k1 = load_register(panel + (size_t)c * KV_PANEL + NATIVE);
#pragma GCC unroll 8
      for (unsigned r = 0; r < R; r++) {
        part_float x = splat_register(q[r * stride + c]);
        sum[r][0] = sum[r][0] + x * k0, sum[r][1] = sum[r][1] + x * k1;
      }
    }
    unsigned level = 0;
    for (; i >> level & 1; level++)
#pragma GCC unroll 8
      for (unsigned r = 0; r < R; r++) sum[r][0] = pending[level][r][0] + sum[r][0], sum[r][1] = pending[level][r][1] + sum[r][1];
    if (level < 4)
#pragma GCC unroll 8
      for (unsigned r = 0; r < R; r++) pending[level][r][0] = sum[r][0], pending[level][r][1] = sum[r][1];
  }
#pragma GCC unroll 8
  for (unsigned r = 0; r < R; r++) {
    store_register(p + (size_t)r * RT_ATTENTION_BLOCK, splat_register(scale) * sum[r][0]);
    store_register(p + (size_t)r * RT_ATTENTION_BLOCK + NATIVE, splat_register(scale) * sum[r][1]);
  }
}

/* ---- few rows ----------------------------------------------------------------------------------------------------------------- */

/* The products of R rows with P positions, summed over lanes slice.. slice + NATIVE - 1 of sixteen. */
INLINE void slice_sums(const float *q, uint32_t stride, const float *keys, uint32_t slice, unsigned R, unsigned P,
                       part_float sum[MOST_QUERIES][4]) {
#pragma GCC unroll 8
  for (unsigned r = 0; r < R; r++)
#pragma GCC unroll 4
    for (unsigned j = 0; j < P; j++) sum[r][j] = load_register(q + r * stride + slice) * load_register(keys + j * stride + slice);
  for (uint32_t c = slice + 16; c < stride; c += 16) {
    part_float k[4];
#pragma GCC unroll 4
    for (unsigned j = 0; j < P; j++) k[j] = load_register(keys + j * stride + c);
#pragma GCC unroll 8
    for (unsigned r = 0; r < R; r++) {
      part_float x = load_register(q + r * stride + c);
#pragma GCC unroll 4
      for (unsigned j = 0; j < P; j++) sum[r][j] = sum[r][j] + x * k[j];
    }
  }
}

/* Lane j of the result: the tree over row j's lanes. */
INLINE part_float sum_of_each(const part_float *rows) {
  part_float v[NATIVE];
#pragma GCC unroll 16
  for (unsigned i = 0; i < NATIVE; i++) v[i] = rows[i];
#pragma GCC unroll 4
  for (unsigned n = NATIVE / 2; n; n /= 2)
#pragma GCC unroll 8
    for (unsigned i = 0; i < n; i++) v[i] = zip_low(v[i], v[i + n]) + zip_high(v[i], v[i + n]);
  return v[0];
}

/* Scores of R rows for KV_CHUNK positions; keys: (KV_CHUNK, stride). */
INLINE void chunk_scores(const float *q, uint32_t stride, const float *keys, float scale, unsigned R, float *p) {
  enum { P = NATIVE == 16 ? 4 : 2 };
  part_float sums[MOST_QUERIES][KV_CHUNK], sum[MOST_QUERIES][4], half[2][MOST_QUERIES][4];
  for (unsigned j = 0; j < KV_CHUNK; j += P) {
    /* Sixteen lanes are 1, 2 or 4 registers; the tree's first steps join whole registers: l with l + 8, then with l + 4. */
#pragma GCC unroll 1
    for (unsigned k = 0; k < (NATIVE == 4 ? 2 : 1); k++) {
      slice_sums(q, stride, keys + j * stride, 4 * k, R, P, sum);
      for (unsigned r = 0; r < R; r++)
        for (unsigned i = 0; i < P; i++) half[k][r][i] = sum[r][i];
      if (NATIVE == 16) continue;
      slice_sums(q, stride, keys + j * stride, 4 * k + 8, R, P, sum);
      for (unsigned r = 0; r < R; r++)
        for (unsigned i = 0; i < P; i++) half[k][r][i] = half[k][r][i] + sum[r][i];
    }
    for (unsigned r = 0; r < R; r++)
      for (unsigned i = 0; i < P; i++) sums[r][j + i] = NATIVE == 4 ? half[0][r][i] + half[1][r][i] : half[0][r][i];
  }
  for (unsigned r = 0; r < R; r++)
    for (unsigned j = 0; j < KV_CHUNK; j += NATIVE)
      store_register(p + (size_t)r * RT_ATTENTION_BLOCK + j, splat_register(scale) * sum_of_each(&sums[r][j]));
}

/* ---- both --------------------------------------------------------------------------------------------------------------------- */

/* Scores of the block to p = exp(score - max); positions past `count` get 0, which changes no sum. */
static __attribute__((noinline)) void softmax_block(float *p, uint32_t count, float *max_out, float *sum_out) {
  uint32_t end = (count + 15) & ~15u;
  for (uint32_t j = count; j < end; j++) p[j] = -__builtin_inff();
  part_float top = load_register(p);
  for (uint32_t j = NATIVE; j < end; j += NATIVE) {
    part_float x = load_register(p + j);
    top = choose(x > top, x, top);
  }
  float max = top[0];
  for (int l = 1; l < NATIVE; l++) max = top[l] > max ? top[l] : max;
  parts sum = zero_parts();
  for (uint32_t j = 0; j < end; j += 16)
#pragma GCC unroll 4
    for (uint32_t i = 0; i < PARTS; i++) {
      part_float e = exp_register(load_register(p + j + i * NATIVE) - splat_register(max));
      store_register(p + j + i * NATIVE, e);
      sum.part[i] = sum.part[i] + e;
    }
  *max_out = max;
  *sum_out = sum_of(sum);
}

/* o += p * v over `n` positions, for R rows and two registers of the head; v: (n, stride). */
INLINE void add_values(const float *p, const float *v, uint32_t stride, uint32_t n, unsigned R, float *o, uint32_t o_stride) {
  part_float sum[MOST_QUERIES][2];
#pragma GCC unroll 8
  for (unsigned r = 0; r < R; r++) sum[r][0] = load_register(o + r * o_stride), sum[r][1] = load_register(o + r * o_stride + NATIVE);
  for (uint32_t j = 0; j < n; j++, v += stride) {
    part_float v0 = load_register(v), v1 = load_register(v + NATIVE);
#pragma GCC unroll 8
    for (unsigned r = 0; r < R; r++) {
      part_float x = splat_register(p[(size_t)r * RT_ATTENTION_BLOCK + j]);
      sum[r][0] = sum[r][0] + x * v0, sum[r][1] = sum[r][1] + x * v1;
    }
  }
#pragma GCC unroll 8
  for (unsigned r = 0; r < R; r++) store_register(o + r * o_stride, sum[r][0]), store_register(o + r * o_stride + NATIVE, sum[r][1]);
}

/* The same for any number of rows of which row i sees counts[i] positions, of which those from `first` to `first + n - 1` are in v. */
INLINE unsigned add_values_step(const rt_attention_tile *t, uint32_t row, uint32_t first, uint32_t n, const float *v, uint32_t stride,
                                uint32_t c, unsigned R) {
  uint32_t o_stride = rt_attend_stride(t->v_dim), least = n;
  for (unsigned r = 0; r < R; r++) {
    uint32_t seen = t->count[row + r] > first ? t->count[row + r] - first : 0;
    least = seen < least ? seen : least;
  }
  const float *p = t->p + (size_t)row * RT_ATTENTION_BLOCK + first;
  float *o = t->o + (size_t)row * o_stride + c;
  add_values(p, v, stride, least, R, o, o_stride);
  for (unsigned r = 0; r < R; r++) {
    uint32_t seen = t->count[row + r] > first ? t->count[row + r] - first : 0, end = seen < n ? seen : n;
    if (end > least)
      add_values(p + (size_t)r * RT_ATTENTION_BLOCK + least, v + (size_t)least * stride, stride, end - least, 1, o + r * o_stride,
                 o_stride);
  }
  return R;
}
static __attribute__((noinline)) void add_values_all(const rt_attention_tile *t, uint32_t first, uint32_t n, const float *v,
                                                     uint32_t stride, uint32_t c) {
  for (uint32_t i = 0; i < t->rows;) {
    uint32_t left = t->rows - i;
#if NATIVE == 16
    if (left >= 8) i += add_values_step(t, i, first, n, v, stride, c, 8);
    else
#endif
        if (left >= 4)
      i += add_values_step(t, i, first, n, v, stride, c, 4);
    else if (left >= 2) i += add_values_step(t, i, first, n, v, stride, c, 2);
    else i += add_values_step(t, i, first, n, v, stride, c, 1);
  }
}

static void attend_many(const rt_attention_tile *t, uint32_t count, const float *q, float *scratch) {
  uint32_t stride = rt_attend_stride(t->k_dim), v_stride = rt_attend_stride(t->v_dim);
  float *rows = scratch, *panels = rows + (size_t)KV_PANEL * stride;
  transpose_keys(t, count, rows, panels);
  for (uint32_t j = 0; j < count; j += KV_PANEL) {
    const float *panel = panels + (size_t)j * stride;
    for (uint32_t i = 0; i < t->rows;) {
      uint32_t left = t->rows - i;
      const float *x = q + (size_t)i * stride;
      float *p = t->p + (size_t)i * RT_ATTENTION_BLOCK + j;
#if NATIVE == 16
      if (left >= 8) transposed_scores(x, stride, panel, t->scale, 8, p), i += 8;
      else
#endif
          if (left >= 4)
        transposed_scores(x, stride, panel, t->scale, 4, p), i += 4;
      else if (left >= 2) transposed_scores(x, stride, panel, t->scale, 2, p), i += 2;
      else transposed_scores(x, stride, panel, t->scale, 1, p), i += 1;
    }
  }
  for (uint32_t i = 0; i < t->rows; i++) softmax_block(t->p + (size_t)i * RT_ATTENTION_BLOCK, t->count[i], &t->max[i], &t->sum[i]);
  panels = rows + (size_t)KV_PANEL * v_stride;
  spread_values(t, count, rows, panels);
  for (uint32_t c = 0; c < v_stride; c += KV_PANEL) add_values_all(t, 0, count, panels + (size_t)c * RT_ATTENTION_BLOCK, KV_PANEL, c);
}

static void attend_rows(const rt_attention_tile *t, uint32_t count, const float *q, float *rows) {
  uint32_t stride = rt_attend_stride(t->k_dim), v_stride = rt_attend_stride(t->v_dim);
  for (uint32_t j = 0; j < count; j += KV_CHUNK) {
    widen_keys(t, j, KV_CHUNK, count, rows);
    for (uint32_t i = 0; i < t->rows;) {
      uint32_t left = t->rows - i;
      const float *x = q + (size_t)i * stride;
      float *p = t->p + (size_t)i * RT_ATTENTION_BLOCK + j;
      if (left >= 4) chunk_scores(x, stride, rows, t->scale, 4, p), i += 4;
      else if (left >= 2) chunk_scores(x, stride, rows, t->scale, 2, p), i += 2;
      else chunk_scores(x, stride, rows, t->scale, 1, p), i += 1;
    }
  }
  for (uint32_t i = 0; i < t->rows; i++) softmax_block(t->p + (size_t)i * RT_ATTENTION_BLOCK, t->count[i], &t->max[i], &t->sum[i]);
  for (uint32_t j = 0; j < count; j += KV_CHUNK) {
    uint32_t n = count - j < KV_CHUNK ? count - j : KV_CHUNK;
    widen_values(t, j, n, count, rows);
    for (uint32_t c = 0; c < v_stride; c += KV_PANEL) add_values_all(t, j, n, rows + c, v_stride, c);
  }
}

static void attend(const rt_attention_tile *t) {
  uint32_t stride = rt_attend_stride(t->k_dim), count = 0;
  float *q = t->scratch;
  for (uint32_t i = 0; i < t->rows; i++) {
    count = t->count[i] > count ? t->count[i] : count;
    memcpy(q + (size_t)i * stride, t->q[i], t->k_dim * sizeof *q);
    memset(q + (size_t)i * stride + t->k_dim, 0, (stride - t->k_dim) * sizeof *q);
  }
  memset(t->o, 0, (size_t)t->rows * rt_attend_stride(t->v_dim) * sizeof *t->o);
  float *rest = q + (size_t)t->rows * stride;
  if (t->rows < TRANSPOSE_ROWS) attend_rows(t, count, q, rest);
  else attend_many(t, count, q, rest);
}

static void attend_merge(float *max, float *sum, float *o, float block_max, float block_sum, const float *block_o, uint32_t v_dim) {
  float top = block_max > *max ? block_max : *max;
  part_float factors = exp_register((part_float){*max - top, block_max - top});
  float old = factors[0], fresh = factors[1];
  *max = top;
  *sum = *sum * old + block_sum * fresh;
  uint32_t c = 0;
  for (; c + NATIVE <= v_dim; c += NATIVE)
    store_register(o + c, load_register(o + c) * splat_register(old) + load_register(block_o + c) * splat_register(fresh));
  for (; c < v_dim; c++) o[c] = o[c] * old + block_o[c] * fresh;
}

static void attend_finish(float sum, const float *o, uint32_t v_dim, float *out) {
  uint32_t c = 0;
  for (; c + NATIVE <= v_dim; c += NATIVE) store_register(out + c, load_register(o + c) / splat_register(sum));
  for (; c < v_dim; c++) out[c] = o[c] / sum;
}

#endif
