/* test_memory_faults.c - memory refused at every request: the n-th gets NULL, for each n, over whole tasks.
 *
 * SQLite's way. Whatever the core asks of its platform and what its libraries ask of malloc is counted together (linked with --wrap). A
 * task that was refused memory must fail with a status and a sentence, or end well without it; everything is given back; and the same task
 * done again ends well. `full`: each request; else some of them, spread evenly.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <malloc.h>

#include "retort_platform.h"
#include "service/request.h"
#include "small_model.h"
#include "wrapped_malloc.h"

enum { SAMPLES = 60 };

/* ---- memory ---- */

static size_t calls, fail_at, live;
static bool counted;

static bool refused(void) { return counted && ++calls == fail_at; }
static void *took(void *memory) {
  if (counted && memory) live += malloc_usable_size(memory);
  return memory;
}
void *__wrap_malloc(size_t size) { return refused() ? NULL : took(__real_malloc(size)); }
void *__wrap_calloc(size_t n, size_t size) { return refused() ? NULL : took(__real_calloc(n, size)); }
void __wrap_free(void *memory) {
  if (counted && memory) live -= malloc_usable_size(memory);
  __real_free(memory);
}
void *__wrap_realloc(void *memory, size_t size) {
  if (refused()) return NULL;
  if (counted && memory) live -= malloc_usable_size(memory);
  return took(__real_realloc(memory, size));
}

static void *lend(void *user, size_t size) {
  (void)user;
  if (refused()) return NULL;
  void *memory = aligned_alloc(64, (size + 64) & ~(size_t)63);
  if (memory) memset(memory, 0, size);
  return took(memory);
}
static void take_back(void *user, void *memory, size_t size) {
  (void)user, (void)size;
  __wrap_free(memory);
}
static const retort_platform platform = {.struct_size = sizeof platform, .alloc = lend, .free = take_back};

/* ---- tasks: each opens, works and closes; the first failure ends it ---- */

static tiny_model model;
static const char MESSAGES[] = "[{\"role\": \"system\", \"content\": \"s\"}, {\"role\": \"user\", \"content\": \"the \\u00e9 ab\"}]";

typedef struct opened {
  retort_gguf *gguf;
  retort_vocab *vocab;
  retort_model *model;
} opened;

static retort_status open_model(opened *o, retort_error *error) {
  retort_status status = retort_gguf_open(&platform, &model.file, 1, 0, &o->gguf, error);
  if (!status) status = retort_vocab_open(&platform, o->gguf, &o->vocab, error);
  if (!status) status = retort_model_open(&platform, o->gguf, NULL, &o->model, error);
  return status;
}
static void close_model(opened *o) {
  retort_model_close(o->model);
  retort_vocab_close(o->vocab);
  retort_gguf_close(o->gguf);
}

static retort_status load(retort_error *error) {
  opened o = {0};
  retort_status status = open_model(&o, error);
  close_model(&o);
  return status;
}

static retort_generate_options generation(void) {
  static const char *const stop[] = {"zzz"};
  retort_generate_options g;
  retort_generate_options_init(&g, sizeof g);
  g.max_tokens = 6;
  g.seed = 5;
  g.thinking_budget = 2;
  g.proof = 1;
  g.stop = stop;
  g.n_stop = 1;
  g.repetition_penalty = 1.1f;
  return g;
}

static retort_status answer_with(const opened *o, retort_session *session, const int32_t *ids, size_t count, retort_error *error) {
  const retort_generate_options g = generation();
  retort_event event = {.struct_size = sizeof event};
  char proof[65];
  (void)o;
  retort_status status = retort_generate_begin(session, ids, count, &g, error);
  while (!status && event.kind != RETORT_EVENT_END) status = retort_step(session, 0, &event, error);
  return status ? status : retort_session_get_proof(session, proof, error);
}

static retort_status answer(retort_error *error) {
  opened o = {0};
  retort_session *session = NULL;
  retort_session_options so;
  int32_t ids[200];
  size_t count = 0;
  retort_session_options_init(&so, sizeof so);
  so.n_ctx = 96;
  retort_status status = open_model(&o, error);
  if (!status) status = retort_session_open(&platform, o.model, o.vocab, &so, &session, error);
  if (!status) status = retort_chat_tokenize(&platform, o.vocab, MESSAGES, NULL, ids, 200, &count, error);
  if (!status) status = answer_with(&o, session, ids, count, error);
  retort_session_close(session);
  close_model(&o);
  return status;
}

static retort_status save_and_restore(retort_sequence *from, retort_sequence *to, retort_error *error) {
  static uint8_t bytes[1 << 20];
  size_t size = 0;
  retort_status status = retort_sequence_save(from, bytes, sizeof bytes, &size, error);
  return status ? status : retort_sequence_restore(to, bytes, size, error);
}

static retort_status many(retort_error *error) {
  static const int32_t ids[] = {1, 2, 3, 4, 5, 6, 7, 8};
  static float logits[SMALL_TOKENS];
  opened o = {0};
  retort_engine *engine = NULL;
  retort_sequence *one = NULL, *two = NULL, *fork = NULL;
  retort_engine_options eo;
  const retort_generate_options g = generation();
  size_t n = 1;
  retort_engine_options_init(&eo, sizeof eo);
  eo.n_ctx = 96;
  retort_status status = open_model(&o, error);
  if (!status) status = retort_engine_open(&platform, o.model, o.vocab, &eo, &engine, error);
  if (!status) status = retort_sequence_open(engine, &one, error);
  if (!status) status = retort_sequence_eval(one, ids, 8, RETORT_LOGITS_LAST, logits, error);
  if (!status) status = retort_sequence_fork(one, &fork, error);
  if (!status) status = retort_sequence_open(engine, &two, error);
  if (!status) status = save_and_restore(one, two, error);
  if (!status) status = retort_sequence_generate(two, ids, 8, &g, error);
  if (!status) status = retort_sequence_generate(fork, ids, 8, &g, error);
  while (!status && n) {
    status = retort_engine_step(engine, 0, &n, error);
    for (size_t i = 0; !status && i < n; i++) {
      retort_event event = {.struct_size = sizeof event};
      retort_sequence *whose;
      status = retort_engine_get_event(engine, i, &whose, &event, error);
    }
  }
  retort_engine_close(engine);
  close_model(&o);
  return status;
}

static retort_status sign_and_verify(int32_t kind, retort_error *error) {
  static const uint8_t random[96] = {7}, data[200000] = {1};
  const bool minisign = kind == RETORT_KEY_MINISIGN;
  char secret[RETORT_KEY_TEXT_SIZE], public[RETORT_KEY_TEXT_SIZE];
  const char *text;
  const void *list;
  size_t size, list_size;
  retort_signer *signer = NULL;
  retort_verifier *verifier = NULL;
  retort_signer_options so;
  retort_trust_policy policy;
  retort_verdict verdict = {.struct_size = sizeof verdict};
  retort_signer_options_init(&so, sizeof so);
  retort_trust_policy_init(&policy, sizeof policy);
  so.method = policy.method = minisign ? RETORT_TRUST_MINISIGN : RETORT_TRUST_KEY;
  so.chunk_size = 65536;
  so.model_name = "model.gguf";
  retort_status status = retort_keygen(&platform, kind, random, NULL, secret, public, error);
  const retort_buffer key = {sizeof key, secret, strlen(secret), "key"};
  so.secret_key = &key;
  if (!status) status = retort_signer_open(&platform, &so, &signer, error);
  if (!status) status = retort_signer_add_file(signer, "model.gguf", sizeof data, error);
  if (!status) status = retort_signer_feed(signer, data, sizeof data, error);
  if (!status) status = retort_signer_finish(signer, &text, &size, &verdict, error);
  if (!status) status = retort_signer_chunks(signer, 0, &list, &list_size, error);
  if (!status) {
    const retort_buffer anchor = {sizeof anchor, public, strlen(public), "key.pub"},
                        signature = {sizeof signature, text, size, "model.sig"};
    const retort_trust_file file = {sizeof file, "model.gguf", sizeof data, minisign ? NULL : list, minisign ? 0 : list_size};
    policy.anchors = &anchor;
    policy.n_anchors = 1;
    status = retort_verifier_open(&platform, &policy, &signature, 1, &file, 1, &verifier, error);
  }
  if (!status) status = retort_verifier_feed(verifier, 0, 0, data, sizeof data, error);
  if (!status) status = retort_verifier_finish(verifier, &verdict, error);
  retort_verifier_close(verifier);
  retort_signer_close(signer);
  return status;
}
static retort_status with_a_key(retort_error *error) { return sign_and_verify(RETORT_KEY_P256, error); }
static retort_status with_minisign(retort_error *error) { return sign_and_verify(RETORT_KEY_MINISIGN, error); }

static retort_status request(retort_error *error) {
  static const char json[] =
      "{\"messages\": [{\"role\": \"user\", \"content\": \"the ab\"}], \"stop\": [\"a\", \"b\"], \"seed\": \"7\", \"variables\": {\"x\": "
      "[1, {\"y\": 2}]}}";
  opened o = {0};
  service_request r = {0};
  int32_t *ids = NULL;
  size_t count;
  retort_status status = open_model(&o, error);
  if (!status) status = service_request_read(&r, json, sizeof json - 1, error);
  if (!status) status = service_request_ids(&r, &platform, o.vocab, &ids, &count, error);
  free(ids);
  service_request_close(&r);
  close_model(&o);
  return status;
}

/* ---- running ---- */

typedef retort_status task(retort_error *error);

/* Does the task with request `n` refused (0: none). What it says goes into *error. */
static retort_status attempt(task *t, size_t n, retort_error *error) {
  *error = (retort_error){0};
  calls = live = 0;
  fail_at = n;
  counted = true;
  retort_status status = t(error);
  counted = false;
  return status;
}

static bool full;

static void try_task(const char *name, task *t) {
  retort_error error;
  if (attempt(t, 0, &error)) fail_msg("%s: without a fault: %s", name, error.message);
  assert_int_equal(live, 0);
  const size_t n = calls, step = full || n < SAMPLES ? 1 : n / SAMPLES;
  size_t tried = 0, ended_well = 0, told_otherwise = 0;
  for (size_t k = 1; k <= n; k += step, tried++) {
    const retort_status status = attempt(t, k, &error);
    if (status && (error.status != (int32_t)status || !error.message[0]))
      fail_msg("%s, request %zu of %zu: status %d without a word", name, k, n, status);
    told_otherwise += status && status != RETORT_ERROR_MEMORY;
    if (full && status && status != RETORT_ERROR_MEMORY)
      print_message("  %s, request %zu: told as %s: %s\n", name, k, retort_status_name(status), error.message);
    if (live) fail_msg("%s, request %zu of %zu: %zu bytes were not given back", name, k, n, live);
    ended_well += status == RETORT_OK;
    if (tried % 16 == 0 && attempt(t, 0, &error)) fail_msg("%s: after request %zu was refused: %s", name, k, error.message);
  }
  print_message("memory: %s: %zu requests, %zu refused: %zu told, %zu of them as another error, %zu not needed\n", name, n, tried,
                tried - ended_well, told_otherwise, ended_well);
}

static void every_task(void **state) {
  (void)state;
  try_task("load a model", load);
  try_task("answer a message", answer);
  try_task("many conversations", many);
  try_task("sign and verify by key", with_a_key);
  try_task("sign and verify by minisign", with_minisign);
  try_task("read a request", request);
}

int main(int argc, char **argv) {
  full = argc > 1 && strcmp(argv[1], "full") == 0;
  small_model_build(&model, 1, RT_Q8_0);
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_task)};
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  tiny_model_close(&model);
  return failed;
}
