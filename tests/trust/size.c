/* size.c - what the trust code adds to a wasm program: one that loads and answers, without (default) and with (TRUST) verifying what it
 * loads.
 *
 * Both are linked from the core as the WebAssembly build has it; tests/wasm compares their sizes. They are never run.
 */
#include <stdlib.h>

#include "retort.h"

int main(int argc, char **argv) {
  retort_buffer file = {sizeof(retort_buffer), argv[0], (size_t)argc, NULL};
  retort_gguf *gguf;
  retort_vocab *vocab;
  retort_model *model;
  retort_session *session;
  retort_event event = {.struct_size = sizeof event};
  int32_t ids[16];
  size_t count;
#ifdef TRUST
  retort_trust_policy policy;
  retort_trust_file name = {sizeof(retort_trust_file), "model.gguf", (uint64_t)argc, argv[0], (size_t)argc};
  retort_verifier *verifier;
  retort_verdict verdict = {.struct_size = sizeof verdict};
  char text[1000];
  retort_trust_policy_init(&policy, sizeof policy);
  policy.method = argc; /* any of them */
  if (retort_verifier_open(NULL, &policy, &file, 1, &name, 1, &verifier, NULL) ||
      retort_verifier_feed(verifier, 0, 0, argv[0], (size_t)argc, NULL) || retort_verifier_finish(verifier, &verdict, NULL) ||
      retort_gguf_open_verified(NULL, verifier, &file, 1, 0, &gguf, NULL))
    return 1;
  if (retort_verdict_text(&verdict, text, sizeof text) > sizeof text) return 1;
#else
  if (retort_gguf_open(NULL, &file, 1, 0, &gguf, NULL)) return 1;
#endif
  if (retort_vocab_open(NULL, gguf, &vocab, NULL) || retort_model_open(NULL, gguf, NULL, &model, NULL) ||
      retort_session_open(NULL, model, vocab, NULL, &session, NULL) ||
      retort_chat_tokenize(NULL, vocab, argv[0], NULL, ids, 16, &count, NULL) || retort_generate_begin(session, ids, count, NULL, NULL) ||
      retort_step(session, 0, &event, NULL))
    return 1;
  return event.token;
}
