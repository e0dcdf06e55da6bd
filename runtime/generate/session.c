/* session.c - opening, feeding and cutting back a session; see session.h. Generation (samplers, stop strings, budgets) is generate.c's. */
#include "session.h"

#include "../base/structs.h"

#include <string.h>

enum { MAX_CTX = 1 << 24 }; /* rope.c relies on MAX_CTX */

void retort_session_options_init(retort_session_options *options, size_t struct_size) {
  rt_struct_init(options, struct_size, &(retort_session_options){0}, sizeof *options);
}

/* Replaces zeros by the defaults and checks the rest. */
static retort_status effective(const retort_model *model, const retort_session_options *given, retort_session_options *o,
                               retort_error *error) {
  retort_session_options_init(o, sizeof *o);
  retort_status status = rt_struct_read(o, sizeof *o, given, "retort_session_options", error);
  if (status) return status;
  uint32_t trained = model->hparams.n_ctx_train;
  if (o->n_ctx == 0) o->n_ctx = trained < RETORT_DEFAULT_CTX ? trained : RETORT_DEFAULT_CTX;
  if (o->n_ctx > MAX_CTX) return rt_fail(error, RETORT_ERROR_ARGUMENT, "n_ctx is %u, the most is %d", o->n_ctx, MAX_CTX);
  if (o->n_batch == 0) o->n_batch = RETORT_DEFAULT_BATCH;
  if (o->n_batch > o->n_ctx) o->n_batch = o->n_ctx;
  if (!retort_kv_type_name(o->kv_type))
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "kv_type is %u, it must be RETORT_KV_F16 (0), RETORT_KV_F32 (1) or RETORT_KV_Q8_0 (2)",
                   o->kv_type);
  return RETORT_OK;
}

retort_status retort_session_open(const retort_platform *platform, const retort_model *model, const retort_vocab *vocab,
                                  const retort_session_options *options, retort_session **out, retort_error *error) {
  if (!model || !out) return rt_fail(error, RETORT_ERROR_ARGUMENT, "retort_session_open: model and out must not be NULL");
  retort_session_options o;
  retort_status status = rt_platform_check(platform, error);
  if (!status) status = effective(model, options, &o, error);
  if (status) return status;
  if (o.n_ctx > model->hparams.n_ctx_train)
    rt_log(platform, RETORT_LOG_WARNING, "the context of %u positions is longer than the %u that the model was made for", o.n_ctx,
           model->hparams.n_ctx_train);
  rt_arena arena = {.platform = platform};
  retort_session *s = rt_arena_alloc(&arena, 1, sizeof *s);
  if (!s) return rt_fail_memory(error, sizeof *s, "the session");
  s->arena = arena;
  s->platform = platform;
  s->model = model;
  s->vocab = vocab;
  s->tokens = rt_arena_alloc(&s->arena, o.n_ctx, sizeof *s->tokens);
  s->rows = rt_arena_alloc(&s->arena, o.n_batch, sizeof *s->rows);
  if (!s->tokens || !s->rows) status = rt_fail_memory(error, o.n_ctx * (uint64_t)sizeof *s->tokens, "the session's tokens");
  s->n_ctx = o.n_ctx;
  const rt_kv_shape kv = rt_kv_shape_of(&model->hparams);
  if (!status) status = rt_kv_pool_open(&s->pool, platform, &kv, (int)o.kv_type, rt_kv_pages_for(o.n_ctx), error);
  s->cache = (rt_kv_table){.pool = &s->pool, .most = rt_kv_pages_for(o.n_ctx)};
  s->cache.pages = rt_arena_alloc(&s->arena, s->cache.most, sizeof *s->cache.pages);
  if (!status && !s->cache.pages) status = rt_fail_memory(error, s->cache.most * (uint64_t)sizeof *s->cache.pages, "the table of pages");
  if (!status) status = rt_work_open(&s->work, platform, model, o.n_batch, o.n_ctx, error);
  if (!status && vocab) status = rt_generation_open(s, error);
  if (status) {
    retort_session_close(s);
    return status;
  }
  *out = s;
  return RETORT_OK;
}

void retort_session_close(retort_session *session) {
  if (!session) return;
  rt_generation_close(session);
  rt_work_close(&session->work);
  rt_kv_pool_close(&session->pool);
  rt_arena arena = session->arena; /* the arena holds the session itself */
  rt_arena_close(&arena);
}

retort_status retort_session_get_info(const retort_session *session, retort_session_info *info, retort_error *error) {
  if (!session || !info) return rt_fail(error, RETORT_ERROR_ARGUMENT, "retort_session_get_info: session and info must not be NULL");
  retort_status status = rt_struct_check(info, "retort_session_info", error);
  if (status) return status;
  const rt_kv_shape kv = rt_kv_shape_of(&session->model->hparams);
  retort_session_info result = {.n_ctx = session->n_ctx,
                                .n_batch = session->work.n_batch,
                                .n_past = session->n_past,
                                .kv_bytes = session->n_ctx * rt_kv_position_bytes(&kv, session->pool.layout.type),
                                .work_bytes = session->work.arena.used + session->arena.used + rt_generation_bytes(session)};
  rt_struct_write(info, &result, sizeof result);
  return RETORT_OK;
}

static retort_status check_eval(const retort_session *s, const int32_t *ids, size_t count, int which, const float *logits,
                                retort_error *error) {
  if (!s || (!ids && count)) return rt_fail(error, RETORT_ERROR_ARGUMENT, "retort_session_eval: session and ids must not be NULL");
  if (which != RETORT_LOGITS_NONE && which != RETORT_LOGITS_LAST && which != RETORT_LOGITS_ALL)
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "retort_session_eval: which is %d, not one of RETORT_LOGITS_*", which);
  if (which != RETORT_LOGITS_NONE && !logits)
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "retort_session_eval: logits are asked for but the buffer is NULL");
  if (which == RETORT_LOGITS_LAST && count == 0)
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "retort_session_eval: the last logits of no tokens do not exist; give at least one token");
  uint32_t n_ctx = s->n_ctx;
  if (count > n_ctx - s->n_past)
    return rt_fail(error, RETORT_ERROR_CONTEXT,
                   "%zu tokens do not fit: %u of the context's %u positions are taken; open the session with a larger n_ctx", count,
                   s->n_past, n_ctx);
  for (size_t i = 0; i < count; i++)
    if (ids[i] < 0 || (uint32_t)ids[i] >= s->model->hparams.n_vocab)
      return rt_fail(error, RETORT_ERROR_ARGUMENT, "token %zu is %d, outside the model's vocabulary of %u", i, ids[i],
                     s->model->hparams.n_vocab);
  return RETORT_OK;
}

retort_status retort_session_eval(retort_session *s, const int32_t *ids, size_t count, int which, float *logits, retort_error *error) {
  retort_status status = check_eval(s, ids, count, which, logits, error);
  if (status) return status;
  size_t n_vocab = s->model->hparams.n_vocab;
  s->n_ahead = 0;
  uint32_t before = s->n_past;
  if (!rt_kv_reserve(&s->cache, before, before + (uint32_t)count))
    return rt_fail_memory(error, s->pool.layout.page_bytes, "a page of the KV cache");
  for (size_t done = 0; done < count;) {
    uint32_t n = count - done < s->work.n_batch ? (uint32_t)(count - done) : s->work.n_batch;
    for (uint32_t i = 0; i < n; i++) {
      bool wanted = which == RETORT_LOGITS_ALL || (which == RETORT_LOGITS_LAST && done + i + 1 == count);
      s->rows[i] =
          (rt_row){.cache = &s->cache, .position = s->n_past + i, .token = ids[done + i], .wanted = wanted, .given_up = &s->interrupted};
    }
    memcpy(s->tokens + s->n_past, ids + done, n * sizeof *ids);
    if (!rt_forward(s->model, &s->work, s->rows, n, logits)) {
      s->n_past = before;
      atomic_store(&s->interrupted, false);
      return rt_fail(error, RETORT_ERROR_INTERRUPTED, "interrupted at position %u; the call may be made again", before + (uint32_t)done);
    }
    if (which == RETORT_LOGITS_ALL) logits += n * n_vocab;
    s->n_past += n;
    done += n;
  }
  return RETORT_OK;
}

void retort_session_interrupt(retort_session *session) {
  if (session) atomic_store(&session->interrupted, true);
}

retort_status retort_session_truncate(retort_session *session, uint32_t n_past, retort_error *error) {
  if (!session) return rt_fail(error, RETORT_ERROR_ARGUMENT, "retort_session_truncate: session must not be NULL");
  if (n_past > session->n_past)
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "cannot cut back to %u positions: only %u are in the cache", n_past, session->n_past);
  session->n_past = n_past;
  session->n_ahead = 0;
  return RETORT_OK;
}
