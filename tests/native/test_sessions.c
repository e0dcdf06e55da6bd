/* test_sessions.c - two sessions of one model answer at the same time, each on a thread of its own, over one platform (one pool of threads,
 * one allocator). Each gives the bits that it gives alone. Built twice: as everything else, and with gcc's or clang's thread sanitizer.
 *
 *   test_sessions [ROUNDS]
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine/posix.h"

enum { SESSIONS = 2 };
static const char *const questions[SESSIONS] = {"[{\"role\":\"user\",\"content\":\"What is 4821 + 396?\"}]",
                                                "[{\"role\":\"user\",\"content\":\"What is 77 + 15?\"}]"};

typedef struct talk {
  const retort_platform *platform;
  const retort_model *model;
  const retort_vocab *vocab;
  const char *question;
  char proof[65];
  retort_error error;
} talk;

static retort_status generate(talk *t, retort_session *session) {
  int32_t ids[512];
  size_t n = 0;
  retort_status status = retort_chat_tokenize(t->platform, t->vocab, t->question, NULL, ids, 512, &n, &t->error);
  if (status) return status;
  retort_generate_options options;
  retort_generate_options_init(&options, sizeof options);
  options.proof = 1;
  options.max_tokens = 60;
  if ((status = retort_generate_begin(session, ids, n, &options, &t->error))) return status;
  retort_event event = {.struct_size = sizeof event};
  do status = retort_step(session, 0, &event, &t->error);
  while (status == RETORT_OK && event.kind != RETORT_EVENT_END);
  return status ? status : retort_session_get_proof(session, t->proof, &t->error);
}

static void *answer(void *arg) {
  talk *t = arg;
  retort_session *session = NULL;
  if (retort_session_open(t->platform, t->model, t->vocab, NULL, &session, &t->error) == RETORT_OK) generate(t, session);
  retort_session_close(session);
  return NULL;
}

/* Rounds in which the sessions answer at once; how many answers differ from those given alone. */
static int together(const talk *start, const talk alone[SESSIONS]) {
  pthread_t threads[SESSIONS];
  talk talks[SESSIONS];
  int wrong = 0;
  for (int i = 0; i < SESSIONS; i++) {
    talks[i] = *start;
    talks[i].question = questions[i];
    if (pthread_create(&threads[i], NULL, answer, &talks[i])) exit(1);
  }
  for (int i = 0; i < SESSIONS; i++) {
    pthread_join(threads[i], NULL);
    if (strcmp(talks[i].proof, alone[i].proof) == 0) continue;
    printf("session %d: not the bits that it gives alone; status %d %s\n", i, (int)talks[i].error.status, talks[i].error.message);
    wrong++;
  }
  return wrong;
}

static int test(talk *start, int rounds) {
  talk alone[SESSIONS];
  for (int i = 0; i < SESSIONS; i++) {
    alone[i] = *start;
    alone[i].question = questions[i];
    answer(&alone[i]);
    if (!alone[i].proof[0]) return printf("alone: %s\n", alone[i].error.message), 1;
  }
  int wrong = 0;
  for (int i = 0; i < rounds; i++) wrong += together(start, alone);
  printf("%d of %d answers given at once differ from those given alone\n", wrong, SESSIONS * rounds);
  return wrong != 0;
}

static void *read_file(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  if (!file || fseek(file, 0, SEEK_END) != 0) return NULL;
  *size = (size_t)ftell(file);
  rewind(file);
  void *bytes = aligned_alloc(64, (*size + 63) / 64 * 64);
  if (bytes && fread(bytes, 1, *size, file) != *size) return NULL;
  fclose(file);
  return bytes;
}

int main(int argc, char **argv) {
  const char *ember = RETORT_SOURCE_DIR "/models/ember/ember.gguf";
  retort_buffer file = {.struct_size = sizeof file, .name = "ember.gguf"};
  if (!(file.data = read_file(ember, &file.size))) return printf("%s cannot be read\n", ember), 1;
  machine *m = machine_open(2, false);
  talk start = {.platform = machine_platform(m)};
  retort_gguf *gguf = NULL;
  retort_vocab *vocab = NULL;
  retort_model *model = NULL;
  int rc = 1;
  if (retort_gguf_open(start.platform, &file, 1, 0, &gguf, &start.error) || retort_vocab_open(start.platform, gguf, &vocab, &start.error) ||
      retort_model_open(start.platform, gguf, NULL, &model, &start.error)) {
    puts(start.error.message);
  } else {
    start.model = model;
    start.vocab = vocab;
    rc = test(&start, argc > 1 ? atoi(argv[1]) : 5);
  }
  retort_model_close(model);
  retort_vocab_close(vocab);
  retort_gguf_close(gguf);
  machine_close(m);
  free((void *)(uintptr_t)file.data);
  return rc;
}
