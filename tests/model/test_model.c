/* test_model.c - opening models: good ones of each architecture, and every way in which tensors and keys can fail to fit; sessions on them.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "generate/session.h"
#include "tiny_model.h"

static tiny_model small(const char *arch) {
  return (tiny_model){
      .arch = arch, .type = RT_F32, .n_layers = 2, .n_embd = 64, .n_ff = 96, .n_heads = 4, .n_kv_heads = 2, .head_dim = 16, .n_vocab = 50};
}

/* Opens the model, expects `status` and, in the message, each of the words given. Closes everything. */
static void expect(tiny_model t, uint32_t flags, retort_status status, const char *word, const char *other_word) {
  retort_error error = {0};
  retort_gguf *gguf = NULL;
  retort_model *model = NULL;
  assert_int_equal(tiny_model_build(&t, &error), RETORT_OK);
  if (retort_gguf_open(NULL, &t.file, 1, flags, &gguf, &error)) fail_msg("%s", error.message);
  retort_status got = retort_model_open(NULL, gguf, NULL, &model, &error);
  if (got != status || (got && (!strstr(error.message, word) || !strstr(error.message, other_word))))
    fail_msg("status %d, message '%s'; expected %d with '%s' and '%s'", got, error.message, status, word, other_word);
  retort_model_close(model);
  retort_gguf_close(gguf);
  tiny_model_close(&t);
}

static void good_models_open(void **state) {
  (void)state;
  const rt_architecture *known;
  for (size_t i = 0; (known = rt_architecture_at(i)); i++) {
    tiny_model t = small(known->name);
    expect(t, 0, RETORT_OK, "", "");
    t.bias = t.tied = true;
    expect(t, 0, RETORT_OK, "", "");
    t.n_kv_heads = t.n_heads;
    expect(t, 0, RETORT_OK, "", "");
  }
}

static rt_string tokens[51]; /* all empty: nobody reads them here */
static void fifty_tokens(rt_gguf_writer *w) { rt_gguf_put_strings(w, "tokenizer.ggml.tokens", true, tokens, 50); }
static void one_more_token(rt_gguf_writer *w) { rt_gguf_put_strings(w, "tokenizer.ggml.tokens", true, tokens, 51); }

static void more_tokens_than_rows_are_refused(void **state) {
  (void)state;
  tiny_model t = small("llama");
  t.more_keys = fifty_tokens;
  expect(t, 0, RETORT_OK, "", "");
  t.more_keys = one_more_token;
  expect(t, 0, RETORT_ERROR_FORMAT, "51 tokens", "rows for 50");
}

static void another_architecture_is_named(void **state) {
  (void)state;
  expect(small("gpt2"), 0, RETORT_ERROR_UNSUPPORTED, "'gpt2'", "llama, qwen2 and qwen3");
  expect(small("qwen"), 0, RETORT_ERROR_UNSUPPORTED, "'qwen'", ""); /* the beginning of a name is not the name */
  const rt_architecture *known;
  for (size_t i = 0; (known = rt_architecture_at(i)); i++) {
    expect(small("gpt2"), 0, RETORT_ERROR_UNSUPPORTED, known->name, "");
    for (size_t k = 0; k < i; k++) assert_string_not_equal(known->name, rt_architecture_at(k)->name);
  }
}

static void wrong_shapes_are_named_with_both_shapes(void **state) {
  (void)state;
  const char *names[] = {"blk.0.attn_q.weight",   "blk.1.attn_k.weight", "blk.0.attn_v.weight",   "blk.1.attn_output.weight",
                         "blk.0.ffn_gate.weight", "blk.1.ffn_up.weight", "blk.0.ffn_down.weight", "blk.1.attn_norm.weight",
                         "blk.0.attn_k.bias",     "output_norm.weight",  "token_embd.weight",     "output.weight"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    tiny_model t = small("qwen2");
    t.bias = true;
    t.spoil = names[i];
    t.spoil_cols = 33;
    expect(t, 0, RETORT_ERROR_FORMAT, names[i], "found 33");
  }
}

static void missing_tensors_are_named(void **state) {
  (void)state;
  const char *names[] = {"token_embd.weight", "blk.0.attn_norm.weight", "blk.1.ffn_down.weight", "blk.1.attn_k_norm.weight",
                         "output_norm.weight"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    tiny_model t = small("qwen3");
    t.spoil = names[i];
    t.leave_out = true;
    expect(t, 0, RETORT_ERROR_FORMAT, names[i], "missing");
  }
}

static void types_that_cannot_run_are_named(void **state) {
  (void)state;
  tiny_model t = small("llama");
  t.n_embd = 256;
  t.spoil = "blk.1.ffn_up.weight";
  t.spoil_type = 40;
  expect(t, 0, RETORT_ERROR_UNSUPPORTED, "blk.1.ffn_up.weight", "NVFP4");
}

static void metadata_alone_does_not_make_a_model(void **state) {
  (void)state;
  retort_error error = {0};
  retort_gguf *gguf = NULL;
  retort_model *model = NULL;
  tiny_model t = small("llama");
  assert_int_equal(tiny_model_build(&t, &error), RETORT_OK);
  retort_buffer head = t.file;
  head.size -= 50 * 64 * 4; /* the last tensor is not there */
  assert_int_equal(retort_gguf_open(NULL, &head, 1, RETORT_GGUF_METADATA_ONLY, &gguf, &error), RETORT_OK);
  assert_int_equal(retort_model_open(NULL, gguf, NULL, &model, &error), RETORT_ERROR_ARGUMENT);
  assert_non_null(strstr(error.message, "metadata"));
  retort_gguf_close(gguf);
  tiny_model_close(&t);
}

static void odd_rotation(rt_gguf_writer *w) { rt_gguf_put_u32(w, "llama.rope.dimension_count", 7); }
static void wide_rotation(rt_gguf_writer *w) { rt_gguf_put_u32(w, "llama.rope.dimension_count", 18); }
static void long_rope(rt_gguf_writer *w) { rt_gguf_put_string(w, "llama.rope.scaling.type", "longrope"); }
static void tiny_factor(rt_gguf_writer *w) { rt_gguf_put_f32(w, "llama.rope.scaling.factor", 1e-9f); }
static void fast_rope(rt_gguf_writer *w) { rt_gguf_put_f32(w, "llama.rope.scaling.factor", 0.01f); }
static void small_base(rt_gguf_writer *w) { rt_gguf_put_f32(w, "llama.rope.freq_base", 1.0f); }
static void experts(rt_gguf_writer *w) { rt_gguf_put_u32(w, "llama.expert_count", 8); }
static void no_sense_in_yarn(rt_gguf_writer *w) {
  rt_gguf_put_string(w, "llama.rope.scaling.type", "yarn");
  rt_gguf_put_f32(w, "llama.rope.scaling.yarn_beta_fast", -1.0f);
}
static void bad_divisors(rt_gguf_writer *w) {
  static const float zeros[8];
  const uint64_t dims[1] = {8};
  rt_gguf_put_tensor(w, "rope_freqs.weight", RT_F32, 1, dims, zeros, sizeof zeros);
}

static void bad_keys_are_named(void **state) {
  (void)state;
  const struct {
    void (*more_keys)(rt_gguf_writer *w);
    retort_status status;
    const char *word;
  } cases[] = {
      {odd_rotation, RETORT_ERROR_FORMAT, "rope.dimension_count"},
      {wide_rotation, RETORT_ERROR_FORMAT, "rope.dimension_count"},
      {long_rope, RETORT_ERROR_UNSUPPORTED, "longrope"},
      {tiny_factor, RETORT_ERROR_FORMAT, "rope.scaling.factor"},
      {fast_rope, RETORT_ERROR_FORMAT, "pair 0"},
      {small_base, RETORT_ERROR_FORMAT, "rope.freq_base"},
      {experts, RETORT_ERROR_UNSUPPORTED, "expert_count"},
      {no_sense_in_yarn, RETORT_ERROR_FORMAT, "yarn"},
      {bad_divisors, RETORT_ERROR_FORMAT, "rope_freqs.weight"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    tiny_model t = small("llama");
    t.more_keys = cases[i].more_keys;
    expect(t, 0, cases[i].status, cases[i].word, "");
  }
  tiny_model t = small("llama");
  t.n_kv_heads = 3;
  expect(t, 0, RETORT_ERROR_FORMAT, "head_count_kv", "3");
  t = small("llama");
  t.n_layers = 0;
  expect(t, 0, RETORT_ERROR_FORMAT, "block_count", "");
}

/* ---- sessions -------------------------------------------------------------------------------------------------------------- */

typedef struct bench {
  tiny_model t;
  retort_gguf *gguf;
  retort_model *model;
  retort_session *session;
} bench;

static bench bench_open(uint32_t n_ctx, uint32_t n_batch) {
  retort_error error = {0};
  bench b = {.t = small("qwen3")};
  retort_session_options options;
  retort_session_options_init(&options, sizeof options);
  options.n_ctx = n_ctx;
  options.n_batch = n_batch;
  if (tiny_model_build(&b.t, &error) || retort_gguf_open(NULL, &b.t.file, 1, 0, &b.gguf, &error) ||
      retort_model_open(NULL, b.gguf, NULL, &b.model, &error) || retort_session_open(NULL, b.model, NULL, &options, &b.session, &error))
    fail_msg("%s", error.message);
  return b;
}
static void bench_close(bench *b) {
  retort_session_close(b->session);
  retort_model_close(b->model);
  retort_gguf_close(b->gguf);
  tiny_model_close(&b->t);
}

enum { VOCAB = 50 };

static void misuse_of_a_session_is_refused(void **state) {
  (void)state;
  bench b = bench_open(8, 3);
  retort_error error = {0};
  float logits[8 * VOCAB];
  int32_t ids[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  assert_int_equal(retort_session_eval(b.session, ids, 9, RETORT_LOGITS_LAST, logits, &error), RETORT_ERROR_CONTEXT);
  assert_non_null(strstr(error.message, "n_ctx"));
  assert_int_equal(retort_session_eval(b.session, ids, 3, RETORT_LOGITS_LAST, NULL, &error), RETORT_ERROR_ARGUMENT);
  assert_int_equal(retort_session_eval(b.session, ids, 0, RETORT_LOGITS_LAST, logits, &error), RETORT_ERROR_ARGUMENT);
  assert_int_equal(retort_session_eval(b.session, ids, 3, 7, logits, &error), RETORT_ERROR_ARGUMENT);
  ids[1] = VOCAB;
  assert_int_equal(retort_session_eval(b.session, ids, 3, RETORT_LOGITS_LAST, logits, &error), RETORT_ERROR_ARGUMENT);
  assert_non_null(strstr(error.message, "50"));
  ids[1] = -1;
  assert_int_equal(retort_session_eval(b.session, ids, 3, RETORT_LOGITS_LAST, logits, &error), RETORT_ERROR_ARGUMENT);
  retort_session_info info = {.struct_size = sizeof info};
  assert_int_equal(retort_session_get_info(b.session, &info, &error), RETORT_OK);
  assert_int_equal(info.n_past, 0);
  assert_int_equal(info.n_ctx, 8);
  assert_int_equal(info.kv_bytes, 8 * 2 * 2 * 2 * 16 * 2); /* positions, layers, k and v, heads, elements, bytes */
  ids[1] = 2;
  assert_int_equal(retort_session_eval(b.session, ids, 8, RETORT_LOGITS_ALL, logits, &error), RETORT_OK);
  for (size_t i = 0; i < 8 * VOCAB; i++) assert_true(isfinite(logits[i]));
  assert_int_equal(retort_session_eval(b.session, ids, 1, RETORT_LOGITS_NONE, NULL, &error), RETORT_ERROR_CONTEXT);
  assert_int_equal(retort_session_truncate(b.session, 9, &error), RETORT_ERROR_ARGUMENT);
  bench_close(&b);
  retort_session *session;
  b = bench_open(8, 3);
  retort_session_options options;
  retort_session_options_init(&options, sizeof options);
  options.kv_type = RETORT_KV_Q8_0 + 1;
  assert_int_equal(retort_session_open(NULL, b.model, NULL, &options, &session, &error), RETORT_ERROR_ARGUMENT);
  options.struct_size = sizeof options.struct_size - 1;
  assert_int_equal(retort_session_open(NULL, b.model, NULL, &options, &session, &error), RETORT_ERROR_ARGUMENT);
  bench_close(&b);
}

static void a_truncated_session_forgets(void **state) {
  (void)state;
  bench b = bench_open(32, 8);
  float once[20 * VOCAB], again[20 * VOCAB], last[VOCAB];
  int32_t ids[20], other[10];
  for (int i = 0; i < 20; i++) ids[i] = i * 7 % VOCAB;
  for (int i = 0; i < 10; i++) other[i] = i * 3 % VOCAB;
  assert_int_equal(retort_session_eval(b.session, ids, 20, RETORT_LOGITS_ALL, once, NULL), RETORT_OK);
  assert_int_equal(retort_session_truncate(b.session, 5, NULL), RETORT_OK);
  assert_int_equal(retort_session_eval(b.session, other, 10, RETORT_LOGITS_NONE, NULL, NULL), RETORT_OK);
  assert_int_equal(retort_session_truncate(b.session, 5, NULL), RETORT_OK);
  assert_int_equal(b.session->sequence->n_past, 5);
  assert_int_equal(retort_session_eval(b.session, ids + 5, 15, RETORT_LOGITS_ALL, again, NULL), RETORT_OK);
  assert_memory_equal(once + 5 * VOCAB, again, 15 * VOCAB * sizeof(float));
  assert_int_equal(retort_session_truncate(b.session, 0, NULL), RETORT_OK);
  assert_int_equal(retort_session_eval(b.session, ids, 20, RETORT_LOGITS_LAST, last, NULL), RETORT_OK);
  assert_memory_equal(once + 19 * VOCAB, last, sizeof last);
  for (int i = 0; i < 20; i++) assert_int_equal(b.session->sequence->tokens[i], ids[i]);
  bench_close(&b);
}

/* What is foretold from the metadata is what a full cache takes: by hand, and as pages are laid out. */
static void a_token_takes_what_is_foretold(void **state) {
  (void)state;
  enum { ROWS = 2 * 2 * 2 }; /* layers, key heads, a key and a value: of 16 numbers each */
  const uint64_t by_hand[] = {[RETORT_KV_F16] = ROWS * 32, [RETORT_KV_F32] = ROWS * 64, [RETORT_KV_Q8_0] = ROWS * 34};
  bench b = bench_open(8, 3);
  for (uint32_t type = 0; type < RT_COUNT(by_hand); type++) {
    retort_session *session;
    retort_session_options options;
    retort_session_options_init(&options, sizeof options);
    options.n_ctx = 300;
    options.kv_type = type;
    assert_int_equal(retort_kv_bytes_per_token(b.gguf, type), by_hand[type]);
    assert_int_equal(retort_session_open(NULL, b.model, NULL, &options, &session, NULL), RETORT_OK);
    retort_session_info info = {.struct_size = sizeof info};
    assert_int_equal(retort_session_get_info(session, &info, NULL), RETORT_OK);
    assert_int_equal(info.kv_bytes, 300 * by_hand[type]);
    assert_int_equal(session->engine->pool.layout.page_bytes, RT_ATTENTION_BLOCK * by_hand[type]);
    retort_session_close(session);
  }
  retort_model_info info = {.struct_size = sizeof info};
  assert_int_equal(retort_model_get_info(b.model, &info, NULL), RETORT_OK);
  assert_int_equal(info.kv_bytes_per_token, by_hand[RETORT_KV_F16]);
  assert_int_equal(retort_kv_bytes_per_token(b.gguf, RT_COUNT(by_hand)), 0);
  assert_int_equal(retort_kv_bytes_per_token(NULL, RETORT_KV_F16), 0);
  bench_close(&b);
}

/* Three sequences of different lengths step together in one batch: each gets the bits that it gets alone. */
static void sequences_in_one_batch_do_not_see_each_other(void **state) {
  (void)state;
  enum { SEQUENCES = 3, STEPS = 6 };
  bench b = bench_open(32, 16);
  float alone[SEQUENCES][STEPS * VOCAB], together[SEQUENCES * VOCAB];
  int32_t ids[SEQUENCES][32];
  const uint32_t start[SEQUENCES] = {1, 4, 9};
  rt_kv_pool pool;
  rt_kv_table caches[SEQUENCES];
  uint8_t *pages[SEQUENCES];
  const rt_kv_shape kv = rt_kv_shape_of(&b.model->hparams);
  assert_int_equal(rt_kv_pool_open(&pool, NULL, &kv, RT_KV_F16, SEQUENCES, NULL), RETORT_OK);
  for (uint32_t s = 0; s < SEQUENCES; s++) {
    for (uint32_t i = 0; i < 32; i++) ids[s][i] = (int32_t)((i * 11 + s * 17 + i * i * s) % VOCAB);
    assert_int_equal(retort_session_truncate(b.session, 0, NULL), RETORT_OK);
    assert_int_equal(retort_session_eval(b.session, ids[s], start[s], RETORT_LOGITS_NONE, NULL, NULL), RETORT_OK);
    assert_int_equal(retort_session_eval(b.session, ids[s] + start[s], STEPS, RETORT_LOGITS_ALL, alone[s], NULL), RETORT_OK);
    caches[s] = (rt_kv_table){.pool = &pool, .pages = &pages[s], .most = 1};
    assert_true(rt_kv_reserve(&caches[s], 0, start[s] + STEPS));
  }
  rt_row rows[16];
  uint32_t n = 0;
  for (uint32_t s = 0; s < SEQUENCES; s++)
    for (uint32_t i = 0; i < start[s]; i++) rows[n++] = (rt_row){.cache = &caches[s], .position = i, .token = ids[s][i]};
  rt_forward(b.model, &b.session->engine->work, rows, n, NULL);
  for (uint32_t step = 0; step < STEPS; step++) {
    for (uint32_t s = 0; s < SEQUENCES; s++)
      rows[s] = (rt_row){.cache = &caches[s], .position = start[s] + step, .token = ids[s][start[s] + step], .wanted = true};
    rt_forward(b.model, &b.session->engine->work, rows, SEQUENCES, together);
    for (uint32_t s = 0; s < SEQUENCES; s++) assert_memory_equal(together + s * VOCAB, alone[s] + step * VOCAB, VOCAB * sizeof(float));
  }
  for (uint32_t s = 0; s < SEQUENCES; s++) rt_kv_cut(&caches[s], 0);
  assert_int_equal(pool.n_used, 0);
  rt_kv_pool_close(&pool);
  bench_close(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(good_models_open),
      cmocka_unit_test(more_tokens_than_rows_are_refused),
      cmocka_unit_test(another_architecture_is_named),
      cmocka_unit_test(wrong_shapes_are_named_with_both_shapes),
      cmocka_unit_test(missing_tensors_are_named),
      cmocka_unit_test(types_that_cannot_run_are_named),
      cmocka_unit_test(metadata_alone_does_not_make_a_model),
      cmocka_unit_test(bad_keys_are_named),
      cmocka_unit_test(misuse_of_a_session_is_refused),
      cmocka_unit_test(a_truncated_session_forgets),
      cmocka_unit_test(a_token_takes_what_is_foretold),
      cmocka_unit_test(sequences_in_one_batch_do_not_see_each_other),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
