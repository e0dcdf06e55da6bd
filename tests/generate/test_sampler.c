/* test_sampler.c - the random numbers against published ones, and the sampler against exact probabilities. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "counting.h"
#include "generate/sampler.h"

/* ---- random numbers ---- */

static void random_numbers_are_the_published_ones(void **state) {
  (void)state;
  /* First outputs of the authors' xoshiro256starstar.c for the state 1, 2, 3, 4. */
  static const uint64_t wanted[] = {11520, 0, 1509978240, 1215971899390074240, 1216172134540287360, 607988272756665600};
  rt_random r = {{1, 2, 3, 4}};
  for (size_t i = 0; i < RT_COUNT(wanted); i++) assert_true(rt_random_next(&r) == wanted[i]);
  /* splitmix64.c for the seed 1234567. */
  static const uint64_t seeds[] = {6457827717110365317u, 3203168211198807973u, 9817491932198370423u, 4593380528125082431u};
  rt_random_seed(&r, 1234567);
  for (size_t i = 0; i < 4; i++) assert_true(r.s[i] == seeds[i]);
}

static void unit_numbers_stay_below_one(void **state) {
  (void)state;
  rt_random r = {{0, UINT64_MAX, 0, 0}};
  double total = 0;
  rt_random_seed(&r, 7);
  for (int i = 0; i < 100000; i++) {
    double u = rt_random_unit(&r);
    assert_true(u >= 0 && u < 1);
    total += u;
  }
  assert_true(fabs(total / 100000 - 0.5) < 0.005);
}

/* ---- the sampler ---- */

enum { N = 40 };

typedef struct fixture {
  rt_arena arena;
  rt_sampler s;
  float logits[N];
} fixture;

static void open_fixture(fixture *f, uint64_t seed) {
  memset(f, 0, sizeof *f);
  assert_int_equal(rt_sampler_open(&f->s, &f->arena, N, NULL), RETORT_OK);
  f->s.temperature = f->s.top_p = f->s.repetition_penalty = 1;
  rt_random_seed(&f->s.random, seed);
  /* Two ties among them, the best not at the ends. */
  for (int i = 0; i < N; i++) f->logits[i] = (float)((i * 17) % 37) * 0.21f - 3;
}

static int32_t pick(fixture *f) {
  float copy[N];
  int32_t id = -1;
  retort_error error;
  memcpy(copy, f->logits, sizeof copy);
  if (rt_sampler_pick(&f->s, copy, NULL, 0, &id, &error)) fail_msg("%s", error.message);
  return id;
}

/* The definition, spelled out slowly: sort all, cut, normalise. */
static void exact(const fixture *f, double *p) {
  int order[N];
  double weight[N], total = 0, kept = 0, reached = 0;
  int n = 0;
  for (int i = 0; i < N; i++)
    if (!(f->s.marks[i] & RT_MARK_BARRED)) order[n++] = i;
  for (int i = 1; i < n; i++)
    for (int k = i; k > 0 && f->logits[order[k]] > f->logits[order[k - 1]]; k--) {
      int t = order[k];
      order[k] = order[k - 1];
      order[k - 1] = t;
    }
  if (f->s.top_k && (int)f->s.top_k < n) n = (int)f->s.top_k;
  for (int i = 0; i < n; i++) total += weight[i] = exp((double)(f->logits[order[i]] - f->logits[order[0]]) / (double)f->s.temperature);
  int cut = n;
  for (int i = 0; i < n; i++)
    if ((reached += weight[i] / total) >= (double)f->s.top_p) {
      cut = i + 1;
      break;
    }
  memset(p, 0, N * sizeof *p);
  for (int i = 0; i < cut; i++)
    if (weight[i] >= (double)f->s.min_p) kept += p[order[i]] = weight[i];
  for (int i = 0; i < N; i++) p[i] /= kept;
}

/* Pearson's chi-square of 40,000 draws against the exact probabilities; forbidden tokens must never come. The limit is mean + 4.5
 * standard deviations of the distribution for that many degrees of freedom. */
static void expect_distribution(fixture *f) {
  enum { DRAWS = 40000 };
  double p[N], chi = 0;
  int counts[N] = {0}, kinds = 0;
  exact(f, p);
  for (int i = 0; i < DRAWS; i++) counts[pick(f)]++;
  for (int i = 0; i < N; i++) {
    if (p[i] == 0 && counts[i]) fail_msg("token %d is excluded but came %d times", i, counts[i]);
    if (p[i] * DRAWS < 5) continue;
    kinds++;
    chi += (counts[i] - p[i] * DRAWS) * (counts[i] - p[i] * DRAWS) / (p[i] * DRAWS);
  }
  assert_true(kinds >= 2);
  if (chi > kinds + 4.5 * sqrt(2.0 * kinds)) fail_msg("chi-square %f for %d kinds", chi, kinds);
}

static void draws_follow_the_exact_distribution(void **state) {
  (void)state;
  static const struct {
    float temperature, top_p, min_p;
    uint32_t top_k;
  } cases[] = {{1, 1, 0, 0},       {0.6f, 0.95f, 0, 0},     {2, 0.5f, 0, 0},   {1.5f, 1, 0, 7},
               {1.5f, 1, 0.1f, 0}, {1.3f, 0.8f, 0.05f, 12}, {5, 0.999f, 0, 39}};
  for (size_t i = 0; i < RT_COUNT(cases); i++) {
    fixture f;
    open_fixture(&f, 100 + i);
    f.s.temperature = cases[i].temperature;
    f.s.top_p = cases[i].top_p;
    f.s.min_p = cases[i].min_p;
    f.s.top_k = cases[i].top_k;
    expect_distribution(&f);
    f.s.marks[30] = f.s.marks[13] = RT_MARK_BARRED; /* among the best */
    expect_distribution(&f);
    rt_arena_close(&f.arena);
  }
}

static void greedy_takes_the_lowest_of_equals(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, 1);
  f.logits[33] = f.logits[9] = f.logits[21] = 50;
  f.s.temperature = 0;
  rt_random before = f.s.random;
  assert_int_equal(pick(&f), 9);
  assert_memory_equal(&before, &f.s.random, sizeof before); /* and draws nothing */
  f.s.temperature = 5;
  f.s.top_k = 1;
  assert_int_equal(pick(&f), 9);
  f.s.top_k = 0;
  f.s.top_p = 1e-6f;
  assert_int_equal(pick(&f), 9);
  f.s.top_p = 1;
  f.s.temperature = 1e-30f;
  f.logits[9] = 51;
  assert_int_equal(pick(&f), 9);
  f.s.marks[9] = RT_MARK_BARRED;
  f.s.temperature = 0;
  assert_int_equal(pick(&f), 21);
  rt_arena_close(&f.arena);
}

static void the_penalty_acts_once_on_recent_tokens(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, 1);
  float logits[N];
  int32_t id;
  memcpy(logits, f.logits, sizeof logits);
  logits[5] = 4;
  logits[6] = -4;
  logits[7] = 3;
  float before8 = logits[8];
  f.s.temperature = 0;
  f.s.repetition_penalty = 2;
  assert_int_equal(rt_sampler_pick(&f.s, logits, (int32_t[]){5, 6, 5, 5, -1, N, 6}, 7, &id, NULL), RETORT_OK);
  assert_true(logits[5] == 2 && logits[6] == -8 && logits[7] == 3 && logits[8] == before8);
  for (int i = 0; i < N; i++) assert_int_equal(f.s.marks[i], 0);
  rt_arena_close(&f.arena);
}

static void logits_that_are_no_numbers_are_refused(void **state) {
  (void)state;
  fixture f;
  retort_error error;
  int32_t id = 77;
  open_fixture(&f, 1);
  for (int kind = 0; kind < 3; kind++) {
    for (int i = 0; i < N; i++) f.logits[i] = kind == 2 ? -INFINITY : 1;
    if (kind < 2) f.logits[23] = kind ? INFINITY : NAN;
    memset(&error, 0, sizeof error);
    assert_int_equal(rt_sampler_pick(&f.s, f.logits, NULL, 0, &id, &error), RETORT_ERROR_FORMAT);
    assert_non_null(strstr(error.message, "damaged"));
    if (kind < 2) assert_non_null(strstr(error.message, "token 23"));
  }
  f.logits[11] = -1; /* -infinity elsewhere is fine */
  for (int i = 0; i < 100; i++) assert_int_equal(pick(&f), 11);
  rt_arena_close(&f.arena);
}

static void a_seed_gives_one_sequence(void **state) {
  (void)state;
  fixture a, b, c;
  open_fixture(&a, 5);
  open_fixture(&b, 5);
  open_fixture(&c, 6);
  int same = 0;
  for (int i = 0; i < 1000; i++) {
    int32_t id = pick(&a);
    assert_int_equal(id, pick(&b));
    same += id == pick(&c);
  }
  assert_true(same < 300);
  rt_arena_close(&a.arena);
  rt_arena_close(&b.arena);
  rt_arena_close(&c.arena);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(random_numbers_are_the_published_ones),
      cmocka_unit_test(unit_numbers_stay_below_one),
      cmocka_unit_test(draws_follow_the_exact_distribution),
      cmocka_unit_test(greedy_takes_the_lowest_of_equals),
      cmocka_unit_test(the_penalty_acts_once_on_recent_tokens),
      cmocka_unit_test(logits_that_are_no_numbers_are_refused),
      cmocka_unit_test(a_seed_gives_one_sequence),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
