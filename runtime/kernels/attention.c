/* attention.c - attention over the KV cache, split over the platform's workers.
 *
 * The unit is one block of RT_ATTENTION_BLOCK positions, which is one page of the cache, for some query rows of one sequence that share a
 * KV head. For few rows every block is a task of its own and leaves its (max, sum, o) in `work`, where a second region merges them in block
 * order; for many rows, of one sequence or of many, a task is a tile of rows of one KV head, which walks the blocks itself. Both merge the
 * same partial results in the same order, so both give the same bits.
 */
#include "kernels.h"

#include <stdatomic.h>
#include <string.h>

#include "variant.h"

enum {
  TILE = 64,      /* most query rows (row, head) of one task */
  SPLIT_ROWS = 8, /* at most so many input rows are split over cache blocks */
};

/* Query rows first..end-1, row-major in (row, head of the group), all of one sequence. */
typedef struct tile {
  uint32_t first, end;
} tile;

typedef struct job {
  const rt_exec *exec;
  const rt_attention *a;
  uint32_t group;  /* heads that share one KV head */
  uint32_t blocks; /* of the longest row */
  tile *tiles;     /* (n_tiles) */
  uint32_t n_tiles;
  bool split;
  float *partial;   /* split: (n, n_heads, blocks, v.dim + 2) */
  uint8_t *scratch; /* per worker */
  size_t scratch_bytes;
  atomic_uint next;
} job;

/* A worker's memory: p, o, running o, max and sum of a tile, and what `attend` asks for. */
static size_t tile_floats(uint32_t k_dim, uint32_t v_dim) {
  return TILE * (RT_ATTENTION_BLOCK + 2 * (size_t)rt_attend_stride(v_dim) + 2) + rt_attend_scratch_floats(TILE, k_dim, v_dim);
}

/* At most: every row its own sequence. */
static size_t most_tiles(uint32_t n, uint32_t group) { return (size_t)n * ((group + TILE - 1) / TILE); }

size_t rt_attention_work_bytes(const rt_exec *exec, const rt_attention *shape, uint32_t max_n, uint32_t n_ctx) {
  size_t blocks = ((size_t)n_ctx + RT_ATTENTION_BLOCK - 1) / RT_ATTENTION_BLOCK, rows = max_n < SPLIT_ROWS ? max_n : SPLIT_ROWS;
  size_t floats =
      rows * shape->n_heads * blocks * ((size_t)shape->v.dim + 2) + rt_workers(exec->platform) * tile_floats(shape->k.dim, shape->v.dim);
  return floats * sizeof(float) + most_tiles(max_n, shape->n_heads / shape->n_kv_heads) * sizeof(tile) + 64;
}

static uint32_t seen(const rt_attention *a, uint32_t row, uint32_t block) {
  uint32_t start = block * RT_ATTENTION_BLOCK, visible = a->visible[row];
  return visible <= start ? 0 : visible - start < RT_ATTENTION_BLOCK ? visible - start : RT_ATTENTION_BLOCK;
}

/* What one block gives for the rows of a tile that see it. */
typedef struct task {
  const float *q[TILE];
  uint32_t count[TILE], index[TILE]; /* index: place among the tile's rows */
  float max[TILE], sum[TILE];
  uint32_t rows;
} task;

/* Collects the rows that see `block`, and computes it. */
static void block_of(const job *j, uint32_t kv_head, tile rows, uint32_t block, task *t, float *p, float *o, float *scratch) {
  const rt_attention *a = j->a;
  t->rows = 0;
  for (uint32_t r = rows.first; r < rows.end; r++) {
    uint32_t row = r / j->group, head = kv_head * j->group + r % j->group, count = seen(a, row, block);
    if (!count) continue;
    t->q[t->rows] = a->q + ((size_t)row * a->n_heads + head) * a->k.dim;
    t->count[t->rows] = count;
    t->index[t->rows++] = r - rows.first;
  }
  if (!t->rows) return;
  const uint8_t *page = a->pages[rows.first / j->group][block];
  const rt_attention_tile one = {.kv_type = a->kv_type,
                                 .k = page + a->k.offset + kv_head * a->k.head_bytes,
                                 .v = page + a->v.offset + kv_head * a->v.head_bytes,
                                 .k_row_bytes = a->k.row_bytes,
                                 .v_row_bytes = a->v.row_bytes,
                                 .k_dim = a->k.dim,
                                 .v_dim = a->v.dim,
                                 .rows = t->rows,
                                 .q = t->q,
                                 .count = t->count,
                                 .scale = a->scale,
                                 .p = p,
                                 .max = t->max,
                                 .sum = t->sum,
                                 .o = o,
                                 .scratch = scratch};
  j->exec->kernels->attend(&one);
}

static float *partial_of(const job *j, uint32_t row, uint32_t head, uint32_t block) {
  return j->partial + (((size_t)row * j->a->n_heads + head) * j->blocks + block) * ((size_t)j->a->v.dim + 2);
}

/* Few rows: (KV head, block, tile) in any order. */
static void split_worker(void *arg, unsigned worker, unsigned n_workers) {
  (void)n_workers;
  job *j = arg;
  const rt_attention *a = j->a;
  const size_t stride = rt_attend_stride(a->v.dim);
  float *p = (float *)(void *)(j->scratch + worker * j->scratch_bytes), *o = p + TILE * RT_ATTENTION_BLOCK, *scratch = o + TILE * stride;
  uint32_t tasks = a->n_kv_heads * j->blocks * j->n_tiles;
  for (uint32_t i; (i = atomic_fetch_add_explicit(&j->next, 1, memory_order_relaxed)) < tasks;) {
    uint32_t block = i / j->n_tiles % j->blocks, kv_head = i / j->n_tiles / j->blocks;
    tile rows = j->tiles[i % j->n_tiles];
    task t;
    block_of(j, kv_head, rows, block, &t, p, o, scratch);
    for (uint32_t k = 0; k < t.rows; k++) {
      uint32_t r = rows.first + t.index[k];
      float *out = partial_of(j, r / j->group, kv_head * j->group + r % j->group, block);
      out[0] = t.max[k];
      out[1] = t.sum[k];
      memcpy(out + 2, o + k * stride, a->v.dim * sizeof *o);
    }
  }
}

static void merge_worker(void *arg, unsigned worker, unsigned n_workers) {
  job *j = arg;
  const rt_attention *a = j->a;
  const rt_kernels *kernels = j->exec->kernels;
  for (uint32_t i = worker; i < a->n * a->n_heads; i += n_workers) {
    uint32_t row = i / a->n_heads, head = i % a->n_heads;
    float *o = partial_of(j, row, head, 0);
    for (uint32_t b = 1; b < j->blocks && seen(a, row, b); b++) {
      const float *more = partial_of(j, row, head, b);
      kernels->attend_merge(&o[0], &o[1], o + 2, more[0], more[1], more + 2, a->v.dim);
    }
    kernels->attend_finish(o[1], o + 2, a->v.dim, a->out + (size_t)i * a->v.dim);
  }
}

/* Many rows: (KV head, tile), each through all its blocks. Late tiles first: of a prompt they are the long ones, and none of those should
 * be left over at the end. */
static void tile_worker(void *arg, unsigned worker, unsigned n_workers) {
  (void)n_workers;
  job *j = arg;
  const rt_attention *a = j->a;
  const rt_kernels *kernels = j->exec->kernels;
  const size_t stride = rt_attend_stride(a->v.dim);
  float *p = (float *)(void *)(j->scratch + worker * j->scratch_bytes), *o = p + TILE * RT_ATTENTION_BLOCK, *running = o + TILE * stride;
  float *max = running + TILE * stride, *sum = max + TILE, *scratch = sum + TILE;
  uint32_t tasks = a->n_kv_heads * j->n_tiles;
  for (uint32_t i; (i = atomic_fetch_add_explicit(&j->next, 1, memory_order_relaxed)) < tasks;) {
    tile rows = j->tiles[j->n_tiles - 1 - i / a->n_kv_heads];
    uint32_t kv_head = i % a->n_kv_heads;
    task t = {.rows = 1};
    for (uint32_t block = 0; block < j->blocks; block++) {
      block_of(j, kv_head, rows, block, &t, p, o, scratch);
      if (!t.rows) break;
      for (uint32_t k = 0; k < t.rows; k++) {
        uint32_t r = t.index[k];
        float *into = running + r * stride;
        const float *from = o + k * stride;
        if (block == 0) {
          max[r] = t.max[k];
          sum[r] = t.sum[k];
          memcpy(into, from, a->v.dim * sizeof *into);
        } else {
          kernels->attend_merge(&max[r], &sum[r], into, t.max[k], t.sum[k], from, a->v.dim);
        }
      }
    }
    for (uint32_t r = rows.first; r < rows.end; r++) {
      size_t at = ((size_t)(r / j->group) * a->n_heads + kv_head * j->group + r % j->group) * a->v.dim;
      kernels->attend_finish(sum[r - rows.first], running + (r - rows.first) * stride, a->v.dim, a->out + at);
    }
  }
}

/* Cuts the rows of each sequence into tiles. */
static void find_tiles(job *j) {
  const rt_attention *a = j->a;
  for (uint32_t first = 0, next; first < a->n; first = next) {
    for (next = first + 1; next < a->n && a->pages[next] == a->pages[first]; next++);
    uint32_t end = next * j->group;
    for (uint32_t r = first * j->group; r < end; r += TILE) j->tiles[j->n_tiles++] = (tile){r, end - r < TILE ? end : r + TILE};
  }
}

void rt_attention_run(const rt_exec *exec, const rt_attention *attention, uint8_t *work) {
  const rt_attention *a = attention;
  if (a->n == 0) return;
  uint32_t longest = 1;
  for (uint32_t i = 0; i < a->n; i++) longest = a->visible[i] > longest ? a->visible[i] : longest;
  work += (64 - (uintptr_t)work % 64) % 64;
  job j = {.exec = exec,
           .a = a,
           .group = a->n_heads / a->n_kv_heads,
           .blocks = (longest + RT_ATTENTION_BLOCK - 1) / RT_ATTENTION_BLOCK,
           .split = a->n <= SPLIT_ROWS,
           .scratch = work,
           .scratch_bytes = tile_floats(a->k.dim, a->v.dim) * sizeof(float)};
  work += rt_workers(exec->platform) * j.scratch_bytes;
  j.tiles = (tile *)(void *)work;
  find_tiles(&j);
  j.partial = (float *)(void *)(j.tiles + j.n_tiles);
  rt_parallel(exec->platform, j.split ? split_worker : tile_worker, &j);
  if (j.split) rt_parallel(exec->platform, merge_worker, &j);
}
