/* engine.c - which rows of which sequences are computed together, and what becomes of them.
 *
 * A pass has at most n_batch rows. Sequences that generate come first with one row each, then their drafts, as far as a pass of so few rows
 * is the cheaper for it; prompts take what is left. Where not all get rows the next step begins with those that got none. A row's bits do
 * not depend on the others, so none of this can be seen in a result.
 *
 * An interrupted sequence stays where it was. If others share its pass this goes on to the end, and only what it gave for the interrupted
 * one is dropped.
 */
#include "engine.h"

#include <string.h>

#include "../base/sha256.h"
#include "../base/structs.h"

enum { MAX_CTX = 1 << 24 }; /* rope.c relies on MAX_CTX */

/* A sequence's share of a pass. */
typedef struct rt_part {
  retort_sequence *sequence;
  rt_plan plan;
} part;

/* ---- opening ---- */

void retort_engine_options_init(retort_engine_options *options, size_t struct_size) {
  rt_struct_init(options, struct_size, &(retort_engine_options){0}, sizeof *options);
}

/* Replaces zeros by the defaults and checks the rest. */
static retort_status effective(const retort_model *model, const retort_engine_options *given, retort_engine_options *o,
                               retort_error *error) {
  retort_engine_options_init(o, sizeof *o);
  retort_status status = rt_struct_read(o, sizeof *o, given, "retort_engine_options", error);
  if (status) return status;
  uint32_t trained = model->hparams.n_ctx_train;
  if (o->n_ctx == 0) o->n_ctx = trained < RETORT_DEFAULT_CTX ? trained : RETORT_DEFAULT_CTX;
  if (o->n_ctx > MAX_CTX) return rt_fail(error, RETORT_ERROR_ARGUMENT, "n_ctx is %u, the most is %d", o->n_ctx, MAX_CTX);
  if (o->n_batch == 0) o->n_batch = RETORT_DEFAULT_BATCH;
  if (o->n_batch > o->n_ctx && o->n_parallel == 1) o->n_batch = o->n_ctx; /* more rows than that one sequence never has */
  if (o->n_parallel > o->n_batch) o->n_parallel = o->n_batch;
  if (!retort_kv_type_name(o->kv_type))
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "kv_type is %u, it must be RETORT_KV_F16 (0), RETORT_KV_F32 (1) or RETORT_KV_Q8_0 (2)",
                   o->kv_type);
  return RETORT_OK;
}

/* What a saved sequence names: the caller's word for the model, and what can be told from the model itself at no cost. */
static void digest_model(retort_engine *e, const char *name) {
  const retort_model *m = e->model;
  const rt_hparams *h = &m->hparams;
  const uint32_t numbers[] = {h->n_layers, h->n_embd, h->n_heads, h->n_kv_heads, h->head_dim, h->n_ff, h->n_vocab};
  rt_sha256 hash;
  rt_sha256_init_on(&hash, e->platform);
  if (name) rt_sha256_update(&hash, name, strlen(name));
  rt_sha256_update(&hash, numbers, sizeof numbers);
  rt_sha256_update(&hash, m->output_norm, h->n_embd * sizeof *m->output_norm);
  rt_sha256_update(&hash, m->embedding.data, m->embedding.row_bytes);
  rt_sha256_update(&hash, m->output.data, m->output.row_bytes);
  rt_sha256_digest(&hash, e->model_digest);
}

static retort_status open_into(retort_engine *e, const retort_engine_options *o, retort_error *error) {
  const rt_kv_shape kv = rt_kv_shape_of(&e->model->hparams);
  uint32_t n_batch = o->n_batch, n_vocab = e->model->hparams.n_vocab, pages = rt_kv_pages_for(o->n_ctx);
  uint64_t all = o->n_positions ? o->n_positions / RT_ATTENTION_BLOCK : UINT32_MAX;
  e->n_ctx = o->n_ctx;
  e->n_logits = o->n_parallel > RT_COSTED_ROWS ? o->n_parallel : RT_COSTED_ROWS;
  retort_status status = rt_kv_pool_open(&e->pool, e->platform, &kv, (int)o->kv_type, all < pages ? pages : (uint32_t)all, error);
  if (!status) status = rt_work_open(&e->work, e->platform, e->model, n_batch, o->n_ctx, error);
  if (!status && e->vocab) status = rt_generator_open(&e->generator, &e->arena, e->model, e->vocab, error);
  if (status) return status;
  e->rows = rt_arena_alloc(&e->arena, n_batch, sizeof *e->rows);
  e->parts = rt_arena_alloc(&e->arena, n_batch, sizeof *e->parts);
  e->logits = rt_arena_alloc(&e->arena, n_vocab, e->n_logits * sizeof *e->logits);
  if (!e->rows || !e->parts || !e->logits)
    return rt_fail_memory(error, (uint64_t)n_vocab * e->n_logits * sizeof *e->logits, "rows and logits");
  digest_model(e, o->model_digest);
  return RETORT_OK;
}

retort_status retort_engine_open(const retort_platform *platform, const retort_model *model, const retort_vocab *vocab,
                                 const retort_engine_options *options, retort_engine **out, retort_error *error) {
  if (!model || !out) return rt_fail(error, RETORT_ERROR_ARGUMENT, "retort_engine_open: model and out must not be NULL");
  retort_engine_options o;
  retort_status status = rt_platform_check(platform, error);
  if (!status) status = effective(model, options, &o, error);
  if (status) return status;
  if (o.n_ctx > model->hparams.n_ctx_train)
    rt_log(platform, RETORT_LOG_WARNING, "the context of %u positions is longer than the %u that the model was made for", o.n_ctx,
           model->hparams.n_ctx_train);
  rt_arena arena = {.platform = platform};
  retort_engine *e = rt_arena_alloc(&arena, 1, sizeof *e);
  if (!e) return rt_fail_memory(error, sizeof *e, "the engine");
  e->arena = arena;
  e->platform = platform;
  e->model = model;
  e->vocab = vocab;
  status = open_into(e, &o, error);
  if (status) {
    retort_engine_close(e);
    return status;
  }
  *out = e;
  return RETORT_OK;
}

void retort_engine_close(retort_engine *engine) {
  if (!engine) return;
  while (engine->sequences) retort_sequence_close(engine->sequences);
  rt_bytes_close(engine->platform, &engine->events);
  rt_bytes_close(engine->platform, &engine->text);
  rt_work_close(&engine->work);
  rt_kv_pool_close(&engine->pool);
  rt_arena arena = engine->arena; /* the arena holds the engine itself */
  rt_arena_close(&arena);
}

static uint64_t sequence_bytes(const retort_sequence *s) { return rt_sequence_bytes(s) + rt_generation_bytes(s); }

retort_status retort_engine_get_info(const retort_engine *e, retort_engine_info *info, retort_error *error) {
  if (!e || !info) return rt_fail(error, RETORT_ERROR_ARGUMENT, "retort_engine_get_info: engine and info must not be NULL");
  retort_status status = rt_struct_check(info, "retort_engine_info", error);
  if (status) return status;
  retort_engine_info result = {.n_ctx = e->n_ctx,
                               .n_batch = e->work.n_batch,
                               .n_sequences = e->n_sequences,
                               .page_positions = RT_ATTENTION_BLOCK,
                               .page_bytes = e->pool.layout.page_bytes,
                               .n_pages = e->pool.n_pages,
                               .n_pages_used = e->pool.n_used,
                               .work_bytes = e->work.arena.used + e->arena.used + e->events.capacity + e->text.capacity};
  for (const retort_sequence *s = e->sequences; s; s = s->next) result.sequence_bytes += sequence_bytes(s);
  rt_struct_write(info, &result, sizeof result);
  return RETORT_OK;
}

/* ---- sequences ---- */

retort_status retort_sequence_open(retort_engine *e, retort_sequence **out, retort_error *error) {
  if (!e || !out) return rt_fail(error, RETORT_ERROR_ARGUMENT, "retort_sequence_open: engine and out must not be NULL");
  retort_sequence *s;
  retort_status status = rt_sequence_open(&e->pool, e->n_ctx, &s, error);
  if (status) return status;
  if (e->vocab && (status = rt_generation_open(s, &e->generator, error))) {
    rt_sequence_close(s);
    return status;
  }
  s->engine = e;
  s->next = e->sequences;
  e->sequences = s;
  e->n_sequences++;
  *out = s;
  return RETORT_OK;
}

void retort_sequence_close(retort_sequence *s) {
  if (!s) return;
  retort_engine *e = s->engine;
  retort_sequence **at = &e->sequences;
  while (*at != s) at = &(*at)->next;
  *at = s->next;
  if (e->first == s) e->first = NULL;
  e->n_sequences--;
  rt_generation_close(s);
  rt_sequence_close(s);
}

retort_status retort_sequence_fork(const retort_sequence *from, retort_sequence **out, retort_error *error) {
  if (!from || !out) return rt_fail(error, RETORT_ERROR_ARGUMENT, "retort_sequence_fork: sequence and out must not be NULL");
  retort_sequence *s;
  retort_status status = retort_sequence_open(from->engine, &s, error);
  if (status) return status;
  rt_sequence_share(s, from, from->n_past);
  *out = s;
  return RETORT_OK;
}

retort_status retort_sequence_truncate(retort_sequence *s, uint32_t n_past, retort_error *error) {
  if (!s) return rt_fail(error, RETORT_ERROR_ARGUMENT, "retort_sequence_truncate: sequence must not be NULL");
  if (n_past > s->n_past)
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "cannot cut back to %u positions: only %u are in the cache", n_past, s->n_past);
  rt_sequence_cut(s, n_past);
  return RETORT_OK;
}

retort_status retort_sequence_save(const retort_sequence *s, void *buffer, size_t capacity, size_t *size, retort_error *error) {
  if (!s || !size) return rt_fail(error, RETORT_ERROR_ARGUMENT, "retort_sequence_save: sequence and size must not be NULL");
  return rt_sequence_save(s, s->engine->model_digest, buffer, capacity, size, error);
}

retort_status retort_sequence_restore(retort_sequence *s, const void *data, size_t size, retort_error *error) {
  if (!s || !data) return rt_fail(error, RETORT_ERROR_ARGUMENT, "retort_sequence_restore: sequence and data must not be NULL");
  return rt_sequence_restore(s, s->engine->model_digest, s->engine->model->hparams.n_vocab, data, size, error);
}

retort_status retort_sequence_get_info(const retort_sequence *s, retort_sequence_info *info, retort_error *error) {
  if (!s || !info) return rt_fail(error, RETORT_ERROR_ARGUMENT, "retort_sequence_get_info: sequence and info must not be NULL");
  retort_status status = rt_struct_check(info, "retort_sequence_info", error);
  if (status) return status;
  retort_sequence_info result = {
      .n_past = s->n_past, .n_pages = s->cache.n, .generating = rt_generation_need(s) != RT_NEED_NOTHING, .bytes = sequence_bytes(s)};
  rt_struct_write(info, &result, sizeof result);
  return RETORT_OK;
}

void retort_sequence_interrupt(retort_sequence *s) {
  if (s) atomic_store(&s->interrupted, true);
}

/* ---- a pass ---- */

/* Computes the parts, whose positions are writable, in one pass; their rows are at most n_batch. false: all were interrupted. */
static bool compute(retort_engine *e, const part *parts, uint32_t n_parts, float *logits) {
  uint32_t n = 0;
  for (const part *p = parts; p < parts + n_parts; p++) {
    retort_sequence *s = p->sequence;
    for (uint32_t i = 0; i < p->plan.count; i++)
      e->rows[n++] = (rt_row){.cache = &s->cache,
                              .position = s->n_past + i,
                              .token = p->plan.ids[i],
                              .wanted = i >= p->plan.count - p->plan.n_logits,
                              .given_up = &s->interrupted};
  }
  return rt_forward(e->model, &e->work, e->rows, n, logits);
}

static retort_status no_page(const retort_engine *e, retort_error *error) {
  if (e->pool.n_pages == e->pool.max_pages)
    return rt_fail(error, RETORT_ERROR_MEMORY, "all %u pages of the KV cache are taken: close or cut back a sequence", e->pool.max_pages);
  return rt_fail_memory(error, e->pool.layout.page_bytes, "a page of the KV cache");
}

static bool reserve(retort_sequence *s, uint32_t count) { return rt_kv_reserve(&s->cache, s->n_past, s->n_past + count); }

/* ---- evaluating ---- */

static retort_status check_eval(const retort_sequence *s, const int32_t *ids, size_t count, int which, const float *logits,
                                retort_error *error) {
  if (!s || (!ids && count)) return rt_fail(error, RETORT_ERROR_ARGUMENT, "eval: sequence (or session) and ids must not be NULL");
  if (which != RETORT_LOGITS_NONE && which != RETORT_LOGITS_LAST && which != RETORT_LOGITS_ALL)
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "eval: which is %d, not one of RETORT_LOGITS_*", which);
  if (which != RETORT_LOGITS_NONE && !logits)
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "eval: logits are asked for but the buffer is NULL");
  if (which == RETORT_LOGITS_LAST && count == 0)
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "eval: the last logits of no tokens do not exist; give at least one token");
  if (count > s->n_ctx - s->n_past)
    return rt_fail(error, RETORT_ERROR_CONTEXT, "%zu tokens do not fit: %u of the context's %u positions are taken; use a larger n_ctx",
                   count, s->n_past, s->n_ctx);
  uint32_t n_vocab = s->engine->model->hparams.n_vocab;
  for (size_t i = 0; i < count; i++)
    if (ids[i] < 0 || (uint32_t)ids[i] >= n_vocab)
      return rt_fail(error, RETORT_ERROR_ARGUMENT, "token %zu is %d, outside the model's vocabulary of %u", i, ids[i], n_vocab);
  return RETORT_OK;
}

static void append(retort_sequence *s, const int32_t *ids, uint32_t count) {
  memcpy(s->tokens + s->n_past, ids, count * sizeof *ids);
  s->n_past += count;
}

retort_status retort_sequence_eval(retort_sequence *s, const int32_t *ids, size_t count, int which, float *logits, retort_error *error) {
  retort_status status = check_eval(s, ids, count, which, logits, error);
  if (status) return status;
  retort_engine *e = s->engine;
  uint32_t before = s->n_past;
  s->n_ahead = 0;
  if (!reserve(s, (uint32_t)count)) return no_page(e, error);
  for (size_t done = 0; done < count;) {
    uint32_t n = count - done < e->work.n_batch ? (uint32_t)(count - done) : e->work.n_batch;
    uint32_t wanted = which == RETORT_LOGITS_ALL ? n : which == RETORT_LOGITS_LAST && done + n == count;
    const part one = {s, {ids + done, n, wanted}};
    if (!compute(e, &one, 1, logits)) {
      rt_sequence_cut(s, before);
      atomic_store(&s->interrupted, false);
      return rt_fail(error, RETORT_ERROR_INTERRUPTED, "interrupted at position %u; the call may be made again", before + (uint32_t)done);
    }
    if (which == RETORT_LOGITS_ALL) logits += (size_t)n * e->model->hparams.n_vocab;
    append(s, ids + done, n);
    done += n;
  }
  return RETORT_OK;
}

/* The next rows of each evaluation that is not done, shared evenly; how many parts. */
static uint32_t plan_evals(retort_engine *e, retort_eval *evals, size_t n_evals, const size_t *done) {
  uint32_t rows = e->work.n_batch, wanted = e->n_logits, n = 0, open = 0;
  for (size_t i = 0; i < n_evals; i++) open += !evals[i].status && done[i] < evals[i].count;
  uint32_t share = open && open < rows ? rows / open : 1;
  for (size_t i = 0; i < n_evals && rows; i++) {
    retort_eval *v = &evals[i];
    size_t left = v->count - done[i];
    if (v->status || !left) continue;
    uint32_t count = share < left ? share : (uint32_t)left;
    if (count > rows) count = rows;
    if (v->which == RETORT_LOGITS_ALL && count > wanted) count = wanted;
    uint32_t logits = v->which == RETORT_LOGITS_ALL ? count : v->which == RETORT_LOGITS_LAST && count == left;
    if (!count || logits > wanted) continue;
    e->parts[n++] = (part){v->sequence, {v->ids + done[i], count, logits}};
    rows -= count, wanted -= logits;
  }
  return n;
}

static retort_eval *eval_of(retort_eval *evals, const retort_sequence *s) {
  while (evals->sequence != s) evals++;
  return evals;
}

static retort_status check_evals(const retort_engine *e, const retort_eval *evals, size_t n, retort_error *error) {
  for (size_t i = 0; i < n; i++) {
    retort_status status = check_eval(evals[i].sequence, evals[i].ids, evals[i].count, evals[i].which, evals[i].logits, error);
    if (status) return status;
    if (evals[i].sequence->engine != e) return rt_fail(error, RETORT_ERROR_ARGUMENT, "evals[%zu] has a sequence of another engine", i);
    for (size_t k = 0; k < i; k++)
      if (evals[k].sequence == evals[i].sequence)
        return rt_fail(error, RETORT_ERROR_ARGUMENT, "evals[%zu] and evals[%zu] have the same sequence", k, i);
  }
  return RETORT_OK;
}

/* Computes e->parts[0..n) and hands out what they give. */
static void run_evals(retort_engine *e, retort_eval *evals, size_t *done, uint32_t n) {
  size_t n_vocab = e->model->hparams.n_vocab;
  const float *from = e->logits;
  compute(e, e->parts, n, e->logits);
  for (const part *p = e->parts; p < e->parts + n; p++) {
    retort_eval *v = eval_of(evals, p->sequence);
    size_t *at = &done[v - evals], floats = p->plan.n_logits * n_vocab;
    if (atomic_exchange(&p->sequence->interrupted, false)) {
      rt_sequence_cut(p->sequence, p->sequence->n_past - (uint32_t)*at);
      v->status = RETORT_ERROR_INTERRUPTED;
    } else {
      append(p->sequence, p->plan.ids, p->plan.count);
      if (floats) memcpy(v->logits + (v->which == RETORT_LOGITS_ALL ? *at * n_vocab : 0), from, floats * sizeof *from);
      *at += p->plan.count;
    }
    from += floats;
  }
}

retort_status retort_engine_eval(retort_engine *e, retort_eval *given, size_t n_evals, retort_error *error) {
  if (!e || (!given && n_evals)) return rt_fail(error, RETORT_ERROR_ARGUMENT, "retort_engine_eval: engine and evals must not be NULL");
  rt_arena arena = {.platform = e->platform};
  retort_eval *evals = NULL;
  size_t *done = rt_arena_alloc(&arena, n_evals, sizeof *done);
  retort_status status = done ? RETORT_OK : rt_fail_memory(error, n_evals * (uint64_t)sizeof *done, "the evaluations");
  if (!status) status = rt_structs_read(&arena, &evals, sizeof *evals, given, n_evals, "retort_eval", error);
  if (!status) status = check_evals(e, evals, n_evals, error);
  for (size_t i = 0; i < n_evals && !status; i++) {
    retort_sequence *s = evals[i].sequence;
    s->n_ahead = 0;
    evals[i].status = reserve(s, (uint32_t)evals[i].count) ? RETORT_OK : no_page(e, error);
  }
  for (uint32_t n; !status && (n = plan_evals(e, evals, n_evals, done));) run_evals(e, evals, done, n);
  for (size_t i = n_evals; i-- > 0 && !status;) {
    retort_eval *out = (retort_eval *)(void *)((uint8_t *)given + i * given->struct_size);
    out->status = evals[i].status;
    if (out->status == RETORT_ERROR_INTERRUPTED) rt_fail(error, RETORT_ERROR_INTERRUPTED, "evals[%zu] was interrupted", i);
  }
  for (size_t i = 0; i < n_evals && !status; i++) status = (retort_status)evals[i].status;
  rt_arena_close(&arena);
  return status;
}

/* ---- answers ---- */

/* Takes over what another sequence holds of the prompt's beginning, where that is more than the sequence's own. */
static void adopt(retort_sequence *s, const int32_t *prompt, uint32_t count) {
  uint32_t most = rt_sequence_common(s, prompt, count);
  const retort_sequence *best = NULL;
  for (const retort_sequence *other = s->engine->sequences; other; other = other->next) {
    uint32_t common = other == s ? 0 : rt_sequence_common(other, prompt, count);
    if (common <= most) continue;
    most = common;
    best = other;
  }
  if (best) rt_sequence_share(s, best, most);
}

retort_status retort_sequence_generate(retort_sequence *s, const int32_t *prompt, size_t count, const retort_generate_options *options,
                                       retort_error *error) {
  if (!s) return rt_fail(error, RETORT_ERROR_ARGUMENT, "retort_sequence_generate: sequence must not be NULL");
  retort_generate_options o;
  retort_generate_options_init(&o, sizeof o);
  retort_status status = rt_struct_read(&o, sizeof o, options, "retort_generate_options", error);
  if (!status) status = rt_generation_check(s, prompt, count, &o, error);
  if (status) return status;
  adopt(s, prompt, (uint32_t)count - 1);
  return rt_generation_begin(s, prompt, count, &o, error);
}

retort_status rt_engine_step_one(retort_sequence *s, uint32_t work_tokens, retort_event *event, retort_error *error) {
  retort_engine *e = s->engine;
  retort_status status = rt_generation_ready(s, error);
  if (status) return status;
  if (rt_generation_need(s) != RT_NEED_TAKE) {
    uint32_t most = work_tokens && work_tokens < e->work.n_batch ? work_tokens : e->work.n_batch;
    const part one = {s, rt_generation_plan(s, most)};
    if (!reserve(s, one.plan.count)) return no_page(e, error);
    if (!compute(e, &one, 1, e->logits)) {
      atomic_store(&s->interrupted, false);
      return rt_fail(error, RETORT_ERROR_INTERRUPTED, "interrupted at position %u; the call may be made again", s->n_past);
    }
    rt_generation_computed(s, &one.plan, e->logits);
  }
  retort_event result;
  status = rt_generation_take(s, &result, error);
  if (!status) rt_struct_write(event, &result, sizeof result);
  return status;
}

/* ---- one step of all ---- */

typedef struct budget {
  uint32_t rows, logits, parts;
  uint32_t few; /* rows of which drafts may be part: a pass of more has no cheap ones */
} budget;

static bool add_part(retort_engine *e, budget *b, retort_sequence *s, uint32_t most) {
  const part p = {s, rt_generation_plan(s, most)};
  if (p.plan.n_logits > b->logits || !reserve(s, p.plan.count)) return false;
  e->parts[b->parts++] = p;
  b->rows -= p.plan.count;
  b->logits -= p.plan.n_logits;
  return true;
}

/* Sequences in turn, from e->first on; NULL after the last. */
static retort_sequence *turn(const retort_engine *e, retort_sequence *last) {
  retort_sequence *begin = e->first ? e->first : e->sequences;
  if (!last) return begin;
  retort_sequence *next = last->next ? last->next : e->sequences;
  return next == begin ? NULL : next;
}

/* Fills e->parts; *waiting: a sequence that wanted rows and got none. */
static uint32_t plan_step(retort_engine *e, uint32_t work_tokens, retort_sequence **waiting) {
  uint32_t rows = work_tokens && work_tokens < e->work.n_batch ? work_tokens : e->work.n_batch, tokens = 0;
  budget b = {.rows = rows, .logits = e->n_logits};
  *waiting = NULL;
  for (retort_sequence *s = NULL; (s = turn(e, s));) tokens += rt_generation_need(s) == RT_NEED_TOKEN;
  b.few = rows < RT_COSTED_ROWS ? rows : RT_COSTED_ROWS;
  uint32_t drafts = tokens < b.few ? b.few - tokens : 0;
  for (int wanted = RT_NEED_TOKEN; wanted <= RT_NEED_PROMPT; wanted++)
    for (retort_sequence *s = NULL; (s = turn(e, s));) {
      if ((int)rt_generation_need(s) != wanted || rt_generation_ready(s, NULL)) continue;
      uint32_t before = b.rows;
      bool added = b.rows && b.logits && add_part(e, &b, s, wanted == RT_NEED_TOKEN ? 1 + drafts : b.rows);
      if (!added && !*waiting) *waiting = s;
      if (added && wanted == RT_NEED_TOKEN) drafts -= before - b.rows - 1;
    }
  return b.parts;
}

/* Adds an event with its text; false: no memory. */
static bool add_event(retort_engine *e, rt_engine_event event, const char *text, size_t size) {
  event.at = e->text.size;
  return rt_bytes_append(e->platform, &e->text, text, size) && rt_bytes_append(e->platform, &e->text, "", 1) &&
         rt_bytes_append(e->platform, &e->events, &event, sizeof event);
}

static bool add_failure(retort_engine *e, retort_sequence *s, const retort_error *error) {
  return add_event(e, (rt_engine_event){.sequence = s, .status = (retort_status)error->status}, error->message, strlen(error->message));
}

/* All that follows for one sequence without computing more. */
static bool take_all(retort_engine *e, retort_sequence *s) {
  while (rt_generation_need(s) == RT_NEED_TAKE) {
    rt_engine_event event = {.sequence = s};
    retort_error failure;
    if (rt_generation_take(s, &event.event, &failure)) return add_failure(e, s, &failure);
    if (!add_event(e, event, event.event.text, event.event.text_size)) return false;
  }
  return true;
}

retort_status retort_engine_step(retort_engine *e, uint32_t work_tokens, size_t *n_events, retort_error *error) {
  if (!e || !n_events) return rt_fail(error, RETORT_ERROR_ARGUMENT, "retort_engine_step: engine and n_events must not be NULL");
  retort_sequence *waiting;
  bool memory = true;
  e->events.size = e->text.size = 0;
  for (retort_sequence *s = e->sequences; s && memory; s = s->next)
    if (!rt_generation_ready(s, NULL)) memory = take_all(e, s);
  uint32_t n = memory ? plan_step(e, work_tokens, &waiting) : 0;
  if (memory && !n && waiting && !e->events.size) return no_page(e, error);
  if (n) compute(e, e->parts, n, e->logits);
  float *logits = e->logits;
  for (const part *p = e->parts; p < e->parts + n && memory; p++) {
    retort_sequence *s = p->sequence;
    if (atomic_exchange(&s->interrupted, false)) {
      retort_error interrupted;
      rt_fail(&interrupted, RETORT_ERROR_INTERRUPTED, "interrupted at position %u; the answer may go on", s->n_past);
      memory = add_failure(e, s, &interrupted);
    } else {
      rt_generation_computed(s, &p->plan, logits);
      memory = take_all(e, s);
    }
    logits += (size_t)p->plan.n_logits * e->model->hparams.n_vocab;
  }
  if (n) e->first = waiting;
  if (!memory) return rt_fail_memory(error, e->text.size, "the events of a step");
  *n_events = e->events.size / sizeof(rt_engine_event);
  return RETORT_OK;
}

retort_status retort_engine_get_event(const retort_engine *e, size_t index, retort_sequence **sequence, retort_event *event,
                                      retort_error *error) {
  if (!e || !sequence || !event)
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "retort_engine_get_event: engine, sequence and event must not be NULL");
  retort_status status = rt_struct_check(event, "retort_event", error);
  if (status) return status;
  if (index >= e->events.size / sizeof(rt_engine_event))
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "retort_engine_get_event: the last step gave no event %zu", index);
  rt_engine_event found;
  memcpy(&found, e->events.data + index * sizeof found, sizeof found);
  const char *text = (const char *)e->text.data + found.at;
  *sequence = found.sequence;
  if (found.status) return rt_fail(error, found.status, "%s", text);
  found.event.text = text;
  rt_struct_write(event, &found.event, sizeof found.event);
  return RETORT_OK;
}

retort_status retort_sequence_get_usage(const retort_sequence *s, retort_usage *usage, retort_error *error) {
  if (!s || !usage) return rt_fail(error, RETORT_ERROR_ARGUMENT, "get_usage: sequence (or session) and usage must not be NULL");
  retort_status status = rt_struct_check(usage, "retort_usage", error);
  if (!status) rt_generation_usage(s, usage);
  return status;
}

retort_status retort_sequence_get_proof(const retort_sequence *s, char hex[65], retort_error *error) {
  if (!s || !hex) return rt_fail(error, RETORT_ERROR_ARGUMENT, "get_proof: sequence (or session) and hex must not be NULL");
  return rt_generation_proof(s, hex, error);
}
