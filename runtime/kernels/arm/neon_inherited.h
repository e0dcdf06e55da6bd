/* neon_inherited.h - the float operations of the higher tiers of 64-bit ARM: those of neon.c. Dot products of bytes change nothing in them,
 * and a program for devices need not hold them three times. A table cannot be initialised from another, so each is a jump. */
#ifndef RT_KERNELS_NEON_INHERITED_H
#define RT_KERNELS_NEON_INHERITED_H

#include "../variant.h"

static void quantize(const float *x, uint32_t cols, uint32_t group, int8_t *q, float *d, int16_t *sums) {
  rt_kernels_neon.quantize(x, cols, group, q, d, sums);
}
static void dot_float(const rt_matrix *w, uint32_t first, uint32_t rows, const float *x, size_t x_stride, uint32_t n, float *y,
                      size_t y_stride) {
  rt_kernels_neon.dot_float(w, first, rows, x, x_stride, n, y, y_stride);
}
static void rmsnorm(const float *x, const float *weight, float eps, uint32_t n, float *out) {
  rt_kernels_neon.rmsnorm(x, weight, eps, n, out);
}
static void add(float *x, const float *y, uint32_t n) { rt_kernels_neon.add(x, y, n); }
static void swiglu(float *gate, const float *up, uint32_t n) { rt_kernels_neon.swiglu(gate, up, n); }
static void rope(float *head, const float *cos_sin, uint32_t n_rot, bool neox) { rt_kernels_neon.rope(head, cos_sin, n_rot, neox); }
static void kv_store(int kv_type, const float *row, uint32_t n, void *out) { rt_kernels_neon.kv_store(kv_type, row, n, out); }
static void attend(const rt_attention_tile *tile) { rt_kernels_neon.attend(tile); }
static void attend_merge(float *max, float *sum, float *o, float block_max, float block_sum, const float *block_o, uint32_t head_dim) {
  rt_kernels_neon.attend_merge(max, sum, o, block_max, block_sum, block_o, head_dim);
}
static void attend_finish(float sum, const float *o, uint32_t head_dim, float *out) {
  rt_kernels_neon.attend_finish(sum, o, head_dim, out);
}

#endif
