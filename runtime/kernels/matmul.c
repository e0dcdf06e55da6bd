/* matmul.c - drives the matrix products over the platform's workers, and the small operations that need no driver.
 *
 * Parts that share their input run in one parallel region: their rows are cut into chunks, and workers take chunks from one counter until
 * none is left, so a slow core does not hold the others. Few inputs are quantised by every worker for itself, which costs less than a
 * second region; many are quantised once, in a region of their own. Fine products take two quantised inputs for each given one, the second
 * what the first left over, and add their results. Invariant: which worker computes a row, and beside which others, changes no bit.
 */
#include "kernels.h"

#include <stdatomic.h>
#include <string.h>

#include "../quant/q8_0.h"
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

/* A worker's scratch: a strip, private inputs in both formats, one input's remainder, and the results of a fine product before they are
 * added. */
enum {
  FEW_ROWS = 2048,
  FEW_INPUTS = 16
}; /* a fine chunk has more than RT_STRIP_ROWS rows, up to FEW_ROWS, for at most FEW_INPUTS inputs */
typedef struct room {
  uint8_t *strip, *inputs;
  float *remainder, *results;
} room;
static size_t strip_bytes(size_t cols) { return round_up(RT_STRIP_BYTES(cols), 64); }
static room room_of(uint8_t *scratch, size_t cols) {
  room r = {.strip = align64(scratch)};
  r.inputs = r.strip + strip_bytes(cols);
  r.remainder = (float *)(void *)align64(r.inputs + 2 * inputs_bytes(cols, PRIVATE_INPUTS));
  r.results = r.remainder + round_up(cols, 16);
  return r;
}

size_t rt_matmul_scratch_bytes(const rt_kernels *kernels, uint32_t max_cols, uint32_t max_rows_batch) {
  (void)kernels;
  size_t cols = round_up(max_cols, 256), many = (size_t)RT_STRIP_ROWS * 2 * max_rows_batch, few = (size_t)FEW_ROWS * FEW_INPUTS;
  return round_up(strip_bytes(cols) + 2 * inputs_bytes(cols, PRIVATE_INPUTS) + (cols + (many > few ? many : few)) * sizeof(float) + 256,
                  64);
}

size_t rt_matmul_work_bytes(uint32_t max_cols, uint32_t max_n) { return 2 * inputs_bytes(round_up(max_cols, 256), max_n) + 128; }

typedef struct job {
  const rt_exec *exec;
  const rt_matmul_part *parts;
  size_t n_parts;
  const float *x;
  size_t x_stride;
  uint32_t n; /* quantised inputs: those given, and in fine products as many remainders */
  uint32_t n_given;
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

/* Input i, or for i >= n_given what quantising input i - n_given lost; `remainder` is room for `cols` floats. */
static void quantize_one(const job *j, uint32_t group, uint32_t cols, uint32_t i, int8_t *q, float *d, int16_t *sums, float *remainder) {
  const rt_kernels *kernels = j->exec->kernels;
  const float *x = j->x + (i < j->n_given ? i : i - j->n_given) * j->x_stride;
  kernels->quantize(x, cols, group, q, d, sums);
  if (i < j->n_given) return;
  for (uint32_t start = 0; start < cols; start += group) {
    float scale = d[start / group];
    for (uint32_t c = start; c < start + group; c++) remainder[c] = x[c] - scale * (float)q[c];
  }
  kernels->quantize(remainder, cols, group, q, d, sums);
}

static void quantize_rows(const job *j, rt_inputs *in, uint32_t first, uint32_t end, float *remainder) {
  for (uint32_t i = first; i < end; i++)
    quantize_one(j, in->group, in->cols, i, in->q + (size_t)i * in->cols, in->d + (size_t)i * (in->cols / in->group),
                 in->sums + (size_t)i * (in->cols / RT_SUM), remainder);
}

/* One tile of 16 inputs into the lane layout; `row` is room for one quantised input. */
static void quantize_tile(const job *j, const rt_inputs *in, uint32_t tile, rt_inputs *row, float *remainder) {
  uint32_t cols = in->cols, groups = cols / in->group, first = tile * RT_TOKENS, unit = j->exec->kernels->unit,
           side = j->exec->kernels->side;
  uint8_t *q = (uint8_t *)in->q + (size_t)tile * RT_TOKENS * cols;
  float *d = in->d + (size_t)tile * RT_TOKENS * groups;
  uint8_t *sums = (uint8_t *)(in->sums + (size_t)tile * RT_TOKENS * (cols / RT_SUM));
  if (in->n - first < RT_TOKENS) {
    memset(q, 0, (size_t)RT_TOKENS * cols);
    memset(d, 0, (size_t)RT_TOKENS * groups * sizeof *d);
    memset(sums, 0, (size_t)RT_TOKENS * (cols / RT_SUM) * sizeof(int16_t));
  }
  for (uint32_t lane = 0; lane < RT_TOKENS && first + lane < in->n; lane++) {
    quantize_one(j, in->group, cols, first + lane, row->q, row->d, row->sums, remainder);
    uint8_t *at = q + lane / side * side * cols + lane % side * unit;
    if (unit == 8)
      for (size_t k = 0; k < cols; k += 8, at += side * 8) memcpy(at, row->q + k, 8);
    else
      for (size_t k = 0; k < cols; k += 4, at += side * 4) memcpy(at, row->q + k, 4);
    for (size_t k = 0; k < groups; k++) d[k * RT_TOKENS + lane] = row->d[k];
    for (size_t k = 0; k < cols / 32; k++) memcpy(sums + (k * RT_TOKENS + lane) * 4, row->sums + 2 * k, 4);
  }
}

static void quantize_worker(void *arg, unsigned worker, unsigned n_workers) {
  (void)n_workers;
  job *j = arg;
  room own = room_of(j->exec->scratch + worker * j->exec->scratch_bytes, j->parts[0].w->cols);
  bool lanes = j->n >= j->exec->kernels->gemm_from;
  uint32_t tiles = (j->n + RT_TOKENS - 1) / RT_TOKENS;
  for (uint32_t tile; (tile = atomic_fetch_add_explicit(&j->next_input, 1, memory_order_relaxed)) < tiles;)
    for (int f = 0; f < 2; f++) {
      if (!j->needed[f]) continue;
      rt_inputs *in = &j->shared[f];
      if (lanes) {
        rt_inputs row = inputs_layout(own.inputs, in->group, in->cols, 1);
        quantize_tile(j, in, tile, &row, own.remainder);
      } else {
        uint32_t first = tile * RT_TOKENS, end = first + RT_TOKENS < in->n ? first + RT_TOKENS : in->n;
        quantize_rows(j, in, first, end, own.remainder);
      }
    }
}

/* ---- the products ---- */

static void add_bias(const rt_matmul_part *part, uint32_t first, uint32_t rows, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    float *y = part->y + i * part->y_stride + first;
    for (uint32_t r = 0; r < rows; r++) y[r] = y[r] + part->bias[first + r];
  }
}

/* y = result of the input + result of its remainder; results: (2 n, rows). */
static void add_planes(const float *results, uint32_t rows, uint32_t n, float *y, size_t y_stride) {
  for (uint32_t i = 0; i < n; i++, y += y_stride) {
    const float *coarse = results + (size_t)i * rows, *rest = results + (size_t)(n + i) * rows;
    for (uint32_t r = 0; r < rows; r++) y[r] = coarse[r] + rest[r];
  }
}

static void matmul_worker(void *arg, unsigned worker, unsigned n_workers) {
  (void)n_workers;
  job *j = arg;
  const rt_kernels *kernels = j->exec->kernels;
  uint32_t cols = j->parts[0].w->cols;
  room scratch = room_of(j->exec->scratch + worker * j->exec->scratch_bytes, cols);
  rt_inputs own[2];
  const rt_inputs *inputs = j->shared;
  if (j->private_) {
    uint8_t *at = scratch.inputs;
    for (int f = 0; f < 2; f++) {
      if (!j->needed[f]) continue;
      own[f] = inputs_layout(at, f ? 256 : 32, cols, j->n);
      at += inputs_bytes(cols, j->n);
      quantize_rows(j, &own[f], 0, j->n, scratch.remainder);
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
      kernels->dot_float(part->w, first, rows, j->x, j->x_stride, j->n_given, y, part->y_stride);
    } else {
      bool fine = j->n > j->n_given;
      const rt_strip strip = {
          part->w, first, rows, inputs_for(part->w, inputs), fine ? scratch.results : y, fine ? rows : part->y_stride, scratch.strip};
      if (j->n >= kernels->gemm_from) kernels->gemm(&strip);
      else kernels->dot(&strip);
      if (fine) add_planes(scratch.results, rows, j->n_given, y, part->y_stride);
    }
    if (part->bias) add_bias(part, first, rows, j->n_given);
  }
}

void rt_matmul(const rt_exec *exec, const rt_matmul_part *parts, size_t n_parts, const float *x, size_t x_stride, uint32_t n,
               uint8_t *work) {
  if (n == 0 || n_parts == 0) return;
  job j = {.exec = exec, .parts = parts, .n_parts = n_parts, .x = x, .x_stride = x_stride, .n = exec->fine ? 2 * n : n, .n_given = n};
  n = j.n;
  uint32_t cols = parts[0].w->cols;
  uint64_t rows = 0;
  for (size_t p = 0; p < n_parts; p++) {
    rows += parts[p].w->rows;
    if (parts[p].w->type->panel) j.needed[parts[p].w->type->panel->group == 256] = true;
  }
  /* About eight chunks a worker, of 16 rows at least; one strip at most for many inputs, else enough rows for prefetching to pay. */
  uint64_t chunk = rows / (8u * (uint64_t)rt_workers(exec->platform)) / 16 * 16, most = FEW_ROWS;
  if (n >= exec->kernels->gemm_from || n > FEW_INPUTS) most = RT_STRIP_ROWS;
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
size_t rt_kv_row_bytes(int kv_type, uint32_t n) {
  if (kv_type == RT_KV_Q8_0) return ((size_t)n + 31) / 32 * sizeof(rt_q8_0_block);
  return (size_t)n * (kv_type == RT_KV_F32 ? 4 : 2);
}
void rt_kv_store(const rt_kernels *kernels, int kv_type, const float *row, uint32_t n, void *out) {
  kernels->kv_store(kv_type, row, n, out);
}
