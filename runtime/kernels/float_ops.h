/* float_ops.h - every float operation of the model, once, in sixteen lanes (lanes.h).
 *
 * Each variant includes this file and compiles it for its instruction set; the results are the same in all. docs/NUMERICS.md states the
 * orders. Absent on purpose: fused multiply-add, reassociation, libm.
 */
#ifndef RT_KERNELS_FLOAT_OPS_H
#define RT_KERNELS_FLOAT_OPS_H

#include "lanes.h"
#include "variant.h"

/* ---- activations to int8 ---- */

/* amax from the bits of |x|, so that NaN and infinity are seen as large numbers: a group that holds one gets d = NaN and zero codes, which
 * makes every result that depends on it NaN. A group whose amax is below 2^-100 counts as zero. */
static void quantize(const float *x, uint32_t cols, uint32_t group, int8_t *q, float *d, int16_t *sums) {
  const v16f magic = splat(0x1.8p23f);
  for (uint32_t start = 0; start < cols; start += group) {
    int_parts top = {0};
    for (uint32_t j = 0; j < group; j += 16) raise_int_to(&top, as_int(load16(x + start + j)) & 0x7fffffff);
    int32_t amax_bits = max_of(top);
    float amax = rt_bits_float((uint32_t)amax_bits);
    bool finite = amax_bits < 0x7f800000, some = finite && amax >= 0x1p-100f;
    float inverse = some ? 127.0f / amax : 0.0f;
    *d++ = some ? amax / 127.0f : finite ? 0.0f : __builtin_nanf("");
    for (uint32_t j = start; j < start + group; j += 16) {
      v16i code = splat_int(0);
      if (some) code = as_int(load16(x + j) * splat(inverse) + magic) - as_int(magic);
      store_bytes(q + j, code);
      *sums++ = (int16_t)sum_int_lanes(code);
    }
  }
}

/* ---- weights in float formats ---- */

INLINE v16f load_weights(uint32_t type, const uint8_t *row, size_t at, size_t count) {
  uint8_t part[64];
  size_t size = type == RT_F32 ? 4 : 2;
  const uint8_t *p = row + at * size;
  if (count < 16) {
    memset(part, 0, sizeof part);
    memcpy(part, p, count * size);
    p = part;
  }
  if (type == RT_F16) return load16_f16(p);
  if (type == RT_BF16) return load16_bf16(p);
  v16f v;
  memcpy(&v, p, sizeof v);
  return v;
}

INLINE void dot_float_tile(uint32_t type, const uint8_t *row, uint32_t cols, const float *x, size_t x_stride, unsigned n, float *y,
                           size_t y_stride) {
  parts sum[4];
  for (unsigned i = 0; i < n; i++) sum[i] = zero_parts();
  uint32_t c = 0;
  for (; c + 16 <= cols; c += 16) {
    v16f w = load_weights(type, row, c, 16);
    for (unsigned i = 0; i < n; i++) add_to(&sum[i], w * load16(x + i * x_stride + c));
  }
  if (c < cols) {
    v16f w = load_weights(type, row, c, cols - c);
    for (unsigned i = 0; i < n; i++) add_to(&sum[i], w * load_part(x + i * x_stride + c, cols - c));
  }
  for (unsigned i = 0; i < n; i++) y[i * y_stride] = sum_of(sum[i]);
}

INLINE void dot_float_type(uint32_t type, const rt_matrix *w, uint32_t first, uint32_t rows, const float *x, size_t x_stride, uint32_t n,
                           float *y, size_t y_stride) {
  for (uint32_t r = 0; r < rows; r++) {
    const uint8_t *row = w->data + (size_t)(first + r) * w->row_bytes;
    uint32_t i = 0;
    for (; i + 4 <= n; i += 4) dot_float_tile(type, row, w->cols, x + i * x_stride, x_stride, 4, y + i * y_stride + r, y_stride);
    for (; i < n; i++) dot_float_tile(type, row, w->cols, x + i * x_stride, x_stride, 1, y + i * y_stride + r, y_stride);
  }
}

static void dot_float(const rt_matrix *w, uint32_t first, uint32_t rows, const float *x, size_t x_stride, uint32_t n, float *y,
                      size_t y_stride) {
  switch (w->type->id) {
    case RT_F16: dot_float_type(RT_F16, w, first, rows, x, x_stride, n, y, y_stride); break;
    case RT_BF16: dot_float_type(RT_BF16, w, first, rows, x, x_stride, n, y, y_stride); break;
    default: dot_float_type(RT_F32, w, first, rows, x, x_stride, n, y, y_stride); break;
  }
}

/* ---- one row ---- */

static void rmsnorm(const float *x, const float *weight, float eps, uint32_t n, float *out) {
  parts squares = zero_parts();
  uint32_t i = 0;
  for (; i + 16 <= n; i += 16) add_to(&squares, load16(x + i) * load16(x + i));
  if (i < n) add_to(&squares, load_part(x + i, n - i) * load_part(x + i, n - i));
  float scale = 1.0f / __builtin_sqrtf(sum_of(squares) / (float)n + eps);
  for (i = 0; i + 16 <= n; i += 16) store16(out + i, load16(x + i) * splat(scale) * load16(weight + i));
  if (i < n) store_part(out + i, load_part(x + i, n - i) * splat(scale) * load_part(weight + i, n - i), n - i);
}

static void add(float *x, const float *y, uint32_t n) {
  uint32_t i = 0;
  for (; i + 16 <= n; i += 16) store16(x + i, load16(x + i) + load16(y + i));
  for (; i < n; i++) x[i] = x[i] + y[i];
}

INLINE v16f swiglu16(v16f gate, v16f up) { return gate / (splat(1.0f) + exp16(-gate)) * up; }

static void swiglu(float *gate, const float *up, uint32_t n) {
  uint32_t i = 0;
  for (; i + 16 <= n; i += 16) store16(gate + i, swiglu16(load16(gate + i), load16(up + i)));
  if (i < n) store_part(gate + i, swiglu16(load_part(gate + i, n - i), load_part(up + i, n - i)), n - i);
}

static void rope(float *head, const float *cos_sin, uint32_t n_rot, bool neox) {
  uint32_t half = n_rot / 2, step = neox ? half : 1;
  for (uint32_t i = 0; i < half; i++) {
    float *a = head + (neox ? i : 2 * i), *b = a + step, c = cos_sin[2 * i], s = cos_sin[2 * i + 1], x = *a, y = *b;
    *a = x * c - y * s;
    *b = x * s + y * c;
  }
}

/* ---- attention ---- */

static void kv_store(int kv_type, const float *row, uint32_t n, void *out) {
  if (kv_type == RT_KV_F32) {
    memcpy(out, row, n * sizeof *row);
    return;
  }
  uint8_t *p = out;
  for (uint32_t i = 0; i < n; i++) {
    uint16_t h = rt_f32_to_f16(row[i]);
    memcpy(p + 2 * i, &h, sizeof h);
  }
}

INLINE v16f load_kv(int kv_type, const uint8_t *row, size_t at, size_t count) {
  return load_weights(kv_type == RT_KV_F32 ? RT_F32 : RT_F16, row, at, count);
}

/* Scores of positions 0..count-1 for `n` rows at once; scores[i] of row stride RT_ATTENTION_BLOCK. */
INLINE void attend_scores(const rt_attention_tile *t, int kv_type, size_t row_bytes, uint32_t first, unsigned n, uint32_t count) {
  uint32_t hd = t->head_dim;
  for (uint32_t j = 0; j < count; j++) {
    const uint8_t *k = t->k + j * row_bytes;
    v16f sum[4] = {{0}, {0}, {0}, {0}};
    uint32_t c = 0;
    for (; c + 16 <= hd; c += 16) {
      v16f key = load_kv(kv_type, k, c, 16);
      for (unsigned i = 0; i < n; i++) sum[i] = sum[i] + load16(t->q[first + i] + c) * key;
    }
    if (c < hd) {
      v16f key = load_kv(kv_type, k, c, hd - c);
      for (unsigned i = 0; i < n; i++) sum[i] = sum[i] + load_part(t->q[first + i] + c, hd - c) * key;
    }
    for (unsigned i = 0; i < n; i++) t->p[(size_t)(first + i) * RT_ATTENTION_BLOCK + j] = t->scale * sum_lanes(sum[i]);
  }
}

/* Scores to p = exp(score - max); positions past `count` get 0, which changes no sum. */
INLINE void attend_softmax(const rt_attention_tile *t, uint32_t row) {
  float *p = t->p + (size_t)row * RT_ATTENTION_BLOCK;
  uint32_t count = t->count[row];
  for (uint32_t j = count; j < RT_ATTENTION_BLOCK; j++) p[j] = -__builtin_inff();
  v16f top = load16(p);
  for (uint32_t j = 16; j < RT_ATTENTION_BLOCK; j += 16) top = max16(load16(p + j), top);
  float max = max_lanes(top);
  v16f sum = {0};
  for (uint32_t j = 0; j < RT_ATTENTION_BLOCK; j += 16) {
    v16f e = exp16(load16(p + j) - splat(max));
    store16(p + j, e);
    sum = sum + e;
  }
  t->max[row] = max;
  t->sum[row] = sum_lanes(sum);
}

/* o = sum over positions of p * v, for `n` rows and `lanes` vectors of the head from element c on. */
INLINE void attend_values(const rt_attention_tile *t, int kv_type, size_t row_bytes, uint32_t first, unsigned n, uint32_t count, uint32_t c,
                          unsigned vectors, uint32_t width) {
  v16f o[4][4];
  for (unsigned i = 0; i < n; i++)
    for (unsigned k = 0; k < vectors; k++) o[i][k] = splat(0.0f);
  for (uint32_t j = 0; j < count; j++) {
    v16f v[4];
    for (unsigned k = 0; k < vectors; k++) v[k] = load_kv(kv_type, t->v + j * row_bytes, c + 16 * k, width);
    for (unsigned i = 0; i < n; i++) {
      v16f p = splat(t->p[(size_t)(first + i) * RT_ATTENTION_BLOCK + j]);
      for (unsigned k = 0; k < vectors; k++) o[i][k] = o[i][k] + p * v[k];
    }
  }
  for (unsigned i = 0; i < n; i++)
    for (unsigned k = 0; k < vectors; k++) store_part(t->o + (size_t)(first + i) * t->head_dim + c + 16 * k, o[i][k], width);
}

INLINE void attend_rows(const rt_attention_tile *t, int kv_type, uint32_t first, unsigned n) {
  size_t row_bytes = (size_t)t->head_dim * (kv_type == RT_KV_F32 ? 4 : 2);
  uint32_t count = t->count[first], hd = t->head_dim, c = 0;
  attend_scores(t, kv_type, row_bytes, first, n, count);
  for (unsigned i = 0; i < n; i++) attend_softmax(t, first + i);
  for (; c + 64 <= hd; c += 64) attend_values(t, kv_type, row_bytes, first, n, count, c, 4, 16);
  for (; c + 16 <= hd; c += 16) attend_values(t, kv_type, row_bytes, first, n, count, c, 1, 16);
  if (c < hd) attend_values(t, kv_type, row_bytes, first, n, count, c, 1, hd - c);
}

INLINE void attend_type(const rt_attention_tile *t, int kv_type) {
  uint32_t i = 0;
  while (i < t->rows) {
    bool four = i + 4 <= t->rows && t->count[i] == t->count[i + 1] && t->count[i] == t->count[i + 2] && t->count[i] == t->count[i + 3];
    if (four) attend_rows(t, kv_type, i, 4), i += 4;
    else attend_rows(t, kv_type, i, 1), i += 1;
  }
}
static void attend(const rt_attention_tile *t) {
  if (t->kv_type == RT_KV_F32) attend_type(t, RT_KV_F32);
  else attend_type(t, RT_KV_F16);
}

static void attend_merge(float *max, float *sum, float *o, float block_max, float block_sum, const float *block_o, uint32_t head_dim) {
  float top = block_max > *max ? block_max : *max;
  v16f factors = exp16((v16f){*max - top, block_max - top});
  float old = factors[0], fresh = factors[1];
  *max = top;
  *sum = *sum * old + block_sum * fresh;
  uint32_t c = 0;
  for (; c + 16 <= head_dim; c += 16) store16(o + c, load16(o + c) * splat(old) + load16(block_o + c) * splat(fresh));
  if (c < head_dim) {
    uint32_t left = head_dim - c;
    store_part(o + c, load_part(o + c, left) * splat(old) + load_part(block_o + c, left) * splat(fresh), left);
  }
}

static void attend_finish(float sum, const float *o, uint32_t head_dim, float *out) {
  uint32_t c = 0;
  for (; c + 16 <= head_dim; c += 16) store16(out + c, load16(o + c) / splat(sum));
  for (; c < head_dim; c++) out[c] = o[c] / sum;
}

/* The float operations of a variant's table, in whose initialiser this stands. */
#define RT_FLOAT_OPS                                                                                                                  \
  .quantize = quantize, .dot_float = dot_float, .rmsnorm = rmsnorm, .add = add, .swiglu = swiglu, .rope = rope, .kv_store = kv_store, \
  .attend = attend, .attend_merge = attend_merge, .attend_finish = attend_finish

#endif
