/* matmul.c - drives the matrix products over the platform's workers, and the small operations that need no driver.
 *
 * Parts that share their input run in one parallel region: their rows are cut into chunks, and workers take chunks from one counter until
 * none is left, so a slow core does not hold the others. Few inputs are quantised by every worker for itself, which costs less than a
 * second region; many are quantised once, in a region of their own. Invariant: which worker computes a row, and beside which others,
 * changes no bit.
 */
#include "kernels.h"

#include <stdatomic.h>
#include <string.h>

#include "variant.h"

enum { PRIVATE_INPUTS = 4 }; /* at most so many inputs are quantised by each worker itself */

static size_t round_up(size_t n, size_t to) { return (n + to - 1) / to * to; }

/* Bytes of n quantised inputs in either format and layout; each array starts on 64 bytes. */
static size_t inputs_bytes(size_t cols, size_t n) {
  n = round_up(n, RT_TOKENS);
  return n * cols + n * (cols / 32) * sizeof(float) + n * (cols / RT_SUM) * sizeof(int16_t) + 4 * 64;
}

static uint8_t *align64(uint8_t *p) { return p + (64 - (uintptr_t)p % 64) % 64; }

static rt_inputs inputs_layout(uint8_t *at, uint32_t group, uint32_t cols, uint32_t n) {
  size_t rows = round_up(n, RT_TOKENS);
  rt_inputs in = {.group = group, .n = n, .cols = cols};
  at = align64(at);
  in.q = (int8_t *)at;
  at = align64(at + rows * cols);
  in.d = (float *)(void *)at;
  at = align64(at + rows * (cols / 32) * sizeof(float));
  in.sums = (int16_t *)(void *)at;
  return in;
}

size_t rt_matmul_scratch_bytes(const rt_kernels *kernels, uint32_t max_cols, uint32_t max_rows_batch) {
  (void)kernels;
  (void)max_rows_batch;
  size_t cols = round_up(max_cols, 256);
  return round_up(RT_STRIP_BYTES(cols) + 2 * inputs_bytes(cols, PRIVATE_INPUTS) + 128, 64);
}

size_t rt_matmul_work_bytes(uint32_t max_cols, uint32_t max_n) { return 2 * inputs_bytes(round_up(max_cols, 256), max_n) + 128; }

typedef struct job {
  const rt_exec *exec;
  const rt_matmul_part *parts;
  size_t n_parts;
  const float *x;
  size_t x_stride;
  uint32_t n;
  rt_inputs shared[2];      /* groups of 32 and of 256, quantised in a region of their own */
  bool needed[2], private_; /* which of them; or each worker makes its own */
  uint32_t chunk;           /* weight rows taken at once */
  atomic_uint next;         /* chunk */
  atomic_uint next_input;   /* tile of inputs to quantise */
} job;

static const rt_inputs *inputs_for(const rt_matrix *w, const rt_inputs inputs[2]) {
  return w->type->panel ? &inputs[w->type->panel->group == 256] : NULL;
}

/* ---- quantising the inputs ---- */

static void quantize_rows(const job *j, rt_inputs *in) {
  for (uint32_t i = 0; i < in->n; i++)
    j->exec->kernels->quantize(j->x + i * j->x_stride, in->cols, in->group, in->q + (size_t)i * in->cols,
                               in->d + (size_t)i * (in->cols / in->group), in->sums + (size_t)i * (in->cols / RT_SUM));
}

/* One tile of 16 inputs into the lane layout; `row` is room for one quantised input. */
static void quantize_tile(const job *j, const rt_inputs *in, uint32_t tile, rt_inputs *row) {
  uint32_t cols = in->cols, groups = cols / in->group, first = tile * RT_TOKENS;
  uint8_t *q = (uint8_t *)in->q + (size_t)tile * RT_TOKENS * cols;
  float *d = in->d + (size_t)tile * RT_TOKENS * groups;
  uint8_t *sums = (uint8_t *)(in->sums + (size_t)tile * RT_TOKENS * (cols / RT_SUM));
  if (in->n - first < RT_TOKENS) {
    memset(q, 0, (size_t)RT_TOKENS * cols);
    memset(d, 0, (size_t)RT_TOKENS * groups * sizeof *d);
    memset(sums, 0, (size_t)RT_TOKENS * (cols / RT_SUM) * sizeof(int16_t));
  }
  for (uint32_t lane = 0; lane < RT_TOKENS && first + lane < in->n; lane++) {
    j->exec->kernels->quantize(j->x + (first + lane) * j->x_stride, cols, in->group, row->q, row->d, row->sums);
    for (size_t k = 0; k < cols / 4; k++) memcpy(q + (k * RT_TOKENS + lane) * 4, row->q + 4 * k, 4);
    for (size_t k = 0; k < groups; k++) d[k * RT_TOKENS + lane] = row->d[k];
    for (size_t k = 0; k < cols / 32; k++) memcpy(sums + (k * RT_TOKENS + lane) * 4, row->sums + 2 * k, 4);
  }
}

static void quantize_worker(void *arg, unsigned worker, unsigned n_workers) {
  (void)n_workers;
  job *j = arg;
  uint8_t *room = j->exec->scratch + worker * j->exec->scratch_bytes;
  bool lanes = j->n >= j->exec->kernels->gemm_from;
  uint32_t tiles = (j->n + RT_TOKENS - 1) / RT_TOKENS;
  for (uint32_t tile; (tile = atomic_fetch_add_explicit(&j->next_input, 1, memory_order_relaxed)) < tiles;)
    for (int f = 0; f < 2; f++) {
      if (!j->needed[f]) continue;
      const rt_inputs *in = &j->shared[f];
      if (lanes) {
        rt_inputs row = inputs_layout(room, in->group, in->cols, 1);
        quantize_tile(j, in, tile, &row);
        continue;
      }
      uint32_t first = tile * RT_TOKENS, end = first + RT_TOKENS < in->n ? first + RT_TOKENS : in->n;
      for (uint32_t i = first; i < end; i++)
        j->exec->kernels->quantize(j->x + i * j->x_stride, in->cols, in->group, in->q + (size_t)i * in->cols,
                                   in->d + (size_t)i * (in->cols / in->group), in->sums + (size_t)i * (in->cols / RT_SUM));
    }
}

/* ---- the products ---- */

static void add_bias(const rt_matmul_part *part, uint32_t first, uint32_t rows, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    float *y = part->y + i * part->y_stride + first;
    for (uint32_t r = 0; r < rows; r++) y[r] = y[r] + part->bias[first + r];
  }
}

static void matmul_worker(void *arg, unsigned worker, unsigned n_workers) {
  (void)n_workers;
  job *j = arg;
  const rt_kernels *kernels = j->exec->kernels;
  uint8_t *scratch = align64(j->exec->scratch + worker * j->exec->scratch_bytes);
  rt_inputs own[2];
  const rt_inputs *inputs = j->shared;
  uint32_t cols = j->parts[0].w->cols;
  if (j->private_) {
    uint8_t *room = scratch + round_up(RT_STRIP_BYTES((size_t)cols), 64);
    for (int f = 0; f < 2; f++) {
      if (!j->needed[f]) continue;
      own[f] = inputs_layout(room, f ? 256 : 32, cols, j->n);
      room += inputs_bytes(cols, j->n);
      quantize_rows(j, &own[f]);
    }
    inputs = own;
  }
  size_t p = 0;
  uint32_t base = 0; /* chunks of the parts before p */
  for (uint32_t chunk; chunk = atomic_fetch_add_explicit(&j->next, 1, memory_order_relaxed), p < j->n_parts;) {
    uint32_t chunks;
    while (chunks = (j->parts[p].w->rows + j->chunk - 1) / j->chunk, chunk - base >= chunks) {
      base += chunks;
      if (++p == j->n_parts) return;
    }
    const rt_matmul_part *part = &j->parts[p];
    uint32_t first = (chunk - base) * j->chunk, rows = part->w->rows - first < j->chunk ? part->w->rows - first : j->chunk;
    float *y = part->y + first;
    if (!part->w->type->panel) {
      kernels->dot_float(part->w, first, rows, j->x, j->x_stride, j->n, y, part->y_stride);
    } else {
      const rt_strip strip = {part->w, first, rows, inputs_for(part->w, inputs), y, part->y_stride, scratch};
      if (j->n >= kernels->gemm_from) kernels->gemm(&strip);
      else kernels->dot(&strip);
    }
    if (part->bias) add_bias(part, first, rows, j->n);
  }
}

void rt_matmul(const rt_exec *exec, const rt_matmul_part *parts, size_t n_parts, const float *x, size_t x_stride, uint32_t n,
               uint8_t *work) {
  if (n == 0 || n_parts == 0) return;
  job j = {.exec = exec, .parts = parts, .n_parts = n_parts, .x = x, .x_stride = x_stride, .n = n};
  uint32_t cols = parts[0].w->cols;
  uint64_t rows = 0;
  for (size_t p = 0; p < n_parts; p++) {
    rows += parts[p].w->rows;
    if (parts[p].w->type->panel) j.needed[parts[p].w->type->panel->group == 256] = true;
  }
  /* About eight chunks a worker, of 16 rows at least; one strip at most for many inputs, else enough rows for prefetching to pay. */
  uint64_t chunk = rows / (8u * (uint64_t)rt_workers(exec->platform)) / 16 * 16, most = n >= exec->kernels->gemm_from ? RT_STRIP_ROWS : 512;
  j.chunk = chunk < 16 ? 16 : chunk > most ? (uint32_t)most : (uint32_t)chunk;
  j.private_ = n <= PRIVATE_INPUTS && n < exec->kernels->gemm_from;
  if (!j.private_ && (j.needed[0] || j.needed[1])) {
    for (int f = 0; f < 2; f++)
      if (j.needed[f]) {
        j.shared[f] = inputs_layout(work, f ? 256 : 32, cols, n);
        work += inputs_bytes(cols, n);
      }
    rt_parallel(exec->platform, quantize_worker, &j);
  }
  rt_parallel(exec->platform, matmul_worker, &j);
}

/* ---- operations without a driver ---- */

void rt_embed(const rt_matrix *table, uint32_t row, float *out) {
  table->type->decode(table->data + (size_t)row * table->row_bytes, out, table->cols);
}

void rt_rmsnorm(const rt_kernels *kernels, const float *x, const float *weight, float eps, uint32_t n, float *out) {
  kernels->rmsnorm(x, weight, eps, n, out);
}
void rt_add(const rt_kernels *kernels, float *x, const float *y, uint32_t n) { kernels->add(x, y, n); }
void rt_swiglu(const rt_kernels *kernels, float *gate, const float *up, uint32_t n) { kernels->swiglu(gate, up, n); }
void rt_rope(const rt_kernels *kernels, float *head, const float *cos_sin, uint32_t n_rot, bool neox) {
  kernels->rope(head, cos_sin, n_rot, neox);
}
size_t rt_kv_row_bytes(int kv_type, uint32_t n) { return (size_t)n * (kv_type == RT_KV_F32 ? 4 : 2); }
void rt_kv_store(const rt_kernels *kernels, int kv_type, const float *row, uint32_t n, void *out) {
  kernels->kv_store(kv_type, row, n, out);
}
