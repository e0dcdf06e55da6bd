/* test_generate.c - answers from a model that says what a script tells it: sections, budgets, stop strings, ends, reuse, proof.
 *
 * The model's architecture is a table of functions here, and the vocabulary's functions are defined here, so that the linker takes these.
 * The keys in the pages are the tokens, and the logits of a position are noise from a hash of all of them, so that any wrong history shows,
 * with the script's token far above the rest.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/sha256.h"
#include "base/utf8.h"
#include "counting.h"
#include "generate/session.h"
#include "text/vocab.h"

/* ---- the vocabulary ---- */

enum {
  BOS,
  EOS,
  OPEN,
  CLOSE,
  USER,
  ASSISTANT,
  UNUSED_TOKEN,
  FIRST_TEXT,
  A = FIRST_TEXT,
  B,
  SPACE,
  NL,
  NL2,
  E2,
  X82,
  XAC,
  LT_TH,
  INK_GT,
  LT_SLASH,
  THINK_GT,
  HELLO,
  STO,
  P_BANG,
  LT,
  MIXED,
  S,
  XFF,
  LONG,
  N_TOKENS,
  N_VOCAB = N_TOKENS + 4 /* padded rows of the output matrix */
};
static const char *const pieces[N_TOKENS] = {
    [BOS] = "<s>",
    [EOS] = "</s>",
    [OPEN] = "<think>",
    [CLOSE] = "</think>",
    [USER] = "<user>",
    [ASSISTANT] = "<assistant>",
    [UNUSED_TOKEN] = "",
    [A] = "a",
    [B] = "b",
    [SPACE] = " ",
    [NL] = "\n",
    [NL2] = "\n\n",
    [E2] = "\xE2",
    [X82] = "\x82",
    [XAC] = "\xAC",
    [LT_TH] = "<th",
    [INK_GT] = "ink>",
    [LT_SLASH] = "</",
    [THINK_GT] = "think>",
    [HELLO] = "hello",
    [STO] = "STO",
    [P_BANG] = "P!",
    [LT] = "<",
    [MIXED] = "x</think>y",
    [S] = "S",
    [XFF] = "\xFF",
    [LONG] =
        "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
        "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
        "0123456789012345678901234567890123456789"};

struct retort_vocab {
  bool think_tokens;
  const char *chat_template;
};

retort_status retort_vocab_get_info(const retort_vocab *vocab, retort_vocab_info *info, retort_error *error) {
  (void)error;
  *info = (retort_vocab_info){.struct_size = sizeof *info,
                              .n_tokens = N_TOKENS,
                              .bos = BOS,
                              .eos = EOS,
                              .chat_template = vocab->chat_template,
                              .think_begin = vocab->think_tokens ? OPEN : -1,
                              .think_end = vocab->think_tokens ? CLOSE : -1};
  return RETORT_OK;
}
retort_status retort_detokenize(const retort_vocab *vocab, const int32_t *ids, size_t count, uint32_t flags, char *buffer, size_t capacity,
                                size_t *size, retort_error *error) {
  (void)vocab;
  assert_int_equal(count, 1);
  if (ids[0] >= N_TOKENS) return rt_fail(error, RETORT_ERROR_ARGUMENT, "no such token");
  bool control = ids[0] == BOS || ids[0] == EOS || ids[0] == USER || ids[0] == ASSISTANT;
  *size = control && !(flags & RETORT_TOKENIZE_SPECIAL) ? 0 : strlen(pieces[ids[0]]);
  memcpy(buffer, pieces[ids[0]], *size < capacity ? *size : capacity);
  return *size > capacity ? rt_fail(error, RETORT_ERROR_BUFFER, "small") : RETORT_OK;
}
int retort_is_end_of_generation(const retort_vocab *vocab, int32_t id) { return vocab && id == EOS; }
bool rt_vocab_is_unused(const retort_vocab *vocab, int32_t id) { return !vocab || id == UNUSED_TOKEN || id >= N_TOKENS; }
retort_status retort_tokenize(const retort_vocab *vocab, const char *text, size_t size, uint32_t flags, int32_t *ids, size_t capacity,
                              size_t *count, retort_error *error) {
  (void)vocab, (void)flags, (void)error;
  assert_true(capacity >= 2);
  if (strncmp(text, "\n\nConsidering the limited time", 30) == 0) {
    assert_int_equal(text[size - 1], '\n');
    ids[0] = B;
    ids[1] = SPACE;
  } else {
    assert_true(size == 8 && !memcmp(text, "</think>", 8));
    ids[0] = LT_SLASH;
    ids[1] = THINK_GT;
  }
  *count = 2;
  return RETORT_OK;
}

/* ---- the model ---- */

enum { N_CTX = 64 };
static const int32_t *script; /* what the model says; after it, EOS */
static size_t script_size, prompt_size;
static size_t computed;   /* positions computed since it was set to 0 */
static size_t calls;      /* and in how many batches */
static size_t damaged_at; /* position whose logits are no numbers; 0: none */

static void fill_logits(const int32_t *tokens, uint32_t n, float *logits) {
  uint64_t h = 1469598103934665603u;
  for (uint32_t i = 0; i < n; i++) h = (h ^ (uint64_t)(uint32_t)tokens[i]) * 1099511628211u;
  for (uint32_t i = 0; i < N_VOCAB; i++) {
    h = h * 6364136223846793005u + 1442695040888963407u;
    logits[i] = (float)(h >> 40) * 0x1p-24f;
  }
  logits[UNUSED_TOKEN] = logits[N_VOCAB - 1] = 1000; /* must never be taken */
  size_t at = n - prompt_size;
  if (script) logits[at < script_size ? script[at] : EOS] = 100;
  if (damaged_at && n == damaged_at) logits[3] = logits[3] / 0.0f - logits[3] / 0.0f;
}

static uint8_t *key_of(const rt_kv_table *cache, uint32_t position) {
  return cache->pages[position / RT_ATTENTION_BLOCK] + position % RT_ATTENTION_BLOCK * cache->pool->layout.k.row_bytes;
}

static void (*during)(void); /* called in each pass */

static bool forward(const retort_model *model, rt_work *work, const rt_row *rows, uint32_t n, float *logits) {
  (void)model;
  assert_true(n > 0 && n <= work->n_batch);
  computed += n;
  calls++;
  if (during) during();
  for (uint32_t i = 0; i < n; i++) {
    int32_t tokens[N_CTX];
    assert_true(rows[i].position < N_CTX);
    memcpy(key_of(rows[i].cache, rows[i].position), &rows[i].token, 4);
    for (uint32_t k = 0; k <= rows[i].position; k++) memcpy(&tokens[k], key_of(rows[i].cache, k), 4);
    if (!rows[i].wanted) continue;
    fill_logits(tokens, rows[i].position + 1, logits);
    logits += N_VOCAB;
  }
  for (uint32_t i = 0; i < n; i++)
    if (!atomic_load(rows[i].given_up)) return true;
  return false;
}
static rt_kv_shape kv_shape(const rt_hparams *h) {
  (void)h;
  return (rt_kv_shape){.n_layers = 1, .n_heads = 1, .k_dim = 4, .v_dim = 4};
}
static void place(const retort_model *model, uint32_t n_ctx, rt_work *work, rt_layout *at) {
  (void)model, (void)n_ctx, (void)work, (void)at;
}
static const rt_family family = {.kv_shape = kv_shape, .place = place, .forward = forward};
static const rt_architecture architecture = {.name = "scripted", .family = &family}, qwen3 = {.name = "qwen3", .family = &family};

/* ---- running ---- */

typedef struct bench {
  counting counting;
  retort_platform platform;
  retort_model model;
  retort_vocab vocab;
  bool no_vocab;
  retort_session *session;
  retort_generate_options options;
  uint32_t work;
  /* what came out */
  char reasoning[1000], answer[1000], forced[N_CTX + 1];
  int32_t ids[N_CTX + 1];
  size_t n_ids;
  int finish;
  retort_usage usage;
} bench;

static void open_bench(bench *b, bool think_tokens) {
  memset(b, 0, sizeof *b);
  b->platform = counting_platform(&b->counting);
  b->model.hparams.n_vocab = N_VOCAB;
  assert_int_equal(rt_kernels_select(NULL, "portable", &b->model.kernels, NULL), RETORT_OK);
  b->vocab.think_tokens = think_tokens;
  static const float norm = 1;
  b->model.hparams.n_ctx_train = N_CTX;
  b->model.hparams.architecture = &architecture;
  b->model.hparams.n_embd = 1;
  b->model.output_norm = &norm;
  retort_generate_options_init(&b->options, sizeof b->options);
  b->options.temperature = 0;
  damaged_at = 0;
}
static retort_status open_session(bench *b, retort_error *error) {
  const retort_session_options o = {.struct_size = sizeof o, .n_batch = 4, .kv_type = RETORT_KV_F32};
  return retort_session_open(&b->platform, &b->model, b->no_vocab ? NULL : &b->vocab, &o, &b->session, error);
}
static void close_bench(bench *b) {
  retort_session_close(b->session);
  assert_int_equal(b->counting.live, 0);
}

static retort_status run(bench *b, const int32_t *prompt, size_t n_prompt, const int32_t *says, size_t n_says, retort_error *error) {
  retort_status status = b->session ? RETORT_OK : open_session(b, error);
  if (status) return status;
  script = says;
  script_size = n_says;
  prompt_size = n_prompt;
  b->n_ids = 0;
  b->reasoning[0] = b->answer[0] = 0;
  memset(b->forced, 0, sizeof b->forced);
  status = retort_generate_begin(b->session, prompt, n_prompt, &b->options, error);
  uint32_t done = 0;
  for (;;) {
    retort_event e = {.struct_size = sizeof e};
    if (status || (status = retort_step(b->session, b->work, &e, error))) return status;
    assert_int_equal(strlen(e.text), e.text_size);
    assert_true(rt_utf8_valid((const uint8_t *)e.text, e.text_size));
    assert_int_equal(e.prompt_total, n_prompt);
    if (e.retracted) {
      snprintf(b->reasoning, sizeof b->reasoning, "%s", b->answer); /* there was none before */
      b->answer[0] = 0;
    }
    strcat(e.section == RETORT_SECTION_REASONING ? b->reasoning : b->answer, e.text);
    const float *logits;
    uint32_t n_logits;
    assert_int_equal(retort_session_get_logits(b->session, &logits, &n_logits, error),
                     e.kind == RETORT_EVENT_TOKEN ? RETORT_OK : RETORT_ERROR_ARGUMENT);
    if (e.kind == RETORT_EVENT_TOKEN && b->options.repetition_penalty == 1) { /* a penalty would have changed them */
      float expected[N_VOCAB];
      fill_logits(b->session->sequence->tokens, b->session->sequence->n_past, expected);
      assert_int_equal(n_logits, N_VOCAB);
      assert_memory_equal(logits, expected, sizeof expected);
    }
    if (e.kind == RETORT_EVENT_PROMPT) {
      assert_true(e.prompt_done > done && e.prompt_done <= n_prompt && e.token == -1);
      done = e.prompt_done;
      continue;
    }
    assert_int_equal(e.prompt_done, n_prompt);
    b->usage.struct_size = sizeof b->usage;
    assert_int_equal(retort_session_get_usage(b->session, &b->usage, error), RETORT_OK);
    assert_int_equal(b->usage.prompt_tokens, n_prompt);
    if (e.kind == RETORT_EVENT_END) {
      assert_int_equal(e.token, -1);
      b->finish = e.finish;
      assert_int_equal(b->usage.completion_tokens, b->n_ids);
      assert_int_equal(retort_step(b->session, 0, &e, error), RETORT_ERROR_ARGUMENT);
      return RETORT_OK;
    }
    assert_int_equal(e.finish, RETORT_FINISH_NONE);
    b->forced[b->n_ids] = e.forced ? 'F' : '.';
    b->ids[b->n_ids++] = e.token;
  }
}

#define IDS(...) (const int32_t[]){__VA_ARGS__}, sizeof((const int32_t[]){__VA_ARGS__}) / sizeof(int32_t)

#define EXPECT(b, prompt, says, reasoning_, answer_, finish_)                                                            \
  do {                                                                                                                   \
    retort_error failure;                                                                                                \
    if (run(b, prompt, says, &failure)) fail_msg("%s", failure.message);                                                 \
    if (strcmp((b)->reasoning, reasoning_) || strcmp((b)->answer, answer_) || (b)->finish != RETORT_FINISH_##finish_)    \
      fail_msg("line %d: reasoning \"%s\" answer \"%s\" finish %d", __LINE__, (b)->reasoning, (b)->answer, (b)->finish); \
  } while (0)

/* ---- tests ---- */

static void a_plain_answer(void **state) {
  (void)state;
  for (int tokens = 0; tokens < 2; tokens++) {
    bench b;
    open_bench(&b, tokens);
    EXPECT(&b, IDS(BOS, USER, A, ASSISTANT), IDS(SPACE, HELLO, NL, B, NL), "", " hello\nb\n", STOP);
    assert_int_equal(b.n_ids, 5);
    assert_string_equal(b.forced, ".....");
    EXPECT(&b, IDS(BOS), IDS(E2, X82, XAC, A, XFF, E2, X82, B, E2), "",
           "\xE2\x82\xAC"
           "a\xEF\xBF\xBD\xEF\xBF\xBD"
           "b\xEF\xBF\xBD",
           STOP);
    EXPECT(&b, IDS(BOS), IDS(LONG), "", pieces[LONG], STOP);
    retort_session_truncate(b.session, 0, NULL);
    EXPECT(&b, IDS(BOS), IDS(EOS), "", "", STOP);
    close_bench(&b);
  }
}

static void reasoning_with_single_tokens(void **state) {
  (void)state;
  bench b;
  open_bench(&b, true);
  /* opened by the prompt, by the model, not at all, empty, cut off */
  EXPECT(&b, IDS(BOS, ASSISTANT, OPEN, NL), IDS(NL, A, NL2, CLOSE, NL2, B), "a", "b", STOP);
  assert_int_equal(b.usage.reasoning_tokens, 3);
  EXPECT(&b, IDS(BOS, ASSISTANT), IDS(OPEN, NL, A, SPACE, B, NL, CLOSE, NL2, B), "a b", "b", STOP);
  assert_int_equal(b.usage.reasoning_tokens, 5);
  EXPECT(&b, IDS(BOS, ASSISTANT), IDS(A, B), "", "ab", STOP);
  EXPECT(&b, IDS(BOS, ASSISTANT), IDS(OPEN, NL2, CLOSE, NL2, B), "", "b", STOP);
  EXPECT(&b, IDS(BOS, ASSISTANT, OPEN, NL2, CLOSE, NL2), IDS(NL, B), "", "b", STOP);
  EXPECT(&b, IDS(BOS, ASSISTANT, OPEN), IDS(A, NL, E2), "a\n\xEF\xBF\xBD", "", REASONING);
  EXPECT(&b, IDS(BOS, ASSISTANT, OPEN), IDS(A, NL), "a", "", REASONING);
  /* a tag that the user wrote stands before the control token and opens nothing */
  EXPECT(&b, IDS(BOS, USER, OPEN, A, ASSISTANT), IDS(B), "", "b", STOP);
  /* the text of a tag is no tag where there is a token for it */
  EXPECT(&b, IDS(BOS, ASSISTANT), IDS(LT_TH, INK_GT, B), "", "<think>b", STOP);
  /* thinking a second time */
  EXPECT(&b, IDS(BOS, ASSISTANT, OPEN), IDS(A, CLOSE, B, OPEN, A, CLOSE, B), "aa", "bb", STOP);
  close_bench(&b);
}

/* What was given out as the answer is told to have been reasoning; what had not come out yet comes out as that. */
static void a_closing_tag_alone(void **state) {
  (void)state;
  bench b;
  open_bench(&b, true);
  EXPECT(&b, IDS(BOS, ASSISTANT), IDS(A, B, NL, CLOSE, NL2, HELLO, CLOSE, B), "ab\n", "hellob", STOP);
  assert_int_equal(b.usage.reasoning_tokens, 3);
  b.options.stop = (const char *[]){"bSTOP"};
  b.options.n_stop = 1;
  EXPECT(&b, IDS(BOS, ASSISTANT), IDS(A, B, CLOSE, NL2, HELLO), "ab", "hello", STOP); /* the b waited for STOP */
  b.options.n_stop = 0;
  /* where there was reasoning before, it is only dropped */
  EXPECT(&b, IDS(BOS, ASSISTANT, OPEN, NL2, CLOSE, NL2), IDS(A, CLOSE, B), "", "ab", STOP);
  close_bench(&b);
}

static void reasoning_in_the_text(void **state) {
  (void)state;
  bench b;
  open_bench(&b, false);
  EXPECT(&b, IDS(BOS, ASSISTANT), IDS(LT_TH, INK_GT, A, LT, NL, LT_SLASH, THINK_GT, NL2, B), "a<", "b", STOP);
  EXPECT(&b, IDS(BOS, ASSISTANT, LT_TH, INK_GT, NL), IDS(A, MIXED), "ax", "y", STOP); /* both sections in one token */
  EXPECT(&b, IDS(BOS, ASSISTANT, LT_TH, INK_GT, NL), IDS(A, MIXED, B, B), "ax", "ybb", STOP);
  EXPECT(&b, IDS(BOS, USER, LT_TH, INK_GT, ASSISTANT), IDS(A, MIXED), "", "ax</think>y", STOP);
  EXPECT(&b, IDS(BOS, ASSISTANT), IDS(LT_TH), "", "<th", STOP);
  close_bench(&b);
}

static void the_budget_closes_the_reasoning(void **state) {
  (void)state;
  bench b;
  open_bench(&b, true);
  b.options.thinking_budget = 2;
  EXPECT(&b, IDS(BOS, ASSISTANT, OPEN, NL), IDS(A, B, A, NL2, HELLO), "ab", "hello", STOP);
  assert_string_equal(b.forced, "..F..");
  assert_int_equal(b.ids[2], CLOSE);
  assert_int_equal(b.usage.reasoning_tokens, 2);
  /* opened by the model itself; its tag is not counted */
  EXPECT(&b, IDS(BOS, ASSISTANT), IDS(OPEN, A, B, A, HELLO), "ab", "hello", STOP);
  assert_string_equal(b.forced, "...F.");
  /* finished within the budget */
  EXPECT(&b, IDS(BOS, ASSISTANT, OPEN), IDS(A, CLOSE, B, B, B), "a", "bbb", STOP);
  assert_string_equal(b.forced, ".....");
  /* the character is finished first */
  EXPECT(&b, IDS(BOS, ASSISTANT, OPEN), IDS(A, E2, X82, XAC, A, B), "a\xE2\x82\xAC", "b", STOP);
  assert_string_equal(b.forced, "....F.");
  /* but not waited for for ever */
  EXPECT(&b, IDS(BOS, ASSISTANT, OPEN), IDS(A, E2, E2, E2, E2, E2, B), "a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD", "b", STOP);
  assert_string_equal(b.forced, ".....F.");
  b.options.thinking_budget = 0;
  EXPECT(&b, IDS(BOS, ASSISTANT, OPEN, NL), IDS(A, NL, B), "", "b", STOP);
  assert_string_equal(b.forced, "F..");
  EXPECT(&b, IDS(BOS, ASSISTANT), IDS(OPEN, A, B), "", "b", STOP);
  assert_string_equal(b.forced, ".F.");
  EXPECT(&b, IDS(BOS, ASSISTANT), IDS(A, B), "", "ab", STOP);
  /* a model that opens its reasoning again and again: what it likes next best is taken */
  EXPECT(&b, IDS(BOS, ASSISTANT), IDS(OPEN, A, OPEN, OPEN, OPEN), "", b.answer, STOP);
  for (size_t i = 1; i < b.n_ids; i++) assert_int_not_equal(b.ids[i], OPEN);
  assert_int_equal(b.n_ids, 5);
  b.options.thinking_budget = 100;
  EXPECT(&b, IDS(BOS, ASSISTANT, OPEN, NL), IDS(A, CLOSE, B), "a", "b", STOP);
  close_bench(&b);

  /* Qwen3's sentence; the vocabulary here spells it "b" and a blank */
  open_bench(&b, true);
  b.vocab.chat_template = "<|im_start|>{% if enable_thinking %}";
  b.options.thinking_budget = 2;
  EXPECT(&b, IDS(BOS, ASSISTANT, OPEN), IDS(A, A, A, HELLO), "aa", "hello", STOP); /* the same template in another architecture */
  close_bench(&b);
  open_bench(&b, true);
  b.model.hparams.architecture = &qwen3;
  b.vocab.chat_template = "<|im_start|>{% if enable_thinking %}";
  b.options.thinking_budget = 2;
  EXPECT(&b, IDS(BOS, ASSISTANT, OPEN), IDS(A, A, A, A, A, HELLO), "aab", "hello", STOP);
  assert_string_equal(b.forced, "..FFF.");
  b.options.thinking_budget = 0;
  EXPECT(&b, IDS(BOS, ASSISTANT, OPEN), IDS(A, HELLO), "", "hello", STOP);
  close_bench(&b);

  open_bench(&b, false);
  b.options.thinking_budget = 2;
  EXPECT(&b, IDS(BOS, ASSISTANT, LT_TH, INK_GT), IDS(A, B, A, A, HELLO), "ab", "hello", STOP);
  assert_string_equal(b.forced, "..FF.");
  assert_int_equal(b.ids[2], LT_SLASH);
  assert_int_equal(b.ids[3], THINK_GT);
  close_bench(&b);
}

static void stop_strings_end_the_answer(void **state) {
  (void)state;
  bench b;
  open_bench(&b, true);
  const char *stop[] = {"STOP!", "bb", "\n\nhello", "oa"};
  b.options.stop = stop;
  b.options.n_stop = 4;
  EXPECT(&b, IDS(BOS), IDS(A, STO, P_BANG, B, B), "", "a", STRING);
  assert_int_equal(b.n_ids, 3);
  EXPECT(&b, IDS(BOS), IDS(A, S, STO, P_BANG), "", "aS", STRING);
  EXPECT(&b, IDS(BOS), IDS(A, B, A, B, B, A), "", "aba", STRING);
  EXPECT(&b, IDS(BOS), IDS(A, STO, A), "", "aSTOa", STOP); /* a false alarm comes out */
  EXPECT(&b, IDS(BOS), IDS(A, STO), "", "aSTO", STOP);
  EXPECT(&b, IDS(BOS), IDS(NL, NL, NL, HELLO, A), "", "\n", STRING);
  EXPECT(&b, IDS(BOS, ASSISTANT, OPEN), IDS(A, B, B, CLOSE, A, B, B), "abb", "a", STRING); /* not in the reasoning */
  EXPECT(&b, IDS(BOS), IDS(STO, P_BANG), "", "", STRING);
  EXPECT(&b, IDS(BOS), IDS(HELLO, A, B), "", "hell", STRING); /* all but its last byte ends a token */
  close_bench(&b);
  open_bench(&b, false);
  b.options.stop = (const char *[]){"y"};
  b.options.n_stop = 1;
  EXPECT(&b, IDS(BOS, ASSISTANT, LT_TH, INK_GT), IDS(MIXED, A, A), "x", "", STRING);
  assert_int_equal(b.n_ids, 1);
  close_bench(&b);
}

static void limits_end_the_answer(void **state) {
  (void)state;
  bench b;
  open_bench(&b, true);
  b.options.max_tokens = 3;
  EXPECT(&b, IDS(BOS), IDS(A, B, A, B), "", "aba", LENGTH);
  assert_int_equal(b.session->sequence->n_past, 3); /* the last token was not computed in vain */
  EXPECT(&b, IDS(BOS), IDS(A, B, E2, X82, XAC), "", "ab\xEF\xBF\xBD", LENGTH);
  EXPECT(&b, IDS(BOS), IDS(A, B, A), "", "aba", LENGTH);
  EXPECT(&b, IDS(BOS), IDS(A, B), "", "ab", STOP);
  b.options.max_tokens = 0;
  int32_t many[2 * N_CTX];
  for (int i = 0; i < 2 * N_CTX; i++) many[i] = A;
  retort_error error;
  assert_int_equal(run(&b, IDS(BOS, USER, B), many, 2 * N_CTX, &error), RETORT_OK);
  assert_int_equal(b.finish, RETORT_FINISH_LENGTH);
  assert_int_equal(b.n_ids, N_CTX - 3 + 1); /* the logits of the last position give one more */
  assert_int_equal(run(&b, many, N_CTX, many, N_CTX, &error), RETORT_OK);
  assert_int_equal(b.n_ids, 1);
  assert_int_equal(run(&b, many, N_CTX + 1, many, N_CTX, &error), RETORT_ERROR_CONTEXT);
  close_bench(&b);
}

static void unused_tokens_are_never_sampled(void **state) {
  (void)state;
  bench b;
  retort_error error;
  open_bench(&b, true);
  b.options.temperature = 5;
  b.options.top_p = 1;
  for (uint64_t seed = 0; seed < 30; seed++) {
    b.options.seed = seed;
    retort_session_truncate(b.session, 0, NULL);
    script = NULL;
    assert_int_equal(run(&b, IDS(BOS), NULL, 0, &error), RETORT_OK);
    for (size_t i = 0; i < b.n_ids; i++) assert_true(b.ids[i] != UNUSED_TOKEN && b.ids[i] < N_TOKENS);
  }
  close_bench(&b);
}

static void a_common_beginning_is_not_computed_again(void **state) {
  (void)state;
  bench b, fresh;
  char with[65], without[65];
  retort_error error;
  open_bench(&b, true);
  open_bench(&fresh, true);
  b.options.proof = fresh.options.proof = 1;
  b.options.temperature = fresh.options.temperature = 1;
  b.options.seed = fresh.options.seed = 3;
  EXPECT(&b, IDS(BOS, USER, A, ASSISTANT), IDS(B, B, HELLO), "", "bbhello", STOP);
  assert_int_equal(b.usage.cached_tokens, 0);
  /* next turn: the answer's tokens are in the cache, all but none */
  computed = 0;
  EXPECT(&b, IDS(BOS, USER, A, ASSISTANT, B, B, HELLO, EOS, USER, B, ASSISTANT), IDS(A, B, A), "", "aba", STOP);
  assert_int_equal(b.usage.cached_tokens, 7);
  assert_int_equal(computed, 11 - 7 + 3);
  EXPECT(&fresh, IDS(BOS, USER, A, ASSISTANT, B, B, HELLO, EOS, USER, B, ASSISTANT), IDS(A, B, A), "", "aba", STOP);
  assert_int_equal(fresh.usage.cached_tokens, 0);
  assert_int_equal(retort_session_get_proof(b.session, with, &error), RETORT_OK);
  assert_int_equal(retort_session_get_proof(fresh.session, without, &error), RETORT_OK);
  assert_string_equal(with, without);
  /* the same prompt again: its last token is computed for its logits */
  computed = 0;
  EXPECT(&b, IDS(BOS, USER, A, ASSISTANT), IDS(A), "", "a", STOP);
  assert_int_equal(b.usage.cached_tokens, 3);
  assert_int_equal(computed, 2);
  /* nothing in common */
  EXPECT(&b, IDS(A, USER), IDS(A), "", "a", STOP);
  assert_int_equal(b.usage.cached_tokens, 0);
  close_bench(&b);
  close_bench(&fresh);
}

static void the_proof_is_the_hash_of_the_logits(void **state) {
  (void)state;
  bench b;
  char hex[65], wanted[65];
  retort_error error;
  open_bench(&b, true);
  b.options.repetition_penalty = 1.3f; /* changes choices, not what is hashed */
  EXPECT(&b, IDS(BOS, USER), IDS(A, B, A), "", "aba", STOP);
  assert_int_equal(retort_session_get_proof(b.session, hex, &error), RETORT_ERROR_ARGUMENT);
  b.options.proof = 1;
  EXPECT(&b, IDS(BOS, USER), IDS(A, B, A), "", "aba", STOP);
  assert_int_equal(retort_session_get_proof(b.session, hex, &error), RETORT_OK);
  /* four positions: three tokens and the end of the turn */
  static const int32_t says[] = {A, B, A};
  script = says;
  float logits[4][N_VOCAB];
  int32_t tokens[] = {BOS, USER, A, B, A};
  for (uint32_t i = 0; i < 4; i++) fill_logits(tokens, 2 + i, logits[i]);
  retort_sha256_hex(logits, sizeof logits, wanted);
  assert_string_equal(hex, wanted);
  for (uint32_t work = 1; work < 4; work++) { /* however the steps are cut */
    b.work = work;
    EXPECT(&b, IDS(A, BOS, USER, A, B), IDS(HELLO), "", "hello", STOP);
    EXPECT(&b, IDS(BOS, USER), IDS(A, B, A), "", "aba", STOP);
    assert_int_equal(retort_session_get_proof(b.session, hex, &error), RETORT_OK);
    assert_string_equal(hex, wanted);
  }
  close_bench(&b);
}

static void work_is_bounded_and_can_be_left(void **state) {
  (void)state;
  bench b;
  retort_error error;
  open_bench(&b, true);
  int32_t prompt[20] = {BOS};
  for (int i = 1; i < 20; i++) prompt[i] = A;
  prompt_size = 20;
  script = NULL;
  retort_event e = {.struct_size = sizeof e};
  assert_int_equal(open_session(&b, &error), RETORT_OK);
  assert_int_equal(retort_step(b.session, 0, &e, &error), RETORT_ERROR_ARGUMENT); /* nothing begun */
  assert_int_equal(retort_generate_begin(b.session, prompt, 20, &b.options, &error), RETORT_OK);
  computed = 0;
  assert_int_equal(retort_step(b.session, 3, &e, &error), RETORT_OK);
  assert_true(computed == 3 && e.prompt_done == 3);
  assert_int_equal(retort_step(b.session, 0, &e, &error), RETORT_OK);
  assert_true(computed == 7 && e.prompt_done == 7); /* n_batch is 4 */
  /* left there; the next answer finds what was computed */
  assert_int_equal(run(&b, prompt, 20, IDS(A), &error), RETORT_OK);
  assert_int_equal(b.usage.cached_tokens, 7);
  /* a session changed behind the answer's back is noticed */
  assert_int_equal(retort_generate_begin(b.session, prompt, 20, &b.options, &error), RETORT_OK);
  retort_session_truncate(b.session, 2, &error);
  assert_int_equal(retort_step(b.session, 0, &e, &error), RETORT_ERROR_ARGUMENT);
  assert_non_null(strstr(error.message, "changed"));
  close_bench(&b);
}

static void drafts_are_checked_in_one_batch(void **state) {
  (void)state;
  bench b;
  char with[65], without[65];
  retort_error error;
  open_bench(&b, true);
  b.options.proof = 1;
  b.options.max_tokens = 12;
#define SONG IDS(A, B, HELLO, A, B, HELLO, A, B, HELLO, A, B, S)
  EXPECT(&b, IDS(BOS, USER, A, ASSISTANT), SONG, "", "abhelloabhelloabhelloabS", LENGTH);
  retort_session_get_proof(b.session, without, &error);
  retort_session_truncate(b.session, 0, NULL);
  b.options.draft = 3;
  computed = calls = 0;
  EXPECT(&b, IDS(BOS, USER, A, ASSISTANT), SONG, "", "abhelloabhelloabhelloabS", LENGTH);
  retort_session_get_proof(b.session, with, &error);
  assert_string_equal(with, without);
  /* A follows the first A with ASSISTANT: wrong. From the second A on all is known, four tokens at a time, up to the S. */
  assert_int_equal(b.usage.drafted_tokens, computed - 4 - (calls - 1));
  assert_int_equal(b.usage.accepted_tokens, 12 - 1 - (calls - 1));
  assert_true(calls < 9 && b.usage.accepted_tokens >= 5);
  assert_int_equal(b.session->sequence->n_past, 4 + 11);
  /* none past the end: neither of max_tokens, nor of the context, nor of the turn */
  b.options.max_tokens = 2;
  computed = 0;
  retort_session_truncate(b.session, 0, NULL);
  EXPECT(&b, IDS(A, B, A, B, A, B), IDS(A, B, A), "", "ab", LENGTH);
  assert_int_equal(computed, 6 + 1);
  b.options.max_tokens = 0;
  computed = 0;
  retort_session_truncate(b.session, 0, NULL);
  EXPECT(&b, IDS(A, B, EOS, B, A), IDS(B), "", "b", STOP);
  assert_int_equal(computed, 5 + 1);
  int32_t many[N_CTX];
  for (int i = 0; i < N_CTX; i++) many[i] = A;
  assert_int_equal(run(&b, many, N_CTX - 3, many, N_CTX, &error), RETORT_OK); /* the mock refuses a position too many */
  assert_int_equal(b.n_ids, 4);
  close_bench(&b);
}

static void drafts_are_forgotten_when_the_session_is_used(void **state) {
  (void)state;
  bench b;
  retort_error error;
  retort_event e = {.struct_size = sizeof e};
  float logits[N_VOCAB];
  open_bench(&b, true);
  b.options.draft = 3;
  assert_int_equal(open_session(&b, &error), RETORT_OK);
  for (int trial = 0; trial < 3; trial++) {
    const int32_t prompt[] = {A, B, S, A, B, S, A};
    script = (const int32_t[]){B, S, A, B, S};
    script_size = 5;
    prompt_size = 7;
    retort_session_truncate(b.session, 0, NULL);
    assert_int_equal(retort_generate_begin(b.session, prompt, 7, &b.options, &error), RETORT_OK);
    for (int i = 0; i < 4; i++) assert_int_equal(retort_step(b.session, 0, &e, &error), RETORT_OK); /* prompt by 4, prompt, B, S */
    assert_true(e.token == S && b.session->sequence->n_past == 8 && b.session->sequence->n_ahead == 3);
    computed = 0;
    if (trial == 1) { /* the caller looks ahead on his own */
      const int32_t own[] = {HELLO};
      assert_int_equal(retort_session_eval(b.session, own, 1, RETORT_LOGITS_LAST, logits, &error), RETORT_OK);
      assert_int_equal(retort_session_truncate(b.session, 8, &error), RETORT_OK);
    }
    if (trial == 2) { /* a step without drafts does not lose them */
      assert_int_equal(retort_step(b.session, 1, &e, &error), RETORT_OK);
      assert_true(e.token == A && computed == 0);
      continue;
    }
    int32_t rest[3];
    for (int i = 0; i < 3; i++) {
      assert_int_equal(retort_step(b.session, 0, &e, &error), RETORT_OK);
      rest[i] = e.token;
    }
    assert_true(rest[0] == A && rest[1] == B && rest[2] == S);
    assert_true(trial == 0 ? computed == 0 : computed > 3);
  }
  close_bench(&b);
}

static void wrong_options_are_refused(void **state) {
  (void)state;
  bench b;
  retort_error error;
  open_bench(&b, true);
  const retort_generate_options fine = b.options;
#define REFUSED(field, value)                                                   \
  do {                                                                          \
    b.options = fine;                                                           \
    b.options.field = value;                                                    \
    assert_int_equal(run(&b, IDS(BOS), IDS(A), &error), RETORT_ERROR_ARGUMENT); \
    assert_non_null(strstr(error.message, #field));                             \
  } while (0)
  REFUSED(struct_size, 3);
  REFUSED(temperature, -1);
  REFUSED(temperature, 0.0f / 0.0f);
  REFUSED(temperature, 1e30f * 1e30f);
  REFUSED(top_p, 0);
  REFUSED(top_p, 1.5f);
  REFUSED(min_p, -0.1f);
  REFUSED(min_p, 1.1f);
  REFUSED(repetition_penalty, 0);
  REFUSED(thinking_budget, -2);
  REFUSED(n_stop, 1);
  REFUSED(draft, -2);
  REFUSED(draft, 16);
  b.options = fine;
  b.options.n_stop = 1;
  b.options.stop = (const char *[]){""};
  assert_int_equal(run(&b, IDS(BOS), IDS(A), &error), RETORT_ERROR_ARGUMENT);
  b.options.stop = (const char *[]){"\xFF"};
  assert_int_equal(run(&b, IDS(BOS), IDS(A), &error), RETORT_ERROR_ARGUMENT);
  b.options = fine;
  assert_int_equal(run(&b, NULL, 0, NULL, 0, &error), RETORT_ERROR_ARGUMENT);
  assert_int_equal(run(&b, IDS(BOS, N_VOCAB), IDS(A), &error), RETORT_ERROR_ARGUMENT);
  assert_int_equal(run(&b, IDS(-1), IDS(A), &error), RETORT_ERROR_ARGUMENT);
  retort_session_close(b.session);
  b.session = NULL;
  b.no_vocab = true;
  assert_int_equal(run(&b, IDS(BOS), IDS(A), &error), RETORT_ERROR_ARGUMENT);
  close_bench(&b);
}

static void damaged_weights_are_reported(void **state) {
  (void)state;
  bench b;
  retort_error error;
  open_bench(&b, true);
  damaged_at = 3;
  assert_int_equal(run(&b, IDS(BOS, A), IDS(A, B, B), &error), RETORT_ERROR_FORMAT);
  assert_non_null(strstr(error.message, "not a finite number"));
  assert_int_equal(b.n_ids, 1);
  retort_event e = {.struct_size = sizeof e};
  assert_int_equal(retort_step(b.session, 0, &e, &error), RETORT_ERROR_ARGUMENT);
  damaged_at = 0;
  EXPECT(&b, IDS(BOS, A), IDS(A, B, B), "", "abb", STOP); /* the session goes on */
  close_bench(&b);
}

static void refused_memory_is_reported(void **state) {
  (void)state;
  for (size_t k = 1;; k++) {
    bench b;
    retort_error error;
    open_bench(&b, false);
    b.counting.fail_at = k;
    b.options.stop = (const char *[]){"STOP!"};
    b.options.n_stop = 1;
    retort_status status = run(&b, IDS(BOS, ASSISTANT, LT_TH, INK_GT), IDS(A, LONG, MIXED, LONG, LONG, STO), &error);
    bool done = b.counting.calls < k;
    close_bench(&b);
    if (done) {
      assert_int_equal(status, RETORT_OK);
      assert_true(k > 8);
      break;
    }
    assert_int_equal(status, RETORT_ERROR_MEMORY);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_plain_answer),
      cmocka_unit_test(reasoning_with_single_tokens),
      cmocka_unit_test(reasoning_in_the_text),
      cmocka_unit_test(a_closing_tag_alone),
      cmocka_unit_test(the_budget_closes_the_reasoning),
      cmocka_unit_test(stop_strings_end_the_answer),
      cmocka_unit_test(limits_end_the_answer),
      cmocka_unit_test(unused_tokens_are_never_sampled),
      cmocka_unit_test(a_common_beginning_is_not_computed_again),
      cmocka_unit_test(the_proof_is_the_hash_of_the_logits),
      cmocka_unit_test(work_is_bounded_and_can_be_left),
      cmocka_unit_test(drafts_are_checked_in_one_batch),
      cmocka_unit_test(drafts_are_forgotten_when_the_session_is_used),
      cmocka_unit_test(wrong_options_are_refused),
      cmocka_unit_test(damaged_weights_are_reported),
      cmocka_unit_test(refused_memory_is_reported),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
