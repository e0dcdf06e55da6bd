/* chat.c - see abi.h: tokens, sessions, and answers step by step. */
#include <stdlib.h>
#include <string.h>

#include "handles.h"
#include "service/json.h"
#include "service/record.h"
#include "service/request.h"

_Static_assert(sizeof(abi_event) == 32 + sizeof(void *) && offsetof(abi_event, forced) == 32, "hosts read the event by offsets");

int32_t abi_tokenize(int32_t id, const char *text, size_t size, uint32_t flags) {
  model *m = find(id, MODEL);
  size_t count = 0;
  int32_t *ids;
  if (!m) return last_error.status;
  int32_t status = service_text_ids(m->vocab, text, size, flags, &ids, &count, &last_error);
  return status ? status : give(ids, count);
}

int32_t abi_detokenize(int32_t id, const int32_t *ids, size_t count, uint32_t flags) {
  model *m = find(id, MODEL);
  size_t size = 0;
  if (!m) return last_error.status;
  int32_t status = retort_detokenize(m->vocab, ids, count, flags, NULL, 0, &size, &last_error);
  if (status && status != RETORT_ERROR_BUFFER) return status;
  char *text = malloc(size + 1);
  if (!text) return no_memory();
  if (size && (status = retort_detokenize(m->vocab, ids, count, flags, text, size, &size, &last_error)) != RETORT_OK) {
    free(text);
    return status;
  }
  text[size] = 0;
  return give(text, size);
}

void free_session(session *s) {
  retort_session_close(s->session);
  free(s->prompt);
  json_decref(s->stop);
  free(s);
}

int32_t abi_session_new(int32_t id, const char *json, size_t size) {
  model *m = find(id, MODEL);
  if (!m) return last_error.status;
  retort_session_options so;
  int32_t status = service_session_read(&so, json, size, &last_error);
  if (status) return status;
  session *s = calloc(1, sizeof *s);
  if (!s) return no_memory();
  s->model = m;
  service_options_init(&s->options);
  s->options.session = so;
  collect_warnings(m->warnings);
  status = retort_session_open(platform(), m->model, m->vocab, &so, &s->session, &last_error);
  collect_warnings(NULL);
  if (!status) status = enlist(&s->head, SESSION);
  if (status < 0) free_session(s);
  else m->sessions++;
  return status;
}

int32_t abi_session_info(int32_t id) {
  session *s = find(id, SESSION);
  retort_session_info i = {.struct_size = sizeof i};
  if (!s) return last_error.status;
  int32_t status = retort_session_get_info(s->session, &i, &last_error);
  if (status) return status;
  json_t *o = json_object();
  service_put_integer(o, "n_ctx", i.n_ctx);
  service_put_integer(o, "n_batch", i.n_batch);
  service_put_integer(o, "n_past", i.n_past);
  service_put_integer(o, "kv_bytes", (int64_t)i.kv_bytes);
  service_put_integer(o, "work_bytes", (int64_t)i.work_bytes);
  service_put_text(o, "kv", retort_kv_type_name(s->options.session.kv_type));
  return give_json(service_whole(o, 6));
}

/* Keeps of the request what its proof will name. */
static void keep_request(session *s, const service_request *r, int32_t *ids, size_t count) {
  free(s->prompt);
  json_decref(s->stop);
  s->prompt = ids;
  s->n_prompt = count;
  s->stop = json_incref(json_object_get(r->tree, "stop"));
  s->options.generate = r->options.generate;
  memcpy(s->options.stop, r->options.stop, sizeof s->options.stop);
  s->positions = 0;
  s->event = (abi_event){.token = -1, .prompt_total = (uint32_t)count};
}

int32_t abi_chat(int32_t id, const char *json, size_t size) {
  session *s = find(id, SESSION);
  service_request r;
  int32_t *ids = NULL;
  size_t count = 0;
  if (!s) return last_error.status;
  int32_t status = service_request_read(&r, json, size, &last_error);
  if (!status) status = service_request_ids(&r, platform(), s->model->vocab, &ids, &count, &last_error);
  if (!status) {
    const retort_generate_options g = service_generate(&r.options);
    status = retort_generate_begin(s->session, ids, count, &g, &last_error);
  }
  if (status) free(ids);
  else keep_request(s, &r, ids, count);
  service_request_close(&r);
  return status ? status : (int32_t)count;
}

int32_t abi_step(int32_t id, uint32_t work_tokens) {
  session *s = find(id, SESSION);
  retort_event e = {.struct_size = sizeof e};
  if (!s) return last_error.status;
  int32_t status = retort_step(s->session, work_tokens, &e, &last_error);
  if (status) return status;
  s->positions += e.kind == RETORT_EVENT_TOKEN;
  s->event = (abi_event){.kind = (uint32_t)e.kind,
                         .token = e.token,
                         .section = (uint32_t)e.section,
                         .text = (uint32_t)(uintptr_t)e.text,
                         .size = (uint32_t)e.text_size,
                         .finish = (uint32_t)e.finish,
                         .prompt_done = e.prompt_done,
                         .prompt_total = e.prompt_total,
                         .forced = (uint32_t)e.forced};
#if UINTPTR_MAX > UINT32_MAX
  s->event.text_high = (uint32_t)((uintptr_t)e.text >> 32);
#endif
  return e.kind;
}

const abi_event *abi_event_of(int32_t id) {
  session *s = find(id, SESSION);
  return s ? &s->event : NULL;
}

const float *abi_logits(int32_t id) {
  session *s = find(id, SESSION);
  const float *logits = NULL;
  uint32_t count;
  return s && !retort_session_get_logits(s->session, &logits, &count, &last_error) ? logits : NULL;
}

int32_t abi_usage(int32_t id) {
  session *s = find(id, SESSION);
  retort_usage u = {.struct_size = sizeof u};
  if (!s) return last_error.status;
  int32_t status = retort_session_get_usage(s->session, &u, &last_error);
  if (status) return status;
  json_t *usage = service_usage(&u);
  service_put_integer(usage, "drafted_tokens", u.drafted_tokens);
  service_put_integer(usage, "accepted_tokens", u.accepted_tokens);
  return give_json(usage);
}

int32_t abi_proof(int32_t id) {
  session *s = find(id, SESSION);
  char logits[65];
  retort_session_info i = {.struct_size = sizeof i};
  if (!s) return last_error.status;
  int32_t status = retort_session_get_proof(s->session, logits, &last_error);
  if (!status) status = retort_session_get_info(s->session, &i, &last_error);
  if (status) return status;
  return give_json(service_proof(&(service_proof_inputs){.model_sha256 = digests(s->model),
                                                         .prompt = s->prompt,
                                                         .n_prompt = s->n_prompt,
                                                         .options = &s->options,
                                                         .n_ctx = i.n_ctx,
                                                         .positions = s->positions,
                                                         .logits_sha256 = logits}));
}
