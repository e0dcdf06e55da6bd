/* dense.c - the forward pass of llama, qwen2 and qwen3, top to bottom in the order of computation.
 *
 * The three differ in the order of RoPE pairs, in biases and in the norms of query and key heads; the model's tables say which, the code is
 * one straight line. Every step works row by row or is a product whose rows do not see each other, so a row's bits cannot depend on its
 * neighbours. A layer costs five parallel regions when one row is computed: (q, k, v), attention, o, (gate, up), down; what stands between
 * them is too little work to share, but for many rows it is shared too.
 * In the last layer only wanted rows go on after their keys and values are stored.
 */
#include "model.h"

#include <string.h>

/* ---- room for activations -------------------------------------------------------------------------------------------------- */

/* `count` floats for each of n_batch rows. */
static float *rows_of(rt_work *work, uint64_t count) {
  uint64_t total;
  size_t n;
  if (!rt_mul_u64(count, work->n_batch, &total) || !rt_to_size(total, &n)) return NULL;
  return rt_arena_alloc(&work->arena, n, sizeof(float));
}

static uint32_t most(uint32_t a, uint32_t b) { return a > b ? a : b; }

retort_status rt_work_open(rt_work *work, const retort_platform *platform, const retort_model *model, uint32_t n_batch, uint32_t n_ctx,
                           retort_error *error) {
  const rt_hparams *h = &model->hparams;
  uint32_t n_q = h->n_heads * h->head_dim, n_kv = h->n_kv_heads * h->head_dim;
  uint32_t widest_in = most(most(h->n_embd, n_q), h->n_ff);
  *work = (rt_work){.arena = {.platform = platform},
                    .exec = {.kernels = model->kernels, .platform = platform, .two_planes = model->two_planes},
                    .n_batch = n_batch};
  rt_exec *exec = &work->exec;
  const rt_attention attention = {.k.dim = h->head_dim, .v.dim = h->head_dim, .n_heads = h->n_heads, .n_kv_heads = h->n_kv_heads};
  exec->scratch_bytes = rt_matmul_scratch_bytes(exec, widest_in, n_batch);

  work->x = rows_of(work, h->n_embd);
  work->h = rows_of(work, h->n_embd);
  /* Attention's rows and the feed-forward's rows are never alive at once. */
  uint64_t attention_floats = 2 * (uint64_t)n_q + 2 * (uint64_t)n_kv, ffn_floats = 2 * (uint64_t)h->n_ff;
  float *shared = rows_of(work, attention_floats > ffn_floats ? attention_floats : ffn_floats);
  work->cos_sin = rows_of(work, model->rope.n_rot);
  work->visible = rt_arena_alloc(&work->arena, n_batch, sizeof *work->visible);
  work->pages = rt_arena_alloc(&work->arena, n_batch, sizeof *work->pages);
  work->rows = rt_arena_alloc(&work->arena, n_batch, sizeof *work->rows);
  work->matmul = rt_arena_alloc(&work->arena, rt_matmul_work_bytes(exec, widest_in, n_batch, 1), 1);
  work->attention = rt_arena_alloc(&work->arena, rt_attention_work_bytes(exec, &attention, n_batch, n_ctx) + 4096, 1);
  exec->scratch = rt_arena_alloc(&work->arena, rt_workers(platform), exec->scratch_bytes);
  if (!work->x || !work->h || !shared || !work->cos_sin || !work->visible || !work->pages || !work->rows || !work->matmul ||
      !work->attention || !exec->scratch) {
    size_t had = work->arena.used;
    rt_work_close(work);
    return rt_fail(error, RETORT_ERROR_MEMORY,
                   "not enough memory: the activations of %u rows need more than %zu bytes; use a smaller n_batch", n_batch, had);
  }
  size_t n = n_batch;
  work->q = shared;
  work->attended = work->q + n * n_q;
  work->k = work->attended + n * n_q;
  work->v = work->k + n * n_kv;
  work->gate = shared;
  work->up = work->gate + n * h->n_ff;
  return RETORT_OK;
}

void rt_work_close(rt_work *work) { rt_arena_close(&work->arena); }

/* ---- steps that treat each row alone ---------------------------------------------------------------------------------------- */

typedef struct pass {
  const retort_model *model;
  rt_work *work;
  const rt_row *rows; /* (n) */
  uint32_t n;
  uint32_t layer;
  const float *norm; /* (n_embd) weight of the norm that ends the step */
} pass;

typedef struct row_job {
  const pass *p;
  void (*step)(const pass *p, uint32_t row);
} row_job;

static void row_worker(void *arg, unsigned worker, unsigned n_workers) {
  const row_job *job = arg;
  uint64_t n = job->p->n;
  for (uint32_t i = (uint32_t)(n * worker / n_workers), end = (uint32_t)(n * (worker + 1) / n_workers); i < end; i++) job->step(job->p, i);
}

/* Below this many rows a parallel region costs more than it saves. */
enum { SHARED_ROWS = 8 };

static void each_row(const pass *p, void (*step)(const pass *p, uint32_t row)) {
  row_job job = {p, step};
  if (p->n < SHARED_ROWS) row_worker(&job, 0, 1);
  else rt_parallel(p->work->exec.platform, row_worker, &job);
}

static float *row_of(float *rows, uint32_t row, uint32_t n) { return rows + (size_t)row * n; }

/* x = embedding of the token; h = norm(x); the row's RoPE angles. */
static void embed(const pass *p, uint32_t i) {
  const retort_model *m = p->model;
  uint32_t n = m->hparams.n_embd;
  float *x = row_of(p->work->x, i, n);
  rt_embed(&m->embedding, (uint32_t)p->rows[i].token, x);
  rt_rmsnorm(m->kernels, x, p->norm, m->hparams.rms_eps, n, row_of(p->work->h, i, n));
  rt_rotation_angles(&m->rope, p->rows[i].position, row_of(p->work->cos_sin, i, m->rope.n_rot));
}

/* x += h; h = norm(x). */
static void add_and_norm(const pass *p, uint32_t i) {
  const retort_model *m = p->model;
  uint32_t n = m->hparams.n_embd;
  float *x = row_of(p->work->x, i, n), *h = row_of(p->work->h, i, n);
  rt_add(m->kernels, x, h, n);
  rt_rmsnorm(m->kernels, x, p->norm, m->hparams.rms_eps, n, h);
}

/* Norm and rotation of the row's query and key heads; keys and values go into the cache. */
static void rotate_and_store(const pass *p, uint32_t i) {
  const retort_model *m = p->model;
  const rt_hparams *h = &m->hparams;
  const rt_layer *l = &m->layers[p->layer];
  const rt_row *row = &p->rows[i];
  const rt_kv_layout *layout = &row->cache->pool->layout;
  uint32_t dim = h->head_dim;
  const float *cos_sin = row_of(p->work->cos_sin, i, m->rope.n_rot);
  float *q = row_of(p->work->q, i, h->n_heads * dim), *k = row_of(p->work->k, i, h->n_kv_heads * dim),
        *v = row_of(p->work->v, i, h->n_kv_heads * dim);
  for (uint32_t head = 0; head < h->n_heads; head++) {
    float *one = row_of(q, head, dim);
    if (l->q_norm) rt_rmsnorm(m->kernels, one, l->q_norm, h->rms_eps, dim, one);
    rt_rope(m->kernels, one, cos_sin, m->rope.n_rot, h->architecture->neox);
  }
  uint8_t *page = row->cache->pages[row->position / RT_ATTENTION_BLOCK];
  const rt_kv_place keys = rt_kv_keys(layout, p->layer), values = rt_kv_values(layout, p->layer);
  uint32_t at = row->position % RT_ATTENTION_BLOCK;
  for (uint32_t head = 0; head < h->n_kv_heads; head++) {
    float *one = row_of(k, head, dim);
    if (l->k_norm) rt_rmsnorm(m->kernels, one, l->k_norm, h->rms_eps, dim, one);
    rt_rope(m->kernels, one, cos_sin, m->rope.n_rot, h->architecture->neox);
    rt_kv_store(m->kernels, layout->type, one, dim, page + keys.offset + head * keys.head_bytes + at * keys.row_bytes);
    rt_kv_store(m->kernels, layout->type, row_of(v, head, dim), dim,
                page + values.offset + head * values.head_bytes + at * values.row_bytes);
  }
}

/* gate = silu(gate) * up */
static void activate(const pass *p, uint32_t i) {
  uint32_t n = p->model->hparams.n_ff;
  rt_swiglu(p->model->kernels, row_of(p->work->gate, i, n), row_of(p->work->up, i, n), n);
}

/* ---- the pass ----------------------------------------------------------------------------------------------------------------- */

/* y = W x of the rows that are left, whole rows of both. */
static rt_matmul_part part(const pass *p, const rt_matrix *w, const float *bias, const float *x, float *y) {
  return (rt_matmul_part){.w = w, .bias = bias, .x = x, .x_stride = w->cols, .n = p->n, .y = y, .y_stride = w->rows};
}

/* attended = each row's attention to its own sequence. */
static void attend(const pass *p) {
  const rt_hparams *h = &p->model->hparams;
  rt_work *w = p->work;
  const rt_kv_layout *layout = &p->rows[0].cache->pool->layout;
  for (uint32_t i = 0; i < p->n; i++) {
    w->visible[i] = p->rows[i].position + 1;
    w->pages[i] = (const uint8_t *const *)p->rows[i].cache->pages;
  }
  const rt_attention attention = {.kv_type = layout->type,
                                  .k = rt_kv_keys(layout, p->layer),
                                  .v = rt_kv_values(layout, p->layer),
                                  .n_heads = h->n_heads,
                                  .n_kv_heads = h->n_kv_heads,
                                  .scale = p->model->attention_scale,
                                  .q = w->q,
                                  .out = w->attended,
                                  .pages = w->pages,
                                  .visible = w->visible,
                                  .n = p->n};
  rt_attention_run(&w->exec, &attention, w->attention);
}

/* Keeps only the wanted rows of x and q. */
static void keep_wanted(pass *p) {
  const rt_hparams *h = &p->model->hparams;
  rt_work *w = p->work;
  uint32_t n_q = h->n_heads * h->head_dim, kept = 0;
  for (uint32_t i = 0; i < p->n; i++) {
    if (!p->rows[i].wanted) continue;
    if (kept != i) {
      memcpy(row_of(w->x, kept, h->n_embd), row_of(w->x, i, h->n_embd), h->n_embd * sizeof(float));
      memcpy(row_of(w->q, kept, n_q), row_of(w->q, i, n_q), n_q * sizeof(float));
    }
    w->rows[kept++] = p->rows[i];
  }
  p->rows = w->rows;
  p->n = kept;
}

static bool all_given_up(const rt_row *rows, uint32_t n) {
  for (uint32_t i = 0; i < n; i++)
    if (!rows[i].given_up || !atomic_load_explicit(rows[i].given_up, memory_order_relaxed)) return false;
  return true;
}

bool rt_forward(const retort_model *model, rt_work *work, const rt_row *rows, uint32_t n, float *logits) {
  const rt_hparams *h = &model->hparams;
  const rt_exec *exec = &work->exec;
  pass p = {.model = model, .work = work, .rows = rows, .n = n, .norm = model->layers[0].attn_norm};
  each_row(&p, embed);
  for (p.layer = 0; p.layer < h->n_layers; p.layer++) {
    const rt_layer *l = &model->layers[p.layer];
    bool last = p.layer + 1 == h->n_layers;
    if (all_given_up(p.rows, p.n)) return false;

    const rt_matmul_part qkv[] = {part(&p, &l->q, l->q_bias, work->h, work->q), part(&p, &l->k, l->k_bias, work->h, work->k),
                                  part(&p, &l->v, l->v_bias, work->h, work->v)};
    rt_matmul(exec, qkv, 3, work->matmul);
    each_row(&p, rotate_and_store);
    if (last) keep_wanted(&p);
    if (p.n == 0) return true;
    attend(&p);
    const rt_matmul_part o[] = {part(&p, &l->o, l->o_bias, work->attended, work->h)};
    rt_matmul(exec, o, 1, work->matmul);
    p.norm = l->ffn_norm;
    each_row(&p, add_and_norm);

    const rt_matmul_part gate_up[] = {part(&p, &l->gate, NULL, work->h, work->gate), part(&p, &l->up, NULL, work->h, work->up)};
    rt_matmul(exec, gate_up, 2, work->matmul);
    each_row(&p, activate);
    const rt_matmul_part down[] = {part(&p, &l->down, NULL, work->gate, work->h)};
    rt_matmul(exec, down, 1, work->matmul);
    p.norm = last ? model->output_norm : l[1].attn_norm;
    each_row(&p, add_and_norm);
  }
  const rt_matmul_part output[] = {part(&p, &model->output, NULL, work->h, logits)};
  rt_matmul(exec, output, 1, work->matmul);
  return true;
}
