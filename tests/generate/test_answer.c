/* test_answer.c - answers of small random models with everything real below them: what is in the cache, how steps and batches are cut and
 * who asks changes no bit, and the proof can be checked by evaluating the answer afterwards.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tiny_model.h"

enum { N_VOCAB = 64, MAX_IDS = 100 };

static void put_vocabulary(rt_gguf_writer *w) {
  static char names[N_VOCAB][12];
  rt_string tokens[N_VOCAB];
  int32_t types[N_VOCAB];
  for (int i = 0; i < N_VOCAB; i++) {
    types[i] = i < 4 ? 3 : i == N_VOCAB - 1 ? 5 : 1; /* control, unused, normal */
    if (i >= 4 && i < N_VOCAB - 1) snprintf(names[i], sizeof names[i], "%c", 'A' + i - 4);
    else snprintf(names[i], sizeof names[i], "<t%d>", i);
    tokens[i] = (rt_string){names[i], strlen(names[i])};
  }
  tokens[2] = (rt_string){"<think>", 7};
  tokens[3] = (rt_string){"</think>", 8};
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
} bench;

#define OK(call)                                                \
  do {                                                          \
    retort_error error;                                         \
    if (call) fail_msg("line %d: %s", __LINE__, error.message); \
  } while (0)

static void open_bench(bench *b, const char *arch, uint32_t type) {
  *b = (bench){.tiny = {.arch = arch,
                        .type = type,
                        .n_layers = 2,
                        .n_embd = 256,
                        .n_ff = 256,
                        .n_heads = 4,
                        .n_kv_heads = 2,
                        .head_dim = 64,
                        .n_vocab = N_VOCAB,
                        .more_keys = put_vocabulary}};
  OK(tiny_model_build(&b->tiny, &error));
  OK(retort_gguf_open(NULL, &b->tiny.file, 1, 0, &b->gguf, &error));
  OK(retort_vocab_open(NULL, b->gguf, &b->vocab, &error));
  OK(retort_model_open(NULL, b->gguf, NULL, &b->model, &error));
}

static void close_bench(bench *b) {
  retort_model_close(b->model);
  retort_vocab_close(b->vocab);
  retort_gguf_close(b->gguf);
  tiny_model_close(&b->tiny);
}

static retort_session *open_session(const bench *b, uint32_t n_batch) {
  retort_session *s = NULL;
  retort_session_options o;
  retort_session_options_init(&o, sizeof o);
  o.n_ctx = 128;
  o.n_batch = n_batch;
  OK(retort_session_open(NULL, b->model, b->vocab, &o, &s, &error));
  return s;
}

typedef struct answer {
  int32_t ids[MAX_IDS];
  size_t n;
  int finish, reasoning;
  uint32_t cached;
  char proof[65];
} answer;

static answer ask(retort_session *s, const int32_t *prompt, size_t n, uint32_t work, uint64_t seed) {
  answer a = {.n = 0};
  retort_generate_options o;
  retort_generate_options_init(&o, sizeof o);
  o.seed = seed;
  o.max_tokens = 40;
  o.proof = 1;
  o.thinking_budget = 7;
  o.temperature = 1.5f;
  OK(retort_generate_begin(s, prompt, n, &o, &error));
  for (;;) {
    retort_event e = {.struct_size = sizeof e};
    OK(retort_step(s, work, &e, &error));
    a.reasoning += e.section == RETORT_SECTION_REASONING ? (int)e.text_size : 0;
    if (e.kind == RETORT_EVENT_TOKEN) a.ids[a.n++] = e.token;
    a.finish = e.finish;
    if (e.kind == RETORT_EVENT_END) break;
  }
  retort_usage u = {.struct_size = sizeof u};
  OK(retort_session_get_usage(s, &u, &error));
  OK(retort_session_get_proof(s, a.proof, &error));
  a.cached = u.cached_tokens;
  return a;
}

static void expect_same(const answer *a, const answer *b) {
  assert_int_equal(a->n, b->n);
  assert_memory_equal(a->ids, b->ids, a->n * sizeof *a->ids);
  assert_int_equal(a->finish, b->finish);
  assert_string_equal(a->proof, b->proof);
}

static void answers_do_not_depend_on_the_cache_or_the_cuts(void **state) {
  (void)state;
  static const struct {
    const char *arch;
    uint32_t type;
  } cases[] = {{"llama", RT_F32}, {"qwen2", RT_Q4_K}, {"qwen3", RT_Q8_0}};
  for (size_t k = 0; k < RT_COUNT(cases); k++) {
    bench b;
    open_bench(&b, cases[k].arch, cases[k].type);
    int32_t prompt[90] = {0, 9, 8, 7, 33, 5, 40, 41, 42, 0, 2};
    retort_session *first = open_session(&b, 32);
    /* a seed with which the model thinks until the budget ends it, and not a second time */
    uint64_t seed = 0;
    answer turn1;
    do {
      assert_true(++seed < 50);
      turn1 = ask(first, prompt, 11, 0, seed);
    } while (turn1.n < 20 || turn1.reasoning != 7 || turn1.ids[7] != 3);
    /* the next turn repeats the answer and goes on */
    size_t n = 11;
    for (size_t i = 0; i < turn1.n; i++) prompt[n++] = turn1.ids[i];
    prompt[n++] = 1;
    prompt[n++] = 12;
    answer turn2 = ask(first, prompt, n, 0, 77);
    assert_true(turn2.cached >= 11 + turn1.n - 1);
    for (uint32_t n_batch = 1; n_batch < 100; n_batch = 3 * n_batch + 1)
      for (uint32_t work = 0; work < 12; work += 5) {
        retort_session *s = open_session(&b, n_batch);
        answer again = ask(s, prompt, n, work, 77);
        assert_int_equal(again.cached, 0);
        expect_same(&turn2, &again);
        answer back = ask(s, prompt, 11, work, seed);
        assert_int_equal(back.cached, 10);
        expect_same(&turn1, &back);
        retort_session_close(s);
      }
    retort_session_close(first);
    close_bench(&b);
  }
}

static void the_proof_can_be_checked_afterwards(void **state) {
  (void)state;
  bench b;
  open_bench(&b, "qwen2", RT_Q4_0);
  int32_t ids[11 + MAX_IDS] = {0, 9, 8, 7, 33, 5, 40, 41, 42, 0, 2};
  retort_session *s = open_session(&b, 16);
  answer a = ask(s, ids, 11, 4, 5);
  memcpy(ids + 11, a.ids, a.n * sizeof *ids);
  /* the position after the last token counts when the model ended its turn there */
  size_t n = 11 + a.n - (a.finish == RETORT_FINISH_STOP ? 0 : 1);
  float *logits = malloc(n * N_VOCAB * sizeof *logits);
  OK(retort_session_truncate(s, 0, &error));
  OK(retort_session_eval(s, ids, n, RETORT_LOGITS_ALL, logits, &error));
  char hex[65];
  retort_sha256_hex(logits + 10 * N_VOCAB, (n - 10) * N_VOCAB * sizeof *logits, hex);
  assert_string_equal(hex, a.proof);
  free(logits);
  retort_session_close(s);
  close_bench(&b);
}

/* ---- interruption ---- */

/* A platform that interrupts a session when so many more parallel regions have begun. */
typedef struct interrupter {
  retort_session *session;
  int left;
} interrupter;
static void countdown(void *user, void (*work)(void *, unsigned, unsigned), void *arg) {
  interrupter *i = user;
  if (i->left-- == 0) retort_session_interrupt(i->session);
  for (unsigned worker = 0; worker < 2; worker++) work(arg, worker, 2);
}

/* Takes the answer that has begun to its end, over all interruptions; gives back how many there were. */
static int finish_interrupted(retort_session *s, answer *found) {
  int stops = 0;
  *found = (answer){.n = 0};
  for (;;) {
    retort_event e = {.struct_size = sizeof e};
    retort_session_info before = {.struct_size = sizeof before}, after = before;
    retort_error failure;
    OK(retort_session_get_info(s, &before, &error));
    retort_status status = retort_step(s, 0, &e, &failure);
    if (status) {
      OK(retort_session_get_info(s, &after, &error));
      assert_int_equal(status, RETORT_ERROR_INTERRUPTED);
      assert_int_equal(before.n_past, after.n_past);
      stops++;
      continue;
    }
    if (e.kind == RETORT_EVENT_TOKEN) found->ids[found->n++] = e.token;
    found->finish = e.finish;
    if (e.kind == RETORT_EVENT_END) break;
  }
  OK(retort_session_get_proof(s, found->proof, &error));
  return stops;
}

static void an_interrupted_call_has_changed_nothing(void **state) {
  (void)state;
  bench b;
  open_bench(&b, "llama", RT_Q4_0);
  const int32_t prompt[20] = {0, 9, 8, 7, 33, 5, 40, 9, 8, 7, 33, 5, 40, 9, 8, 7, 33, 5, 40, 2};
  int stops = 0;
  interrupter at_work = {.left = -1};
  const retort_platform platform = {.struct_size = sizeof platform, .user = &at_work, .parallel = countdown, .workers = 2};
  retort_session_options so;
  retort_session_options_init(&so, sizeof so);
  so.n_batch = 8;
  for (int32_t draft = 0; draft < 8; draft += 7) {
    retort_session *plain = open_session(&b, 8), *s;
    answer expected = ask(plain, prompt, 20, 0, 3);
    OK(retort_session_open(&platform, b.model, b.vocab, &so, &s, &error));
    at_work.session = s;
    /* at different layers of different steps */
    for (int at = 0; at < 60; at += 3) {
      retort_generate_options o;
      retort_generate_options_init(&o, sizeof o);
      o.seed = 3;
      o.max_tokens = 40;
      o.proof = 1;
      o.thinking_budget = 7;
      o.temperature = 1.5f;
      o.draft = draft;
      OK(retort_session_truncate(s, 0, &error));
      OK(retort_generate_begin(s, prompt, 20, &o, &error));
      at_work.left = at;
      answer found;
      stops += finish_interrupted(s, &found);
      expect_same(&expected, &found);
    }
    /* in the second batch of one call */
    at_work.left = 20;
    OK(retort_session_truncate(s, 0, &error));
    retort_error failure;
    assert_int_equal(retort_session_eval(s, prompt, 20, RETORT_LOGITS_NONE, NULL, &failure), RETORT_ERROR_INTERRUPTED);
    retort_session_info info = {.struct_size = sizeof info};
    OK(retort_session_get_info(s, &info, &error));
    assert_int_equal(info.n_past, 0);
    retort_session_close(s);
    retort_session_close(plain);
  }
  assert_int_equal(stops, 2 * 20);
  close_bench(&b);
}

/* Asked for between two calls it ends the next that computes, once; what begins afterwards does not know of it. */
static void an_interruption_waits_for_a_call(void **state) {
  (void)state;
  bench b;
  open_bench(&b, "llama", RT_Q4_0);
  const int32_t prompt[3] = {9, 8, 7};
  retort_session *s = open_session(&b, 8);
  retort_event e = {.struct_size = sizeof e};
  OK(retort_generate_begin(s, prompt, 3, NULL, &error));
  retort_session_interrupt(s);
  assert_int_equal(retort_step(s, 0, &e, NULL), RETORT_ERROR_INTERRUPTED);
  OK(retort_step(s, 0, &e, &error));
  retort_session_interrupt(s);
  OK(retort_generate_begin(s, prompt, 3, NULL, &error));
  OK(retort_step(s, 0, &e, &error));
  retort_session_interrupt(NULL);
  retort_session_close(s);
  close_bench(&b);
}

/* ---- drafting ---- */

typedef struct talk { /* all that can be seen of an answer */
  int32_t ids[130];
  uint32_t past[130]; /* positions in the session after each step */
  char text[400];
  size_t n, n_steps;
  int finish;
  retort_usage usage;
  char proof[65];
} talk;

/* `meddle`: the caller tries a token of his own after each step, and takes it back. */
static void talk_to(retort_session *s, const int32_t *prompt, size_t n, const retort_generate_options *o, size_t steps, uint32_t work,
                    bool meddle, talk *t) {
  *t = (talk){.usage.struct_size = sizeof t->usage};
  OK(retort_generate_begin(s, prompt, n, o, &error));
  for (bool reading = true; t->n_steps < steps;) {
    retort_event e = {.struct_size = sizeof e};
    retort_session_info info = {.struct_size = sizeof info};
    OK(retort_step(s, reading ? 0 : work, &e, &error));
    if (e.prompt_done < e.prompt_total) continue;
    reading = false;
    OK(retort_session_get_info(s, &info, &error));
    t->past[t->n_steps++] = info.n_past;
    if (meddle && info.n_past < info.n_ctx) {
      OK(retort_session_eval(s, (const int32_t[]){5}, 1, RETORT_LOGITS_NONE, NULL, &error));
      OK(retort_session_truncate(s, info.n_past, &error));
    }
    strcat(t->text, e.text);
    if (e.section == RETORT_SECTION_REASONING) strcat(t->text, "|");
    if (e.kind == RETORT_EVENT_TOKEN) t->ids[t->n++] = e.token;
    if (e.kind == RETORT_EVENT_END) {
      t->finish = e.finish;
      break;
    }
  }
  OK(retort_session_get_usage(s, &t->usage, &error));
  OK(retort_session_get_proof(s, t->proof, &error));
}

static void expect_same_talk(const talk *plain, talk drafted, uint32_t seen[2]) {
  seen[0] += drafted.usage.drafted_tokens - drafted.usage.accepted_tokens;
  seen[1] += drafted.usage.accepted_tokens;
  drafted.usage.drafted_tokens = drafted.usage.accepted_tokens = 0;
  assert_memory_equal(plain, &drafted, sizeof drafted);
}

/* How answers are asked for while drafts are compared with none. */
typedef struct way {
  float temperature, penalty;
  int32_t budget;
  uint32_t max_tokens;
  size_t n_stop, steps, prompt;
} way;
static const way WAYS[] = {{0, 1, -1, 60, 0, 1000, 11},    {0, 1.3f, -1, 60, 0, 1000, 11}, {0.3f, 1, 7, 60, 0, 1000, 11},
                           {0.3f, 1, -1, 0, 0, 1000, 11},  {0.3f, 1, -1, 60, 2, 1000, 10}, {0, 1, 5, 0, 0, 23, 11},
                           {1.5f, 1, -1, 60, 0, 1000, 11}, {0.6f, 1, 3, 17, 2, 1000, 11}};

static retort_generate_options options_of(const way *w, uint64_t seed) {
  static const char *const stop[] = {"AB", "Q"};
  retort_generate_options o;
  retort_generate_options_init(&o, sizeof o);
  o.temperature = w->temperature;
  o.repetition_penalty = w->penalty;
  o.thinking_budget = w->budget;
  o.max_tokens = w->max_tokens;
  o.stop = stop;
  o.n_stop = w->n_stop;
  o.seed = seed;
  o.proof = 1;
  return o;
}

static void drafting_changes_nothing(void **state) {
  (void)state;
  static const struct {
    const char *arch;
    uint32_t type;
  } cases[] = {{"llama", RT_F32}, {"qwen2", RT_Q4_K}, {"qwen3", RT_Q4_0}};
  static const int32_t drafts[] = {-1, 1, 3, 15};
  const int32_t prompt[11] = {0, 9, 8, 7, 33, 5, 40, 9, 8, 7, 2};
  for (size_t k = 0; k < RT_COUNT(cases); k++) {
    bench b;
    uint32_t seen[2] = {0}; /* wrong and right drafts */
    open_bench(&b, cases[k].arch, cases[k].type);
    retort_session *plain = open_session(&b, 32), *with = open_session(&b, 32), *narrow = open_session(&b, 3);
    for (size_t w = 0; w < RT_COUNT(WAYS); w++)
      for (uint64_t seed = 1; seed < 4; seed++) {
        retort_generate_options o = options_of(&WAYS[w], seed);
        talk expected, found;
        for (size_t i = 0; i < RT_COUNT(drafts); i++) {
          OK(retort_session_truncate(plain, 0, &error));
          OK(retort_session_truncate(with, 0, &error));
          OK(retort_session_truncate(narrow, 0, &error));
          o.draft = 0;
          talk_to(plain, prompt, WAYS[w].prompt, &o, WAYS[w].steps, 0, false, &expected);
          assert_int_equal(expected.usage.drafted_tokens, 0);
          o.draft = drafts[i];
          talk_to(with, prompt, WAYS[w].prompt, &o, WAYS[w].steps, 0, drafts[i] == 3, &found);
          expect_same_talk(&expected, found, seen);
          talk_to(narrow, prompt, WAYS[w].prompt, &o, WAYS[w].steps, i % 2 ? 0 : 2, false, &found);
          expect_same_talk(&expected, found, seen);
          /* what an answer, finished or left in the middle, leaves in the cache is the same too */
          int32_t next[140] = {0};
          memcpy(next, prompt, sizeof prompt);
          size_t n = WAYS[w].prompt + (expected.n > 100 ? 100 : expected.n);
          memcpy(next + WAYS[w].prompt, expected.ids, (n - WAYS[w].prompt) * sizeof *next);
          next[n++] = 12;
          talk_to(with, next, n, &o, 5, 0, false, &found);
          o.draft = 0;
          talk_to(plain, next, n, &o, 5, 0, false, &expected);
          expect_same_talk(&expected, found, seen);
        }
      }
    assert_true(seen[0] > 100 && seen[1] > 100);
    retort_session_close(plain);
    retort_session_close(with);
    retort_session_close(narrow);
    close_bench(&b);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(answers_do_not_depend_on_the_cache_or_the_cuts),
      cmocka_unit_test(the_proof_can_be_checked_afterwards),
      cmocka_unit_test(an_interrupted_call_has_changed_nothing),
      cmocka_unit_test(an_interruption_waits_for_a_call),
      cmocka_unit_test(drafting_changes_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
