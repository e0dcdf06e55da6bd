/* float_ops.h - every float operation of the model, once, in sixteen lanes (lanes.h).
 *
 * Each variant includes this file and compiles it for its instruction set; the results are the same in all. docs/NUMERICS.md states the
 * orders. Absent on purpose: fused multiply-add, reassociation, libm.
 */
#ifndef RT_KERNELS_FLOAT_OPS_H
#define RT_KERNELS_FLOAT_OPS_H

#include "attend_ops.h"
#include "../base/lanes.h"
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

/* ---- keys and values to what the cache keeps ---- */

static void kv_store(int kv_type, const float *row, uint32_t n, void *out) {
  uint8_t *p = out;
  uint32_t i = 0;
  if (kv_type == RT_KV_F32) {
    memcpy(out, row, n * sizeof *row);
    return;
  }
  if (kv_type == RT_KV_Q8_0) { /* blocks of 32 by the rule of activations; the last filled up with zeros */
    for (; i < n; i += 32, p += sizeof(rt_q8_0_block)) {
      float last[32] = {0}, d;
      int16_t sums[2];
      if (n - i < 32) memcpy(last, row + i, (n - i) * sizeof *row);
      quantize(n - i < 32 ? last : row + i, 32, 32, (int8_t *)p + offsetof(rt_q8_0_block, q), &d, sums);
      uint16_t h = rt_f32_to_f16(d);
      memcpy(p, &h, sizeof h);
    }
    return;
  }
#if defined(__F16C__)
  for (; i + 8 <= n; i += 8)
    _mm_storeu_si128((__m128i *)(void *)(p + 2 * i), _mm256_cvtps_ph(_mm256_loadu_ps(row + i), _MM_FROUND_TO_NEAREST_INT));
#elif defined(__aarch64__)
  for (; i + 4 <= n; i += 4) vst1_u16((uint16_t *)(void *)(p + 2 * i), vreinterpret_u16_f16(vcvt_f16_f32(vld1q_f32(row + i))));
#endif
  for (; i < n; i++) {
    uint16_t h = rt_f32_to_f16(row[i]);
    memcpy(p + 2 * i, &h, sizeof h);
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
#if defined(__wasm__) /* a page downloads the code first: one loop that asks for the type every sixteen weights, not three */
  dot_float_type(w->type->id, w, first, rows, x, x_stride, n, y, y_stride);
#else
  switch (w->type->id) {
    case RT_F16: dot_float_type(RT_F16, w, first, rows, x, x_stride, n, y, y_stride); break;
    case RT_BF16: dot_float_type(RT_BF16, w, first, rows, x, x_stride, n, y, y_stride); break;
    default: dot_float_type(RT_F32, w, first, rows, x, x_stride, n, y, y_stride); break;
  }
#endif
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

static void swiglu(float *gate, const float *up, uint32_t n) {
  for (uint32_t i = 0; i < n; i += NATIVE) {
    const uint32_t left = n - i;
    part_float g = {0}, u = {0};
    if (left >= NATIVE) g = load_register(gate + i), u = load_register(up + i);
    else memcpy(&g, gate + i, left * sizeof *gate), memcpy(&u, up + i, left * sizeof *up);
    g = g / (splat_register(1.0f) + exp_register(-g)) * u;
    if (left >= NATIVE) store_register(gate + i, g);
    else memcpy(gate + i, &g, left * sizeof *gate);
  }
}

static void rope(float *head, const float *cos_sin, uint32_t n_rot, bool neox) {
  uint32_t half = n_rot / 2, step = neox ? half : 1;
  for (uint32_t i = 0; i < half; i++) {
    float *a = head + (neox ? i : 2 * i), *b = a + step, c = cos_sin[2 * i], s = cos_sin[2 * i + 1], x = *a, y = *b;
    *a = x * c - y * s;
    *b = x * s + y * c;
  }
}

#endif
