/* program.c - an embedder's program: verifies Ember, looks into the file, and has it answer. Built with retort.h as it is and with its
 * elder and younger (other_header.py); prints the same each time. Behind every struct stands a guard that nobody may write to.
 *
 *   program MODELS       the folder models/
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "retort_platform.h"

enum { GUARD = 0x5a };
#define GUARDED(type) \
  struct {            \
    type s;           \
    char guard[64];   \
  }
/* Fills with the guard's byte, padding and members too, as memory that is not cleared may hold anything. */
#define RESULT(g) (memset(&(g), GUARD, sizeof(g)), (g).s.struct_size = sizeof((g).s))
#define CHECK(g)                                                                                    \
  do {                                                                                              \
    for (size_t i_ = 0; i_ < sizeof((g).guard); i_++)                                               \
      if ((g).guard[i_] != GUARD) printf("written behind " #g "\n"), exit(1);                       \
    if ((g).s.struct_size != sizeof((g).s)) printf("struct_size of " #g " was changed\n"), exit(1); \
  } while (0)
#define OPTIONS(g, init) (memset(&(g), GUARD, sizeof(g)), init(&(g).s, sizeof((g).s)))

static retort_error error;
static void must(retort_status status) {
  if (status == RETORT_OK) return;
  printf("%s: %s\n", retort_status_name(status), error.message);
  exit(1);
}

static retort_buffer file(const char *folder, const char *name) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *f = fopen(path, "rb");
  if (!f || fseek(f, 0, SEEK_END)) printf("%s cannot be read\n", path), exit(1);
  size_t size = (size_t)ftell(f);
  rewind(f);
  char *bytes = malloc(size);
  if (!bytes || fread(bytes, 1, size, f) != size) exit(1);
  fclose(f);
  retort_buffer b;
  memset(&b, 0, sizeof b);
  b.struct_size = sizeof b;
  b.data = bytes;
  b.size = size;
  return b;
}

static void *allocate(void *user, size_t size) {
  (void)user;
  void *memory = aligned_alloc(64, (size + 63) / 64 * 64);
  return memory ? memset(memory, 0, size) : NULL;
}
static void take_back(void *user, void *memory, size_t size) {
  (void)user, (void)size;
  free(memory);
}

static retort_gguf *open_verified(const retort_platform *platform, const char *folder, retort_buffer *bytes) {
  const retort_buffer key = file(folder, "retort-project.pub"), signature = file(folder, "ember/ember.gguf.sig"),
                      model = file(folder, "ember/ember.gguf");
  retort_trust_file files[1];
  memset(files, 0, sizeof files);
  files[0].struct_size = sizeof files[0];
  files[0].name = "ember.gguf";
  files[0].size = model.size;
  GUARDED(retort_trust_policy) policy;
  OPTIONS(policy, retort_trust_policy_init);
  CHECK(policy);
  policy.s.method = RETORT_TRUST_KEY;
  policy.s.anchors = &key;
  policy.s.n_anchors = 1;
  retort_verifier *verifier;
  GUARDED(retort_verdict) verdict;
  must(retort_verifier_open(platform, &policy.s, &signature, 1, files, 1, &verifier, &error));
  must(retort_verifier_feed(verifier, 0, 0, model.data, model.size, &error));
  RESULT(verdict);
  must(retort_verifier_finish(verifier, &verdict.s, &error));
  CHECK(verdict);
  char text[1000];
  if (retort_verdict_text(&verdict.s, text, sizeof text) == 0 || !strstr(text, "signed by key")) printf("no verdict: %s\n", text), exit(1);
  retort_gguf *gguf;
  must(retort_gguf_open_verified(platform, verifier, &model, 1, 0, &gguf, &error));
  retort_verifier_close(verifier);
  free((void *)(uintptr_t)key.data);
  free((void *)(uintptr_t)signature.data);
  *bytes = model;
  return gguf;
}

static void look(const retort_gguf *gguf, const retort_vocab *vocab, const retort_model *model) {
  GUARDED(retort_gguf_summary) summary;
  GUARDED(retort_gguf_entry) entry;
  GUARDED(retort_gguf_tensor) tensor;
  GUARDED(retort_vocab_info) words;
  GUARDED(retort_model_info) info;
  RESULT(summary);
  RESULT(entry);
  RESULT(tensor);
  RESULT(words);
  RESULT(info);
  must(retort_gguf_get_summary(gguf, &summary.s, &error));
  must(retort_gguf_get_entry(gguf, 0, &entry.s, &error));
  must(retort_gguf_get_tensor(gguf, summary.s.n_tensors - 1, &tensor.s, &error));
  must(retort_vocab_get_info(vocab, &words.s, &error));
  must(retort_model_get_info(model, &info.s, &error));
  CHECK(summary);
  CHECK(entry);
  CHECK(tensor);
  CHECK(words);
  CHECK(info);
  printf("%s, %s of %u dimensions, %u tokens, %u layers: ", info.s.architecture, tensor.s.name, tensor.s.n_dims, words.s.n_tokens,
         info.s.n_layers);
}

static void answer(const retort_platform *platform, const retort_model *model, const retort_vocab *vocab) {
  GUARDED(retort_session_options) so;
  GUARDED(retort_session_info) info;
  GUARDED(retort_chat_options) co;
  GUARDED(retort_generate_options) go;
  GUARDED(retort_event) event;
  GUARDED(retort_usage) usage;
  OPTIONS(so, retort_session_options_init);
  OPTIONS(co, retort_chat_options_init);
  OPTIONS(go, retort_generate_options_init);
  CHECK(so);
  CHECK(co);
  CHECK(go);
  so.s.n_ctx = 512;
  go.s.temperature = 0;
  retort_session *session;
  int32_t ids[256];
  size_t count;
  must(retort_session_open(platform, model, vocab, &so.s, &session, &error));
  must(retort_chat_tokenize(platform, vocab, "[{\"role\":\"user\",\"content\":\"What is 4821 + 396?\"}]", &co.s, ids, 256, &count, &error));
  must(retort_generate_begin(session, ids, count, &go.s, &error));
  do {
    RESULT(event);
    must(retort_step(session, 0, &event.s, &error));
    CHECK(event);
    if (event.s.section == RETORT_SECTION_ANSWER) fwrite(event.s.text, 1, event.s.text_size, stdout);
  } while (event.s.kind != RETORT_EVENT_END);
  RESULT(usage);
  RESULT(info);
  must(retort_session_get_usage(session, &usage.s, &error));
  must(retort_session_get_info(session, &info.s, &error));
  CHECK(usage);
  CHECK(info);
  if (usage.s.prompt_tokens != count || info.s.n_ctx != 512) printf("\nwrong numbers"), exit(1);
  printf("\n");
  retort_session_close(session);
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  retort_platform platform;
  memset(&platform, 0, sizeof platform);
  platform.struct_size = sizeof platform;
  platform.alloc = allocate;
  platform.free = take_back;
  retort_vocab *vocab;
  retort_model *model;
  retort_model_options mo;
  retort_buffer bytes;
  retort_gguf *gguf = open_verified(&platform, argv[1], &bytes);
  retort_model_options_init(&mo, sizeof mo);
  must(retort_vocab_open(&platform, gguf, &vocab, &error));
  must(retort_model_open(&platform, gguf, &mo, &model, &error));
  look(gguf, vocab, model);
  answer(&platform, model, vocab);
  retort_model_close(model);
  retort_vocab_close(vocab);
  retort_gguf_close(gguf);
  free((void *)(uintptr_t)bytes.data);
  return 0;
}
