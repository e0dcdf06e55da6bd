/* session.c - the calls of one conversation, each handed to its engine or its sequence. */
#include "session.h"

#include "../base/structs.h"

void retort_session_options_init(retort_session_options *options, size_t struct_size) {
  rt_struct_init(options, struct_size, &(retort_session_options){0}, sizeof *options);
}

retort_status retort_session_open(const retort_platform *platform, const retort_model *model, const retort_vocab *vocab,
                                  const retort_session_options *options, retort_session **out, retort_error *error) {
  if (!model || !out) return rt_fail(error, RETORT_ERROR_ARGUMENT, "retort_session_open: model and out must not be NULL");
  retort_session_options given;
  retort_session_options_init(&given, sizeof given);
  retort_status status = rt_platform_check(platform, error);
  if (!status) status = rt_struct_read(&given, sizeof given, options, "retort_session_options", error);
  if (status) return status;
  const retort_engine_options o = {
      .struct_size = sizeof o, .n_ctx = given.n_ctx, .n_batch = given.n_batch, .kv_type = given.kv_type, .n_parallel = 1};
  retort_session *s = rt_alloc(platform, sizeof *s);
  if (!s) return rt_fail_memory(error, sizeof *s, "the session");
  s->platform = platform;
  status = retort_engine_open(platform, model, vocab, &o, &s->engine, error);
  if (!status) status = retort_sequence_open(s->engine, &s->sequence, error);
  if (status) {
    retort_session_close(s);
    return status;
  }
  *out = s;
  return RETORT_OK;
}

void retort_session_close(retort_session *session) {
  if (!session) return;
  retort_engine_close(session->engine);
  rt_free(session->platform, session, sizeof *session);
}

retort_sequence *retort_session_sequence(retort_session *session) { return session ? session->sequence : NULL; }

static const retort_sequence *of(const retort_session *session) { return session ? session->sequence : NULL; }

retort_status retort_session_get_info(const retort_session *session, retort_session_info *info, retort_error *error) {
  if (!session || !info) return rt_fail(error, RETORT_ERROR_ARGUMENT, "retort_session_get_info: session and info must not be NULL");
  retort_status status = rt_struct_check(info, "retort_session_info", error);
  if (status) return status;
  retort_engine_info engine = {.struct_size = sizeof engine};
  if ((status = retort_engine_get_info(session->engine, &engine, error))) return status;
  const rt_kv_shape kv = rt_kv_shape_of(&session->engine->model->hparams);
  retort_session_info result = {.n_ctx = engine.n_ctx,
                                .n_batch = engine.n_batch,
                                .n_past = session->sequence->n_past,
                                .kv_bytes = engine.n_ctx * rt_kv_position_bytes(&kv, session->engine->pool.layout.type),
                                .work_bytes = engine.work_bytes + engine.sequence_bytes + sizeof *session};
  rt_struct_write(info, &result, sizeof result);
  return RETORT_OK;
}

retort_status retort_session_eval(retort_session *session, const int32_t *ids, size_t count, int which, float *logits,
                                  retort_error *error) {
  return retort_sequence_eval(retort_session_sequence(session), ids, count, which, logits, error);
}

void retort_session_interrupt(retort_session *session) { retort_sequence_interrupt(retort_session_sequence(session)); }

retort_status retort_session_truncate(retort_session *session, uint32_t n_past, retort_error *error) {
  return retort_sequence_truncate(retort_session_sequence(session), n_past, error);
}

retort_status retort_generate_begin(retort_session *session, const int32_t *prompt, size_t count, const retort_generate_options *options,
                                    retort_error *error) {
  return retort_sequence_generate(retort_session_sequence(session), prompt, count, options, error);
}

retort_status retort_step(retort_session *session, uint32_t work_tokens, retort_event *event, retort_error *error) {
  if (!session || !event) return rt_fail(error, RETORT_ERROR_ARGUMENT, "retort_step: session and event must not be NULL");
  retort_status status = rt_struct_check(event, "retort_event", error);
  return status ? status : rt_engine_step_one(session->sequence, work_tokens, event, error);
}

retort_status retort_session_get_usage(const retort_session *session, retort_usage *usage, retort_error *error) {
  return retort_sequence_get_usage(of(session), usage, error);
}

retort_status retort_session_get_logits(const retort_session *session, const float **logits, uint32_t *count, retort_error *error) {
  if (!session || !logits || !count)
    return rt_fail(error, RETORT_ERROR_ARGUMENT, "retort_session_get_logits: session, logits and count must not be NULL");
  return rt_generation_logits(session->sequence, logits, count, error);
}

retort_status retort_session_get_proof(const retort_session *session, char hex[65], retort_error *error) {
  return retort_sequence_get_proof(of(session), hex, error);
}
