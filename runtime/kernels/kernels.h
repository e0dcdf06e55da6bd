/* kernels.h - the dispatch table and the operations that the model is made of.
 *
 * One file per instruction set fills one rt_kernels; portable.c is the specification of the numerics contract (docs/NUMERICS.md) and every
 * other variant gives its bits exactly. matmul.c drives the integer kernels over threads.
 */
#ifndef RT_KERNELS_H
#define RT_KERNELS_H

#include "../base/base.h"
#include "../quant/panel.h"
#include "../quant/quant.h"

typedef struct rt_kernels rt_kernels; /* kernels/variant.h; opaque to the model */

/* The best variant that runs here, or the one named. RETORT_ERROR_UNSUPPORTED when it cannot run here, with the reason. */
retort_status rt_kernels_select(const retort_platform *platform, const char *name, const rt_kernels **out, retort_error *error);
const char *rt_kernels_name(const rt_kernels *kernels);

/* [n]: the time of a pass of n + 1 rows, in hundredths of that of one row; for activations in two planes or in one. */
enum { RT_COSTED_ROWS = 16 };
const uint16_t *rt_kernels_row_cost(const rt_kernels *kernels, bool two_planes);

/* A weight matrix in place in the file: `rows` rows of `cols` elements. y = W x. */
typedef struct rt_matrix {
  const rt_quant *type;
  rt_panel_kind kind; /* rt_panel_kind_of(type->panel): which kernels serve it */
  const uint8_t *data;
  uint32_t rows, cols; /* outputs, inputs; cols is a multiple of type->block */
  size_t row_bytes;
} rt_matrix;

/* Where and with what an operation runs. `scratch` is per worker (rt_matmul_scratch_bytes each, 64-byte aligned). */
typedef struct rt_exec {
  const rt_kernels *kernels;
  const retort_platform *platform;
  uint8_t *scratch;     /* (workers, scratch_bytes) */
  size_t scratch_bytes; /* per worker, a multiple of 64 */
  bool two_planes;      /* inputs are quantised twice, the second time what rounding left: 15 bits instead of 8, twice the work */
} rt_exec;

/* One product of a group: y[i * y_stride + r] = sum_c w[r][c] * x[i * x_stride + c] (+ bias[r] where bias is given, added last). */
typedef struct rt_matmul_part {
  const rt_matrix *w;
  const float *bias; /* (rows) or NULL */
  const float *x;    /* (n, x_stride); may not overlap any y of the group */
  size_t x_stride;
  uint32_t n; /* rows of x and y */
  float *y;   /* (n, y_stride) */
  size_t y_stride;
} rt_matmul_part;

/* Computes all parts over the platform's workers. Parts with the same x, n and columns that stand together are one input: it is quantised
 * once for each activation format that their weights ask for. `work` is 64-byte aligned, of rt_matmul_work_bytes. A row's result depends
 * on no other row, part or worker. */
void rt_matmul(const rt_exec *exec, const rt_matmul_part *parts, size_t n_parts, uint8_t *work);
/* Bytes of `work` for up to n_inputs inputs with n rows together. */
size_t rt_matmul_work_bytes(const rt_exec *exec, uint32_t max_cols, uint32_t n, uint32_t n_inputs);
/* Bytes of each worker's scratch for inputs of up to n rows. */
size_t rt_matmul_scratch_bytes(const rt_exec *exec, uint32_t max_cols, uint32_t n);

/* Row of an embedding table, exact decode: out (cols). */
void rt_embed(const rt_matrix *table, uint32_t row, float *out);

/* ---- float operations on one row each; orders as in docs/NUMERICS.md ---- */
void rt_rmsnorm(const rt_kernels *kernels, const float *x, const float *weight, float eps, uint32_t n, float *out); /* out may be x */
void rt_add(const rt_kernels *kernels, float *x, const float *y, uint32_t n);                                       /* x += y */
void rt_swiglu(const rt_kernels *kernels, float *gate, const float *up, uint32_t n); /* gate = silu(gate) * up */
/* Rotates n_rot elements of one head; cos_sin: (n_rot/2, 2). neox: pairs (i, i + n_rot/2), else (2i, 2i+1). */
void rt_rope(const rt_kernels *kernels, float *head, const float *cos_sin, uint32_t n_rot, bool neox);

/* ---- attention ---- */
enum { RT_KV_F16 = RETORT_KV_F16, RT_KV_F32 = RETORT_KV_F32, RT_KV_Q8_0 = RETORT_KV_Q8_0 };
size_t rt_kv_row_bytes(int kv_type, uint32_t n); /* bytes of one stored row of n values; Q8_0: of whole blocks */
void rt_kv_store(const rt_kernels *kernels, int kv_type, const float *row, uint32_t n, void *out);

enum { RT_ATTENTION_BLOCK = 128 }; /* cache positions per block: partial results merge in block order */
/* Where the keys (or values) of one layer stand in a page, which holds the RT_ATTENTION_BLOCK positions of one block. Values may lie inside
 * the rows of the keys: then both have the same row_bytes. */
typedef struct rt_kv_place {
  size_t offset;     /* of the first head's first position */
  size_t head_bytes; /* from one head to the next */
  size_t row_bytes;  /* from one position to the next */
  uint32_t dim;      /* numbers of a row that count */
} rt_kv_place;

/* Attention of rows of any sequences; those of one sequence stand together. */
typedef struct rt_attention {
  int kv_type;
  rt_kv_place k, v;
  uint32_t n_heads, n_kv_heads;
  float scale;
  const float *q;                     /* (n, n_heads, k.dim) */
  float *out;                         /* (n, n_heads, v.dim); may not overlap q */
  const uint8_t *const *const *pages; /* (n) of each row's sequence: pages[i][b] is its block b; equal pointers mean one sequence */
  const uint32_t *visible;            /* (n) row i sees positions 0..visible[i]-1 of its sequence, at least 1 */
  uint32_t n;
} rt_attention;
size_t rt_attention_work_bytes(const rt_exec *exec, const rt_attention *shape, uint32_t max_n, uint32_t n_ctx); /* shape: dims and heads */
/* Runs over the platform's workers, splitting heads, rows and (for few rows) cache blocks. */
void rt_attention_run(const rt_exec *exec, const rt_attention *attention, uint8_t *work);

#endif
