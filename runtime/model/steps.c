/* steps.c - see steps.h; and the memory of a forward pass, which one function both sizes and carves. */
#include "steps.h"

#include <string.h>

/* ---- memory --------------------------------------------------------------------------------------------------------------------- */

void rt_place_products(rt_work *work, rt_layout *at, uint32_t max_cols, uint32_t n, uint32_t n_inputs) {
  rt_exec *exec = &work->exec;
  work->matmul = rt_place(at, rt_matmul_work_bytes(exec, max_cols, n, n_inputs), 1);
  exec->scratch_bytes = rt_matmul_scratch_bytes(exec, max_cols, n);
  exec->scratch = rt_place(at, rt_workers(exec->platform), exec->scratch_bytes);
}

/* Everything that a pass over n_batch rows writes to. */
static void place_work(const retort_model *model, uint32_t n_ctx, rt_work *work, rt_layout *at) {
  const rt_hparams *h = &model->hparams;
  uint64_t n = work->n_batch;
  work->x = rt_place(at, n * h->n_embd, sizeof(float));
  work->h = rt_place(at, n * h->n_embd, sizeof(float));
  work->cos_sin = rt_place(at, n * model->rope.n_rot, sizeof(float));
  work->rows = rt_place(at, n, sizeof *work->rows);
  h->architecture->family->place(model, n_ctx, work, at);
}

retort_status rt_work_open(rt_work *work, const retort_platform *platform, const retort_model *model, uint32_t n_batch, uint32_t n_ctx,
                           retort_error *error) {
  *work = (rt_work){.arena = {.platform = platform},
                    .exec = {.kernels = model->kernels, .platform = platform, .two_planes = model->two_planes},
                    .n_batch = n_batch};
  rt_layout at = {0};
  place_work(model, n_ctx, work, &at);
  size_t size = at.size;
  at = (rt_layout){.base = size == SIZE_MAX ? NULL : rt_arena_alloc(&work->arena, size, 1)};
  if (!at.base)
    return rt_fail(error, RETORT_ERROR_MEMORY, "not enough memory: the activations of %u rows need %zu bytes; use a smaller n_batch",
                   n_batch, size);
  place_work(model, n_ctx, work, &at);
  return RETORT_OK;
}

void rt_work_close(rt_work *work) { rt_arena_close(&work->arena); }

bool rt_forward(const retort_model *model, rt_work *work, const rt_row *rows, uint32_t n, float *logits) {
  return model->hparams.architecture->family->forward(model, work, rows, n, logits);
}

/* ---- rows ------------------------------------------------------------------------------------------------------------------------ */

typedef struct row_job {
  const rt_pass *p;
  void (*step)(const rt_pass *p, uint32_t row);
} row_job;

static void row_worker(void *arg, unsigned worker, unsigned n_workers) {
  const row_job *job = arg;
  uint64_t n = job->p->n;
  for (uint32_t i = (uint32_t)(n * worker / n_workers), end = (uint32_t)(n * (worker + 1) / n_workers); i < end; i++) job->step(job->p, i);
}

/* Below this many rows a parallel region costs more than it saves. */
enum { SHARED_ROWS = 8 };

void rt_each_row(const rt_pass *p, void (*step)(const rt_pass *p, uint32_t row)) {
  row_job job = {p, step};
  if (p->n < SHARED_ROWS) row_worker(&job, 0, 1);
  else rt_parallel(p->work->exec.platform, row_worker, &job);
}

void rt_step_embed(const rt_pass *p, uint32_t i) {
  const retort_model *m = p->model;
  uint32_t n = m->hparams.n_embd;
  float *x = rt_row_of(p->work->x, i, n);
  rt_embed(&m->embedding, (uint32_t)p->rows[i].token, x);
  rt_rmsnorm(m->kernels, x, p->norm, m->hparams.rms_eps, n, rt_row_of(p->work->h, i, n));
  rt_rotation_angles(&m->rope, p->rows[i].position, rt_row_of(p->work->cos_sin, i, m->rope.n_rot));
}

void rt_step_add_and_norm(const rt_pass *p, uint32_t i) {
  const retort_model *m = p->model;
  uint32_t n = m->hparams.n_embd;
  float *x = rt_row_of(p->work->x, i, n), *h = rt_row_of(p->work->h, i, n);
  rt_add(m->kernels, x, h, n);
  rt_rmsnorm(m->kernels, x, p->norm, m->hparams.rms_eps, n, h);
}

void rt_keep_wanted(rt_pass *p, float *more, uint32_t width) {
  rt_work *w = p->work;
  uint32_t n_embd = p->model->hparams.n_embd, kept = 0;
  for (uint32_t i = 0; i < p->n; i++) {
    if (!p->rows[i].wanted) continue;
    if (kept != i) {
      memcpy(rt_row_of(w->x, kept, n_embd), rt_row_of(w->x, i, n_embd), n_embd * sizeof(float));
      memcpy(rt_row_of(more, kept, width), rt_row_of(more, i, width), width * sizeof(float));
    }
    w->rows[kept++] = p->rows[i];
  }
  p->rows = w->rows;
  p->n = kept;
}

void rt_output(const rt_pass *p, float *logits) {
  const rt_matmul_part part = rt_part(p, &p->model->output, NULL, p->work->h, logits);
  rt_matmul(&p->work->exec, &part, 1, p->work->matmul);
}

bool rt_all_given_up(const rt_pass *p) {
  for (uint32_t i = 0; i < p->n; i++)
    if (!p->rows[i].given_up || !atomic_load_explicit(p->rows[i].given_up, memory_order_relaxed)) return false;
  return true;
}
