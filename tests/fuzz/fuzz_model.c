/* fuzz_model.c - the whole way: a model file with changes, opened, asked to answer a message, and to give logits.
 *
 * Each input is run with the portable kernels and with the best that this machine has: what the first refuses the second refuses, and the
 * logits are the same bits. A sequence is saved and restored on the way, and memory is counted.
 */
#include <math.h>
#include <stdio.h>

#include "counting.h"
#include "gguf_edit.h"
#include "small_model.h"

enum { TYPES = 8, ROWS = 3, MOST_PROMPT = 12 };

typedef struct answer {
  float logits[ROWS * 1024];
  size_t n_logits;
  int32_t tokens[32];
  size_t n_tokens;
} answer;

typedef struct request {
  const char *messages;
  uint32_t flags, kv_type;
  uint64_t seed;
} request;

/* The files before any change, kept for the life of the process. */
static const retort_gguf *original(uint32_t arch, uint32_t type) {
  static const uint32_t types[TYPES] = {RT_F32, RT_Q4_0, RT_Q8_0, RT_Q4_K, RT_Q5_1, RT_IQ2_XXS, RT_F16, RT_MXFP4};
  static struct {
    tiny_model model;
    retort_gguf *gguf;
  } kept[3][TYPES];
  arch %= 3, type %= TYPES;
  if (!kept[arch][type].gguf) {
    small_model_build(&kept[arch][type].model, arch, types[type]);
    if (retort_gguf_open(NULL, &kept[arch][type].model.file, 1, 0, &kept[arch][type].gguf, NULL)) abort();
  }
  return kept[arch][type].gguf;
}

static void save_and_restore(retort_session *session) {
  retort_sequence *sequence = retort_session_sequence(session);
  size_t size = 0;
  if (retort_sequence_save(sequence, NULL, 0, &size, NULL) != RETORT_ERROR_BUFFER || size > 1 << 24) return;
  void *bytes = malloc(size);
  if (bytes && retort_sequence_save(sequence, bytes, size, &size, NULL) == RETORT_OK &&
      retort_sequence_restore(sequence, bytes, size, NULL) != RETORT_OK)
    abort();
  free(bytes);
}

static size_t read_prompt(const retort_platform *platform, const retort_vocab *vocab, const request *r, int32_t *ids) {
  static int32_t all[4096];
  size_t n = 0;
  retort_chat_options chat;
  retort_chat_options_init(&chat, sizeof chat);
  chat.date = "2026-11-30";
  if (retort_chat_tokenize(platform, vocab, r->messages, &chat, all, RT_COUNT(all), &n, NULL) || n == 0) return 0;
  if (n > MOST_PROMPT) n = MOST_PROMPT;
  memcpy(ids, all, n * sizeof *ids);
  return n;
}

static void generate(const retort_platform *platform, retort_session *session, const retort_vocab *vocab, const request *r, answer *out) {
  static const char *const stop[] = {"x"};
  int32_t ids[MOST_PROMPT] = {'h', 'i', 0, 1};
  retort_generate_options o;
  size_t n = read_prompt(platform, vocab, r, ids);
  retort_generate_options_init(&o, sizeof o);
  o.seed = r->seed;
  o.max_tokens = 6;
  o.temperature = r->flags & 1 ? 0.0f : 1.0f;
  o.top_k = r->flags & 2 ? 3 : 0;
  o.min_p = r->flags & 4 ? 0.01f : 0.0f;
  o.repetition_penalty = r->flags & 8 ? 1.3f : 1.0f;
  o.thinking_budget = r->flags & 16 ? (int32_t)(r->flags >> 8 & 3) : -1;
  o.proof = 1;
  o.stop = stop;
  o.n_stop = r->flags & 32 ? 1 : 0;
  if (retort_generate_begin(session, ids, n ? n : 4, &o, NULL)) return;
  for (uint32_t i = 0; i < 24; i++) {
    retort_event event = {.struct_size = sizeof event};
    if (retort_step(session, i % 3, &event, NULL) || event.kind == RETORT_EVENT_END) break;
    if (event.kind == RETORT_EVENT_TOKEN && out->n_tokens < RT_COUNT(out->tokens)) out->tokens[out->n_tokens++] = event.token;
    if (i == 5) save_and_restore(session);
  }
}

static void evaluate(retort_session *session, const retort_model *model, answer *out) {
  retort_model_info info = {.struct_size = sizeof info};
  if (retort_model_get_info(model, &info, NULL) || info.n_vocab * (uint64_t)ROWS > RT_COUNT(out->logits)) return;
  const int32_t ids[ROWS] = {0, (int32_t)(info.n_vocab / 2), (int32_t)info.n_vocab - 1};
  if (retort_session_truncate(session, 0, NULL) || retort_session_eval(session, ids, ROWS, RETORT_LOGITS_ALL, out->logits, NULL)) return;
  out->n_logits = (size_t)ROWS * info.n_vocab;
}

static void run(const retort_buffer *file, const char *kernels, const request *r, answer *out) {
  counting memory = {.most = 64u << 20};
  retort_platform platform = counting_platform(&memory);
  retort_gguf *gguf = NULL;
  retort_vocab *vocab = NULL;
  retort_model *model = NULL;
  retort_session *session = NULL;
  retort_model_options mo;
  retort_session_options so;
  retort_model_options_init(&mo, sizeof mo);
  retort_session_options_init(&so, sizeof so);
  mo.kernels = kernels;
  so.n_ctx = r->flags & 64 ? 48 : 17;
  so.n_batch = r->flags & 128 ? 7 : 16;
  so.kv_type = r->kv_type;
  if (retort_gguf_open(&platform, file, 1, 0, &gguf, NULL) == RETORT_OK && retort_vocab_open(&platform, gguf, &vocab, NULL) == RETORT_OK &&
      retort_model_open(&platform, gguf, &mo, &model, NULL) == RETORT_OK &&
      retort_session_open(&platform, model, vocab, &so, &session, NULL) == RETORT_OK) {
    generate(&platform, session, vocab, r, out);
    evaluate(session, model, out);
  }
  retort_session_close(session);
  retort_model_close(model);
  retort_vocab_close(vocab);
  retort_gguf_close(gguf);
  if (memory.live) {
    fprintf(stderr, "%zu bytes were not given back\n", memory.live);
    abort();
  }
}

/* What is no number has no order and no promised bits (docs/NUMERICS.md): from the first of them on, texts may differ. */
static void compare(const answer *a, const answer *b) {
  if (a->n_logits != b->n_logits) abort();
  for (size_t i = 0; i < a->n_logits; i++)
    if (!isfinite(a->logits[i]) || !isfinite(b->logits[i])) return;
  if (memcmp(a->logits, b->logits, a->n_logits * sizeof *a->logits) != 0) abort();
  if (a->n_tokens != b->n_tokens || memcmp(a->tokens, b->tokens, a->n_tokens * sizeof *a->tokens) != 0) abort();
}

/* [{"role": "user", "content": what is left of the input}], as JSON. */
static char *read_messages(const fuzz_input *in) {
  static const char head[] = "[{\"role\":\"user\",\"content\":\"", tail[] = "\"}]";
  char *text = malloc(sizeof head + sizeof tail + 2 * in->size), *at = text;
  if (!text) abort();
  at = (char *)memcpy(at, head, sizeof head - 1) + sizeof head - 1;
  for (size_t i = 0; i < in->size; i++) {
    char c = in->data[i] < 32 || in->data[i] > 126 ? (char)(' ' + in->data[i] % 90) : (char)in->data[i];
    if (c == '"' || c == '\\') *at++ = '\\';
    *at++ = c;
  }
  memcpy(at, tail, sizeof tail);
  return text;
}

void fuzz_one(const uint8_t *data, size_t size) {
  static answer portable, best;
  fuzz_input in = {data, size};
  uint32_t arch = fuzz_byte(&in), type = fuzz_byte(&in);
  request r = {.flags = (uint32_t)fuzz_bytes(&in, 2), .kv_type = fuzz_byte(&in) % 3, .seed = fuzz_bytes(&in, 2)};
  gguf_edits edits = gguf_edits_read(&in);
  rt_gguf_writer writer = {0};
  retort_buffer file = {.struct_size = sizeof file, .name = "fuzz.gguf"};
  const uint8_t *bytes;
  char *messages = read_messages(&in);
  r.messages = messages;
  gguf_edit_write(&writer, original(arch, type), &edits, &bytes, &file.size);
  file.data = bytes;
  portable.n_logits = portable.n_tokens = best.n_logits = best.n_tokens = 0;
  run(&file, "portable", &r, &portable);
  run(&file, NULL, &r, &best);
  compare(&portable, &best);
  rt_gguf_writer_close(&writer);
  free(messages);
}
