/* answer.c - two threads ask one model, whose SHA-256 the caller knows: answer MODEL.gguf SHA256 QUESTION QUESTION    (docs/EMBEDDING.md)
 */
#include <pthread.h>
#include <retort_platform.h>
#include <stdio.h>
#include <stdlib.h>
static const retort_platform platform = {.struct_size = sizeof platform}; /* memory from the C library, work in the calling thread */
static retort_model *model;
static retort_vocab *vocab;

static void *ask(void *messages) { /* OpenAI's array: [{"role":"user","content":"What is 4821 + 396?"}] */
  int32_t ids[1000];
  size_t n, used = 0;
  char text[4000] = "";
  retort_session *s = NULL;
  retort_error e = {0};
  retort_event event = {.struct_size = sizeof event};
  int failed = retort_session_open(&platform, model, vocab, NULL, &s, &e) ||
               retort_chat_tokenize(&platform, vocab, messages, NULL, ids, 1000, &n, &e) || retort_generate_begin(s, ids, n, NULL, &e);
  while (!failed && event.kind != RETORT_EVENT_END && !(failed = retort_step(s, 0, &event, &e)))
    for (size_t i = 0; event.section == RETORT_SECTION_ANSWER && i < event.text_size && used < 3999;) text[used++] = event.text[i++];
  printf("%s %s%s\n", (char *)messages, text, e.message);
  return retort_session_close(s), NULL;
}

int main(int argc, char **argv) {
  FILE *f = argc == 5 ? fopen(argv[1], "rb") : NULL;
  size_t size = f && !fseek(f, 0, SEEK_END) ? (size_t)ftell(f) : 0;
  void *data = malloc(size + 1);
  retort_error e = {.message = "usage: answer MODEL.gguf SHA256 QUESTION QUESTION"};
  retort_trust_policy policy;
  retort_verifier *verifier;
  retort_gguf *gguf;
  retort_trust_policy_init(&policy, sizeof policy);
  policy.method = RETORT_TRUST_PIN, policy.pins = (const char *const[]){argv[2]}, policy.n_pins = 1;
  if (!size || !data || fseek(f, 0, SEEK_SET) || fread(data, 1, size, f) != size ||
      retort_verifier_open(&platform, &policy, NULL, 0, &(retort_trust_file){sizeof(retort_trust_file), "model.gguf", size, NULL, 0}, 1,
                           &verifier, &e) ||
      retort_verifier_feed(verifier, 0, 0, data, size, &e) ||
      retort_verifier_finish(verifier, &(retort_verdict){.struct_size = sizeof(retort_verdict)}, &e) ||
      retort_gguf_open_verified(&platform, verifier, &(retort_buffer){sizeof(retort_buffer), data, size, argv[1]}, 1, 0, &gguf, &e) ||
      retort_vocab_open(&platform, gguf, &vocab, &e) || retort_model_open(&platform, gguf, NULL, &model, &e))
    return puts(e.message), 1;
  pthread_t threads[2];
  for (int i = 0; i < 2; i++) pthread_create(&threads[i], NULL, ask, argv[3 + i]);
  for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
  return 0;
}
