/* matmul.c - drives the matrix products over the platform's workers, and the small operations that need no driver.
 *
 * All parts run in one parallel region: their rows are cut into chunks, and workers take chunks from one counter until none is left, so a
 * slow core does not hold the others. Parts that read the same rows share an input. A single small input is quantised by every worker for
 * itself, which costs less than a second region; else all are quantised once, in a region of their own. With two planes products take
 * two quantised inputs for each given one, the second what the first left over, and add their results. Invariant: which worker computes a
 * row, and beside which others, changes no bit.
 */
#include "kernels.h"

#include <stdatomic.h>
#include <string.h>

#include "../quant/q8_0.h"
#include "variant.h"

enum { PRIVATE_INPUTS = 4 }; /* at most so many rows of the one input are quantised by each worker itself */
/* A chunk has more than RT_STRIP_ROWS rows, up to GEMV_ROWS, where there are at most GEMV_INPUTS inputs. */
enum { GEMV_ROWS = 2048, GEMV_INPUTS = 16 };

static uint32_t round_up(uint32_t n, uint32_t to) { return (n + to - 1) / to * to; }

/* ---- memory: each function both sizes and carves (rt_layout) ---- */

/* n quantised rows in either format and layout: 64 bytes times a number that is linear in n rounded up to whole tiles. */
static rt_inputs quantized_layout(rt_layout *at, uint32_t group, uint32_t cols, uint32_t n) {
  uint64_t rows = round_up(n, RT_TOKENS);
  rt_inputs in = {.group = group, .n = n, .cols = cols};
  in.q = rt_place(at, rows * cols, 1);
  in.d = rt_place(at, rows * (cols / 32), sizeof(float));
  in.sums = rt_place(at, rows * (cols / RT_SUM), sizeof(int16_t));
  return in;
}

/* A worker's scratch. */
typedef struct worker_scratch {
  uint8_t *strip;
  rt_inputs inputs[2]; /* in groups of 32 and of 256: private inputs, or one row on its way into the lane layout */
  float *remainder;    /* (cols) what quantising one row left over */
  float *results;      /* of both planes, before they are added */
} worker_scratch;
static worker_scratch scratch_layout(rt_layout *at, uint32_t cols, uint64_t results) {
  worker_scratch s = {.strip = rt_place(at, RT_STRIP_BYTES(cols), 1)};
  for (int f = 0; f < 2; f++) s.inputs[f] = quantized_layout(at, f ? 256 : 32, cols, PRIVATE_INPUTS);
  s.remainder = rt_place(at, cols, sizeof(float));
  s.results = rt_place(at, results, sizeof(float));
  return s;
}

size_t rt_matmul_scratch_bytes(const rt_exec *exec, uint32_t max_cols, uint32_t n) {
  rt_layout count = {0};
  uint64_t many = (uint64_t)RT_STRIP_ROWS * 2 * n, gemv = (uint64_t)GEMV_ROWS * GEMV_INPUTS;
  scratch_layout(&count, round_up(max_cols, 256), !exec->two_planes ? 0 : many > gemv ? many : gemv);
  return count.size;
}

/* Rows of floats that some parts share, and what becomes of them. */
typedef struct input {
  const float *x;
  size_t x_stride;
  uint32_t cols;
  uint32_t n_given, n;    /* rows; and quantised ones: those given, and with two planes as many remainders */
  bool needed[2];         /* in groups of 32 and of 256 */
  rt_inputs quantized[2]; /* where they are not private */
  uint32_t end_tile;      /* its tiles are those before this one, after the input before */
  size_t end_part;        /* and its parts */
  uint32_t chunk;         /* weight rows taken at once */
} input;

typedef struct job {
  const rt_exec *exec;
  const rt_matmul_part *parts;
  size_t n_parts;
  input *inputs; /* (n_inputs) */
  uint32_t n_inputs;
  uint32_t cols;          /* of the widest input */
  bool private_;          /* each worker quantises the one input for itself */
  atomic_uint next;       /* chunk */
  atomic_uint next_input; /* tile of inputs to quantise */
} job;

size_t rt_matmul_work_bytes(const rt_exec *exec, uint32_t max_cols, uint32_t n, uint32_t n_inputs) {
  rt_layout count = {0};
  rt_place(&count, n_inputs, sizeof(input));
  uint64_t rows = (uint64_t)n * (exec->two_planes ? 2 : 1) + (uint64_t)(RT_TOKENS - 1) * n_inputs; /* each may end in a tile for one row */
  if (rows > UINT32_MAX - RT_TOKENS) return SIZE_MAX;
  for (int f = 0; f < 2; f++) quantized_layout(&count, f ? 256 : 32, round_up(max_cols, 256), (uint32_t)rows);
  return count.size;
}

static worker_scratch scratch_of(const job *j, unsigned worker) {
  rt_layout at = {.base = j->exec->scratch + worker * j->exec->scratch_bytes};
  return scratch_layout(&at, j->cols, 0); /* the results stand last and take what is left */
}

/* ---- quantising the inputs ---- */

/* Row i, or for i >= n_given what quantising row i - n_given lost; `remainder` takes `cols` floats. */
static void quantize_one(const rt_kernels *kernels, const input *from, uint32_t group, uint32_t i, int8_t *q, float *d, int16_t *sums,
                         float *remainder) {
  uint32_t cols = from->cols;
  const float *x = from->x + (i < from->n_given ? i : i - from->n_given) * from->x_stride;
  kernels->quantize(x, cols, group, q, d, sums);
  if (i < from->n_given) return;
  for (uint32_t start = 0; start < cols; start += group) {
    float scale = d[start / group];
    for (uint32_t c = start; c < start + group; c++) remainder[c] = x[c] - scale * (float)q[c];
  }
  kernels->quantize(remainder, cols, group, q, d, sums);
}

static void quantize_rows(const rt_kernels *kernels, const input *from, rt_inputs *in, uint32_t first, uint32_t end, float *remainder) {
  for (uint32_t i = first; i < end; i++)
    quantize_one(kernels, from, in->group, i, in->q + (size_t)i * in->cols, in->d + (size_t)i * (in->cols / in->group),
                 in->sums + (size_t)i * (in->cols / RT_SUM), remainder);
}

/* One tile of 16 rows into the lane layout; `row` takes one quantised row. */
static void quantize_tile(const rt_kernels *kernels, const input *from, const rt_inputs *in, uint32_t tile, const rt_inputs *row,
                          float *remainder) {
  uint32_t cols = in->cols, groups = cols / in->group, first = tile * RT_TOKENS, unit = kernels->unit, side = kernels->side;
  uint8_t *q = (uint8_t *)in->q + (size_t)tile * RT_TOKENS * cols;
  float *d = in->d + (size_t)tile * RT_TOKENS * groups;
  uint8_t *sums = (uint8_t *)(in->sums + (size_t)tile * RT_TOKENS * (cols / RT_SUM));
  if (in->n - first < RT_TOKENS) {
    memset(q, 0, (size_t)RT_TOKENS * cols);
    memset(d, 0, (size_t)RT_TOKENS * groups * sizeof *d);
    memset(sums, 0, (size_t)RT_TOKENS * (cols / RT_SUM) * sizeof(int16_t));
  }
  for (uint32_t lane = 0; lane < RT_TOKENS && first + lane < in->n; lane++) {
    quantize_one(kernels, from, in->group, first + lane, row->q, row->d, row->sums, remainder);
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
  const rt_kernels *kernels = j->exec->kernels;
  worker_scratch own = scratch_of(j, worker);
  input *in = j->inputs;
  uint32_t base = 0, tiles = j->inputs[j->n_inputs - 1].end_tile; /* base: tiles of the inputs before `in` */
  for (uint32_t taken; (taken = atomic_fetch_add_explicit(&j->next_input, 1, memory_order_relaxed)) < tiles;) {
    while (taken >= in->end_tile) base = in++->end_tile;
    uint32_t tile = taken - base, first = tile * RT_TOKENS, end = first + RT_TOKENS < in->n ? first + RT_TOKENS : in->n;
    for (int f = 0; f < 2; f++) {
      if (!in->needed[f]) continue;
      if (in->n >= kernels->gemm_from) quantize_tile(kernels, in, &in->quantized[f], tile, &own.inputs[f], own.remainder);
      else quantize_rows(kernels, in, &in->quantized[f], first, end, own.remainder);
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

/* Some rows of one part. */
static void multiply(const rt_kernels *kernels, const rt_matmul_part *part, uint32_t first, uint32_t rows, const input *in,
                     const rt_inputs quantized[2], const worker_scratch *scratch) {
  const rt_panel_format *panel = part->w->type->panel;
  float *y = part->y + first;
  if (in->n == 0) return;
  if (!panel) {
    kernels->dot_float(part->w, first, rows, in->x, in->x_stride, in->n_given, y, part->y_stride);
  } else {
    bool two_planes = in->n > in->n_given;
    const rt_strip strip = {
        part->w,       first, rows, &quantized[panel->group == 256], two_planes ? scratch->results : y, two_planes ? rows : part->y_stride,
        scratch->strip};
    if (in->n >= kernels->gemm_from) kernels->gemm(&strip);
    else kernels->gemv(&strip);
    if (two_planes) add_planes(scratch->results, rows, in->n_given, y, part->y_stride);
  }
  if (part->bias) add_bias(part, first, rows, in->n_given);
}

static void matmul_worker(void *arg, unsigned worker, unsigned n_workers) {
  (void)n_workers;
  job *j = arg;
  const rt_kernels *kernels = j->exec->kernels;
  worker_scratch scratch = scratch_of(j, worker);
  const input *in = j->inputs;
  if (j->private_)
    for (int f = 0; f < 2; f++) {
      if (!in->needed[f]) continue;
      scratch.inputs[f].n = in->n;
      quantize_rows(kernels, in, &scratch.inputs[f], 0, in->n, scratch.remainder);
    }
  size_t p = 0;
  uint32_t base = 0; /* chunks of the parts before p */
  for (;;) {
    uint32_t taken = atomic_fetch_add_explicit(&j->next, 1, memory_order_relaxed), chunks;
    while (chunks = (j->parts[p].w->rows + in->chunk - 1) / in->chunk, taken - base >= chunks) {
      base += chunks;
      if (++p == j->n_parts) return;
      in += p == in->end_part;
    }
    const rt_matmul_part *part = &j->parts[p];
    uint32_t first = (taken - base) * in->chunk, rows = part->w->rows - first < in->chunk ? part->w->rows - first : in->chunk;
    multiply(kernels, part, first, rows, in, j->private_ ? scratch.inputs : in->quantized, &scratch);
  }
}

/* About eight chunks a worker, of 16 rows at least; one strip at most for many inputs, else enough rows for prefetching to pay. */
static uint32_t chunk_of(const job *j, uint64_t rows, uint32_t n) {
  uint64_t chunk = rows / (8u * (uint64_t)rt_workers(j->exec->platform)) / 16 * 16,
           most = n >= j->exec->kernels->gemm_from || n > GEMV_INPUTS ? RT_STRIP_ROWS : GEMV_ROWS;
  return chunk < 16 ? 16 : (uint32_t)(chunk > most ? most : chunk);
}

static bool same_input(const rt_matmul_part *a, const rt_matmul_part *b) {
  return a->x == b->x && a->x_stride == b->x_stride && a->n == b->n && a->w->cols == b->w->cols;
}

/* The inputs of all parts, each with its share of the chunks and tiles. */
static void find_inputs(job *j, rt_layout *work) {
  const rt_matmul_part *parts = j->parts;
  const uint32_t planes = j->exec->two_planes ? 2 : 1;
  uint64_t rows = parts[0].w->rows;
  for (size_t p = 1; p < j->n_parts; p++) {
    j->n_inputs += !same_input(&parts[p - 1], &parts[p]);
    rows += parts[p].w->rows;
  }
  j->inputs = rt_place(work, j->n_inputs, sizeof *j->inputs);
  size_t p = 0;
  uint32_t tiles = 0;
  for (input *in = j->inputs; in < j->inputs + j->n_inputs; in++) {
    const rt_matmul_part *part = &parts[p];
    *in = (input){.x = part->x, .x_stride = part->x_stride, .cols = part->w->cols, .n_given = part->n, .n = planes * part->n};
    in->chunk = chunk_of(j, rows, in->n);
    do {
      const rt_panel_format *panel = parts[p].w->type->panel;
      if (panel) in->needed[panel->group == 256] = true;
    } while (++p < j->n_parts && same_input(&parts[p - 1], &parts[p]));
    in->end_part = p;
    if (in->needed[0] || in->needed[1]) tiles += (in->n + RT_TOKENS - 1) / RT_TOKENS;
    in->end_tile = tiles;
    if (in->cols > j->cols) j->cols = in->cols;
  }
}

/* False where nothing is to be quantised in a region of its own. */
static bool place_quantized(job *j, rt_layout *work) {
  if (j->private_ || j->inputs[j->n_inputs - 1].end_tile == 0) return false;
  for (input *in = j->inputs; in < j->inputs + j->n_inputs; in++)
    for (int f = 0; f < 2; f++)
      if (in->needed[f]) in->quantized[f] = quantized_layout(work, f ? 256 : 32, in->cols, in->n);
  return true;
}

void rt_matmul(const rt_exec *exec, const rt_matmul_part *parts, size_t n_parts, uint8_t *work) {
  if (n_parts == 0) return;
  job j = {.exec = exec, .parts = parts, .n_parts = n_parts, .n_inputs = 1};
  rt_layout at = {.base = work};
  find_inputs(&j, &at);
  j.private_ = j.n_inputs == 1 && j.inputs->n <= PRIVATE_INPUTS && j.inputs->n < exec->kernels->gemm_from;
  if (place_quantized(&j, &at)) rt_parallel(exec->platform, quantize_worker, &j);
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
