/* variant.h - what one instruction set supplies, and the layouts that it shares with the drivers (matmul.c, attention.c).
 *
 * All functions of a variant give the bits of portable.c. None allocates, and none knows of threads.
 */
#ifndef RT_KERNELS_VARIANT_H
#define RT_KERNELS_VARIANT_H

#include "kernels.h"

enum {
  RT_TOKENS = 16,     /* tokens side by side in the lanes of a matrix product */
  RT_STRIP_ROWS = 48, /* most weight rows decoded into a panel at once */
  RT_SUM = 16         /* quantised activations under one integer sum */
};

/* Activations as the integer kernels want them, quantised in groups of `group`.
 * Row layout:     q (n, cols), d (n, cols / group), sums (n, cols / 16).
 * Lane layout, for t = n / 16 rounded up tiles of 16 tokens, missing tokens all 0:
 *                 q (t, 16 / side, cols / unit, side, unit), d (t, cols / group, 16), sums (t, cols / 32, 16, 2), by the variant's side and
 * unit. */
typedef struct rt_inputs {
  int8_t *q;
  float *d;
  int16_t *sums;
  uint32_t group, n, cols;
} rt_inputs;

/* Some rows of one matrix times all inputs: y[i * y_stride + r] for r in 0..rows-1; y points at the first row's place. */
typedef struct rt_strip {
  const rt_matrix *w;
  uint32_t first, rows; /* weight rows */
  const rt_inputs *inputs;
  float *y;
  size_t y_stride;
  uint8_t *scratch; /* RT_STRIP_BYTES(cols), 64-byte aligned */
} rt_strip;
/* Codes, d, m, scales and mins of a strip and of four rows more, its results for two tiles of tokens, and one row's permuted activations.
 */
#define RT_STRIP_BYTES(cols)                                                                     \
  ((size_t)(RT_STRIP_ROWS + 4) * ((size_t)(cols) + (cols) / 32 * 8 + (cols) / 16 * 8 + 5 * 64) + \
   (size_t)RT_STRIP_ROWS * 2 * RT_TOKENS * 4 + 64)

/* Floats from one row of a head to the next in an attention tile's scratch and results: whole registers of any variant, two by two. */
static inline uint32_t rt_attend_stride(uint32_t dim) { return (dim + 31) & ~31u; }
/* A tile's scratch: its q rows, some rows and all of the block's keys (or values) widened. */
static inline size_t rt_attend_scratch_floats(uint32_t rows, uint32_t k_dim, uint32_t v_dim) {
  return (size_t)rows * rt_attend_stride(k_dim) + (32 + (size_t)RT_ATTENTION_BLOCK) * rt_attend_stride(k_dim > v_dim ? k_dim : v_dim);
}

/* One block of the KV cache against q rows that share one KV head. */
typedef struct rt_attention_tile {
  int kv_type;
  const uint8_t *k, *v;            /* first position of the block */
  size_t k_row_bytes, v_row_bytes; /* from one position to the next */
  uint32_t k_dim, v_dim, rows;
  const float *const *q; /* (rows) pointers to k_dim floats */
  const uint32_t *count; /* (rows) positions of this block that each row sees, 1..RT_ATTENTION_BLOCK */
  float scale;
  float *p;         /* scratch: (rows, RT_ATTENTION_BLOCK) */
  float *max, *sum; /* (rows) */
  float *o;         /* (rows, rt_attend_stride(v_dim)) */
  float *scratch;   /* rt_attend_scratch_floats */
} rt_attention_tile;

struct rt_kernels {
  const char *name;
  uint32_t gemm_from; /* batches of so many rows and more go through `gemm` and want the lane layout */
  bool scalar;        /* a row costs as much beside others as alone (rt_kernels_row_cost) */
  uint8_t side, unit; /* the lane layout has so many tokens (8 or 16) side by side, of so many codes (4 or 8) each */
  /* One row of x (cols a multiple of group) to q (cols), d (cols / group), sums (cols / 16). */
  void (*quantize)(const float *x, uint32_t cols, uint32_t group, int8_t *q, float *d, int16_t *sums);
  void (*gemv)(const rt_strip *strip); /* integer types, row layout: for a few inputs */
  void (*gemm)(const rt_strip *strip); /* integer types, lane layout, at most RT_STRIP_ROWS rows */
  /* Float types: rows first..first+rows-1 of w times x (n, x_stride). */
  void (*dot_float)(const rt_matrix *w, uint32_t first, uint32_t rows, const float *x, size_t x_stride, uint32_t n, float *y,
                    size_t y_stride);
  void (*rmsnorm)(const float *x, const float *weight, float eps, uint32_t n, float *out);
  void (*add)(float *x, const float *y, uint32_t n);
  void (*swiglu)(float *gate, const float *up, uint32_t n);
  void (*rope)(float *head, const float *cos_sin, uint32_t n_rot, bool neox);
  void (*kv_store)(int kv_type, const float *row, uint32_t n, void *out);
  void (*attend)(const rt_attention_tile *tile);
  /* Takes one block's (max, sum, o) into the running ones. */
  void (*attend_merge)(float *max, float *sum, float *o, float block_max, float block_sum, const float *block_o, uint32_t v_dim);
  void (*attend_finish)(float sum, const float *o, uint32_t v_dim, float *out);
};

/* The float operations of a variant's table, in whose initialiser this stands. */
#define RT_FLOAT_OPS                                                                                                                  \
  .quantize = quantize, .dot_float = dot_float, .rmsnorm = rmsnorm, .add = add, .swiglu = swiglu, .rope = rope, .kv_store = kv_store, \
  .attend = attend, .attend_merge = attend_merge, .attend_finish = attend_finish

extern const rt_kernels rt_kernels_portable;
#if defined(__x86_64__) || defined(_M_X64)
extern const rt_kernels rt_kernels_avx2, rt_kernels_avx_vnni, rt_kernels_avx512;
#elif defined(__aarch64__)
extern const rt_kernels rt_kernels_neon, rt_kernels_neon_dotprod, rt_kernels_neon_i8mm;
#elif defined(RT_NEON)
extern const rt_kernels rt_kernels_neon;
#elif defined(__wasm_simd128__)
extern const rt_kernels rt_kernels_simd128;
#if defined(RETORT_RELAXED_SIMD)
extern const rt_kernels rt_kernels_relaxed;
bool rt_relaxed_dot_is_right(void); /* known answers of the one relaxed instruction that is used */
#endif
#endif

#endif
