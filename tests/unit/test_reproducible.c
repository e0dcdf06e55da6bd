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
#include "model/model.h"
#include "tiny_model.h"

enum { TOKENS = 140, WIDE_TOKENS = 20, MAX_VOCAB = 64 }; /* more positions than one attention block; more than one tile of tokens */

typedef struct type_case {
  uint32_t type;
  const char *name, *arch;
  const char *small, *wide; /* of a model with fine activations, and of one wide enough to go without (RT_FINE_BELOW); floats know no such thing */
} type_case;
static const type_case CASES[] = {
    {RT_F32, "F32", "llama", "f632f3fe37face75b4b343fe7c418a75c50e12b1354ea94de925c70b39f341b1",
     "5bbc973683d617d7431d364f50c1f620198bf56fe3a851cf5adfbc1867b38e2a"},
    {RT_F16, "F16", "qwen2", "eb7d9b2211449558d0dbf747bfd75fc9ccda1ece253cba226b07055d90adab8d",
     "3a9d446d13e1d7f6b28fe1e749b46bfa61434309bfb5502c323f659f34e913eb"},
    {RT_BF16, "BF16", "qwen3", "599facacb87d86ccda60ef17fedd4241829bf7c1c1e519c93ec274312346e783",
     "a0c31d8208c324658a751d2d70e94c21dbc86d3acdd35e4e4742420ae7d74cf1"},
    {RT_Q4_0, "Q4_0", "llama", "43237a9e012233ddea44795522435135eec234bf0aa1041fa2ec4243b64a22f5",
     "6d33105deea4df49db8e4d7791dd33ddcdee6437531c992f1956a7b606ec5085"},
    {RT_Q4_1, "Q4_1", "qwen2", "5389998ba28189341dc45e68a75cfebe6cdeb3938d6bcdabde15b4491c7f39cb",
     "97bb6fc7afb584c26860f1862af50c29c5ebfb3f86cb3b7869e12d8382812bc1"},
    {RT_Q5_0, "Q5_0", "qwen3", "74a409af93496aa7fedea83b27cbba5cb2a24dc791f3cb13deb5dab1e33a109c",
     "c6a707b07550415e0d2f63f9603c52bf648eb73e85c40258206011b11f9a8915"},
    {RT_Q5_1, "Q5_1", "llama", "047ae0340b1e95888657679505756a73ad8fb2aa4c09c62d54d2285be269fe3a",
     "ae7d9c678329af179682c6ac9d6b29310c7461832e229ab8203a9dd2967b765c"},
    {RT_Q8_0, "Q8_0", "qwen2", "0c2f040262692ea338c0ccadc6ed77bc0c0b8fd5c7dba3a14dc72ca9560597c2",
     "4bded59e439ec77eb89f3f694f85ee2b113630e6022c963e11d54270430b5fc3"},
    {RT_Q2_K, "Q2_K", "qwen3", "cf8ecadd1bafd8618e9137d815ef8404b276d85d8788c65c2966dcbef0ef596c",
     "9570f9600e3be488e46d49697d86520acc670ad9961fbfa7d5ec214ead3d1f5d"},
    {RT_Q3_K, "Q3_K", "llama", "9657a8a1f876e842a5182ce3ffc88dda0939f314b23314b9a0e0d2558f73b764",
     "14f37282fadf6b8738cbec7e22d54e5cdec2f19404934c7936a429c3ca4e12ef"},
    {RT_Q4_K, "Q4_K", "qwen2", "ad6e45c1213d6a97b92c9dbce288a40d611297eca9454389beee864a10f47b22",
     "3c8bbc9964d32ab2a95ee1e649000ff074c2499eae6697564aa2eeb8596fa78a"},
    {RT_Q5_K, "Q5_K", "qwen3", "17dd827e5c4cb8a3b31beeea70449c1101e09edb09090af79ed430ab51fadc0f",
     "7a2faf83c2d25837002f06bf65fc99cc89079d06f0aaffe9c32f26c6389d439f"},
    {RT_Q6_K, "Q6_K", "llama", "40041d261f475e6cd125ca156b6d0a289e62de560e4b2b49bf764c1474584876",
     "8575faf511c6e10544144c67a2899fb16a0c73dc66f6b5c2187ae7ec2659923a"},
    {RT_IQ4_NL, "IQ4_NL", "qwen2", "107bc8ca5abafd2a483814bf8f4f957d44adc2afcf4d2044289b4883111e4aa3",
     "25073feb15dd2caae2191833aacdd2e71f40a65fbc8e9cd5da4f1f2792d73590"},
    {RT_IQ4_XS, "IQ4_XS", "qwen3", "2ca638dce0dd379650a887648a44e717e67607566523a689fdf3ba0724083ad0",
     "dc9154ff7b565d0c187c467f7a5115ba1134e0c994476bc947546d1a8fe9cde3"},
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

static void hash_of_logits(const tiny_model *t, const char *kernels, unsigned n_threads, uint32_t n, uint32_t split, char hex[65]) {
  retort_platform platform = {.struct_size = sizeof platform, .user = &n_threads, .parallel = run_crew, .workers = n_threads};
  static float logits[TOKENS * MAX_VOCAB];
  int32_t ids[TOKENS];
  for (uint32_t i = 0; i < n; i++) ids[i] = (int32_t)((i * 29 + i * i) % t->n_vocab);
  retort_error error = {0};
  retort_gguf *gguf;
  retort_model *model;
  retort_session *session;
  retort_model_options model_options;
  retort_model_options_init(&model_options);
  model_options.kernels = kernels;
  retort_session_options options;
  retort_session_options_init(&options);
  options.n_ctx = n;
  options.n_batch = split;
  if (retort_gguf_open(&platform, &t->file, 1, 0, &gguf, &error) || retort_model_open(&platform, gguf, &model_options, &model, &error) ||
      retort_session_open(&platform, model, NULL, &options, &session, &error) ||
      retort_session_eval(session, ids, n, RETORT_LOGITS_ALL, logits, &error))
    fail_msg("%s", error.message);
  size_t size = (size_t)n * t->n_vocab * sizeof(float);
  for (size_t i = 0; i < size / sizeof(float); i++)
    if (!(logits[i] > -1e6f && logits[i] < 1e6f)) fail_msg("logit %zu is %g: the test's weights are not sane", i, (double)logits[i]);
  retort_sha256_hex(logits, size, hex);
  retort_session_close(session);
  retort_model_close(model);
  retort_gguf_close(gguf);
}

/* Odd sizes where the type allows them, whole blocks otherwise. */
static tiny_model model_for(const type_case *c, bool wide) {
  uint32_t block = tiny_format_find(c->type)->block;
  tiny_model t = {.arch = c->arch, .type = c->type, .n_layers = 2, .n_vocab = 61, .bias = true};
  if (block == 1) t.n_embd = 172, t.n_ff = 236, t.n_heads = 4, t.n_kv_heads = 2, t.head_dim = 44;
  if (block == 32) t.n_embd = 96, t.n_ff = 224, t.n_heads = 6, t.n_kv_heads = 3, t.head_dim = 32;
  if (block == 256) t.n_embd = 256, t.n_ff = 256, t.n_heads = 4, t.n_kv_heads = 2, t.head_dim = 64;
  if (wide) t.n_embd = RT_FINE_BELOW, t.n_layers = 1;
  return t;
}

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

#ifdef SANITIZED
static const unsigned THREADS[] = {2}; /* the sanitizers look for bad accesses; the whole matrix runs at full speed */
#else
static const unsigned THREADS[] = {1, 2, 3};
#endif

static int cells;

/* True when every cell of the type's matrix gives the expected hash. */
static bool matrix_agrees(const type_case *c, bool wide) {
  uint32_t n = wide ? WIDE_TOKENS : TOKENS;
  const uint32_t splits[] = {n, 7, 1};
  const char *expected = wide ? c->wide : c->small, *variant;
  tiny_model t = model_for(c, wide);
  retort_error error = {0};
  if (tiny_model_build(&t, &error)) fail_msg("%s", error.message);
  bool agrees = true;
  int available;
  for (uint32_t v = 0; (variant = retort_kernels_variant(NULL, v, &available, NULL)); v++)
    for (size_t k = 0; available && k < sizeof THREADS / sizeof *THREADS; k++)
      for (size_t s = 0; s < sizeof splits / sizeof *splits; s++) {
        char hex[65];
        hash_of_logits(&t, variant, THREADS[k], n, splits[s], hex);
        cells++;
        if (!strcmp(hex, expected)) continue;
        if (agrees || !strcmp(variant, "portable"))
          print_message("%s %s: %s, %u threads, batches of %u give %s\n", c->name, wide ? "wide" : "small", variant, THREADS[k], splits[s], hex);
        agrees = false;
      }
  tiny_model_close(&t);
  return agrees;
}

static void one_hash_for_each_type(void **state) {
  (void)state;
  int wrong = 0;
  for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
    wrong += !matrix_agrees(&CASES[i], false);
    wrong += !matrix_agrees(&CASES[i], true);
  }
  print_message("%d cells of {type, width, variant, threads, split}\n", cells);
  assert_int_equal(wrong, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(one_hash_for_each_type)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
