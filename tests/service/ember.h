/* ember.h - Ember opened for a test, and one answer of it with all that a proof names. */
#ifndef EMBER_H
#define EMBER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "service/record.h"

static retort_error error;
#define OK(call)                                                       \
  do {                                                                 \
    if ((call) != RETORT_OK) fail_msg("%s: %s", #call, error.message); \
  } while (0)

static struct {
  void *bytes;
  retort_gguf *gguf;
  retort_vocab *vocab;
  retort_model *model;
} ember;

static inline int ember_open(void **state) {
  (void)state;
  FILE *file = fopen(RETORT_SOURCE_DIR "/models/ember/ember.gguf", "rb");
  assert_non_null(file);
  fseek(file, 0, SEEK_END);
  size_t size = (size_t)ftell(file);
  rewind(file);
  ember.bytes = aligned_alloc(64, (size + 63) / 64 * 64);
  assert_int_equal(fread(ember.bytes, 1, size, file), size);
  fclose(file);
  retort_buffer buffer = {sizeof(retort_buffer), ember.bytes, size, "ember.gguf"};
  OK(retort_gguf_open(NULL, &buffer, 1, 0, &ember.gguf, &error));
  OK(retort_vocab_open(NULL, ember.gguf, &ember.vocab, &error));
  OK(retort_model_open(NULL, ember.gguf, NULL, &ember.model, &error));
  return 0;
}

static inline int ember_close(void **state) {
  (void)state;
  retort_model_close(ember.model);
  retort_vocab_close(ember.vocab);
  retort_gguf_close(ember.gguf);
  free(ember.bytes);
  return 0;
}

/* The answer to a fixed question: its proof as JSON. */
static inline json_t *prove(const service_options *o) {
  static const char question[] = "[{\"role\": \"user\", \"content\": \"What is 4821 + 396?\"}]";
  int32_t prompt[256];
  size_t n_prompt;
  char logits[65];
  retort_session *s = NULL;
  const retort_generate_options g = service_generate(o);
  retort_session_info info = {.struct_size = sizeof info};
  retort_event e = {.struct_size = sizeof e};
  uint64_t positions = 0;
  OK(retort_chat_tokenize(NULL, ember.vocab, question, NULL, prompt, 256, &n_prompt, &error));
  OK(retort_session_open(NULL, ember.model, ember.vocab, &o->session, &s, &error));
  OK(retort_session_get_info(s, &info, &error));
  OK(retort_generate_begin(s, prompt, n_prompt, &g, &error));
  while (e.kind != RETORT_EVENT_END) {
    OK(retort_step(s, 0, &e, &error));
    positions += e.kind == RETORT_EVENT_TOKEN;
  }
  OK(retort_session_get_proof(s, logits, &error));
  json_t *proof = service_proof(&(service_proof_inputs){.model_sha256 = json_pack("[s]", "of the model"),
                                                        .prompt = prompt,
                                                        .n_prompt = n_prompt,
                                                        .options = o,
                                                        .n_ctx = info.n_ctx,
                                                        .positions = positions,
                                                        .logits_sha256 = logits});
  assert_non_null(proof);
  retort_session_close(s);
  return proof;
}

#endif
