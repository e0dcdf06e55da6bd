/* test_reproducible.c - the second promise: for each tensor type one SHA-256 of the logits, whatever kernel variant, number of threads and
 * split of the prompt computed them.
 *
 * The expected values below were printed by this test for the portable variant, one thread, the prompt in one batch; the models are those of
 * tiny_model.h. They change only with RETORT_NUMERICS, with the models, or by mistake.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "retort.h"
#include "base/platform.h"
#include "tiny_model.h"

enum { TOKENS = 140, MAX_VOCAB = 64 }; /* more positions than one attention block */

typedef struct type_case {
  uint32_t type;
  const char *name, *arch, *expected;
} type_case;
static const type_case CASES[] = {
    {RT_F32, "F32", "llama", "f632f3fe37face75b4b343fe7c418a75c50e12b1354ea94de925c70b39f341b1"},
    {RT_F16, "F16", "qwen2", "eb7d9b2211449558d0dbf747bfd75fc9ccda1ece253cba226b07055d90adab8d"},
    {RT_BF16, "BF16", "qwen3", "599facacb87d86ccda60ef17fedd4241829bf7c1c1e519c93ec274312346e783"},
    {RT_Q4_0, "Q4_0", "llama", "d31873c9d8e0c27553b5514d13d412cd6e2f98598bc6b1dca0ed083b6bb2c1c9"},
    {RT_Q4_1, "Q4_1", "qwen2", "8badcb74d659ae5d54715ee54177fb9c49ed3ad151027a2224d9cff9947b6aa7"},
    {RT_Q5_0, "Q5_0", "qwen3", "11168a4f813fb2e7f27a6d9dbfc236cdc4013135dd17f24840fe4a44a3a694ce"},
    {RT_Q5_1, "Q5_1", "llama", "1b0425d0abc3aaa1d3d9ff4b2dfcc38902d13c4a3a3efe8d556982a822a5e930"},
    {RT_Q8_0, "Q8_0", "qwen2", "cf2229276e639d66e54cb1d4843a26225c46b0305fddfb3a1938d919b88c0b9d"},
    {RT_Q2_K, "Q2_K", "qwen3", "44290faa49660daaa5d47430f5072a30e2d28baaf75f9ec1d636604c0bc65eee"},
    {RT_Q3_K, "Q3_K", "llama", "21008e96ee37e9e077bfaaed1fbaa4fe422fa325c6e9f01e63190086fafdadd0"},
    {RT_Q4_K, "Q4_K", "qwen2", "da65f31431e9a08e2e6cccc3de2368fae4e236a1444b4b35f20b310e787fbfd0"},
    {RT_Q5_K, "Q5_K", "qwen3", "edc6d0671430cdd2851a156b04296900c08a9028e9840ef973f88082cfbe9c83"},
    {RT_Q6_K, "Q6_K", "llama", "ab29f678f79278ee7c17311f405a8bd29f00168ae30910ac037dac047e9521d4"},
    {RT_IQ4_NL, "IQ4_NL", "qwen2", "4827367b34d24d2ecd2683bdcc76259205a9ec73b7313954cd4b2326421f8750"},
    {RT_IQ4_XS, "IQ4_XS", "qwen3", "3544ab6131bb5cae3b7374d3beb8cf348654be56f39137e409252f951364c452"},
};

/* ---- a platform with real threads -------------------------------------------------------------------------------------------- */

typedef struct crew_member {
  void (*work)(void *arg, unsigned worker, unsigned n_workers);
  void *arg;
  unsigned worker, n_workers;
} crew_member;
static void *run_member(void *p) {
  crew_member *m = p;
  m->work(m->arg, m->worker, m->n_workers);
  return NULL;
}
static void run_crew(void *user, void (*work)(void *, unsigned, unsigned), void *arg) {
  unsigned n = *(unsigned *)user;
  pthread_t threads[8];
  crew_member members[8];
  for (unsigned i = 1; i < n; i++) {
    members[i] = (crew_member){work, arg, i, n};
    if (pthread_create(&threads[i], NULL, run_member, &members[i])) abort();
  }
  work(arg, 0, n);
  for (unsigned i = 1; i < n; i++) pthread_join(threads[i], NULL);
}

/* ---- one cell of the matrix --------------------------------------------------------------------------------------------------- */

static void hash_of_logits(const tiny_model *t, const char *kernels, unsigned n_threads, uint32_t split, char hex[65]) {
  retort_platform platform = {.struct_size = sizeof platform, .user = &n_threads, .parallel = run_crew, .workers = n_threads};
  static float logits[TOKENS * MAX_VOCAB];
  int32_t ids[TOKENS];
  for (uint32_t i = 0; i < TOKENS; i++) ids[i] = (int32_t)((i * 29 + i * i) % t->n_vocab);
  retort_error error = {0};
  retort_gguf *gguf;
  retort_model *model;
  retort_session *session;
  retort_model_options model_options;
  retort_model_options_init(&model_options);
  model_options.kernels = kernels;
  retort_session_options options;
  retort_session_options_init(&options);
  options.n_ctx = TOKENS;
  options.n_batch = split;
  if (retort_gguf_open(&platform, &t->file, 1, 0, &gguf, &error) || retort_model_open(&platform, gguf, &model_options, &model, &error) ||
      retort_session_open(&platform, model, NULL, &options, &session, &error) ||
      retort_session_eval(session, ids, TOKENS, RETORT_LOGITS_ALL, logits, &error))
    fail_msg("%s", error.message);
  size_t size = (size_t)TOKENS * t->n_vocab * sizeof(float);
  for (size_t i = 0; i < size / sizeof(float); i++)
    if (!(logits[i] > -1e6f && logits[i] < 1e6f)) fail_msg("logit %zu is %g: the test's weights are not sane", i, (double)logits[i]);
  retort_sha256_hex(logits, size, hex);
  retort_session_close(session);
  retort_model_close(model);
  retort_gguf_close(gguf);
}

/* Odd sizes where the type allows them, whole blocks otherwise. */
static tiny_model model_for(const type_case *c) {
  uint32_t block = tiny_format_find(c->type)->block;
  tiny_model t = {.arch = c->arch, .type = c->type, .n_layers = 2, .n_vocab = 61, .bias = true};
  if (block == 1) t.n_embd = 172, t.n_ff = 236, t.n_heads = 4, t.n_kv_heads = 2, t.head_dim = 44;
  if (block == 32) t.n_embd = 96, t.n_ff = 224, t.n_heads = 6, t.n_kv_heads = 3, t.head_dim = 32;
  if (block == 256) t.n_embd = 256, t.n_ff = 256, t.n_heads = 4, t.n_kv_heads = 2, t.head_dim = 64;
  return t;
}

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

static void one_hash_for_each_type(void **state) {
  (void)state;
#ifdef SANITIZED
  const unsigned threads[] = {2}; /* the sanitizers look for bad accesses; the whole matrix runs at full speed */
#else
  const unsigned threads[] = {1, 2, 3};
#endif
  const uint32_t splits[] = {TOKENS, 7, 1};
  int wrong = 0, cells = 0;
  for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
    const type_case *c = &CASES[i];
    tiny_model t = model_for(c);
    retort_error error = {0};
    if (tiny_model_build(&t, &error)) fail_msg("%s", error.message);
    const char *variant;
    bool differing_type = false; /* only the first cell of a type is printed */
    int available;
    for (uint32_t v = 0; (variant = retort_kernels_variant(NULL, v, &available, NULL)); v++)
      for (size_t k = 0; available && k < sizeof threads / sizeof *threads; k++)
        for (size_t s = 0; s < sizeof splits / sizeof *splits; s++) {
          char hex[65];
          hash_of_logits(&t, variant, threads[k], splits[s], hex);
          cells++;
          if (!strcmp(hex, c->expected)) continue;
          wrong++;
          if (!differing_type) print_message("%s: %s, %u threads, batches of %u give %s\n", c->name, variant, threads[k], splits[s], hex);
          differing_type = true;
        }
    tiny_model_close(&t);
  }
  print_message("%d cells of {type, variant, threads, split}\n", cells);
  assert_int_equal(wrong, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(one_hash_for_each_type)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
