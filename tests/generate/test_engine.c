/* test_engine.c - many sequences on one engine: each gives what it gives alone, whatever its neighbours do; pages are shared, bounded and
 * given back; saved sequences are refused when a byte is wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/sha256.h"
#include "counting.h"
#include "generate/engine.h"
#include "tiny_model.h"

enum { N_VOCAB = 64, MAX_IDS = 60, MANY = 9 };

static void put_vocabulary(rt_gguf_writer *w) {
  static char names[N_VOCAB][16];
  rt_string tokens[N_VOCAB];
  int32_t types[N_VOCAB];
  for (int i = 0; i < N_VOCAB; i++) {
    types[i] = i < 4 ? 3 : 1; /* control, normal */
    if (i >= 4) snprintf(names[i], sizeof names[i], "%c", 'A' + i - 4);
    else snprintf(names[i], sizeof names[i], "<t%d>", i);
    tokens[i] = (rt_string){names[i], strlen(names[i])};
  }
  rt_gguf_put_string(w, "tokenizer.ggml.model", "gpt2");
  rt_gguf_put_string(w, "tokenizer.ggml.pre", "gpt-2");
  rt_gguf_put_strings(w, "tokenizer.ggml.tokens", true, tokens, N_VOCAB);
  rt_gguf_put(w, "tokenizer.ggml.token_type", RT_GGUF_I32, true, types, N_VOCAB);
  rt_gguf_put_strings(w, "tokenizer.ggml.merges", true, NULL, 0);
  rt_gguf_put_u32(w, "tokenizer.ggml.bos_token_id", 0);
  rt_gguf_put_u32(w, "tokenizer.ggml.eos_token_id", 1);
}

typedef struct bench {
  tiny_model tiny;
  retort_gguf *gguf;
  retort_vocab *vocab;
  retort_model *model;
  retort_engine *engine;
} bench;

#define OK(call)                                                \
  do {                                                          \
    retort_error error;                                         \
    if (call) fail_msg("line %d: %s", __LINE__, error.message); \
  } while (0)

static void open_bench(bench *b, const retort_platform *platform, const retort_engine_options *options) {
  *b = (bench){.tiny = {.arch = "qwen3",
                        .type = RT_Q4_0,
                        .n_layers = 2,
                        .n_embd = 64,
                        .n_ff = 96,
                        .n_heads = 4,
                        .n_kv_heads = 2,
                        .head_dim = 32,
                        .n_vocab = N_VOCAB,
                        .more_keys = put_vocabulary}};
  OK(tiny_model_build(&b->tiny, &error));
  OK(retort_gguf_open(NULL, &b->tiny.file, 1, 0, &b->gguf, &error));
  OK(retort_vocab_open(NULL, b->gguf, &b->vocab, &error));
  OK(retort_model_open(NULL, b->gguf, NULL, &b->model, &error));
  OK(retort_engine_open(platform, b->model, b->vocab, options, &b->engine, &error));
}

static void close_bench(bench *b) {
  retort_engine_close(b->engine);
  retort_model_close(b->model);
  retort_vocab_close(b->vocab);
  retort_gguf_close(b->gguf);
  tiny_model_close(&b->tiny);
}

static retort_engine_options small(uint32_t n_batch, uint32_t n_parallel) {
  retort_engine_options o;
  retort_engine_options_init(&o, sizeof o);
  o.n_ctx = 300;
  o.n_batch = n_batch;
  o.n_parallel = n_parallel;
  return o;
}

static retort_sequence *open_sequence(bench *b) {
  retort_sequence *s = NULL;
  OK(retort_sequence_open(b->engine, &s, &error));
  return s;
}

static retort_engine_info info_of(const bench *b) {
  retort_engine_info i = {.struct_size = sizeof i};
  OK(retort_engine_get_info(b->engine, &i, &error));
  return i;
}

/* ---- answers together and alone ---- */

typedef struct answer {
  int32_t prompt[200], ids[MAX_IDS];
  size_t n_prompt, n;
  char text[200], proof[65];
  int finish, interrupted;
  retort_usage usage;
} answer;

/* Question k: prompts of different lengths that partly begin alike, drafts or none, penalties or none. */
static retort_generate_options question(answer *a, uint32_t k) {
  *a = (answer){.n_prompt = 3 + k * 47 % 180};
  for (uint32_t i = 0; i < a->n_prompt; i++) a->prompt[i] = (int32_t)(4 + (i * i + (i > 40 ? k : k % 2)) % 50);
  retort_generate_options o;
  retort_generate_options_init(&o, sizeof o);
  o.seed = k;
  o.max_tokens = 10 + k * 5 % 30;
  o.proof = 1;
  o.temperature = k % 3 ? 1.2f : 0;
  o.draft = k % 4 == 1 ? 5 : k % 4 == 2 ? 0 : -1;
  o.repetition_penalty = k % 2 ? 1 : 1.2f;
  return o;
}

static void take(answer *a, const retort_event *e) {
  strcat(a->text, e->text);
  if (e->kind == RETORT_EVENT_TOKEN) a->ids[a->n++] = e->token;
  a->finish = e->finish;
}
static void finish(answer *a, const retort_sequence *s) {
  a->usage.struct_size = sizeof a->usage;
  OK(retort_sequence_get_usage(s, &a->usage, &error));
  OK(retort_sequence_get_proof(s, a->proof, &error));
}

static void ask_alone(const bench *b, answer *a, uint32_t k) {
  const retort_generate_options g = question(a, k);
  const retort_session_options o = {.struct_size = sizeof o, .n_ctx = 300};
  retort_session *s;
  OK(retort_session_open(NULL, b->model, b->vocab, &o, &s, &error));
  OK(retort_generate_begin(s, a->prompt, a->n_prompt, &g, &error));
  retort_event e = {.struct_size = sizeof e};
  do {
    OK(retort_step(s, 0, &e, &error));
    take(a, &e);
  } while (e.kind != RETORT_EVENT_END);
  finish(a, retort_session_sequence(s));
  retort_session_close(s);
}

static void expect_same(const answer *a, const answer *b) {
  assert_int_equal(a->n, b->n);
  assert_memory_equal(a->ids, b->ids, a->n * sizeof *a->ids);
  assert_string_equal(a->text, b->text);
  assert_string_equal(a->proof, b->proof);
  assert_int_equal(a->finish, b->finish);
  assert_int_equal(a->usage.completion_tokens, b->usage.completion_tokens);
}

/* Steps until all answers have ended; `interrupt`: each is interrupted now and then. Returns the steps. */
static int step_all(bench *b, retort_sequence **s, answer *a, size_t n, uint32_t work, bool interrupt) {
  size_t open = n, count;
  int steps = 0;
  for (; open; steps++) {
    if (interrupt && steps % 5 == 0) retort_sequence_interrupt(s[(size_t)steps / 5 % n]);
    OK(retort_engine_step(b->engine, work, &count, &error));
    for (size_t i = 0; i < count; i++) {
      retort_sequence *of;
      retort_event e = {.struct_size = sizeof e};
      retort_error why;
      retort_status status = retort_engine_get_event(b->engine, i, &of, &e, &why);
      size_t k = 0;
      while (s[k] != of) k++;
      if (status) {
        assert_int_equal(status, RETORT_ERROR_INTERRUPTED);
        a[k].interrupted++;
        continue;
      }
      take(&a[k], &e);
      open -= e.kind == RETORT_EVENT_END;
    }
    assert_true(steps < 3000);
  }
  for (size_t k = 0; k < n; k++) finish(&a[k], s[k]);
  OK(retort_engine_step(b->engine, work, &count, &error));
  assert_int_equal(count, 0);
  return steps;
}

static void answers_together_are_those_alone(void **state) {
  (void)state;
  static const struct {
    uint32_t n_batch, n_parallel, work;
    bool interrupt;
  } ways[] = {{256, 0, 0, false}, {4, 2, 0, false}, {40, 3, 7, false}, {64, 0, 0, true}, {1, 1, 0, true}};
  for (size_t w = 0; w < RT_COUNT(ways); w++) {
    bench b;
    const retort_engine_options o = small(ways[w].n_batch, ways[w].n_parallel);
    open_bench(&b, NULL, &o);
    answer alone[MANY], together[MANY];
    retort_sequence *s[MANY];
    for (uint32_t k = 0; k < MANY; k++) {
      ask_alone(&b, &alone[k], k);
      s[k] = open_sequence(&b);
      const retort_generate_options g = question(&together[k], k);
      OK(retort_sequence_generate(s[k], together[k].prompt, together[k].n_prompt, &g, &error));
    }
    int steps = step_all(&b, s, together, MANY, ways[w].work, ways[w].interrupt), interrupted = 0;
    for (uint32_t k = 0; k < MANY; k++) {
      expect_same(&alone[k], &together[k]);
      interrupted += together[k].interrupted;
    }
    assert_int_equal(interrupted > 0, ways[w].interrupt);
    if (w == 0) assert_true(steps < 60); /* in common passes, not one after the other */
    close_bench(&b);
  }
}

static void a_common_beginning_is_stored_and_computed_once(void **state) {
  (void)state;
  bench b;
  const retort_engine_options o = small(256, 0);
  open_bench(&b, NULL, &o);
  retort_sequence *s[2] = {open_sequence(&b), open_sequence(&b)};
  int32_t prompt[260];
  for (int i = 0; i < 260; i++) prompt[i] = 4 + i * i % 50;
  answer a[2] = {0};
  retort_generate_options g;
  retort_generate_options_init(&g, sizeof g);
  g.max_tokens = 3;
  g.proof = 1;
  OK(retort_sequence_generate(s[0], prompt, 260, &g, &error));
  step_all(&b, s, a, 1, 0, false);
  assert_int_equal(info_of(&b).n_pages_used, 3);
  OK(retort_sequence_generate(s[1], prompt, 260, &g, &error));
  assert_int_equal(info_of(&b).n_pages_used, 3); /* all of them shared */
  step_all(&b, s + 1, a + 1, 1, 0, false);
  assert_int_equal(a[1].usage.cached_tokens, 259);
  assert_int_equal(info_of(&b).n_pages_used, 4); /* its last page is its own */
  expect_same(&a[0], &a[1]);
  retort_sequence_close(s[0]);
  assert_int_equal(info_of(&b).n_pages_used, 3);
  retort_sequence_close(s[1]);
  assert_int_equal(info_of(&b).n_pages_used, 0);
  close_bench(&b);
}

/* ---- forks, and what is saved ---- */

static void eval(retort_sequence *s, const int32_t *ids, size_t n, float *logits) {
  OK(retort_sequence_eval(s, ids, n, logits ? RETORT_LOGITS_LAST : RETORT_LOGITS_NONE, logits, &error));
}

static void a_fork_goes_its_own_way(void **state) {
  (void)state;
  bench b;
  const retort_engine_options o = small(64, 0);
  open_bench(&b, NULL, &o);
  int32_t one[160], two[160];
  for (int i = 0; i < 160; i++) one[i] = i * 7 % N_VOCAB, two[i] = i < 140 ? one[i] : i * 5 % N_VOCAB;
  float expected[2][N_VOCAB], found[2][N_VOCAB];
  retort_sequence *fresh = open_sequence(&b), *fork;
  eval(fresh, one, 160, expected[0]);
  OK(retort_sequence_truncate(fresh, 0, &error));
  eval(fresh, two, 160, expected[1]);
  retort_sequence_close(fresh);
  retort_sequence *s = open_sequence(&b);
  eval(s, one, 140, NULL);
  OK(retort_sequence_fork(s, &fork, &error));
  assert_int_equal(info_of(&b).n_pages_used, 2);
  eval(s, one + 140, 20, found[0]); /* into the page that both hold */
  eval(fork, two + 140, 20, found[1]);
  assert_memory_equal(expected, found, sizeof expected);
  assert_int_equal(info_of(&b).n_pages_used, 3);
  /* whoever is left last needs no copy; what the other wrote is gone with it */
  OK(retort_sequence_truncate(fork, 130, &error));
  retort_sequence_close(s);
  eval(fork, two + 130, 30, found[1]);
  assert_memory_equal(expected[1], found[1], sizeof found[1]);
  close_bench(&b); /* closes the fork too */
}

static void what_is_saved_comes_back(void **state) {
  (void)state;
  for (uint32_t kv = RETORT_KV_F16; kv <= RETORT_KV_Q8_0; kv++) {
    bench b;
    retort_engine_options o = small(64, 0);
    o.kv_type = kv;
    open_bench(&b, NULL, &o);
    int32_t ids[160];
    for (int i = 0; i < 160; i++) ids[i] = i * 7 % N_VOCAB;
    float expected[N_VOCAB], found[N_VOCAB];
    retort_sequence *s = open_sequence(&b);
    eval(s, ids, 140, NULL);
    size_t size = 0, empty = 0;
    assert_int_equal(retort_sequence_save(s, NULL, 0, &size, NULL), RETORT_ERROR_BUFFER);
    uint8_t *saved = malloc(size);
    OK(retort_sequence_save(s, saved, size, &empty, &error));
    assert_int_equal(size, empty);
    eval(s, ids + 140, 20, expected);
    retort_sequence *other = open_sequence(&b);
    eval(other, ids + 3, 30, NULL);
    OK(retort_sequence_restore(other, saved, size, &error));
    eval(other, ids + 140, 20, found);
    assert_memory_equal(expected, found, sizeof found);
    free(saved);
    close_bench(&b);
  }
}

/* One wrong byte anywhere, a wrong length, another model's, another kind's: refused, and the sequence has what it had. */
static void what_is_damaged_is_refused(void **state) {
  (void)state;
  bench b, other;
  counting memory = {0};
  const retort_platform platform = counting_platform(&memory);
  retort_engine_options o = small(64, 0);
  open_bench(&b, &platform, &o);
  int32_t ids[20];
  for (int i = 0; i < 20; i++) ids[i] = i * 7 % N_VOCAB;
  retort_sequence *s = open_sequence(&b), *into = open_sequence(&b);
  eval(s, ids, 20, NULL);
  size_t size = 0;
  retort_sequence_save(s, NULL, 0, &size, NULL);
  uint8_t *saved = malloc(size);
  OK(retort_sequence_save(s, saved, size, &size, &error));
  eval(into, ids + 2, 3, NULL);
  for (size_t at = 0; at < size; at += at < 200 || at + 100 > size ? 1 : 37) {
    saved[at] ^= (uint8_t)(1u << at % 8);
    assert_true(retort_sequence_restore(into, saved, size, NULL) < 0);
    saved[at] ^= (uint8_t)(1u << at % 8);
  }
  for (size_t cut = 1; cut <= size; cut += cut < 150 ? 1 : 101) {
    uint8_t *shorter = malloc(size - cut + 1); /* so that reading past its end is seen */
    memcpy(shorter, saved, size - cut);
    assert_true(retort_sequence_restore(into, shorter, size - cut, NULL) < 0);
    free(shorter);
  }
  /* the digest fits, but not what it covers */
  for (int k = 0; k < 3; k++) {
    static const uint32_t wrong[] = {0x7fffffff, N_VOCAB, 0xffffffff};
    uint8_t *forged = malloc(size);
    memcpy(forged, saved, size);
    memcpy(forged + (k == 0 ? 16 : 52), &wrong[k], 4); /* the number of positions; a token */
    rt_sha256 hash;
    rt_sha256_init_on(&hash, NULL);
    rt_sha256_update(&hash, forged, size - RT_SHA256_SIZE);
    rt_sha256_digest(&hash, forged + size - RT_SHA256_SIZE);
    assert_true(retort_sequence_restore(into, forged, size, NULL) < 0);
    free(forged);
  }
  assert_int_equal(into->n_past, 3);
  assert_memory_equal(into->tokens, ids + 2, 3 * sizeof *ids);
  o.model_digest = "another";
  open_bench(&other, NULL, &o);
  assert_int_equal(retort_sequence_restore(open_sequence(&other), saved, size, NULL), RETORT_ERROR_ARGUMENT);
  close_bench(&other);
  o = small(64, 0);
  o.kv_type = RETORT_KV_F32;
  open_bench(&other, NULL, &o);
  assert_int_equal(retort_sequence_restore(open_sequence(&other), saved, size, NULL), RETORT_ERROR_UNSUPPORTED);
  close_bench(&other);
  memory.fail_at = memory.calls + 1;
  assert_int_equal(retort_sequence_restore(into, saved, size, NULL), RETORT_ERROR_MEMORY);
  assert_int_equal(into->n_past, 3);
  free(saved);
  close_bench(&b);
  assert_int_equal(memory.live, 0);
}

/* ---- memory ---- */

static void a_further_sequence_costs_less_than_a_megabyte(void **state) {
  (void)state;
  bench b;
  retort_engine_options o = small(32, 0);
  o.n_ctx = 131072; /* nothing else of a model's shape enters: not its width, not its vocabulary */
  open_bench(&b, NULL, &o);
  const retort_engine_info before = info_of(&b);
  for (int i = 0; i < 32; i++) open_sequence(&b);
  const retort_engine_info after = info_of(&b);
  assert_int_equal(after.n_sequences, 32);
  assert_int_equal(after.work_bytes, before.work_bytes);
  assert_int_equal(after.n_pages_used, 0);
  assert_true(after.sequence_bytes / 32 < 1000000);
  close_bench(&b);
}

static void pages_are_bounded_and_given_back(void **state) {
  (void)state;
  bench b;
  retort_engine_options o = small(256, 0);
  o.n_positions = 5 * RT_ATTENTION_BLOCK;
  open_bench(&b, NULL, &o);
  int32_t ids[260];
  for (int i = 0; i < 260; i++) ids[i] = 4 + i * 3 % 50;
  retort_sequence *s[2] = {open_sequence(&b), open_sequence(&b)};
  retort_error why;
  eval(s[0], ids, 260, NULL);
  assert_int_equal(retort_sequence_eval(s[1], ids + 1, 259, RETORT_LOGITS_NONE, NULL, &why), RETORT_ERROR_MEMORY);
  assert_non_null(strstr(why.message, "5 pages"));
  assert_int_equal(s[1]->n_past, 0);
  assert_int_equal(info_of(&b).n_pages_used, 3);
  retort_generate_options g;
  retort_generate_options_init(&g, sizeof g);
  g.max_tokens = 4;
  g.proof = 1;
  OK(retort_sequence_generate(s[1], ids + 1, 259, &g, &error));
  size_t count;
  OK(retort_engine_step(b.engine, 0, &count, &error)); /* two pages full of the prompt */
  assert_int_equal(retort_engine_step(b.engine, 0, &count, &why), RETORT_ERROR_MEMORY);
  OK(retort_sequence_truncate(s[0], 128, &error));
  answer a = {0};
  step_all(&b, s + 1, &a, 1, 0, false);
  assert_int_equal(a.n, 4);
  close_bench(&b);
}

static void refused_memory_is_reported(void **state) {
  (void)state;
  for (size_t k = 1;; k++) {
    counting memory = {0};
    const retort_platform platform = counting_platform(&memory);
    const retort_engine_options o = small(16, 2);
    bench b;
    open_bench(&b, NULL, &o);
    retort_engine_close(b.engine);
    b.engine = NULL;
    memory.fail_at = k;
    retort_status status = retort_engine_open(&platform, b.model, b.vocab, &o, &b.engine, NULL);
    retort_sequence *s[2] = {NULL, NULL};
    answer a;
    const retort_generate_options g = question(&a, 1);
    if (!status) status = retort_sequence_open(b.engine, &s[0], NULL);
    if (!status) status = retort_sequence_generate(s[0], a.prompt, a.n_prompt, &g, NULL);
    size_t count = 1, failed = 0;
    while (!status && count) {
      status = retort_engine_step(b.engine, 0, &count, NULL);
      for (size_t i = 0; i < count && !status; i++) {
        retort_event e = {.struct_size = sizeof e};
        failed += retort_engine_get_event(b.engine, i, &s[1], &e, NULL) == RETORT_ERROR_MEMORY;
      }
    }
    if (!status) status = retort_sequence_fork(s[0], &s[1], NULL);
    close_bench(&b);
    assert_int_equal(memory.live, 0);
    if (memory.calls < k) {
      assert_int_equal(status, RETORT_OK);
      break;
    }
    assert_true(status == RETORT_ERROR_MEMORY || failed);
  }
}

static void misuse_is_refused(void **state) {
  (void)state;
  bench b, other;
  const retort_engine_options o = small(16, 2);
  open_bench(&b, NULL, &o);
  open_bench(&other, NULL, &o);
  retort_sequence *s = open_sequence(&b), *foreign = open_sequence(&other), *none;
  const int32_t ids[3] = {1, 2, 3};
  retort_event e = {.struct_size = sizeof e};
  retort_eval evals[2] = {{.struct_size = sizeof *evals, .sequence = s, .ids = ids, .count = 3},
                          {.struct_size = sizeof *evals, .sequence = foreign, .ids = ids, .count = 3}};
  assert_int_equal(retort_engine_eval(b.engine, evals, 2, NULL), RETORT_ERROR_ARGUMENT);
  evals[1].sequence = s;
  assert_int_equal(retort_engine_eval(b.engine, evals, 2, NULL), RETORT_ERROR_ARGUMENT);
  assert_int_equal(s->n_past, 0);
  assert_int_equal(retort_engine_get_event(b.engine, 0, &none, &e, NULL), RETORT_ERROR_ARGUMENT);
  assert_int_equal(retort_sequence_truncate(s, 1, NULL), RETORT_ERROR_ARGUMENT);
  assert_int_equal(retort_sequence_open(NULL, &none, NULL), RETORT_ERROR_ARGUMENT);
  assert_int_equal(retort_sequence_restore(s, NULL, 0, NULL), RETORT_ERROR_ARGUMENT);
  retort_sequence_interrupt(NULL);
  retort_sequence_close(NULL);
  retort_engine_close(NULL);
  close_bench(&b);
  close_bench(&other);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(answers_together_are_those_alone),
      cmocka_unit_test(a_common_beginning_is_stored_and_computed_once),
      cmocka_unit_test(a_fork_goes_its_own_way),
      cmocka_unit_test(what_is_saved_comes_back),
      cmocka_unit_test(what_is_damaged_is_refused),
      cmocka_unit_test(a_further_sequence_costs_less_than_a_megabyte),
      cmocka_unit_test(pages_are_bounded_and_given_back),
      cmocka_unit_test(refused_memory_is_reported),
      cmocka_unit_test(misuse_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
