/* test_draft.c - which tokens are drafted, and how many of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "generate/draft.h"

/* Four drafts for the price of one token more, and no cost at all after the eighth. */
static const uint16_t cheap[1 + RT_MOST_DRAFTS] = {100, 125, 150, 175, 200, 225, 250, 275, 300, 300, 300, 300, 300, 300, 300, 300};

static uint32_t draft_after(rt_drafter *g, const int32_t *tokens, uint32_t n, uint32_t most, bool always, int32_t *drafts) {
  memset(drafts, 0xff, RT_MOST_DRAFTS * sizeof *drafts);
  return rt_draft(g, tokens, n, most, always, drafts);
}

static void the_longest_match_counts(void **state) {
  (void)state;
  rt_drafter g;
  int32_t drafts[RT_MOST_DRAFTS];
  rt_drafter_open(&g, cheap);
  const int32_t text[] = {1, 2, 3, 50, 51, 9, 2, 3, 60, 61, 9, 3, 70, 1, 2, 3};
  assert_int_equal(draft_after(&g, text, 16, 2, true, drafts), 2);
  assert_true(drafts[0] == 50 && drafts[1] == 51 && drafts[2] == -1); /* 1 2 3 is longer, though older, than 2 3 */
  assert_int_equal(draft_after(&g, text + 1, 15, 2, true, drafts), 2);
  assert_true(drafts[0] == 60 && drafts[1] == 61);                 /* of two as long the newer one */
  assert_int_equal(draft_after(&g, text, 5, 15, true, drafts), 0); /* 51 is new */
  assert_int_equal(draft_after(&g, text, 1, 15, true, drafts), 0);
  assert_int_equal(draft_after(&g, text, 0, 15, true, drafts), 0);
  assert_int_equal(draft_after(&g, text, 16, 0, true, drafts), 0);
}

static void a_period_goes_on_for_ever(void **state) {
  (void)state;
  rt_drafter g;
  int32_t drafts[RT_MOST_DRAFTS];
  rt_drafter_open(&g, cheap);
  const int32_t text[] = {7, 1, 2, 3, 1, 2, 3, 1};
  assert_int_equal(draft_after(&g, text, 8, 15, true, drafts), 15);
  for (int i = 0; i < 15; i++) assert_int_equal(drafts[i], (i + 1) % 3 + 1);
  const int32_t same[] = {4, 4};
  assert_int_equal(draft_after(&g, same, 2, 15, true, drafts), 15);
  for (int i = 0; i < 15; i++) assert_int_equal(drafts[i], 4);
}

/* Walks through a text as a generation would; returns how many drafts were computed, and how many of them were right. */
static uint32_t walk(rt_drafter *g, const int32_t *text, uint32_t from, uint32_t n, uint32_t *right) {
  int32_t drafts[RT_MOST_DRAFTS];
  uint32_t computed = 0;
  *right = 0;
  for (uint32_t at = from; at < n;) {
    uint32_t count = rt_draft(g, text, at, RT_MOST_DRAFTS, false, drafts), hits = 0;
    computed += count;
    while (hits < count && at + hits < n && drafts[hits] == text[at + hits]) rt_drafter_learn(g, text[at + hits++]);
    *right += hits;
    at += hits;
    if (at < n) rt_drafter_learn(g, text[at++]);
  }
  return computed;
}

static void it_drafts_where_drafts_are_right(void **state) {
  (void)state;
  enum { N = 4000 };
  static int32_t text[2 * N];
  rt_drafter g;
  uint32_t right, x = 1;
  rt_drafter_open(&g, cheap);
  /* Tokens come again, but never followed by the same ones. */
  for (int i = 0; i < N; i++) text[i] = (int32_t)((x = x * 1664525u + 1013904223u) >> 16) % 200;
  uint32_t computed = walk(&g, text, 1, N, &right);
  assert_true(computed < N / 50);
  /* Then all of it once more. */
  memcpy(text + N, text, N * sizeof *text);
  computed = walk(&g, text, N, 2 * N, &right);
  assert_true(right > N * 8 / 10 && computed < N * 12 / 10);
  /* After that what comes does not repeat any more, and it learns. */
  for (int i = 0; i < N; i++) text[N + i] = (int32_t)((x = x * 1664525u + 1013904223u) >> 16) % 200;
  computed = walk(&g, text, N, 2 * N, &right);
  assert_true(computed < N / 50);
}

static void nothing_is_drafted_where_it_costs_as_much(void **state) {
  (void)state;
  uint16_t dear[1 + RT_MOST_DRAFTS];
  int32_t text[400];
  rt_drafter g;
  uint32_t right;
  for (uint16_t i = 0; i <= RT_MOST_DRAFTS; i++) dear[i] = (uint16_t)(100 * (i + 1));
  for (int i = 0; i < 400; i++) text[i] = i % 10;
  rt_drafter_open(&g, dear);
  assert_int_equal(walk(&g, text, 1, 400, &right), 0);
  rt_drafter_open(&g, cheap);
  assert_true(walk(&g, text, 1, 400, &right) > 300 && right > 300);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_longest_match_counts),
      cmocka_unit_test(a_period_goes_on_for_ever),
      cmocka_unit_test(it_drafts_where_drafts_are_right),
      cmocka_unit_test(nothing_is_drafted_where_it_costs_as_much),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
